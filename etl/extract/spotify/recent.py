"""One look at what an account has played lately: a single call, whose answer holds the newest 50 plays at most.

The call names no cursor. Spotify keeps 50 plays and no more, so that `after` brings nothing that the plain call does
not bring, and hides the play on which a page should join: with that play in sight, or an older one, nothing is missing.
"""

from collections import Counter
from dataclasses import dataclass
from datetime import UTC, datetime

from etl.errors import ActionNeededError
from etl.extract.spotify.accounts import Account, days_left
from etl.extract.spotify.answers import Answer, Answers
from etl.extract.spotify.api import PAGE_SIZE, Api
from etl.extract.spotify.fetched import Fetched, finished
from etl.extract.spotify.knowledge import objects


@dataclass(frozen=True)
class Gap:
    """A time in which plays may be missing: from the newest one known before to the oldest one of a full page."""

    gap_from: datetime
    gap_to: datetime


@dataclass(frozen=True)
class Recent:
    """What came of a look. ``newest_at`` is the newest play known now; None where none ever was."""

    fetched: Fetched
    newest_at: datetime | None
    gap: Gap | None


def fetch_recently_played(api: Api, account: Account, known_at: datetime | None, answers: Answers) -> Recent:
    """Ask for the last plays of an account, and bring them into the lake where one of them is new.

    :param known_at: when the newest play that is known was; None where none is.
    :raises MustSignInError: where the account must sign in again.
    :raises ActionNeededError: where Spotify refuses.
    :raises QuotaUsedUpError: where the quota is used up.
    :raises TryAgainError: where the API does not answer, or (RateLimitedError) asks for a long pause.
    """
    calls_before = Counter(api.calls)
    answer = answers.ask(api.recently_played)
    if not answer.is_good():
        raise ActionNeededError(
            f"Spotify refuses the last plays of the account {account.name} ({answer.status}): run bin/sign-in "
            f"{account.name} to grant what is asked; in development mode the app's dashboard must list the person."
        )
    moments = _played_moments(answer)
    newest_at = max((*moments, *([known_at] if known_at else [])), default=None)
    is_news = newest_at != known_at or bool(answers.replayed)  # run again it brings the same input again
    left = days_left(account, api.clock())
    fetched = finished(api, answers, calls_before, {}, True, is_news=is_news, days_left=left)
    return Recent(fetched, newest_at, _gap(answer, moments, known_at))


def _gap(answer: Answer, moments: list[datetime], known_at: datetime | None) -> Gap | None:
    is_full = len(answer.body["items"]) >= PAGE_SIZE
    if known_at is None or not is_full or not moments or min(moments) <= known_at:
        return None
    return Gap(known_at, min(moments))


def _played_moments(answer: Answer) -> list[datetime]:
    moments = []
    for item in objects(answer.body):
        try:
            moment = datetime.fromisoformat(str(item.get("played_at")))
        except ValueError:
            continue  # the load refuses such a play and says so
        moments.append(moment if moment.tzinfo else moment.replace(tzinfo=UTC))
    return moments
