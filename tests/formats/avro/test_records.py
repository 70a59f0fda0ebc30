"""Files of feeds with any schema, codec and bytes, as tables of a contract's fields."""

import json
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import fastavro
import pyarrow as pa
import pytest

from etl.formats.avro import records as feed_records
from etl.formats.avro.container_files import encode_file, read_blocks, read_header
from etl.formats.avro.encoding import encode_long
from etl.formats.avro.records import (
    UndecodableError,
    UndecodableRecords,
    build_arrow_schema,
    read_blocks_separately,
    read_tables,
    to_json,
)
from etl.formats.contracts.avro import load_contract

NOON = datetime(2026, 11, 2, 12, tzinfo=UTC)
CONTRACT = load_contract("user_activity_2")
OLD = load_contract("user_activity_1")


def make_record(**values: Any) -> dict[str, Any]:
    given = {"userId": "u1", "eventTime": NOON, "startTime": NOON, "endTime": NOON, "genre": "pop", "song": "Söng"}
    return given | {"activityType": "PLAY", "deviceType": "MOBILE", "tempo": 120.5} | values


def write_records(path: Path, records: Sequence[dict[str, Any]], schema: dict[str, Any] = OLD, **options: Any) -> str:
    with path.open("wb") as target:
        fastavro.writer(target, fastavro.parse_schema(schema), records, **options)
    return path.as_uri()


def make_retyped_schema(**types: Any) -> dict[str, Any]:
    """Return the old contract with other types of some fields, in another order, and with an unknown field."""
    fields = [{**field, "type": types.get(field["name"], field["type"])} for field in OLD["fields"]]
    return {**OLD, "fields": [{"name": "unheard_of", "type": ["null", "int"], "default": None}, *reversed(fields)]}


def read_rows(url: str, **options: Any) -> list[dict[str, Any]]:
    return [row for table in read_tables(url, CONTRACT, **options) for row in table.to_pylist()]


@pytest.mark.parametrize("codec", ["null", "deflate", "snappy", "zstandard", "bzip2", "xz"])
def test_every_codec_is_read(tmp_path: Path, codec: str) -> None:
    url = write_records(tmp_path / "f.avro", [make_record(userId=f"u{n}") for n in range(5_000)], codec=codec)
    assert [row["userId"] for row in read_rows(url)] == [f"u{n}" for n in range(5_000)]


def test_fields_are_found_by_name_and_converted_and_what_is_missing_is_null(tmp_path: Path) -> None:
    schema = make_retyped_schema(
        duration=["null", "long"], genre=["null", "string"], deviceType="string", eventTime="long"
    )
    timestamp = int(NOON.timestamp() * 1000)
    url = write_records(
        tmp_path / "f.avro", [make_record(duration=7, genre=None, eventTime=timestamp, unheard_of=1)], schema
    )
    (row,) = read_rows(url)
    assert list(row) == build_arrow_schema(CONTRACT).names
    assert (row["duration"], row["genre"], row["deviceType"], row["eventTime"]) == (7, None, "MOBILE", NOON)
    assert (row["song"], row["tempo"], row["eventId"], row["context"]) == ("Söng", 120.5, None, None)


def test_only_wanted_fields_are_read(tmp_path: Path) -> None:
    url = write_records(tmp_path / "f.avro", [make_record()])
    assert read_rows(url, fields=("userId", "msPlayed")) == [{"userId": "u1", "msPlayed": None}]


def test_a_feed_without_records_is_none(tmp_path: Path) -> None:
    assert read_rows(write_records(tmp_path / "f.avro", [])) == []


def test_bytes_that_are_no_text_cost_the_id_that_has_them_and_letters(tmp_path: Path) -> None:
    path = tmp_path / "f.avro"
    url = write_records(
        path, [make_record(userId="u-bad"), make_record(song="s-bad"), make_record()], sync_interval=1, codec="null"
    )
    content = path.read_bytes().replace(b"u-bad", b"u-b\xff\xfe").replace(b"s-bad", b"s-b\xffd")
    path.write_bytes(content)
    with pytest.raises(UndecodableError, match="UTF-8"):
        read_rows(url)
    actual = [
        row
        for table in read_blocks_separately(url, CONTRACT)
        if isinstance(table, pa.Table)
        for row in table.to_pylist()
    ]
    assert [(row["userId"], row["song"]) for row in actual] == [(None, "Söng"), ("u1", "s-b\ufffdd"), ("u1", "Söng")]


def test_a_block_that_cannot_be_read_costs_no_other(tmp_path: Path) -> None:
    path = tmp_path / "f.avro"
    url = write_records(
        path, [make_record(userId="first"), make_record(userId="u-bad"), make_record(userId="last")], sync_interval=1
    )
    content = path.read_bytes()
    place = content.index(b"\x0au-bad")  # the length of a text, far beyond the end of the block
    path.write_bytes(content[:place] + b"\x7a" + content[place + 1 :])
    with pytest.raises(UndecodableError):
        read_rows(url)
    first, wrong, last = read_blocks_separately(url, CONTRACT)
    assert isinstance(wrong, UndecodableRecords) and wrong.row_count == 1 and wrong.location == "f.avro, block 2"
    assert wrong.reason.startswith("the block of records cannot be read (")
    assert [table["userId"][0].as_py() for table in (first, last) if isinstance(table, pa.Table)] == ["first", "last"]


def _write_block(folder: Path, records: Sequence[dict[str, Any]], codec: str = "null") -> tuple[bytes, bytes]:
    """Write a file, and return its header and its one block."""
    write_records(path := folder / "one.avro", records, codec=codec, sync_marker=bytes(16))
    with path.open("rb") as source:
        begin = read_header(source)
        ((_, content),) = read_blocks(source, path.stat().st_size, begin.marker)
    return begin.content, content


@pytest.mark.parametrize("codec", ["null", "deflate"])
def test_a_block_with_more_bytes_than_its_records_costs_no_other_and_stops_nothing(tmp_path: Path, codec: str) -> None:
    same = [make_record()] * 20  # the bytes after the last counted record are a valid record, too
    (begin, content), (_, last) = (_write_block(tmp_path, some, codec) for some in (same, [make_record(userId="last")]))
    (path := tmp_path / "f.avro").write_bytes(begin + encode_long(5) + content[1:] + last)
    url = path.as_uri()
    with pytest.raises(UndecodableError, match="other records than they say"):
        read_rows(url)
    wrong, good = read_blocks_separately(url, CONTRACT)
    assert isinstance(wrong, UndecodableRecords) and isinstance(good, pa.Table)
    assert (wrong.row_count, good["userId"].to_pylist()) == (5, ["last"])
    assert "behind its 5 records there are" in wrong.reason


def test_a_block_that_says_more_records_than_it_can_hold(tmp_path: Path) -> None:
    begin, content = _write_block(tmp_path, [make_record()])
    (path := tmp_path / "f.avro").write_bytes(begin + encode_long(10**12) + content[1:])
    url = path.as_uri()
    with pytest.raises(UndecodableError, match="1000000000000 records do not fit"):
        read_rows(url)


def test_what_is_wrong_with_one_block_makes_no_reader_stricter_to_another(tmp_path: Path) -> None:
    schema = make_retyped_schema(eventTime="long")
    records = [
        make_record(userId="u-bad", eventTime=0),
        make_record(eventTime=2**61),
    ]  # a time that Python's datetime cannot represent
    url = write_records(path := tmp_path / "f.avro", records, schema, sync_interval=1, codec="null")
    path.write_bytes(path.read_bytes().replace(b"u-bad", b"u-b\xff\xfe"))
    tables = [table for table in read_blocks_separately(url, CONTRACT) if isinstance(table, pa.Table)]
    assert [table["userId"].to_pylist() for table in tables] == [[None], ["u1"]]
    assert [table["eventTime"].cast(pa.int64()).to_pylist() for table in tables] == [[0], [2**61]]


@pytest.mark.parametrize("is_utf_8", [True, False])
def test_times_in_microseconds(tmp_path: Path, is_utf_8: bool) -> None:
    schema = make_retyped_schema(eventTime={"type": "long", "logicalType": "timestamp-micros"})
    url = write_records(path := tmp_path / "f.avro", [make_record(userId="u-12")], schema, codec="null")
    if not is_utf_8:
        path.write_bytes(path.read_bytes().replace(b"u-12", b"u-\xff\xfe"))
    (table,) = read_blocks_separately(url, CONTRACT)
    assert isinstance(table, pa.Table) and table["eventTime"].to_pylist() == [NOON]


def test_texts_that_are_called_uuid_are_texts(tmp_path: Path) -> None:
    _, content = _write_block(tmp_path, [make_record(userId="A0", song="A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11")])
    called = json.loads(json.dumps(OLD).replace('"string"', '{"type": "string", "logicalType": "uuid"}'))
    written = content[3:-16]  # the content of a block with one record of 64 or more bytes
    (path := tmp_path / "f.avro").write_bytes(b"".join(encode_file([written], 1, json.dumps(called))))
    (actual,) = read_rows(path.as_uri())
    assert (actual["userId"], actual["song"]) == ("A0", "A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11")


def test_many_records_come_some_at_a_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(feed_records, "_MAX_BATCH_ROWS", 1_000)
    url = write_records(tmp_path / "f.avro", [make_record(userId=f"u{n}") for n in range(5_000)])
    tables = list(read_tables(url, CONTRACT))
    assert len(tables) > 2 and [user_id for table in tables for user_id in table["userId"].to_pylist()] == [
        f"u{n}" for n in range(5_000)
    ]


def test_a_refused_record_is_told_with_its_times_and_without_what_is_null() -> None:
    schema = pa.schema(
        [
            pa.field("at", pa.timestamp("ms", "UTC")),
            pa.field("on", pa.date32()),
            pa.field("n", pa.float32()),
            pa.field("s", pa.string()),
        ]
    )
    days = pa.array([-1, 2**31 - 1], pa.int32()).cast(pa.date32())  # the second is beyond the range of Python's date
    timestamps = pa.array([0, 2**62], pa.int64()).cast(pa.timestamp("ms", "UTC"))
    numbers, texts = pa.array([float("nan"), 1.5], pa.float32()), pa.array([None, "ü"], pa.string())
    assert to_json(pa.Table.from_arrays([timestamps, days, numbers, texts], schema=schema)) == [
        '{"at": "1970-01-01T00:00:00.000+00:00", "on": "1969-12-31", "n": null}',
        '{"at": 4611686018427387904, "on": 2147483647, "n": 1.5, "s": "ü"}',
    ]
