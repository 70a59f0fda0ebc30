"""Inputs of each kind whose every text looks like SQL, a template or a path, and a server for them."""

import csv
import http.server
import json
import threading
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import fastavro
import pandas as pd

from etl.formats.contracts.avro import load_contract
from etl.formats.kaggle.file_formats import FORMATS
from simulator.mock_api.seed_data import write_seed_data
from tests.exports import AUDIO, make_old_play, make_play
from tests.simulator.mock_api.small_seed_data import make_small_rows

HOSTILE_TEXTS = (
    "'); drop table warehouse.dim_user cascade; --",
    '"; drop schema mart cascade; select "',
    "%s %(x)s %% %",
    ":x :name ::text",
    "{} {0} {x} {settings}",
    "{{ 7 * 7 }} {% raw %} ${HOME} $(touch leak) `touch leak`",
    "\\'; drop table audit.run; --",
    "$$; drop table warehouse.dim_track; $$",
    "<script>alert(1)</script> [x](javascript:alert(1))",
)
"""Texts that do harm if data is executed as code."""

_FIRST_EVENT_TIME = datetime(2026, 11, 2, 8, 0, tzinfo=UTC)


def make_hostile_text(number: int, label: str) -> str:
    """Return a harmful text, unique by its end."""
    return f"{HOSTILE_TEXTS[number % len(HOSTILE_TEXTS)]} {label} {number}"


def write_kaggle_files(folder: Path) -> dict[str, Path]:
    """Write a file of each Kaggle format; return the files by the format's name."""
    folder.mkdir()
    files = {}
    for file_format in FORMATS.values():
        if file_format.origin != "kaggle":
            continue
        path = files[file_format.name] = folder / f"{file_format.name}.csv"
        with path.open("w", newline="", encoding="utf-8") as target:
            writer = csv.writer(target)
            writer.writerow(file_format.columns)
            writer.writerows([_make_cell(column, number) for column in file_format.columns] for number in range(60))
    return files


def _make_cell(column: str, number: int) -> object:
    name = column.casefold()
    if name in ("track_id", "id"):
        return f"hostile{number:015d}"
    if name in ("artists", "id_artists", "genres") and number % 2:
        return str([make_hostile_text(number, name)])
    if "date" in name or name == "year":
        return 1950 + number
    if name in ("explicit", "mode"):
        return number % 2
    if any(word in name for word in ("duration_ms", "length")) and "pod" not in name:
        return 100_000 + number
    if any(word in name for word in _NUMERIC_COLUMN_WORDS) and "recc" not in name:
        return round(number / 60, 3)
    return make_hostile_text(number, column)


_NUMERIC_COLUMN_WORDS = (
    *("popularity", "danceability", "energy", "key", "loudness", "speechiness", "acousticness", "instrumentalness"),
    *("liveness", "valence", "tempo", "time_signature", "followers", "beats per minute", "rating"),
)


def write_api_seed_data(path: Path) -> None:
    """Write the mock API's seed data: hostile names of tracks, albums, artists, genres and playlists."""
    tracks, artists = make_small_rows(300, real_playlists=3)
    for column in ("name", "album_name", "playlist_name"):
        tracks[column] = [
            None if pd.isna(value) else make_hostile_text(row, column) for row, value in enumerate(tracks[column])
        ]
    tracks["genres"] = [[make_hostile_text(row, "genre")] for row in range(len(tracks))]
    artists["name"] = [make_hostile_text(row, "artist") for row in range(len(artists))]
    write_seed_data(tracks, artists, path, seed=1, account_count=2, playlist_count=3)


def write_feeds(folder: Path) -> Path:
    """Write feeds of events and of listeners."""
    folder.mkdir()
    for name, make_record in (("user_activity_2", _make_activity), ("user", _make_user)):
        with (folder / f"{name}.avro").open("wb") as target:
            fastavro.writer(target, load_contract(name), [make_record(number) for number in range(60)])
    return folder


def _make_activity(number: int) -> dict[str, Any]:
    event_time = _FIRST_EVENT_TIME + timedelta(minutes=number)
    texts = {
        name: make_hostile_text(number, name) for name in ("userId", "song", "songId", "genre", "artist", "artistId")
    }
    optional_fields = {
        name: make_hostile_text(number, name) for name in ("playlistId", "userLocation", "eventId", "subscriptionType")
    }
    location_fields = {
        name: make_hostile_text(number, name) if number % 2 else None for name in ("country", "continent", "timezone")
    }
    context = {name: make_hostile_text(number, name) for name in ("platform", "reasonStart", "reasonEnd")}
    times = {"eventTime": event_time, "startTime": event_time, "endTime": event_time + timedelta(seconds=180)}
    plain_fields = {"activityType": "PLAY", "deviceType": "MOBILE", "duration": 180_000, "msPlayed": 180_000}
    return {**texts, **optional_fields, **location_fields, **times, **plain_fields, "context": context}


def _make_user(number: int) -> dict[str, Any]:
    names = ("userId", "username", "gender", "favouriteGenre", "subscriptionType")
    return {**{name: make_hostile_text(number, name) for name in names}, "updatedAt": _FIRST_EVENT_TIME}


def write_exports(folder: Path, private_text: str) -> dict[str, Path]:
    """Write exports by kind: a valid one with private fields and hostile names, and zips with outside paths."""
    folder.mkdir()
    plays = [
        {
            **(make_old_play if number % 2 else make_play)(ts=f"2024-03-01T12:{number:02d}:00Z"),
            "master_metadata_track_name": make_hostile_text(number, "track"),
            "master_metadata_album_artist_name": make_hostile_text(number, "artist"),
            "master_metadata_album_album_name": make_hostile_text(number, "album"),
            "platform": make_hostile_text(number, "platform"),
            "reason_start": make_hostile_text(number, "reason"),
            **dict.fromkeys(("ip_addr", "ip_addr_decrypted", "user_agent_decrypted", "username"), private_text),
        }
        for number in range(40)
    ]
    account = {"username": private_text, "email": private_text}
    good_zip = _write_zip(folder / "good.zip", {AUDIO: plays, "Userdata.json": account})
    return {
        "good": good_zip,
        "slip": _write_zip(folder / "slip.zip", {f"../../../../leaked/{AUDIO}": plays}),
        "absolute": _write_zip(folder / "absolute.zip", {f"/leaked/{AUDIO}": plays}),
    }


def _write_zip(path: Path, files: dict[str, Any]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, json.dumps(content))
    return path


@contextmanager
def serve_files(files: dict[str, Path], token: str) -> Iterator[str]:
    """Serve files behind a token, on loopback.

    :returns: the server's address; the path of a file below it is ``/<name>.csv?token=…``.
    """

    class FileHandler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            path, _, query = self.path.partition("?")
            file = files.get(path.strip("/").removesuffix(".csv"))
            is_authorised = query == f"token={token}"
            self.send_response(200 if file and is_authorised else 403)
            self.end_headers()
            if file and is_authorised:
                self.wfile.write(file.read_bytes())

        def log_message(self, format: str, *args: object) -> None:
            """Log nothing: URLs contain the token."""

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), FileHandler) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()
