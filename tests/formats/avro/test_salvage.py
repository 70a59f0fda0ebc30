"""Records of damaged blocks: those before the damage are read, and all are counted."""

import json
from io import BytesIO
from pathlib import Path
from typing import Any

import fastavro
import pytest
from fastavro.utils import generate_one

from etl.formats.avro import blocks as avro_blocks
from etl.formats.avro.blocks import DamagedBlockError
from etl.formats.avro.container_files import encode_file, read_blocks, read_header
from etl.formats.avro.records import UndecodableRecords, read_blocks_separately
from etl.formats.avro.salvage import UNREACHABLE_REASON, ReadableRecord, UnreadableRecords, salvage_records
from etl.formats.contracts.avro import load_contract
from tests.formats.avro.test_records import NOON, make_record, make_retyped_schema

SCHEMA = {
    "type": "record",
    "name": "R",
    "fields": [
        {"name": "userId", "type": "string"},
        {"name": "kind", "type": {"type": "enum", "name": "Kind", "symbols": ["A", "B"]}},
        {"name": "size", "type": ["null", "long"], "default": None},
    ],
}
CODECS = ["null", "deflate", "snappy", "zstandard", "bzip2", "xz"]


def encode_values(values: dict[str, Any], schema: dict[str, Any] = SCHEMA) -> bytes:
    target = BytesIO()
    fastavro.schemaless_writer(target, fastavro.parse_schema(schema), values)
    return target.getvalue()


def encode_good(number: int) -> bytes:
    return encode_values({"userId": f"user{number}", "kind": "B", "size": number})


CUT = "only its beginning"
DAMAGES = {
    "a text beyond the block": b"\x7auser9\x02\x00",
    "a text of negative length": b"\x05user9\x02\x00",
    "an unknown symbol": b"\x0auser9\x08\x00",
    "an unknown branch": b"\x0auser9\x02\x08",
    CUT: b"\x0aus",
}


@pytest.mark.parametrize("before", [1, 7])
@pytest.mark.parametrize(
    ("damage", "behind"),
    [(damage, behind) for damage in DAMAGES for behind in (0, 3) if not (behind and damage == CUT)],
)
def test_a_damaged_record_costs_itself_and_those_behind_it(damage: str, before: int, behind: int) -> None:
    row_count = before + 1 + behind
    content = b"".join([*map(encode_good, range(before)), DAMAGES[damage], *map(encode_good, range(behind))])
    actual = list(salvage_records(content, row_count, SCHEMA))
    readable = [record for record in actual if isinstance(record, ReadableRecord)]
    assert [record.values["size"] for record in readable] == list(range(before))
    assert [record.content for record in readable] == list(map(encode_good, range(before)))
    first, *remaining = (record for record in actual if isinstance(record, UnreadableRecords))
    assert (first.first_number, first.row_count) == (before + 1, 1)
    assert first.reason.startswith("the record cannot be read (") and "\n" not in first.reason
    assert remaining == ([UnreadableRecords(before + 2, behind, UNREACHABLE_REASON)] if behind else [])


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_block_whose_first_record_is_damaged_has_none_that_can_be_read(damage: str) -> None:
    with pytest.raises(DamagedBlockError, match="Error: "):
        list(salvage_records(DAMAGES[damage], 1, SCHEMA))


def test_a_record_that_follows_its_schema_but_not_the_contract_costs_no_other() -> None:
    schema = {**SCHEMA, "fields": [{"name": "userId", "type": ["string", "long"]}, *SCHEMA["fields"][1:]]}
    ids = ["a", 5, "b", 6, 7, "c"]
    content = b"".join(encode_values({"userId": user_id, "kind": "A", "size": None}, schema) for user_id in ids)
    actual = list(salvage_records(content, len(ids), schema, SCHEMA))
    assert [record.values["userId"] for record in actual if isinstance(record, ReadableRecord)] == ["a", "b", "c"]
    assert [(record.first_number, record.row_count) for record in actual if isinstance(record, UnreadableRecords)] == [
        (2, 1),
        (4, 1),
        (5, 1),
    ]


def test_records_that_the_block_does_not_have_are_counted() -> None:
    actual = list(salvage_records(encode_good(0) + encode_good(1), 1_000_000, SCHEMA))
    assert [type(record) for record in actual] == [ReadableRecord, ReadableRecord, UnreadableRecords, UnreadableRecords]
    assert actual[-1] == UnreadableRecords(4, 999_997, UNREACHABLE_REASON)


def test_a_block_with_bytes_behind_its_last_record_is_not_trusted() -> None:
    with pytest.raises(DamagedBlockError, match="behind its 1 records there are 9 bytes"):
        list(salvage_records(encode_good(0) + encode_good(1), 1, SCHEMA))


@pytest.mark.parametrize("codec", CODECS)
def test_a_file_of_any_codec_loses_what_is_damaged_alone(tmp_path: Path, codec: str) -> None:
    """Read two intact blocks, and between them one whose fourth record of six is damaged."""
    begin, of_file = _salvage_parts([[make_record(userId=f"u{number}") for number in range(6)]], codec)
    unpacked = avro_blocks.decompress_block(of_file[0], codec)
    place = unpacked.index(b"\x04u3")
    spoilt = avro_blocks.encode_block(unpacked[:place] + b"\xfa\x7f" + unpacked[place + 1 :], 6, codec, begin.marker)
    whole = avro_blocks.encode_block(unpacked, 6, codec, begin.marker)
    (path := tmp_path / "f.avro").write_bytes(begin.content + whole + spoilt + whole)
    blocks = list(read_blocks_separately(path.as_uri(), load_contract("user_activity_2")))
    tables = [block["userId"].to_pylist() for block in blocks if not isinstance(block, UndecodableRecords)]
    ids = [f"u{number}" for number in range(6)]
    assert tables == [ids, ids[:3], ids]
    first, remaining = (block for block in blocks if isinstance(block, UndecodableRecords))
    assert (first.row_count, first.first_number, first.location) == (1, 4, "f.avro, block 2")
    assert (remaining.row_count, remaining.first_number, remaining.reason) == (2, 5, UNREACHABLE_REASON)


def test_a_nested_record_is_damaged() -> None:
    """Salvage two records of the contract of the joined stream; the user id of the second ends beyond the block."""
    schema = load_contract("spotify_wrapped_data")
    fields = {field["name"]: field["type"] for field in schema["fields"]}
    whole = generate_one(fastavro.parse_schema(schema))
    content = encode_values(whole, schema)
    user = encode_values(whole["userProfile"], fields["userProfile"])
    assert content.startswith(user)
    actual = list(salvage_records(content + b"\xfe\x7f" + content[1:], 2, schema))
    assert [type(record) for record in actual] == [ReadableRecord, UnreadableRecords]
    assert isinstance(actual[0], ReadableRecord) and actual[0].content == content


def test_a_number_that_no_column_holds_costs_its_record_alone(tmp_path: Path) -> None:
    schema, wide = make_retyped_schema(duration=["null", "int"]), make_retyped_schema(duration=["null", "long"])
    records = [
        make_record(userId="a", song="s-bad"),
        make_record(userId="b", duration=2**40),
        make_record(userId="c", duration=3),
    ]
    records[0]["duration"] = 1
    # Invalid UTF-8: such a block is read record by record.
    content = b"".join(encode_values(block, wide) for block in records).replace(b"s-bad", b"s-b\xff\xfe")
    path = tmp_path / "f.avro"
    path.write_bytes(b"".join(encode_file([content], 3, json.dumps(schema))))
    actual = list(read_blocks_separately(path.as_uri(), load_contract("user_activity_2")))
    tables = [record for record in actual if not isinstance(record, UndecodableRecords)]
    assert [(row["userId"], row["duration"]) for table in tables for row in table.to_pylist()] == [("a", 1), ("c", 3)]
    assert [(record.row_count, record.first_number) for record in actual if isinstance(record, UndecodableRecords)] == [
        (1, 2)
    ]


def test_a_time_beyond_the_calendar_costs_no_record_behind_it(tmp_path: Path) -> None:
    schema, plain = make_retyped_schema(), make_retyped_schema(eventTime="long")
    timestamps = [0, 2**61, 1]
    records = [make_record(userId=f"u-{number}x", eventTime=timestamp) for number, timestamp in enumerate(timestamps)]
    content = b"".join(encode_values(block, plain) for block in records).replace(b"u-0x", b"u-\xff\xfe")
    path = tmp_path / "f.avro"
    path.write_bytes(b"".join(encode_file([content], 3, json.dumps(schema))))
    actual = list(read_blocks_separately(path.as_uri(), load_contract("user_activity_2")))
    tables = [record for record in actual if not isinstance(record, UndecodableRecords)]
    assert [row["userId"] for table in tables for row in table.to_pylist()] == [None, "u-2x"]
    assert [(record.row_count, record.first_number) for record in actual if isinstance(record, UndecodableRecords)] == [
        (1, 2)
    ]
    assert NOON not in [row["eventTime"] for table in tables for row in table.to_pylist()]


def _salvage_parts(of_blocks: list[list[dict[str, Any]]], codec: str) -> tuple[Any, list[bytes]]:
    """Return the header of a file, and the compressed records of its blocks."""
    source = BytesIO()
    fastavro.writer(source, fastavro.parse_schema(load_contract("user_activity_1")), of_blocks[0], codec=codec)
    size = source.tell()
    source.seek(0)
    begin = read_header(source)
    return begin, [block.slice_records(content) for block, content in read_blocks(source, size, begin.marker)]
