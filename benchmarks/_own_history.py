"""The zip file of one listener's extended streaming history, and the pandas script that its import is compared with."""

import io
import json
import zipfile
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pandas as pd

from benchmarks._load_peers import insert_by_copy
from etl.database import make_engine

USER_ID, TIMEZONE = "listener", "Europe/Berlin"
PEER_TABLE = "plays"
_RECORDS_PER_FILE = 16_000
_PLAYS_PER_TRACK = 12
_TRACKS_PER_ARTIST = 6
_LAST_PLAY = datetime(2026, 8, 31, 22, tzinfo=UTC)
_PLAYS_PER_DAY = 40
_PLATFORMS = ("android", "ios", "windows", "web_player windows 10;chrome 120", "Sonos speaker")
_REASONS = ("trackdone", "fwdbtn", "endplay", "logout")


def write_history(target: Path, play_count: int, seed: int = 1) -> int:
    """Write a history in files of the size of Spotify's, the fields and private fields included.

    One play of a hundred is of a podcast, and one of a thousand has no time and is rejected.

    :returns: the number of plays that a load accepts.
    """
    random = np.random.default_rng(seed)
    tracks = random.zipf(1.3, play_count) % max(play_count // _PLAYS_PER_TRACK, 1)
    spacing = timedelta(days=1) / _PLAYS_PER_DAY
    records = []
    for number, track in enumerate(tracks.tolist()):
        ended_at = _LAST_PLAY - spacing * (play_count - number) + timedelta(seconds=int(random.integers(0, 120)))
        records.append(_make_record(number, track, ended_at, random))
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for first in range(0, play_count, _RECORDS_PER_FILE):
            name = f"Spotify Extended Streaming History/Streaming_History_Audio_{first // _RECORDS_PER_FILE}.json"
            archive.writestr(name, json.dumps(records[first : first + _RECORDS_PER_FILE], indent=2))
    return sum(record["ts"] is not None for record in records)


def _make_record(number: int, track: int, ended_at: datetime, random: np.random.Generator) -> dict[str, object]:
    is_spoken, is_broken = number % 100 == 50, number % 1000 == 999
    artist = track // _TRACKS_PER_ARTIST
    suffix = " - Live at the Hall" if track % 20 == 7 else " - 2011 Remaster" if track % 20 == 3 else ""
    is_skipped = bool(random.random() < 0.2)
    return {
        "ts": None if is_broken else f"{ended_at:%Y-%m-%dT%H:%M:%SZ}",
        "platform": _PLATFORMS[track % len(_PLATFORMS)],
        "ms_played": int(random.integers(1_000, 29_000) if is_skipped else random.integers(120_000, 300_000)),
        "conn_country": "DE",
        "ip_addr": "192.0.2.17",
        "master_metadata_track_name": None if is_spoken else f"Song {track}{suffix}",
        "master_metadata_album_artist_name": None if is_spoken else f"Band {artist}",
        "master_metadata_album_album_name": None if is_spoken else f"Record {artist}",
        "spotify_track_uri": None if is_spoken else f"spotify:track:{track:022d}",
        "episode_name": f"Episode {number}" if is_spoken else None,
        "episode_show_name": f"Show {number % 7}" if is_spoken else None,
        "spotify_episode_uri": f"spotify:episode:{number:022d}" if is_spoken else None,
        "audiobook_title": None,
        "audiobook_uri": None,
        "audiobook_chapter_uri": None,
        "audiobook_chapter_title": None,
        "reason_start": _REASONS[number % 2],
        "reason_end": "fwdbtn" if is_skipped else "trackdone",
        "shuffle": number % 3 == 0,
        "skipped": is_skipped,
        "offline": False,
        "offline_timestamp": int(ended_at.timestamp()),
        "incognito_mode": False,
    }


def load_with_pandas(source: Path, url: str, by_copy: bool) -> int:
    """Parse the files of a history, and write all records into a bare table by ``to_sql``.

    :param by_copy: with the COPY method of pandas' documentation; else with its default, INSERT.
    :returns: the number of rows.
    """
    frame = pd.concat(read_files(source), ignore_index=True)
    frame["ts"] = pd.to_datetime(frame["ts"])
    method = insert_by_copy if by_copy else None
    frame.to_sql(PEER_TABLE, make_engine(url), schema="public", if_exists="replace", index=False, method=method)
    return len(frame)


def read_files(source: Path) -> Iterable[pd.DataFrame]:
    """Yield the records of each file, as pandas parses them."""
    with zipfile.ZipFile(source) as archive:
        for name in archive.namelist():
            yield pd.read_json(io.BytesIO(archive.read(name)), dtype=False, convert_dates=False)
