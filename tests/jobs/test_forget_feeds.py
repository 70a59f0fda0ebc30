"""Feeds without a data subject: records of others stay as they are, in every codec and next to damaged blocks."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import fastavro
import pyarrow as pa
import pytest

from etl.erasure.data_subject import DataSubject
from etl.erasure.feeds import erase_from_feeds
from etl.extract import feed
from etl.formats.avro import records as feed_records
from etl.formats.avro.blocks import decompress_block, encode_block
from etl.formats.avro.container_files import Header, encode_file, read_blocks, read_header
from etl.formats.contracts.avro import load_contract
from etl.storage.inputs import ReceivedInput
from etl.storage.lake import Lake

NOW = datetime(2026, 11, 21, tzinfo=UTC)
DATA_SUBJECT = DataSubject(frozenset({"wanted"}))


def make_record(user: str, **values: Any) -> dict[str, Any]:
    return {"userId": user, "updatedAt": NOW, "username": "Zoë"} | values


def write_and_receive(lake: Lake, path: Path, records: list[dict[str, Any]], **options: Any) -> ReceivedInput:
    with path.open("wb") as file:
        fastavro.writer(file, options.pop("schema", load_contract("user")), records, **options)
    return feed.receive_file(path, lake, NOW)


def read_content(lake: Lake, received: ReceivedInput) -> bytes:
    with lake.inputs.open_input(received) as source:
        return source.read()


def read_only_block(path: Path) -> tuple[Header, bytes]:
    """Return the header of a file with one block, and its decompressed records."""
    with path.open("rb") as source:
        begin = read_header(source)
        ((block, content),) = read_blocks(source, path.stat().st_size, begin.marker)
    return begin, decompress_block(block.slice_records(content), begin.codec)


def read_user_ids(lake: Lake, received: ReceivedInput) -> list[str]:
    with lake.inputs.open_input(received) as source:
        return [record["userId"] for record in fastavro.reader(source)]


@pytest.mark.parametrize("codec", ["null", "deflate", "snappy", "zstandard", "bzip2", "xz"])
def test_records_of_others_stay_in_their_order(lake: Lake, tmp_path: Path, codec: str) -> None:
    records = [make_record(user) for user in ("a", "b", " wanted\t", "c", "wanted", "wanted2", "a")]
    received = write_and_receive(lake, tmp_path / "f.avro", records, codec=codec, sync_interval=60)
    other_input = write_and_receive(
        lake, tmp_path / "others.avro", [make_record("wanted2", username="wanted")], codec=codec
    )
    before, other_content_before = read_content(lake, received), read_content(lake, other_input)
    assert erase_from_feeds(lake, DATA_SUBJECT) == 1
    assert read_user_ids(lake, received) == ["a", "b", "c", "wanted2", "a"]
    (current,) = (
        candidate for candidate in lake.inputs.find_inputs(["feed"]) if candidate.input_id == received.input_id
    )
    assert (current.row_count, current.size_bytes) == (5, len(read_content(lake, received)))
    with lake.inputs.open_input(received) as source:
        header = read_header(source)
        file_blocks = [block for _, block in read_blocks(source, current.size_bytes, header.marker)]
    assert before.startswith(header.content) and file_blocks[-1] in before
    assert read_content(lake, other_input) == other_content_before
    assert erase_from_feeds(lake, DATA_SUBJECT) == 0


def test_a_block_that_cannot_be_read_goes_where_it_names_the_person(lake: Lake, tmp_path: Path) -> None:
    names = ["a", "wanted", "b", "c", "d"]
    received = write_and_receive(
        lake, path := tmp_path / "f.avro", [make_record(name) for name in names], sync_interval=1
    )
    spoilt = path.read_bytes()
    for name in ("wanted", "c"):  # the length of a text, far beyond the end of the block
        index = spoilt.index(bytes([2 * len(name)]) + name.encode())
        behind = spoilt.index("Zoë".encode(), index) - 1
        spoilt = spoilt[:behind] + b"\x7a" + spoilt[behind + 1 :]
    path.write_bytes(spoilt)
    damaged_input = feed.receive_file(path, lake, NOW)
    assert erase_from_feeds(lake, DATA_SUBJECT) == 2
    assert read_user_ids(lake, received) == ["a", "b", "c", "d"]
    stored = read_content(lake, damaged_input)
    assert b"wanted" not in stored and len(stored) < len(spoilt)
    assert [stored.count(bytes([2, ord(name)])) >= 1 for name in "abcd"] == [True] * 4


CODECS = ["null", "deflate", "snappy", "zstandard", "bzip2", "xz"]


def receive_damaged(lake: Lake, path: Path, names: list[str], damaged: int, codec: str) -> tuple[ReceivedInput, bytes]:
    """Receive a feed of one block in which one record ends far beyond the block; return its decompressed records."""
    write_and_receive(lake, path, [make_record(name, username=f"of {name}") for name in names], codec=codec)
    begin, content = read_only_block(path)
    index = content.index(f"of {names[damaged]}".encode()) - 1
    spoilt = content[:index] + b"\x7e" + content[index + 1 :]
    path.write_bytes(begin.content + encode_block(spoilt, len(names), codec, begin.marker))
    return feed.receive_file(path, lake, NOW), spoilt


def read_stored_block(lake: Lake, received: ReceivedInput) -> tuple[int, bytes]:
    """Return the number of records in the header of a feed's one block, and its decompressed records."""
    with lake.inputs.open_input(received) as source:
        begin = read_header(source)
        ((block, content),) = read_blocks(source, received.size_bytes, begin.marker)
    return block.row_count, decompress_block(block.slice_records(content), begin.codec)


def get_current_input(lake: Lake, received: ReceivedInput) -> ReceivedInput:
    (current,) = (
        received_input
        for received_input in lake.inputs.find_inputs(["feed"])
        if received_input.input_id == received.input_id
    )
    return current


@pytest.mark.parametrize("codec", CODECS)
def test_before_a_damaged_record_the_persons_go_and_the_damaged_ones_stay(
    lake: Lake, tmp_path: Path, codec: str
) -> None:
    damaged_input, spoilt = receive_damaged(lake, tmp_path / "f.avro", ["a", "wanted", "b", "c", "d"], 3, codec)
    assert erase_from_feeds(lake, DATA_SUBJECT) == 2
    row_count, remaining = read_stored_block(lake, current := get_current_input(lake, damaged_input))
    assert row_count == current.row_count == 4, "a, b, and the two that cannot be read"
    assert (
        b"wanted" not in remaining
        and len(remaining) < len(spoilt)
        and remaining.endswith(spoilt[spoilt.index(b"\x02c") :])
    )
    table, *wrong = feed_records.read_blocks_separately(current.url, load_contract("user"))
    assert isinstance(table, pa.Table) and table["userId"].to_pylist() == ["a", "b"]
    assert [
        (records.first_number, records.row_count)
        for records in wrong
        if isinstance(records, feed_records.UndecodableRecords)
    ] == [
        (3, 1),
        (4, 1),
    ]
    assert erase_from_feeds(lake, DATA_SUBJECT) == 0


@pytest.mark.parametrize("codec", CODECS)
@pytest.mark.parametrize(
    "names", [["a", "b", "wanted", "c"], ["a", "b", "c", "wanted"], ["wanted", "a", "b", "wanted"]]
)
def test_damaged_records_that_name_the_person_go_and_those_before_them_stay(
    lake: Lake, tmp_path: Path, codec: str, names: list[str]
) -> None:
    damaged_input, _ = receive_damaged(lake, tmp_path / "f.avro", names, 2, codec)
    assert erase_from_feeds(lake, DATA_SUBJECT) == 2
    remaining_ids = [name for name in names[:2] if name != "wanted"]
    assert read_user_ids(
        lake, current := get_current_input(lake, damaged_input)
    ) == remaining_ids and current.row_count == len(remaining_ids)
    assert erase_from_feeds(lake, DATA_SUBJECT) == 0


def test_times_that_no_calendar_has_and_texts_that_are_none_stay_as_they_are(lake: Lake, tmp_path: Path) -> None:
    plain = load_contract("user")
    plain["fields"] = [
        {"name": received["name"], "type": "long" if received["name"] == "updatedAt" else received["type"]}
        for received in plain["fields"]
    ]
    records = [
        make_record("a", updatedAt=2**62),
        make_record("wanted", updatedAt=0),
        make_record("b", updatedAt=-(2**62)),
    ]
    received = write_and_receive(lake, path := tmp_path / "f.avro", records, schema=plain)
    path.write_bytes(path.read_bytes().replace("Zoë".encode(), b"Zo\xff\xfe"))
    damaged_input = feed.receive_file(path, lake, NOW)
    assert erase_from_feeds(lake, DATA_SUBJECT) == 2
    assert read_user_ids(lake, received) == ["a", "b"]
    assert read_content(lake, damaged_input).count(b"Zo\xff\xfe") == 2


@pytest.mark.parametrize("codec", ["null", "deflate", "snappy"])
def test_ids_that_are_bytes_or_nothing(lake: Lake, tmp_path: Path, codec: str) -> None:
    schema = load_contract("user")
    schema["fields"][0] = {"name": "userId", "type": ["null", "bytes"]}
    records = [make_record("") | {"userId": user} for user in (None, b"wanted", b"None", None)]
    received = write_and_receive(lake, tmp_path / "f.avro", records, schema=schema, codec=codec)
    assert erase_from_feeds(lake, DataSubject(frozenset({"wanted", "None"}))) == 1
    assert read_user_ids(lake, received) == [None, None]


def test_ids_that_are_called_uuid(lake: Lake, tmp_path: Path) -> None:
    ids = [f"A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A1{number}" for number in range(2)]
    write_and_receive(lake, path := tmp_path / "f.avro", [make_record(user_id) for user_id in ids])
    _, content = read_only_block(path)
    schema = load_contract("user")
    schema["fields"][0] = {"name": "userId", "type": {"type": "string", "logicalType": "uuid"}}
    path.write_bytes(b"".join(encode_file([content], 2, json.dumps(schema))))
    one = feed.receive_file(path, lake, NOW)
    (table,) = feed_records.read_tables(one.url, load_contract("user"))
    assert table["userId"].to_pylist() == ids
    assert erase_from_feeds(lake, DataSubject(frozenset({ids[0]}))) == 2
    (table,) = feed_records.read_tables(one.url, load_contract("user"))
    assert table["userId"].to_pylist() == ids[1:]


def test_what_cannot_be_unpacked_goes_where_it_names_the_person(lake: Lake, tmp_path: Path) -> None:
    write_and_receive(lake, path := tmp_path / "f.avro", [make_record("wanted")], codec="snappy")
    content = path.read_bytes()
    path.write_bytes(content[:-17] + bytes([content[-17] ^ 1]) + content[-16:])  # its checksum
    damaged_input = feed.receive_file(path, lake, NOW)
    assert erase_from_feeds(lake, DATA_SUBJECT) == 2
    assert b"wanted" not in read_content(lake, damaged_input)


def test_metadata_that_are_no_text_hide_nobody(lake: Lake, tmp_path: Path) -> None:
    with (path := tmp_path / "f.avro").open("wb") as file:
        fastavro.writer(file, load_contract("user"), [make_record("wanted"), make_record("a")], metadata={"odd": "odd"})
    path.write_bytes(path.read_bytes().replace(b"\x06odd\x06odd", b"\x06odd\x06o\xff\xfe"))
    received = feed.receive_file(path, lake, NOW)
    assert [len(table) for table in feed_records.read_tables(received.url, load_contract("user"))] == [2]
    assert erase_from_feeds(lake, DATA_SUBJECT) == 1
    (table,) = feed_records.read_tables(received.url, load_contract("user"))
    assert table["userId"].to_pylist() == ["a"]


def test_records_of_a_block_that_says_it_has_none_do_not_come_back(lake: Lake, tmp_path: Path) -> None:
    write_and_receive(lake, path := tmp_path / "f.avro", [make_record("wanted")])
    begin, content = read_only_block(path)
    path.write_bytes(begin.content + encode_block(content, 0, begin.codec, begin.marker))
    received = feed.receive_file(path, lake, NOW)
    assert erase_from_feeds(lake, DATA_SUBJECT) == 2
    again = feed.receive_file(path, lake, NOW)
    assert again.size_bytes == len(begin.content) and b"wanted" not in read_content(lake, received)


def test_a_feed_of_nobody_else_stays_as_an_empty_one(lake: Lake, tmp_path: Path) -> None:
    received = write_and_receive(lake, tmp_path / "f.avro", [make_record("wanted")])
    assert erase_from_feeds(lake, DATA_SUBJECT) == 1
    assert read_user_ids(lake, received) == [] and [
        remaining.row_count for remaining in lake.inputs.find_inputs(["feed"])
    ] == [0]
