"""What a fetch of an account teaches the next one, and its form in the audit."""

import hashlib
import json
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from datetime import datetime, timedelta
from typing import Any

from etl.extract.spotify.answers import Answer

REFUSALS_LAST = timedelta(days=7)
"""How long refusals of playlists are believed: rights and quota modes change, and playlists do not change with them."""

_MOMENTS = ("refused_since", "saved_newest_at", "profile_asked_at")


@dataclass(frozen=True)
class Known:
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


def believed_refusals(known: Known, listed: Answer, mode: str | None = None) -> Mapping[str, str]:
    """The playlists that need not be asked because they were refused.

    :param listed: the fetch's first page of playlists.
    :param mode: the app's, where it is known.
    """
    if mode == "extended" != known.refused_in:
        return {}
    is_fresh = known.refused_since and datetime.fromisoformat(listed.asked_at) - known.refused_since <= REFUSALS_LAST
    return known.refused if is_fresh else {}


def learned(
    known: Known,
    answers: Iterable[Answer],
    refused: Mapping[str, str],
    left: Mapping[str, int],
    mode: str | None = None,
) -> Known:
    """What is known after a fetch.

    :param known: what was known before.
    :param answers: all that the fetch was answered, in the order asked.
    :param refused: playlists that it was refused, or did not ask because others were (playlist_id → snapshot_id).
    :param left: what it did not come to; of that nothing new is known.
    :param mode: the app's, where it is known.
    """
    by_endpoint: dict[str, list[Answer]] = defaultdict(list)
    for answer in answers:
        if answer.is_good():
            by_endpoint[answer.endpoint].append(answer)
    totals: dict[tuple[str | None, str | None], set[int]] = defaultdict(set)
    for answer in by_endpoint["playlist_items"]:
        totals[answer.playlist_id, answer.snapshot_id].add(answer.body["total"])
    # Pages of different totals are of different states: in between, an entry may be there twice or lost.
    whole = {
        answer.playlist_id: answer.snapshot_id
        for answer in by_endpoint["playlist_items"]
        if not answer.body["next"]
        and answer.playlist_id
        and answer.snapshot_id
        and len(totals[answer.playlist_id, answer.snapshot_id]) == 1
    }
    fingerprints = {
        item["id"]: _fingerprint(item.get("name"), (item.get("owner") or {}).get("id"))
        for page in [*by_endpoint["my_playlists"], *by_endpoint["playlist"]]
        for item in (objects(page.body) if page.endpoint == "my_playlists" else [page.body])
        if isinstance(item.get("id"), str) and isinstance(item.get("owner"), dict | None)
    }
    after = replace(known, snapshots={**known.snapshots, **whole}, fingerprints={**known.fingerprints, **fingerprints})
    if by_endpoint["my_playlists"]:
        listed = by_endpoint["my_playlists"][0]
        believed = believed_refusals(known, listed, mode)
        now = {id_: snapshot for id_, snapshot in {**believed, **refused}.items() if id_ not in whole}
        since = known.refused_since if believed else datetime.fromisoformat(listed.asked_at)
        said_in = known.refused_in if believed else mode
        after = replace(after, refused=now, refused_since=since if now else None, refused_in=said_in if now else None)
    if by_endpoint["saved_tracks"] and not left.get("saved_tracks"):
        first = by_endpoint["saved_tracks"][0].body
        moments = [moment for moment in added_moments(first) if moment]
        after = replace(after, saved_total=first["total"], saved_newest_at=max(moments, default=None))
    if by_endpoint["followed_artists"] and not left.get("followed_artists"):
        pages = [answer.body["artists"] for answer in by_endpoint["followed_artists"]]
        ids = tuple(str(artist.get("id")) for page in pages for artist in objects(page))
        after = replace(after, followed_total=pages[0]["total"], followed_ids=ids)
    if by_endpoint["me"]:
        after = replace(after, profile_asked_at=datetime.fromisoformat(by_endpoint["me"][-1].asked_at))
    return after


def to_note(known: Known) -> dict[str, Any]:
    """``known`` in JSON's types."""
    note = asdict(known)
    for name in _MOMENTS:
        note[name] = note[name].isoformat() if note[name] else None
    return note


def from_note(note: Mapping[str, Any] | None) -> Known:
    """What ``to_note`` wrote; nothing is known where there is no note."""
    if not note:
        return Known()
    # Before followed_ids there was a field of another name.
    given = {one.name: note[one.name] for one in fields(Known) if one.name in note}
    moments = {name: datetime.fromisoformat(note[name]) if note.get(name) else None for name in _MOMENTS}
    return Known(**{**given, **moments, "followed_ids": tuple(note.get("followed_ids", ()))})


def added_moments(page: dict[str, Any]) -> list[datetime | None]:
    """When each item of a page was added; None where it does not say."""
    return [_moment(item.get("added_at")) for item in objects(page)]


def objects(page: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """The items of a page that are objects; the API sends null for what is gone."""
    return (item for item in page["items"] if isinstance(item, dict))


def _fingerprint(*values: object) -> str:
    return hashlib.sha256(json.dumps(values).encode("ascii")).hexdigest()[:16]


def _moment(text: object) -> datetime | None:
    try:
        moment = datetime.fromisoformat(str(text))
    except ValueError:
        return None
    return moment if moment.tzinfo else None
