"""The sync state of an account: what one fetch stores in the audit so that the next one skips what is known."""

import hashlib
import json
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from etl.formats.api_responses import ApiResponse

DENIAL_MAX_AGE = timedelta(days=7)
"""How long a denial of a playlist is cached: rights and quota modes change without a change of the playlist."""

_TIMESTAMP_FIELDS = ("refused_since", "saved_newest_at", "profile_asked_at")


@dataclass(frozen=True)
class SyncState:
    """The state of an account as of its last fetches; the default is an account that was never fetched.

    ``snapshots`` has playlists whose items are complete. ``fingerprints`` has listed playlists: a playlist can be
    renamed without a new snapshot. A fingerprint is a digest of name and owner, so that the state names no user who may
    have to be erased. ``refused`` has denied playlists with the snapshot at which they were denied, ``refused_since``
    the time of the oldest denial, and ``refused_in`` the app's mode if it was known: before that, one denial counts for
    all playlists of other users. Saved tracks and followed artists are those of the last fetch that reached all of
    them: a used-up quota can cut their pages.
    """

    snapshots: Mapping[str, str] = field(default_factory=dict)
    fingerprints: Mapping[str, str] = field(default_factory=dict)
    refused: Mapping[str, str] = field(default_factory=dict)
    refused_since: datetime | None = None
    refused_in: str | None = None
    saved_total: int | None = None
    saved_newest_at: datetime | None = None
    followed_total: int | None = None
    followed_ids: tuple[str, ...] = ()
    profile_asked_at: datetime | None = None


def get_cached_denials(sync_state: SyncState, first_page: ApiResponse, mode: str | None = None) -> Mapping[str, str]:
    """Return the playlists to skip because Spotify denied them.

    :param first_page: the fetch's first page of playlists.
    :param mode: the app's, if it is known.
    """
    if mode == "extended" != sync_state.refused_in:
        return {}
    is_fresh = (
        sync_state.refused_since
        and datetime.fromisoformat(first_page.asked_at) - sync_state.refused_since <= DENIAL_MAX_AGE
    )
    return sync_state.refused if is_fresh else {}


def update_sync_state(
    sync_state: SyncState,
    responses: Iterable[ApiResponse],
    denied: Mapping[str, str],
    remaining: Mapping[str, int],
    mode: str | None = None,
) -> SyncState:
    """Return the sync state after a fetch.

    :param sync_state: the state before the fetch.
    :param responses: all responses of the fetch, in the order of its requests.
    :param denied: playlists that Spotify denied, or that the fetch skipped because others were (playlist_id →
        snapshot_id).
    :param remaining: what the fetch did not reach; the state of that stays.
    :param mode: the app's, if it is known.
    """
    by_endpoint: dict[str, list[ApiResponse]] = defaultdict(list)
    for response in responses:
        if response.is_success():
            by_endpoint[response.endpoint].append(response)
    complete_snapshots = _find_complete_snapshots(by_endpoint["playlist_items"])
    changes: dict[str, Any] = {
        "snapshots": {**sync_state.snapshots, **complete_snapshots},
        "fingerprints": {
            **sync_state.fingerprints,
            **_compute_fingerprints([*by_endpoint["my_playlists"], *by_endpoint["playlist"]]),
        },
    }
    if lists := by_endpoint["my_playlists"]:
        changes |= _merge_denials(sync_state, lists[0], denied, complete_snapshots, mode)
    if (saved := by_endpoint["saved_tracks"]) and not remaining.get("saved_tracks"):
        added_at_values = [added_at for added_at in get_added_at_values(saved[0].body) if added_at]
        changes |= {"saved_total": saved[0].body["total"], "saved_newest_at": max(added_at_values, default=None)}
    if (followed := by_endpoint["followed_artists"]) and not remaining.get("followed_artists"):
        pages = [response.body["artists"] for response in followed]
        ids = tuple(str(artist.get("id")) for page in pages for artist in iterate_objects(page))
        changes |= {"followed_total": pages[0]["total"], "followed_ids": ids}
    if profiles := by_endpoint["me"]:
        changes["profile_asked_at"] = datetime.fromisoformat(profiles[-1].asked_at)
    return replace(sync_state, **changes)


def _find_complete_snapshots(pages: Iterable[ApiResponse]) -> dict[str, str]:
    """Return the playlists whose last page was fetched, with the snapshot of their pages."""
    totals: dict[tuple[str | None, str | None], set[int]] = defaultdict(set)
    last_pages = []
    for page in pages:
        totals[page.playlist_id, page.snapshot_id].add(page.body["total"])
        if not page.body["next"]:
            last_pages.append(page)
    # Pages with different totals show different states: between them, an entry may be repeated or lost.
    return {
        page.playlist_id: page.snapshot_id
        for page in last_pages
        if page.playlist_id and page.snapshot_id and len(totals[page.playlist_id, page.snapshot_id]) == 1
    }


def _compute_fingerprints(responses: Iterable[ApiResponse]) -> dict[str, str]:
    """Return the fingerprint of each playlist in lists of playlists, and of playlists fetched by id."""
    return {
        item["id"]: _compute_fingerprint(item.get("name"), (item.get("owner") or {}).get("id"))
        for page in responses
        for item in (iterate_objects(page.body) if page.endpoint == "my_playlists" else [page.body])
        if isinstance(item.get("id"), str) and isinstance(item.get("owner"), dict | None)
    }


def _merge_denials(
    sync_state: SyncState,
    first_page: ApiResponse,
    denied: Mapping[str, str],
    complete_snapshots: Mapping[str, str],
    mode: str | None,
) -> dict[str, Any]:
    """Return the fields of the denials: those still cached and the new ones, without playlists that were fetched."""
    cached = get_cached_denials(sync_state, first_page, mode)
    merged = {id_: snapshot for id_, snapshot in {**cached, **denied}.items() if id_ not in complete_snapshots}
    since = sync_state.refused_since if cached else datetime.fromisoformat(first_page.asked_at)
    return {
        "refused": merged,
        "refused_since": since if merged else None,
        "refused_in": (sync_state.refused_in if cached else mode) if merged else None,
    }


def to_json_object(sync_state: SyncState) -> dict[str, Any]:
    """Return a sync state in JSON's types."""
    document = asdict(sync_state)
    for name in _TIMESTAMP_FIELDS:
        document[name] = document[name].isoformat() if document[name] else None
    return document


def from_json_object(document: Mapping[str, Any] | None) -> SyncState:
    """Return the sync state that ``to_json_object`` wrote; the default for None."""
    if not document:
        return SyncState()
    timestamps = {name: document[name] and datetime.fromisoformat(document[name]) for name in _TIMESTAMP_FIELDS}
    return SyncState(**{**document, **timestamps, "followed_ids": tuple(document["followed_ids"])})


def get_added_at_values(page: dict[str, Any]) -> list[datetime | None]:
    """Return when each item of a page was added; None for an item without a readable time."""
    return [_parse_timestamp(item.get("added_at")) for item in iterate_objects(page)]


def iterate_objects(page: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Iterate over the items of a page that are objects; the API sends null for removed ones."""
    return (item for item in page["items"] if isinstance(item, dict))


def _compute_fingerprint(*values: object) -> str:
    return hashlib.sha256(json.dumps(values).encode("ascii")).hexdigest()[:16]


def _parse_timestamp(text: object) -> datetime | None:
    try:
        timestamp = datetime.fromisoformat(str(text))
    except ValueError:
        return None
    return timestamp if timestamp.tzinfo else None
