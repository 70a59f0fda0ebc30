"""What each of the API's objects has, by mode.

Spotify's own description marks nothing as required, so this is where it is written down; tests hold the answers to it.
"""

from etl.schemas.columns import MEASURES
from etl.simulate.spotify_api.scenario import Mode

_LINKS = ("external_urls", "href", "id", "type", "uri")

_IN_BOTH: dict[str, tuple[str, ...]] = {
    "artist": (*_LINKS, "images", "name"),
    "simple_artist": (*_LINKS, "name"),
    "simple_album": (
        *(*_LINKS, "album_type", "artists", "images", "name"),
        *("release_date", "release_date_precision", "total_tracks"),
    ),
    "album": (
        *(*_LINKS, "album_type", "artists", "copyrights", "external_ids", "images", "name"),
        *("release_date", "release_date_precision", "total_tracks", "tracks"),
    ),
    "simple_track": (
        *(*_LINKS, "artists", "disc_number", "duration_ms", "explicit", "is_local", "is_playable", "name"),
        "track_number",
    ),
    "track": (
        *(*_LINKS, "album", "artists", "disc_number", "duration_ms", "explicit", "external_ids", "is_local"),
        *("is_playable", "name", "track_number"),
    ),
    "simple_playlist": (*_LINKS, "collaborative", "description", "images", "name", "owner", "public", "snapshot_id"),
    "playlist": (*_LINKS, "collaborative", "description", "images", "name", "owner", "public", "snapshot_id"),
    "playlist_item": ("added_at", "added_by", "is_local"),
    "saved_track": ("added_at", "track"),
    "play": ("context", "played_at", "track"),
    "me": (*_LINKS, "account_id", "display_name", "images"),
    "audio_features": (*("id", "uri", "type", "track_href", "analysis_url", "duration_ms", *MEASURES),),
}
_ONLY_IN_DEVELOPMENT: dict[str, tuple[str, ...]] = {
    "simple_playlist": ("items",),
    "playlist_item": ("item",),
}
_ONLY_IN_EXTENDED: dict[str, tuple[str, ...]] = {
    "artist": ("followers", "genres", "popularity"),
    "simple_album": ("available_markets",),
    "album": ("available_markets", "genres", "label", "popularity"),
    "simple_track": ("available_markets", "preview_url"),
    "track": ("available_markets", "popularity", "preview_url"),
    "simple_playlist": ("tracks",),
    "playlist": ("tracks",),
    "playlist_item": ("track",),
    "me": ("country", "email", "explicit_content", "followers", "product"),
}
_BY_MODE: tuple[tuple[Mode, dict[str, tuple[str, ...]]], ...] = (
    ("development", _ONLY_IN_DEVELOPMENT),
    ("extended", _ONLY_IN_EXTENDED),
)
PROMISED: dict[Mode, dict[str, frozenset[str]]] = {
    mode: {name: frozenset((*fields, *only.get(name, ()))) for name, fields in _IN_BOTH.items()}
    for mode, only in _BY_MODE
}
"""The fields that every object of a kind has, by mode. Beyond them a track may have ``restrictions`` and, in extended
mode, ``linked_from``; in development mode a playlist has ``items`` where its items may be read. Audio features are
there in extended mode only, and a local file's track has no ids."""
