"""Inputs of each kind whose every text is made to be taken for SQL, a template or a path, and who serves them."""

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

from etl.formats import FORMATS
from etl.schemas.avro import contract
from etl.simulate.spotify_api.stock import write_stock
from tests.exports import AUDIO, old_play, play
from tests.simulate.spotify_api.little import little_rows

HOSTILE = (
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
"""Texts that do harm where data is taken for code."""

_BEGINNING = datetime(2026, 11, 2, 8, 0, tzinfo=UTC)


def hostile(number: int, what: str) -> str:
    """A text that does harm, told from others by its end."""
    return f"{HOSTILE[number % len(HOSTILE)]} {what} {number}"


def write_kaggle(folder: Path) -> dict[str, Path]:
    """A file of each format of Kaggle's, by the format's name."""
    folder.mkdir()
    files = {}
    for known in FORMATS.values():
        if known.origin != "kaggle":
            continue
        path = files[known.name] = folder / f"{known.name}.csv"
        with path.open("w", newline="", encoding="utf-8") as target:
            writer = csv.writer(target)
            writer.writerow(known.columns)
            writer.writerows([_cell(column, number) for column in known.columns] for number in range(60))
    return files


def _cell(column: str, number: int) -> object:
    name = column.casefold()
    if name in ("track_id", "id"):
        return f"hostile{number:015d}"
    if name in ("artists", "id_artists", "genres") and number % 2:
        return str([hostile(number, name)])
    if "date" in name or name == "year":
        return 1950 + number
    if name in ("explicit", "mode"):
        return number % 2
    if any(word in name for word in ("duration_ms", "length")) and "pod" not in name:
        return 100_000 + number
    if any(word in name for word in _NUMBERS) and "recc" not in name:
        return round(number / 60, 3)
    return hostile(number, column)


_NUMBERS = (
    *("popularity", "danceability", "energy", "key", "loudness", "speechiness", "acousticness", "instrumentalness"),
    *("liveness", "valence", "tempo", "time_signature", "followers", "beats per minute", "rating"),
)


def write_api_stock(path: Path) -> None:
    """What the stand-in serves: names of tracks, albums, artists, genres and playlists, all hostile."""
    tracks, artists = little_rows(300, real_playlists=3)
    for column in ("name", "album_name", "playlist_name"):
        tracks[column] = [None if pd.isna(value) else hostile(row, column) for row, value in enumerate(tracks[column])]
    tracks["genres"] = [[hostile(row, "genre")] for row in range(len(tracks))]
    artists["name"] = [hostile(row, "artist") for row in range(len(artists))]
    write_stock(tracks, artists, path, seed=1, account_count=2, playlist_count=3)


def write_feeds(folder: Path) -> Path:
    """Feeds of events and of listeners."""
    folder.mkdir()
    for name, of in (("user_activity_2", _activity), ("user", _user)):
        with (folder / f"{name}.avro").open("wb") as target:
            fastavro.writer(target, contract(name), [of(number) for number in range(60)])
    return folder


def _activity(number: int) -> dict[str, Any]:
    moment = _BEGINNING + timedelta(minutes=number)
    texts = {name: hostile(number, name) for name in ("userId", "song", "songId", "genre", "artist", "artistId")}
    more = {name: hostile(number, name) for name in ("playlistId", "userLocation", "eventId", "subscriptionType")}
    places = {name: hostile(number, name) if number % 2 else None for name in ("country", "continent", "timezone")}
    context = {name: hostile(number, name) for name in ("platform", "reasonStart", "reasonEnd")}
    times = {"eventTime": moment, "startTime": moment, "endTime": moment + timedelta(seconds=180)}
    rest = {"activityType": "PLAY", "deviceType": "MOBILE", "duration": 180_000, "msPlayed": 180_000}
    return {**texts, **more, **places, **times, **rest, "context": context}


def _user(number: int) -> dict[str, Any]:
    names = ("userId", "username", "gender", "favouriteGenre", "subscriptionType")
    return {**{name: hostile(number, name) for name in names}, "updatedAt": _BEGINNING}


def write_exports(folder: Path, private: str) -> dict[str, Path]:
    """Exports, by what they are: a good one with private fields and hostile names, and zips that reach out."""
    folder.mkdir()
    plays = [
        {
            **(old_play if number % 2 else play)(ts=f"2024-03-01T12:{number:02d}:00Z"),
            "master_metadata_track_name": hostile(number, "track"),
            "master_metadata_album_artist_name": hostile(number, "artist"),
            "master_metadata_album_album_name": hostile(number, "album"),
            "platform": hostile(number, "platform"),
            "reason_start": hostile(number, "reason"),
            **dict.fromkeys(("ip_addr", "ip_addr_decrypted", "user_agent_decrypted", "username"), private),
        }
        for number in range(40)
    ]
    account = {"username": private, "email": private}
    good = _zip(folder / "good.zip", {AUDIO: plays, "Userdata.json": account})
    return {
        "good": good,
        "slip": _zip(folder / "slip.zip", {f"../../../../leaked/{AUDIO}": plays}),
        "absolute": _zip(folder / "absolute.zip", {f"/leaked/{AUDIO}": plays}),
    }


def _zip(path: Path, files: dict[str, Any]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, json.dumps(content))
    return path


@contextmanager
def served(files: dict[str, Path], token: str) -> Iterator[str]:
    """Files behind a token, on loopback.

    :returns: the server's address; a file's is ``/<name>.csv?token=…`` below it.
    """

    class Answers(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            path, _, query = self.path.partition("?")
            file = files.get(path.strip("/").removesuffix(".csv"))
            is_let_in = query == f"token={token}"
            self.send_response(200 if file and is_let_in else 403)
            self.end_headers()
            if file and is_let_in:
                self.wfile.write(file.read_bytes())

        def log_message(self, format: str, *args: object) -> None:
            """Nothing: addresses hold the token."""

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Answers) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()
