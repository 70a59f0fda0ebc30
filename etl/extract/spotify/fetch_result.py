"""The result of one fetch."""

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
    """The result of one fetch.

    ``state`` is ``DONE``, or ``PENDING_QUOTA`` if the quota ended the fetch; ``remaining`` then counts the resources
    that are still to be fetched, by kind. ``received`` is None if there was nothing new. ``calls`` counts the requests
    by endpoint, including the responses that an earlier try stored. ``calls_saved`` counts the pages that did not have
    to be fetched again. ``known`` is the new sync state of the account; None for the catalogue.
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
    """Store the responses in the lake, and return the result of the fetch.

    :param calls_before: the calls that ``api`` had counted before the fetch.
    :param has_news: whether the responses contain anything new; if not, the lake does not store them.
    :param fields: further fields of ``FetchResult``.
    """
    return FetchResult(
        state=DONE if has_quota_left else PENDING_QUOTA,
        received=responses.store_input(api.clock()) if has_news else None,
        mode=api.mode,
        calls=dict(sorted((Counter(api.calls) - calls_before + responses.replay_counts).items())),
        remaining={kind: count for kind, count in remaining.items() if count},
        **fields,
    )
