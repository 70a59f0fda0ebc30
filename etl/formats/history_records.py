"""Plays as records of formats that other services and the import of this product read.

In: plays as rows of sql/queries/history/plays.sql, as dictionaries. Out: listens of ListenBrainz, and records of
Spotify's extended streaming history.
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from etl.formats.service_exports import is_spotify_id

Play = Mapping[str, Any]

CLIENT = "listening-warehouse"


def build_listen(play: Play, play_min_ms: int) -> dict[str, Any] | None:
    """Return a play as ListenBrainz's export and API have it.

    ``listened_at`` is in whole seconds; ``additional_info`` has what is lost so: the start in milliseconds, if it has
    any, and the length.

    :param play_min_ms: the least length of a play that counts: a song that was skipped before is no listen.
    :returns: None for a podcast or audiobook, a play without names, and one that does not count.
    """
    length = play["ms_played"]
    if not (play["track_name"] and play["artist_name"]) or (length is not None and length < play_min_ms):
        return None
    start_ms = _to_milliseconds(play["event_time"])
    address = f"https://open.spotify.com/track/{play['track_id']}" if is_spotify_id(play["track_id"]) else None
    info = {
        "submission_client": CLIENT,
        "listened_at_ms": start_ms if start_ms % 1000 else None,
        "duration_ms": play.get("duration_ms"),
        "duration_played": length // 1000 if length is not None else None,
        "ms_played": length,
        "isrc": play.get("isrc"),
        "spotify_id": address,
        "origin_url": address,
        "media_player": _get_platform(play),
    }
    metadata = {
        "artist_name": play["artist_name"],
        "track_name": play["track_name"],
        "release_name": play["album_name"],
        "additional_info": info,
    }
    return {
        "listened_at": start_ms // 1000,
        "track_metadata": {name: _remove_nulls(value) for name, value in metadata.items() if value is not None},
    }


def build_extended_record(play: Play) -> dict[str, Any] | None:
    """Return a play as a record of the extended streaming history; None for a play without a length."""
    if play["ms_played"] is None:
        return None
    spoken_id = play.get("spoken_id")
    is_uri = str(spoken_id).startswith("spotify:")
    is_chapter = str(spoken_id).startswith(("spotify:chapter:", "spotify:audiobook:"))
    episode, chapter = (spoken_id is not None and not is_chapter), (spoken_id is not None and is_chapter)
    return {
        "ts": _format_time(play["ended_at"] or play["event_time"], play),
        "platform": _get_platform(play),
        "ms_played": play["ms_played"],
        "conn_country": play["country"],
        "master_metadata_track_name": play["track_name"],
        "master_metadata_album_artist_name": play["artist_name"],
        "master_metadata_album_album_name": play["album_name"],
        "spotify_track_uri": f"spotify:track:{play['track_id']}" if is_spotify_id(play["track_id"]) else None,
        "episode_name": play.get("spoken_name") if episode else None,
        "episode_show_name": play.get("show_name") if episode else None,
        "spotify_episode_uri": spoken_id if episode and is_uri else None,
        "audiobook_title": play.get("show_name") if chapter else None,
        "audiobook_uri": spoken_id if chapter and ":audiobook:" in str(spoken_id) else None,
        "audiobook_chapter_uri": spoken_id if chapter and ":chapter:" in str(spoken_id) else None,
        "audiobook_chapter_title": play.get("spoken_name") if chapter else None,
        "reason_start": play["reason_start"],
        "reason_end": play["reason_end"],
        "shuffle": play["is_shuffle"],
        "skipped": play["is_skipped"],
        "offline": play["is_offline"],
        "offline_timestamp": None,
        "incognito_mode": play["is_incognito"],
    }


def _get_platform(play: Play) -> str | None:
    """Return the platform, or the kind of device, which the import recognises as a platform, too."""
    return play["platform"] or (play["device_type"] and str(play["device_type"]).lower())


def _format_time(ended_at: datetime, play: Play) -> str:
    """Return the end of a play, to the second if it has no fraction.

    The import takes the start from end and length, so a play whose end is not its start and its length later, because
    it was paused, is written with the end that gives its start.
    """
    start_ms = _to_milliseconds(play["event_time"])
    end_ms = start_ms + play["ms_played"] if play["ms_played"] else _to_milliseconds(ended_at)
    seconds, milliseconds = divmod(end_ms, 1000)
    text = f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%dT%H:%M:%S}"
    return f"{text}.{milliseconds:03}Z" if milliseconds else f"{text}Z"


def _to_milliseconds(time: datetime) -> int:
    return round(time.timestamp() * 1000)


def _remove_nulls(value: Any) -> Any:
    return {name: item for name, item in value.items() if item is not None} if isinstance(value, dict) else value
