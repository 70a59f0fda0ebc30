"""What a fetch of an account teaches the next one, and its form in the audit."""

import hashlib
import json
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from datetime import datetime, timedelta
from typing import Any

from etl.formats.api_responses import ApiResponse

DENIAL_MAX_AGE = timedelta(days=7)
"""How long refusals of playlists are believed: rights and quota modes change, and playlists do not change with them."""

_TIMESTAMP_FIELDS = ("refused_since", "saved_newest_at", "profile_asked_at")


@dataclass(frozen=True)
class SyncState:
    """What the warehouse knows of an account; nothing is known by default.

    ``snapshots`` has playlists whose items are known whole, ``fingerprints`` those that were listed, for a playlist may
    be renamed under one snapshot: a digest of name and owner, so that nobody is named who may have to be forgotten.
    ``refused`` has those that were refused, each with the snapshot under which that was, ``refused_since`` when the
    oldest of them was, and ``refused_in`` the mode, where it was known: before that, one refusal stands for all
    playlists of others. What is known of saved tracks and followed artists is that of the last fetch which did not name
    them as ``left``: a used-up quota may have cut their pages.
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
    """The playlists that need not be asked because they were refused.

    :param listed: the fetch's first page of playlists.
    :param mode: the app's, where it is known.
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
    """What is known after a fetch.

    :param known: what was known before.
    :param answers: all that the fetch was answered, in the order asked.
    :param refused: playlists that it was refused, or did not ask because others were (playlist_id → snapshot_id).
    :param left: what it did not come to; of that nothing new is known.
    :param mode: the app's, where it is known.
    """
    by_endpoint: dict[str, list[ApiResponse]] = defaultdict(list)
    for response in responses:
        if response.is_success():
            by_endpoint[response.endpoint].append(response)
    totals: dict[tuple[str | None, str | None], set[int]] = defaultdict(set)
    for response in by_endpoint["playlist_items"]:
        totals[response.playlist_id, response.snapshot_id].add(response.body["total"])
    # Pages of different totals are of different states: in between, an entry may be there twice or lost.
    complete_snapshots = {
        response.playlist_id: response.snapshot_id
        for response in by_endpoint["playlist_items"]
        if not response.body["next"]
        and response.playlist_id
        and response.snapshot_id
        and len(totals[response.playlist_id, response.snapshot_id]) == 1
    }
    fingerprints = {
        item["id"]: _compute_fingerprint(item.get("name"), (item.get("owner") or {}).get("id"))
        for page in [*by_endpoint["my_playlists"], *by_endpoint["playlist"]]
        for item in (iterate_objects(page.body) if page.endpoint == "my_playlists" else [page.body])
        if isinstance(item.get("id"), str) and isinstance(item.get("owner"), dict | None)
    }
    new_state = replace(
        sync_state,
        snapshots={**sync_state.snapshots, **complete_snapshots},
        fingerprints={**sync_state.fingerprints, **fingerprints},
    )
    if by_endpoint["my_playlists"]:
        listed = by_endpoint["my_playlists"][0]
        cached_denials = get_cached_denials(sync_state, listed, mode)
        all_denied = {
            id_: snapshot for id_, snapshot in {**cached_denials, **denied}.items() if id_ not in complete_snapshots
        }
        denied_since = sync_state.refused_since if cached_denials else datetime.fromisoformat(listed.asked_at)
        denied_in_mode = sync_state.refused_in if cached_denials else mode
        new_state = replace(
            new_state,
            refused=all_denied,
            refused_since=denied_since if all_denied else None,
            refused_in=denied_in_mode if all_denied else None,
        )
    if by_endpoint["saved_tracks"] and not remaining.get("saved_tracks"):
        first_page = by_endpoint["saved_tracks"][0].body
        added_at_values = [added_at for added_at in get_added_at_values(first_page) if added_at]
        new_state = replace(
            new_state, saved_total=first_page["total"], saved_newest_at=max(added_at_values, default=None)
        )
    if by_endpoint["followed_artists"] and not remaining.get("followed_artists"):
        pages = [response.body["artists"] for response in by_endpoint["followed_artists"]]
        ids = tuple(str(artist.get("id")) for page in pages for artist in iterate_objects(page))
        new_state = replace(new_state, followed_total=pages[0]["total"], followed_ids=ids)
    if by_endpoint["me"]:
        new_state = replace(new_state, profile_asked_at=datetime.fromisoformat(by_endpoint["me"][-1].asked_at))
    return new_state


def to_json_object(sync_state: SyncState) -> dict[str, Any]:
    """``known`` in JSON's types."""
    document = asdict(sync_state)
    for name in _TIMESTAMP_FIELDS:
        document[name] = document[name].isoformat() if document[name] else None
    return document


def from_json_object(document: Mapping[str, Any] | None) -> SyncState:
    """What ``to_note`` wrote; nothing is known where there is no note."""
    if not document:
        return SyncState()
    # Before followed_ids there was a field of another name.
    stored_fields = {
        dataclass_field.name: document[dataclass_field.name]
        for dataclass_field in fields(SyncState)
        if dataclass_field.name in document
    }
    timestamps = {
        name: datetime.fromisoformat(document[name]) if document.get(name) else None for name in _TIMESTAMP_FIELDS
    }
    return SyncState(**{**stored_fields, **timestamps, "followed_ids": tuple(document.get("followed_ids", ()))})


def get_added_at_values(page: dict[str, Any]) -> list[datetime | None]:
    """When each item of a page was added; None where it does not say."""
    return [_parse_timestamp(item.get("added_at")) for item in iterate_objects(page)]


def iterate_objects(page: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """The items of a page that are objects; the API sends null for what is gone."""
    return (item for item in page["items"] if isinstance(item, dict))


def _compute_fingerprint(*values: object) -> str:
    return hashlib.sha256(json.dumps(values).encode("ascii")).hexdigest()[:16]


def _parse_timestamp(text: object) -> datetime | None:
    try:
        timestamp = datetime.fromisoformat(str(text))
    except ValueError:
        return None
    return timestamp if timestamp.tzinfo else None
