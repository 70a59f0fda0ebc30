"""The recent plays of an account: a single call, whose response has the newest 50 plays at most.

The call has no cursor. Spotify stores no more than 50 plays, so ``after`` returns nothing that the plain call does not
return. It also hides the play at which a page joins the previous one: if the page contains that play or an older one,
no play is missing.
"""

from collections import Counter
from dataclasses import dataclass
from datetime import UTC, datetime

from etl.errors import ActionNeededError
from etl.extract.spotify.account_store import Account, count_days_left
from etl.extract.spotify.client import PAGE_SIZE, ApiClient
from etl.extract.spotify.fetch_result import FetchResult, finish_fetch
from etl.extract.spotify.responses import ResponseStore
from etl.extract.spotify.sync_state import iterate_objects
from etl.formats.api_responses import ApiResponse


@dataclass(frozen=True)
class PlayGap:
    """A period in which plays may be missing: from the newest play fetched before to the oldest play of a full page."""

    gap_from: datetime
    gap_to: datetime


@dataclass(frozen=True)
class RecentPlays:
    """The result of a fetch of recent plays. ``newest_at`` is the time of the newest play so far, or None."""

    fetched: FetchResult
    newest_at: datetime | None
    gap: PlayGap | None


def fetch_recently_played(
    api: ApiClient, account: Account, newest_known_at: datetime | None, responses: ResponseStore
) -> RecentPlays:
    """Fetch the recent plays of an account, and store them in the lake if any of them is new.

    :param newest_known_at: the time of the newest play fetched before, or None.
    :raises MustSignInError: if the account must sign in again.
    :raises ActionNeededError: if Spotify denies the request.
    :raises QuotaUsedUpError: if the quota is used up.
    :raises TryAgainError: if the API does not respond, or (RateLimitedError) requests a long pause.
    """
    calls_before = Counter(api.calls)
    response = responses.fetch_once(api.fetch_recently_played)
    if not response.is_success():
        raise ActionNeededError(
            f"Spotify refuses the last plays of the account {account.name} ({response.status}): run bin/sign-in "
            f"{account.name} to grant what is asked; in development mode the app's dashboard must list the person."
        )
    played_at_values = _parse_played_at_values(response)
    newest_at = max((*played_at_values, *([newest_known_at] if newest_known_at else [])), default=None)
    # A retry that replays stored responses must return the same input as the first try.
    has_news = newest_at != newest_known_at or bool(responses.replay_counts)
    days_left = count_days_left(account, api.clock())
    fetched = finish_fetch(api, responses, calls_before, {}, True, has_news=has_news, days_left=days_left)
    return RecentPlays(fetched, newest_at, _find_gap(response, played_at_values, newest_known_at))


def _find_gap(
    response: ApiResponse, played_at_values: list[datetime], newest_known_at: datetime | None
) -> PlayGap | None:
    is_full = len(response.body["items"]) >= PAGE_SIZE
    if newest_known_at is None or not is_full or not played_at_values or min(played_at_values) <= newest_known_at:
        return None
    return PlayGap(newest_known_at, min(played_at_values))


def _parse_played_at_values(response: ApiResponse) -> list[datetime]:
    played_at_values = []
    for item in iterate_objects(response.body):
        try:
            played_at = datetime.fromisoformat(str(item.get("played_at")))
        except ValueError:
            continue  # The load rejects such a play and records why.
        played_at_values.append(played_at if played_at.tzinfo else played_at.replace(tzinfo=UTC))
    return played_at_values
