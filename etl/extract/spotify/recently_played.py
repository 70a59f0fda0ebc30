"""One look at what an account has played lately: a single call, whose answer holds the newest 50 plays at most.

The call names no cursor. Spotify keeps 50 plays and no more, so that `after` brings nothing that the plain call does
not bring, and hides the play on which a page should join: with that play in sight, or an older one, nothing is missing.
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
    """A time in which plays may be missing: from the newest one known before to the oldest one of a full page."""

    gap_from: datetime
    gap_to: datetime


@dataclass(frozen=True)
class RecentPlays:
    """What came of a look. ``newest_at`` is the newest play known now; None where none ever was."""

    fetched: FetchResult
    newest_at: datetime | None
    gap: PlayGap | None


def fetch_recently_played(
    api: ApiClient, account: Account, newest_known_at: datetime | None, responses: ResponseStore
) -> RecentPlays:
    """Ask for the last plays of an account, and bring them into the lake where one of them is new.

    :param known_at: when the newest play that is known was; None where none is.
    :raises MustSignInError: where the account must sign in again.
    :raises ActionNeededError: where Spotify refuses.
    :raises QuotaUsedUpError: where the quota is used up.
    :raises TryAgainError: where the API does not answer, or (RateLimitedError) asks for a long pause.
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
    has_news = newest_at != newest_known_at or bool(responses.replay_counts)  # run again it brings the same input again
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
            continue  # the load refuses such a play and says so
        played_at_values.append(played_at if played_at.tzinfo else played_at.replace(tzinfo=UTC))
    return played_at_values
