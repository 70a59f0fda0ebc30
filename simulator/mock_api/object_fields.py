"""The fields of each object of the API, by mode.

Spotify's own description marks no field as required, so this module lists them; tests compare the responses to it.
"""

from etl.formats.contracts.columns import MEASURES
from simulator.mock_api.scenario import QuotaMode

_LINK_FIELDS = ("external_urls", "href", "id", "type", "uri")

_FIELDS_IN_BOTH_MODES: dict[str, tuple[str, ...]] = {
    "artist": (*_LINK_FIELDS, "images", "name"),
    "simple_artist": (*_LINK_FIELDS, "name"),
    "simple_album": (
        *(*_LINK_FIELDS, "album_type", "artists", "images", "name"),
        *("release_date", "release_date_precision", "total_tracks"),
    ),
    "album": (
        *(*_LINK_FIELDS, "album_type", "artists", "copyrights", "external_ids", "images", "name"),
        *("release_date", "release_date_precision", "total_tracks", "tracks"),
    ),
    "simple_track": (
        *(*_LINK_FIELDS, "artists", "disc_number", "duration_ms", "explicit", "is_local", "is_playable", "name"),
        "track_number",
    ),
    "track": (
        *(*_LINK_FIELDS, "album", "artists", "disc_number", "duration_ms", "explicit", "external_ids", "is_local"),
        *("is_playable", "name", "track_number"),
    ),
    "simple_playlist": (
        *_LINK_FIELDS,
        "collaborative",
        "description",
        "images",
        "name",
        "owner",
        "public",
        "snapshot_id",
    ),
    "playlist": (*_LINK_FIELDS, "collaborative", "description", "images", "name", "owner", "public", "snapshot_id"),
    "playlist_item": ("added_at", "added_by", "is_local"),
    "saved_track": ("added_at", "track"),
    "play": ("context", "played_at", "track"),
    "me": (*_LINK_FIELDS, "account_id", "display_name", "images"),
    "audio_features": (*("id", "uri", "type", "track_href", "analysis_url", "duration_ms", *MEASURES),),
}
_DEVELOPMENT_ONLY_FIELDS: dict[str, tuple[str, ...]] = {
    "simple_playlist": ("items",),
    "playlist_item": ("item",),
}
_EXTENDED_ONLY_FIELDS: dict[str, tuple[str, ...]] = {
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
_MODE_ONLY_FIELDS: tuple[tuple[QuotaMode, dict[str, tuple[str, ...]]], ...] = (
    ("development", _DEVELOPMENT_ONLY_FIELDS),
    ("extended", _EXTENDED_ONLY_FIELDS),
)
OBJECT_FIELDS: dict[QuotaMode, dict[str, frozenset[str]]] = {
    mode: {name: frozenset((*fields, *mode_fields.get(name, ()))) for name, fields in _FIELDS_IN_BOTH_MODES.items()}
    for mode, mode_fields in _MODE_ONLY_FIELDS
}
"""The fields that every object of a kind has, by mode. A track may also have ``restrictions`` and, in extended mode,
``linked_from``; in development mode a playlist has ``items`` if its items are readable. Audio features exist in
extended mode only, and a local file's track has no ids."""
