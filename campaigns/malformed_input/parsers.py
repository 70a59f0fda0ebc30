"""The parsers that get malformed inputs: a good file of each, the packaging of malformed rows, and the receiving job.

Rows are real ones if the folder of real files has some of the format, else synthetic ones.
"""

import csv
import gzip
import io
import json
import zipfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache, partial
from itertools import islice
from pathlib import Path
from typing import Any

import fastavro
import python_calamine

from campaigns.malformed_input.row_mutator import Json, RowMutator
from etl.extract import feed, kaggle, source_files
from etl.extract.account_export import receive_export
from etl.extract.account_export.export_records import STORED_FIELDS
from etl.extract.spotify.client import BATCH_SIZES
from etl.extract.spotify.response_shapes import has_id
from etl.extract.spotify.responses import ResponseStore
from etl.formats.api_responses import ApiResponse
from etl.formats.contracts.avro import load_contract
from etl.formats.kaggle.file_formats import FORMATS
from etl.storage.inputs import ReceivedInput
from etl.storage.lake import Lake

CATALOGUE, EVENTS = "catalogue", "events"
RECEIVED_AT = datetime(2026, 11, 21, tzinfo=UTC)
_ROWS_PER_FILE = 10_000
_RECORDS_PER_FILE = 2_500
_RESOURCES_PER_PAGE = 50
_REAL_TABLES = {
    "tracks_by_genre": "dataset.csv",
    "playlist_songs": "spotify_songs.csv",
    "top_2000s": "Spotify-2000.csv",
    "user_behavior": "Spotify_data.xlsx",
}
_REAL_EXPORTS = {
    "extended_export": ("Streaming_History_Audio_*.json", "endsong_*.json"),
    "basic_export": ("StreamingHistory*.json",),
}
_LAYOUTS = (
    ("utf-8", ",", "\n"),
    ("utf-8-sig", ";", "\r\n"),
    ("utf-16", "\t", "\n"),
    ("utf-8", "|", "\r\n"),
    ("utf-8", ",", "\r"),
)
Rows = tuple[list[str], list[list[str]]]


@dataclass(frozen=True)
class Parser:
    """A parser.

    ``load`` names the load that takes its inputs. ``make_good_file`` makes a small valid file;
    ``write_malformed_files`` writes malformed rows into well-formed files, and yields each with its number of rows.
    """

    name: str
    load: str
    suffix: str
    make_good_file: Callable[[Path | None], bytes]
    write_malformed_files: Callable[[Path, Path | None, int, RowMutator], Iterator[tuple[Path, int]]]
    receive_inputs: Callable[[Path, Lake], Sequence[ReceivedInput]]

    @property
    def load_group(self) -> str:
        """Return the group of parsers that can share a load; synthetic files are loaded only if there are no others."""
        return f"{self.load} {self.name.startswith('made_up')} {self.name == 'answers'}"


def receive_table(path: Path, lake: Lake) -> list[ReceivedInput]:
    """Receive each file at the path as a Kaggle import does."""
    arrivals = [kaggle.receive_files(file, None, lake, RECEIVED_AT) for file in source_files.find_files(str(path))]
    return [received for arrival in arrivals for received in arrival.inputs]


def _receive_export(path: Path, lake: Lake) -> list[ReceivedInput]:
    return receive_export(str(path), "listener-1", "Europe/Berlin", lake, RECEIVED_AT).inputs


def _receive_feed(path: Path, lake: Lake) -> list[ReceivedInput]:
    return [feed.receive_file(file, lake, RECEIVED_AT) for file in feed.find_files(str(path))]


def _receive_responses(path: Path, lake: Lake) -> list[ReceivedInput]:
    """Receive a file with one response a line, as the client returned it."""
    responses = ResponseStore(lake, path.stem, "account-ada")
    for number, line in enumerate(path.read_text().splitlines()):
        responses.fetch_once(lambda _, line=line: ApiResponse(**json.loads(line)), number)  # type: ignore[misc]
    received = responses.store_input(RECEIVED_AT)
    return [received] if received else []


# Tables


@cache
def read_table_rows(name: str, real: Path | None) -> Rows:
    """Return header and rows of a format."""
    path = real / "kaggle" / _REAL_TABLES[name] if real and name in _REAL_TABLES else None
    if path is None or not path.exists():
        header = list(FORMATS[name].columns)
        return header, [[_make_value(column, number) for column in header] for number in range(200)]
    if path.suffix == ".xlsx":
        sheet = python_calamine.CalamineWorkbook.from_path(str(path)).get_sheet_by_index(0).to_python()
        return [str(cell) for cell in sheet[0]], [[str(cell) for cell in row] for row in sheet[1:]]
    with path.open(encoding="utf-8-sig", newline="") as file:
        delimiter = ";" if name == "top_2000s" else ","
        rows = list(islice(csv.reader(file, delimiter=delimiter), 20_001))
    return rows[0], rows[1:]


def _make_value(column: str, number: int) -> str:
    """Return a value that is typical of a column's name."""
    lower_name = column.lower()
    by_name = {
        "is_made_up": "true",
        "explicit": "False",
        "mode": "1",
        "key": str(number % 12),
        "time_signature": "4",
        "tempo": "120.5",
        "loudness": "-7.1",
        "followers": f"{number * 1000}.0",
        "genres": "['pop', \"children's music\"]",
        "artists": "['One', 'Two']",
        "artist_ids": f"{_make_id(number)};{_make_id(number + 1)}",
        "artist_names": "One;Two",
        "id_artists": f"['{_make_id(number)}', '{_make_id(number + 1)}']",
        "release_date": ("1999", "1999-12", "1999-12-31")[number % 3],
        "year": "1999",
        "duration_ms": str(180_000 + number),
        "length (duration)": "201",
        "premium_sub_willingness": "Yes",
        "music_recc_rating": "3",
    }
    if lower_name in by_name:
        return by_name[lower_name]
    if lower_name.endswith("id") and "name" not in lower_name:
        return _make_id(number)
    if "popularity" in lower_name:
        return str(number % 100)
    if "date" in lower_name:
        return "2001-05-05"
    is_text_column = any(
        word in lower_name for word in ("name", "artist", "title", "genre", "pod", "age", "gender", "spotify", "music")
    )
    return f"{column} {number}" if is_text_column else "0.5"


def _make_id(number: int) -> str:
    return f"{number:022d}"


def write_table(rows: Rows, encoding: str = "utf-8", delimiter: str = ",", line_end: str = "\n") -> bytes:
    """Return the bytes of a table."""
    text = io.StringIO(newline="")
    # The writer quotes line ends only if they are its own.
    quoting = csv.QUOTE_MINIMAL if line_end == "\r\n" else csv.QUOTE_ALL
    writer = csv.writer(text, delimiter=delimiter, lineterminator=line_end, quoting=quoting)
    writer.writerow(rows[0])
    writer.writerows(rows[1])
    return text.getvalue().encode(encoding, "replace")


def _make_good_table(name: str, real: Path | None) -> bytes:
    if real and name == "user_behavior":
        return (real / "kaggle" / _REAL_TABLES[name]).read_bytes()
    header, rows = read_table_rows(name, real)
    return write_table((header, rows[:100]))


def _write_malformed_tables(
    name: str, folder: Path, real: Path | None, count: int, spoiler: RowMutator
) -> Iterator[tuple[Path, int]]:
    header, rows = read_table_rows(name, real)
    for number, begin in enumerate(range(0, count, _ROWS_PER_FILE)):
        size = min(_ROWS_PER_FILE, count - begin)
        # The last row is unchanged: a file whose last row is short counts as truncated.
        malformed_rows = [spoiler.mutate_row(spoiler.rng.choice(rows)) for _ in range(size - 1)] + [rows[0]]
        encoding, delimiter, line_end = _LAYOUTS[number % len(_LAYOUTS)]
        content = write_table((header, malformed_rows), encoding, delimiter, line_end)
        is_compressed = number % 4 == 3
        path = folder / f"{name}_{number}.csv{'.gz' if is_compressed else ''}"
        path.write_bytes(gzip.compress(content) if is_compressed else content)
        yield path, size


# Account exports


@cache
def read_export_records(name: str, real: Path | None) -> list[Json]:
    """Return records of an export format."""
    paths = (
        [path for pattern in _REAL_EXPORTS[name] for path in sorted((real / "account_export").glob(pattern))]
        if real
        else []
    )
    real_records = [record for path in paths for record in json.loads(path.read_bytes())]
    return real_records or [_make_export_play(name, number) for number in range(200)]


def _make_export_play(name: str, number: int) -> Json:
    stopped = datetime(2024, 3, 1, tzinfo=UTC) + timedelta(minutes=7 * number)
    if name == "basic_export":
        texts = {"artistName": f"Singer {number % 7}", "trackName": f"Song {number % 31}"}
        return {"endTime": f"{stopped:%Y-%m-%d %H:%M}", **texts, "msPlayed": 1_000 * number}
    record = {
        "ts": f"{stopped:%Y-%m-%dT%H:%M:%SZ}",
        "platform": "android",
        "ms_played": 1_000 * number,
        "conn_country": "DE",
        "ip_addr": "192.0.2.17",
        "master_metadata_track_name": f"Song {number % 31}",
        "master_metadata_album_artist_name": f"Singer {number % 7}",
        "spotify_track_uri": f"spotify:track:{_make_id(number % 31)}",
        "reason_end": "trackdone",
        "offline_timestamp": int(stopped.timestamp()),
        **dict.fromkeys(("shuffle", "skipped", "offline", "incognito_mode"), False),
    }
    return dict.fromkeys(STORED_FIELDS[name]) | record


def _make_good_export(name: str, real: Path | None) -> bytes:
    return json.dumps(read_export_records(name, real)[:100], indent=1).encode()


def _write_malformed_exports(
    name: str, folder: Path, real: Path | None, count: int, spoiler: RowMutator
) -> Iterator[tuple[Path, int]]:
    good_records = read_export_records(name, real)
    path = folder / f"{name}.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        for number, begin in enumerate(range(0, count, _RECORDS_PER_FILE)):
            size = min(_RECORDS_PER_FILE, count - begin)
            malformed_records = [json.dumps(good_records[0])] + [
                spoiler.mutate_record(spoiler.rng.choice(good_records)) for _ in range(size - 1)
            ]
            archive.writestr(f"Streaming_History_Audio_{number}.json", f"[{','.join(malformed_records)}]")
    yield path, count


# Feeds


def _make_feed_record(name: str, number: int) -> Json:
    event_time = datetime(2026, 11, 2, tzinfo=UTC) + timedelta(seconds=97 * number)
    if name == "user":
        user_fields = {
            "country": "DE",
            "timezone": "Europe/Berlin",
            "subscriptionType": "free",
            "username": f"user {number}",
        }
        return {"userId": f"user-{number % 50}", "updatedAt": event_time, **user_fields}
    track_fields = {
        "song": f"Song {number % 31}",
        "songId": f"song-{number % 31}",
        "artist": "Singer",
        "artistId": "artist-1",
    }
    time_fields = {
        "eventTime": event_time,
        "startTime": event_time,
        "endTime": event_time + timedelta(seconds=60),
        "duration": 60_000,
    }
    event_fields = {"userId": f"user-{number % 50}", "activityType": "PLAY", "genre": "pop", "deviceType": "MOBILE"}
    return {**event_fields, **track_fields, **time_fields, "userLocation": "DE"}


def write_feed_file(name: str, feed_records: Sequence[Json], codec: str = "null", **options: Any) -> bytes:
    """Return the bytes of a feed's file."""
    content = io.BytesIO()
    marker = bytes(range(16))
    fastavro.writer(
        content, load_contract(name), feed_records, codec=codec, sync_marker=marker, sync_interval=2_000, **options
    )
    return content.getvalue()


def _make_good_feed(name: str, real: Path | None) -> bytes:
    return write_feed_file(name, [_make_feed_record(name, number) for number in range(100)])


def _write_malformed_feeds(
    name: str, folder: Path, real: Path | None, count: int, spoiler: RowMutator
) -> Iterator[tuple[Path, int]]:
    schema = load_contract(name)
    for number, begin in enumerate(range(0, count, _ROWS_PER_FILE)):
        size = min(_ROWS_PER_FILE, count - begin)
        malformed_records = [
            spoiler.mutate_typed_record(_make_feed_record(name, begin + offset), schema) for offset in range(size)
        ]
        content = write_feed_file(name, malformed_records)
        if number % 3 == 2:  # texts that are not UTF-8: as long as before, so that nothing else is wrong
            content = content.replace(b"Berlin", b"B\xff\xferl\x80").replace(b"user-7", b"us\xc3\x28-7")
        path = folder / f"{name}_{number}.avro"
        path.write_bytes(content)
        yield path, size


# API responses


def make_resources(number: int) -> dict[str, Json]:
    """Return a valid resource of each endpoint."""
    artist = {"id": _make_id(number % 17), "name": f"Artist {number % 17}", "popularity": 50, "followers": {"total": 9}}
    album = {
        "id": _make_id(number % 11),
        "name": "Album",
        "album_type": "album",
        "release_date": "2001-02",
        "release_date_precision": "month",
    }
    track = {
        **{
            "id": _make_id(number % 97),
            "name": f"Track {number % 97}",
            "type": "track",
            "duration_ms": 180_000,
            "explicit": False,
        },
        **{
            "artists": [artist],
            "album": album,
            "is_local": False,
            "popularity": 40,
            "linked_from": {"id": _make_id(number)},
        },
        "external_ids": {"isrc": f"DEABC{number % 97:07d}"},
    }
    measures = ("danceability", "energy", "speechiness", "acousticness", "instrumentalness", "liveness", "valence")
    features = {
        **dict.fromkeys(measures, 0.5),
        "loudness": -5.5,
        "tempo": 120.0,
        "key": 0,
        "mode": 1,
        "time_signature": 4,
    }
    entry = {"added_at": "2024-03-01T12:00:00Z", "is_local": False, "item": track, "track": track}
    playlist = {"id": _make_id(number % 13), "name": "List", "snapshot_id": f"s{number}", "owner": {"id": "user-ada"}}
    return {
        "saved_tracks": entry,
        "playlist_items": entry,
        "recently_played": {
            "played_at": f"2026-11-0{1 + number % 9}T12:{number % 60:02d}:00Z",
            "track": track,
            "context": {"uri": "spotify:playlist:p1"},
        },
        "my_playlists": {**playlist, "items": {"total": 3}},
        "followed_artists": artist,
        "tracks": track,
        "artists": artist,
        "audio_features": {"id": _make_id(number % 97), **features},
        "track": track,
        "artist": artist,
        "playlist": playlist,
        "me": {"id": "ada", "account_id": "account-ada", "display_name": "Ada", "country": "DE", "product": "free"},
    }


PATHS = {
    "me": "me",
    "my_playlists": "me/playlists",
    "saved_tracks": "me/tracks",
    "followed_artists": "me/following",
    "recently_played": "me/player/recently-played",
}


def make_response(endpoint: str, page_items: list[Any], number: int) -> Json:
    """Return a response with some items, as the client returns it."""
    path, query, extra_fields = PATHS.get(endpoint, f"{endpoint}s/{_make_id(number)}"), {"limit": "50"}, {}
    body: Any = {"items": page_items, "total": len(page_items), "next": None}
    if endpoint == "followed_artists":
        body = {"artists": body}
    elif endpoint == "playlist_items":
        path, extra_fields = f"playlists/p{number}/items", {"playlist_id": f"p{number}", "snapshot_id": "s1"}
    elif endpoint in BATCH_SIZES:
        path, query, body = (
            endpoint,
            {"ids": ",".join(_make_id(number + offset) for offset in range(len(page_items)))},
            {endpoint: page_items},
        )
    elif endpoint not in PATHS or endpoint == "me":
        body = page_items[0]
    asked_at = (RECEIVED_AT + timedelta(seconds=number)).isoformat()
    return {
        "asked_at": asked_at,
        "account": "ada",
        "endpoint": endpoint,
        "path": path,
        "query": query,
        "status": 200,
        "body": body,
        **extra_fields,
    }


def _make_good_responses(real: Path | None) -> bytes:
    lines = [make_response(endpoint, [resource], 0) for endpoint, resource in make_resources(1).items()]
    return "\n".join(map(json.dumps, lines)).encode()


def _write_malformed_responses(
    folder: Path, real: Path | None, count: int, spoiler: RowMutator
) -> Iterator[tuple[Path, int]]:
    path, remaining, number = folder / "answers.jsonl", count, 1
    with path.open("w") as file:
        # The events of an account need the account's id, which the first response contains.
        file.write(json.dumps(make_response("me", [make_resources(1)["me"]], 0)) + "\n")
        remaining -= 1
        while remaining > 0:
            for endpoint, good_resource in make_resources(number).items():
                size = min(remaining, 1 if endpoint in ("track", "artist", "playlist", "me") else _RESOURCES_PER_PAGE)
                malformed_items = [_make_malformed_resource(endpoint, good_resource, spoiler) for _ in range(size)]
                if size:
                    file.write(json.dumps(make_response(endpoint, malformed_items, number)) + "\n")
                remaining, number = remaining - size, number + 1
    yield path, count


def _make_malformed_resource(endpoint: str, good_resource: Json, spoiler: RowMutator) -> Any:
    """Return a malformed resource that the client still accepts: valid JSON, an object where it expects one."""
    while True:
        try:
            resource = json.loads(spoiler.mutate_record(good_resource), parse_constant=str)
        except ValueError:
            continue
        is_single = endpoint in ("track", "artist", "playlist", "me")
        if is_single and not (isinstance(resource, dict) and has_id(resource)):
            continue
        if endpoint in BATCH_SIZES and not isinstance(resource, dict | None):
            continue
        return resource


PARSERS: dict[str, Parser] = {
    parser.name: parser
    for parser in (
        *(
            Parser(
                name,
                CATALOGUE,
                ".csv",
                partial(_make_good_table, name),
                partial(_write_malformed_tables, name),
                receive_table,
            )
            for name in FORMATS
        ),
        *(
            Parser(
                name,
                EVENTS,
                ".json",
                partial(_make_good_export, name),
                partial(_write_malformed_exports, name),
                _receive_export,
            )
            for name in _REAL_EXPORTS
        ),
        *(
            Parser(
                name,
                EVENTS,
                ".avro",
                partial(_make_good_feed, name),
                partial(_write_malformed_feeds, name),
                _receive_feed,
            )
            for name in ("user_activity_1", "user_activity_2", "user")
        ),
        Parser("answers", CATALOGUE, ".jsonl", _make_good_responses, _write_malformed_responses, _receive_responses),
    )
}
"""Every parser by its name; API responses are loaded twice, as resources of the catalogue and as events."""
