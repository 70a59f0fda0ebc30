"""Avro feeds for the campaign: valid ones, and well-formed ones with malformed records."""

import io
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import fastavro

from campaigns.malformed_input.row_mutator import Json, RowMutator
from campaigns.malformed_input.synthetic_ids import RECEIVED_AT
from etl.extract import feed
from etl.formats.contracts.avro import load_contract
from etl.storage.inputs import ReceivedInput
from etl.storage.lake import Lake

_RECORDS_PER_FILE = 10_000


def receive_feed(path: Path, lake: Lake) -> list[ReceivedInput]:
    """Receive each feed file at the path."""
    return [feed.receive_file(file, lake, RECEIVED_AT) for file in feed.find_files(str(path))]


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


def make_good_feed(name: str, real: Path | None) -> bytes:
    """Return the bytes of a valid feed file."""
    return write_feed_file(name, [_make_feed_record(name, number) for number in range(100)])


def write_malformed_feeds(
    name: str, folder: Path, real: Path | None, count: int, spoiler: RowMutator
) -> Iterator[tuple[Path, int]]:
    """Write feed files with malformed records, and yield each with its number of records."""
    schema = load_contract(name)
    for number, begin in enumerate(range(0, count, _RECORDS_PER_FILE)):
        size = min(_RECORDS_PER_FILE, count - begin)
        malformed_records = [
            spoiler.mutate_typed_record(_make_feed_record(name, begin + offset), schema) for offset in range(size)
        ]
        content = write_feed_file(name, malformed_records)
        if number % 3 == 2:  # texts that are not UTF-8: as long as before, so that nothing else is wrong
            content = content.replace(b"Berlin", b"B\xff\xferl\x80").replace(b"user-7", b"us\xc3\x28-7")
        path = folder / f"{name}_{number}.avro"
        path.write_bytes(content)
        yield path, size
