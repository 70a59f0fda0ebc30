"""Items of playlists that are not tracks of Spotify: local files and episodes.

Their texts are part of responses, whose hashes are ids of inputs: they must never change.
"""

from typing import Any

JsonObject = dict[str, Any]

_EMPTY_RESOURCE: JsonObject = {
    "external_urls": {},
    "href": None,
    "id": None,
    "name": "",
    "type": "artist",
    "uri": None,
}
LOCAL_ALBUM: JsonObject = {
    **{**_EMPTY_RESOURCE, "type": "album", "album_type": None, "artists": [], "available_markets": []},
    **{"images": [], "release_date": None, "release_date_precision": None, "total_tracks": None},
}
"""The album of a local file: every field is empty."""

_DESCRIPTION: JsonObject = {
    "description": "Nobody talks about nothing.",
    "explicit": False,
    "html_description": "<p>Nobody talks about nothing.</p>",
    "images": [],
    "is_externally_hosted": False,
    "languages": ["en"],
}


def build_local_track(index: int, album: JsonObject) -> JsonObject:
    """Return the track object of a local file.

    :param index: the position in the playlist, which names the file.
    """
    name = f"Home recording {index}"
    return {
        "album": album,
        "artists": [{**_EMPTY_RESOURCE, "name": "Somebody at home"}],
        "available_markets": [],
        "disc_number": 0,
        "duration_ms": 180_000 + index,
        "explicit": False,
        "external_ids": {},
        "external_urls": {},
        "href": None,
        "id": None,
        "is_local": True,
        "is_playable": True,
        "name": name,
        "popularity": 0,
        "preview_url": None,
        "track_number": 0,
        "type": "track",
        "uri": f"spotify:local:Somebody+at+home::{name.replace(' ', '+')}:180",
    }


def build_show(links: JsonObject, markets: list[str] | None) -> JsonObject:
    """Return a show.

    :param markets: None if the mode does not send them.
    """
    show = {
        **{**links, **_DESCRIPTION, "copyrights": [], "media_type": "audio"},
        **{"name": "The Stand-in Show", "total_episodes": 1},
    }
    if markets is not None:
        show |= {"available_markets": markets, "publisher": "Stand-in"}
    return show


def build_episode(links: JsonObject, show: JsonObject) -> JsonObject:
    """Return an episode of a show."""
    return {
        **links,
        **_DESCRIPTION,
        "audio_preview_url": None,
        "duration_ms": 1_686_230,
        "is_playable": True,
        "name": "Episode one",
        "release_date": "2024-05-01",
        "release_date_precision": "day",
        "show": show,
    }
