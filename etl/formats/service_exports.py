"""Exports of other services than Spotify: the names of their formats, and the stored fields of a play."""

import re

APPLE_MUSIC, LISTENBRAINZ, LASTFM, YOUTUBE_MUSIC = (
    "apple_music_export",
    "listenbrainz_export",
    "lastfm_export",
    "youtube_music_export",
)
SERVICE_FORMATS = (APPLE_MUSIC, LISTENBRAINZ, LASTFM, YOUTUBE_MUSIC)
"""The formats, by the precedence of their plays. The name of a format is also the source of its events."""

SERVICE_FIELDS = (
    "played_at",
    "ended_at",
    "date_order",
    "artist",
    "track",
    "album",
    "spotify_id",
    "isrc",
    "ms_played",
    "seconds_played",
    "max_ms",
    "platform",
    "country",
    "reason_end",
    "offline",
    "problem",
)
"""The stored fields of a play, all as text and as the service writes them.

- ``played_at``: when the play began; ``ended_at``: when it ended, if the format has both.
- ``date_order``: the order of day and month in the times of the file (dmy or mdy), if they are numbers before the year.
- ``spotify_id``: the id, URI or address of the track at Spotify.
- ``max_ms``: the length of the recording, which a play of it does not exceed.
- ``problem``: why the row or line could not be divided into fields; it is rejected with that reason.
"""

SPOTIFY_TRACK = re.compile(r"(?:spotify:track:|spotify\.com/(?:intl-[a-z-]+/)?track/)([0-9A-Za-z]{22})(?![0-9A-Za-z])")
"""The URI or address of a track at Spotify, with its id."""

_SPOTIFY_ID = re.compile(r"[0-9A-Za-z]{22}")


def is_spotify_id(track_id: str | None) -> bool:
    """Return whether a track's id is one of Spotify, and not derived from names."""
    return bool(track_id and _SPOTIFY_ID.fullmatch(track_id))
