"""What came of one fetch."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from etl.extract.spotify.client import ApiClient, Mode
from etl.extract.spotify.responses import ResponseStore
from etl.extract.spotify.sync_state import SyncState
from etl.storage.inputs import ReceivedInput

DONE, PENDING_QUOTA = "done", "pending_quota"


@dataclass(frozen=True)
class FetchResult:
    """What came of one fetch.

    ``state`` is done, or pending_quota where the quota ended it: then ``left`` says how much of what was not asked.
    ``received`` is None where nothing new was said. ``calls`` counts the fetch's requests by endpoint, answers kept
    by an earlier try included; ``calls_saved`` the pages that were known and therefore not asked.
    ``known`` is what the next fetch of the account need not ask; None for the catalogue.
    """

    state: str
    received: ReceivedInput | None
    mode: Mode | None
    calls: Mapping[str, int]
    calls_saved: int = 0
    remaining: Mapping[str, int] = field(default_factory=dict)
    playlists_seen: int = 0
    playlists_changed: int = 0
    playlists_rejected: int = 0
    known: SyncState | None = None
    days_left: int | None = None


def finish_fetch(
    api: ApiClient,
    responses: ResponseStore,
    calls_before: Counter[str],
    remaining: Mapping[str, int],
    has_quota_left: bool,
    has_news: bool = True,
    **fields: Any,
) -> FetchResult:
    """Bring the answers into the lake and say what came of the fetch.

    :param calls_before: what ``api`` had counted before the fetch.
    :param is_news: whether the answers say anything that was not known; else the lake does not keep them.
    :param more: further fields of ``FetchResult``.
    """
    return FetchResult(
        state=DONE if has_quota_left else PENDING_QUOTA,
        received=responses.store_input(api.clock()) if has_news else None,
        mode=api.mode,
        calls=dict(sorted((Counter(api.calls) - calls_before + responses.replay_counts).items())),
        remaining={kind: count for kind, count in remaining.items() if count},
        **fields,
    )
