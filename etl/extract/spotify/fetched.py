"""What came of one fetch."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from etl.extract.spotify.answers import Answers
from etl.extract.spotify.api import Api, Mode
from etl.extract.spotify.knowledge import Known
from etl.lake import Received

DONE, PENDING_QUOTA = "done", "pending_quota"


@dataclass(frozen=True)
class Fetched:
    """What came of one fetch.

    ``state`` is done, or pending_quota where the quota ended it: then ``left`` says how much of what was not asked.
    ``received`` is None where nothing new was said. ``calls`` counts the fetch's requests by endpoint, answers kept
    by an earlier try included; ``calls_saved`` the pages that were known and therefore not asked.
    ``known`` is what the next fetch of the account need not ask; None for the catalogue.
    """

    state: str
    received: Received | None
    mode: Mode | None
    calls: Mapping[str, int]
    calls_saved: int = 0
    left: Mapping[str, int] = field(default_factory=dict)
    playlists_seen: int = 0
    playlists_changed: int = 0
    playlists_refused: int = 0
    known: Known | None = None
    days_left: int | None = None


def finished(
    api: Api,
    answers: Answers,
    calls_before: Counter[str],
    left: Mapping[str, int],
    is_quota_left: bool,
    is_news: bool = True,
    **more: Any,
) -> Fetched:
    """Bring the answers into the lake and say what came of the fetch.

    :param calls_before: what ``api`` had counted before the fetch.
    :param is_news: whether the answers say anything that was not known; else the lake does not keep them.
    :param more: further fields of ``Fetched``.
    """
    return Fetched(
        state=DONE if is_quota_left else PENDING_QUOTA,
        received=answers.finish(api.clock()) if is_news else None,
        mode=api.mode,
        calls=dict(sorted((Counter(api.calls) - calls_before + answers.replayed).items())),
        left={what: count for what, count in left.items() if count},
        **more,
    )
