"""Imports of external Avro feeds into the lake: complete, truncated and invalid ones."""

import io
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import fastavro
import pytest

from etl.errors import WrongFileError
from etl.extract import feed
from etl.formats.avro.container_files import encode_file
from etl.formats.avro.encoding import encode_long
from etl.formats.contracts.avro import load_contract
from etl.storage.lake import Lake

NOW = datetime(2026, 11, 21, tzinfo=UTC)
FIRST = datetime(2026, 11, 2, 8, tzinfo=UTC)


def make_users(count: int) -> list[dict[str, Any]]:
    return [{"userId": f"u{number}", "updatedAt": FIRST + timedelta(minutes=number)} for number in range(count)]


def write_feed(path: Path, records: list[dict[str, Any]], schema: Any = None, sync_interval: int = 200) -> bytes:
    """Write a file of many small blocks.

    :returns: its bytes.
    """
    with path.open("wb") as file:
        fastavro.writer(file, schema or load_contract("user"), records, sync_interval=sync_interval)
    return path.read_bytes()


def test_a_whole_file_is_kept_byte_by_byte(lake: Lake, tmp_path: Path) -> None:
    content = write_feed(tmp_path / "users.avro", make_users(20))
    received = feed.receive_file(tmp_path / "users.avro", lake, NOW)
    assert (received.format, received.row_count, received.cut_off) == ("user", 20, "")
    with lake.inputs.open_input(received) as stored_file:
        assert stored_file.read() == content
    assert lake.inputs.find_inputs(["feed"]) == [received]
    again = feed.receive_file(tmp_path / "users.avro", lake, NOW + timedelta(days=1))
    assert again == received


@pytest.mark.parametrize("name", ["user", "user_activity_1", "user_activity_2"])
def test_a_record_may_have_its_full_name(lake: Lake, tmp_path: Path, name: str) -> None:
    schema = fastavro.parse_schema(load_contract(name))
    content = write_feed(tmp_path / "full.avro", [], schema)
    assert b"com.spotify.wrapped." + load_contract(name)["name"].encode() in content
    received = feed.receive_file(tmp_path / "full.avro", lake, NOW)
    assert received.format == ("user" if name == "user" else "user_activity")


def test_of_a_cut_file_the_whole_blocks_are_kept_wherever_it_was_cut(lake: Lake, tmp_path: Path) -> None:
    content = write_feed(tmp_path / "whole.avro", make_users(30))
    header = len(write_feed(tmp_path / "none.avro", []))
    bounds = _find_block_ends(content)
    assert len(bounds) >= 4 and bounds[0] == header
    for size in range(header, len(content)):
        path = tmp_path / "cut.avro"
        path.write_bytes(content[:size])
        received = feed.receive_file(path, lake, NOW)
        whole = max(end for end in bounds if end <= size)
        with lake.inputs.open_input(received) as stored_file:
            user_rows = list(fastavro.reader(io.BytesIO(stored_file.read())))
        assert received.size_bytes == whole
        assert received.row_count == len(user_rows) + (whole < size)
        assert received.cut_off == (f"cut.avro: {size - whole} bytes from byte {whole}" if whole < size else "")
        assert [user_row["userId"] for user_row in user_rows] == [
            user_row["userId"] for user_row in make_users(len(user_rows))
        ]


def _find_block_ends(content: bytes) -> list[int]:
    marker = content[-16:]
    block_ends = [content.index(marker) + 16]
    while (place := content.find(marker, block_ends[-1])) >= 0:
        block_ends.append(place + 16)
    return block_ends


def test_what_is_no_feed_is_refused_in_words_and_leaves_nothing(lake: Lake, tmp_path: Path) -> None:
    whole = write_feed(tmp_path / "users.avro", make_users(20))
    header = len(write_feed(tmp_path / "none.avro", []))
    marker = whole[-16:]
    middle = whole.index(marker, header) + 3
    other_schema = {"type": "record", "name": "Other", "fields": [{"name": "userId", "type": "string"}]}
    lacking = load_contract("user") | {"fields": load_contract("user")["fields"][:1]}
    path = tmp_path / "wrong.avro"
    for content, sentence in (
        (b"PAR1" + whole, "no Avro container"),
        (b"", "no Avro container"),
        (whole[: header - 1], "ends too early"),
        (whole[:middle] + b"\x00" + whole[middle + 1 :], "sync marker"),
        (write_feed(path, [{"userId": "u"}], other_schema), "none of UserActivity or User"),
        (write_feed(path, [{"userId": "u"}], lacking), "lack .*updatedAt"),
    ):
        path.write_bytes(content)
        with pytest.raises(WrongFileError, match=f"wrong.avro: .*{sentence}"):
            feed.receive_file(path, lake, NOW)
    assert lake.inputs.find_inputs(["feed"]) == []


def test_what_takes_no_bytes_or_more_than_there_are_is_refused(lake: Lake, tmp_path: Path) -> None:
    user, path = load_contract("user"), tmp_path / "wrong.avro"
    whole = write_feed(path, make_users(1))
    place = whole.index(whole[-16:]) + 16  # the offset of the number of records
    nothing = [{**field, "type": "null"} for field in user["fields"]]
    endless = [*user["fields"], {"name": "more", "type": {"type": "array", "items": "null"}}]
    twice = user | {"fields": [*user["fields"], user["fields"][0]]}
    odd = user | {"fields": [*user["fields"], {"name": "odd", "type": {"type": "enum", "name": "E", "symbols": ["-"]}}]}
    more = [user_row | {"more": [None] * 3} for user_row in make_users(1)]
    for content, sentence in (
        (
            write_feed(path, [dict.fromkeys(user_row) for user_row in make_users(3)], user | {"fields": nothing}),
            "may take no bytes",
        ),
        (write_feed(path, more, user | {"fields": endless}), "items of a list may take no bytes"),
        (b"".join(encode_file([], 0, json.dumps(twice))), "two fields of one name"),
        (b"".join(encode_file([], 0, json.dumps(odd))), "no records can be read .*symbol"),
        (whole[:place] + encode_long(10**9) + whole[place + 1 :], "says that it has more records than fit"),
    ):
        path.write_bytes(content)
        with pytest.raises(WrongFileError, match=f"wrong.avro: .*{sentence}"):
            feed.receive_file(path, lake, NOW)


def _make_header(*entries: tuple[bytes, bytes]) -> bytes:
    metadata = b"".join(bytes([2 * len(text)]) + text for pair in entries for text in pair)
    return b"Obj\x01" + bytes([2 * len(entries)]) + metadata + b"\0" + bytes(16)


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (_make_header((b"avro.codec", b"null")), "has no schema"),
        (_make_header((b"avro.schema", b"")), "cannot be read"),
        (_make_header((b"avro.schema", b'{"type": ')), "cannot be read"),
        (_make_header((b"avro.schema", b"\xff\xfe")), "cannot be read"),
        (_make_header((b"avro.schema", b'{"fields": "userId"}')), "tells of no fields"),
        (_make_header((b"avro.schema", b'{"fields": ["userId"]}')), "tells of no fields"),
        (_make_header((b"avro.schema", b'{"fields": [{"type": "int"}]}')), "tells of no fields"),
        (_make_header((b"avro.schema", b'"string"')), "none of UserActivity or User"),
        (_make_header((b"avro.schema", b'{"name": ["User"]}')), "tells of no fields"),
        (_make_header((b"avro.schema", b'"string"'), (b"avro.codec", b"lzma9")), "packed as 'lzma9'"),
        (b"Obj\x01\x02" + b"\xff" * 8 + b"\x7f" + b"avro.schema", "says that it has -?[0-9]+ bytes"),
        (b"Obj\x01\x02" + b"\xfe" * 8 + b"\x7f" + b"avro.schema", "says that it has [0-9]+ bytes"),
    ],
)
def test_a_damaged_header_has_a_sentence(lake: Lake, tmp_path: Path, content: bytes, sentence: str) -> None:
    (tmp_path / "wrong.avro").write_bytes(content)
    with pytest.raises(WrongFileError, match=f"wrong.avro: .*{sentence}"):
        feed.receive_file(tmp_path / "wrong.avro", lake, NOW)


def test_a_folder_is_all_its_avro_files(tmp_path: Path) -> None:
    write_feed(tmp_path / "b.avro", make_users(1))
    write_feed(tmp_path / "a.avro", make_users(1))
    (tmp_path / "_SUCCESS").touch()
    assert [path.name for path in feed.find_files(str(tmp_path))] == ["a.avro", "b.avro"]
    for path in ("nowhere", "nowhere.avro", "n" * 300):
        with pytest.raises(WrongFileError, match="there is no such file"):
            feed.find_files(str(tmp_path / path))
    with pytest.raises(WrongFileError, match="there is no such file"):
        feed.find_files("/dev/zero")
