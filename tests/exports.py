"""Synthetic records of account exports, and the files that contain them."""

import json
import zipfile
from pathlib import Path
from typing import Any

Json = dict[str, Any]

TRACK_URI = "spotify:track:0123456789abcdefghijKL"
EPISODE_URI = "spotify:episode:abcdefghijKL0123456789"
AUDIO, VIDEO = "Streaming_History_Audio_2024_0.json", "Streaming_History_Video_2024.json"


def make_play(**fields: Any) -> Json:
    """Return a record of the newest field set, including private fields."""
    return {
        "ts": "2024-03-01T12:03:00Z",
        "platform": "android",
        "ms_played": 180_000,
        "conn_country": "DE",
        "ip_addr": "192.0.2.17",
        "master_metadata_track_name": "Song",
        "master_metadata_album_artist_name": "Singer",
        "master_metadata_album_album_name": "Record",
        "spotify_track_uri": TRACK_URI,
        "episode_name": None,
        "episode_show_name": None,
        "spotify_episode_uri": None,
        "audiobook_title": None,
        "audiobook_uri": None,
        "audiobook_chapter_uri": None,
        "audiobook_chapter_title": None,
        "reason_start": "trackdone",
        "reason_end": "trackdone",
        "shuffle": False,
        "skipped": False,
        "offline": False,
        "offline_timestamp": 1_709_294_400,
        "incognito_mode": False,
        **fields,
    }


def make_old_play(**fields: Any) -> Json:
    """Return a record of the older field set."""
    newer = ("ip_addr", "audiobook_title", "audiobook_uri", "audiobook_chapter_uri", "audiobook_chapter_title")
    private = {"username": "ada.lovelace", "ip_addr_decrypted": "192.0.2.17", "user_agent_decrypted": "Mozilla%2F5.0"}
    return {**{name: value for name, value in make_play().items() if name not in newer}, **private, **fields}


def make_nameless_play(**fields: Any) -> Json:
    """Return a record without a track."""
    names = ("track_name", "album_artist_name", "album_album_name")
    return make_play(**{f"master_metadata_{name}": None for name in names}, spotify_track_uri=None, **fields)


def make_basic_play(**fields: Any) -> Json:
    """Return a record of the account data."""
    return {
        "endTime": "2024-03-01 12:03",
        "artistName": "Singer",
        "trackName": "Song",
        "msPlayed": 180_000,
        **fields,
    }


def encode_file(value: Any) -> bytes:
    """Encode a file as Spotify does; return bytes unchanged."""
    return value if isinstance(value, bytes) else json.dumps(value, indent=2).encode()


def write_export_folder(place: Path, **files: Any) -> Path:
    """Write a folder with files by name."""
    for name, value in files.items():
        (place / name).parent.mkdir(parents=True, exist_ok=True)
        (place / name).write_bytes(encode_file(value))
    return place


def write_export_zip(place: Path, **files: Any) -> Path:
    """Write a zip file with members by name."""
    with zipfile.ZipFile(place, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, value in files.items():
            archive.writestr(name, encode_file(value))
    return place
