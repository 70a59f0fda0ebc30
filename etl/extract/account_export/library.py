"""The saved items and playlists of an account, from the account data: a flat record each.

``YourLibrary.json`` is an object with a list a kind of item, ``Playlist1.json`` an object with a list of playlists.
Everything else in them (saved albums and shows, collaborators, descriptions) is left out.
"""

from collections.abc import Iterator
from typing import Any

LIBRARY, PLAYLISTS = "library_export", "playlist_export"

FIELDS = {
    LIBRARY: ("kind", "track", "artist", "album", "name", "uri"),
    PLAYLISTS: (
        "kind",
        "playlist",
        "name",
        "playlistUri",
        "lastModifiedDate",
        "is_alone",
        "trackName",
        "artistName",
        "albumName",
        "episodeName",
        "showName",
        "trackUri",
        "addedDate",
    ),
}
"""The stored fields of a record. ``kind`` is the kind of the item, ``playlist`` numbers the playlists of a file.
``is_alone`` is set on playlists of a file that was imported by itself, because other files may contain others."""

_KIND_BY_SECTION = {"tracks": "track", "artists": "artist"}
_KIND_BY_ITEM_FIELD = {"track": "track", "episode": "episode", "audiobook": "audiobook", "localTrack": "local track"}

Record = dict[str, Any]


def parse_saved_items(value: Any) -> list[Record]:
    """Return a record for each saved track and followed artist; no records if ``value`` is not a library."""
    if not isinstance(value, dict):
        return []
    items = [(kind, item) for section, kind in _KIND_BY_SECTION.items() for item in _to_list(value.get(section))]
    is_library = any(isinstance(item, dict) and item.keys() & {"uri", "track", "name"} for _, item in items)
    return [{**_to_object(item), "kind": kind} for kind, item in items] if is_library else []


def find_skipped_sections(library: Record) -> set[str]:
    """Return the names of the lists of a library that become no records."""
    return {name for name, items in library.items() if name not in _KIND_BY_SECTION and items}


def parse_playlists(value: Any, is_alone: bool) -> list[Record]:
    """Return a record for each playlist, each followed by a record for each of its items.

    :returns: no records if ``value`` has no playlists.
    """
    candidates = _to_list(value.get("playlists") if isinstance(value, dict) else value)
    playlists = [candidate for candidate in candidates if _is_playlist(candidate)]
    return [
        record
        for number, playlist in enumerate(playlists, 1)
        for record in _flatten_playlist(playlist, number, is_alone)
    ]


def _flatten_playlist(playlist: Record, number: int, is_alone: bool) -> Iterator[Record]:
    fields = {name: value for name, value in playlist.items() if name != "items"}
    uri = _pop_first(fields, ("playlistUri", "uri"))
    record = {**fields, "kind": "playlist", "playlist": number, "playlistUri": uri}
    yield record | {"is_alone": True} if is_alone else record
    for item in _to_list(playlist.get("items")):
        yield {**_flatten_item(_to_object(item)), "playlist": number}


def _flatten_item(item: Record) -> Record:
    """Return a playlist's item as one flat record: the names of its track or episode, and the date it was added."""
    kind = next((name for name in _KIND_BY_ITEM_FIELD if isinstance(item.get(name), dict)), None)
    fields = {name: value for name, value in item.items() if name not in _KIND_BY_ITEM_FIELD}
    if kind is None:
        return {**fields, "kind": "nothing"}
    content = dict(item[kind])
    uri = _pop_first(content, ("trackUri", "episodeUri", "audiobookUri", "uri"))
    return {**fields, **content, "kind": _KIND_BY_ITEM_FIELD[kind], "trackUri": uri}


def _pop_first(fields: Record, names: tuple[str, ...]) -> Any:
    return next((fields.pop(name) for name in names if fields.get(name)), None)


def _to_list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _to_object(value: Any) -> Record:
    return value if isinstance(value, dict) else {}


def _is_playlist(candidate: Any) -> bool:
    return isinstance(candidate, dict) and "name" in candidate and isinstance(candidate.get("items"), list)
