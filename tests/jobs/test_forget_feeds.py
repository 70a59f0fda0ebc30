"""Feeds without a person: records of others stay as they are, in every codec and beside damaged blocks."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import fastavro
import pytest

from etl.avro_files import blocks, header
from etl.extract import feed
from etl.jobs.forget_feeds import clean_feeds
from etl.lake import Lake, Received
from etl.person import Person
from etl.schemas.avro import contract

NOW = datetime(2026, 11, 21, tzinfo=UTC)
WHO = Person(frozenset({"wanted"}))


def record(user: str, **values: Any) -> dict[str, Any]:
    return {"userId": user, "updatedAt": NOW, "username": "Zoë"} | values


def receive(lake: Lake, path: Path, records: list[dict[str, Any]], **options: Any) -> Received:
    with path.open("wb") as file:
        fastavro.writer(file, options.pop("schema", contract("user")), records, **options)
    return feed.receive_file(path, lake, NOW)


def content(lake: Lake, received: Received) -> bytes:
    with lake.read(received) as source:
        return source.read()


def users(lake: Lake, received: Received) -> list[str]:
    with lake.read(received) as source:
        return [one["userId"] for one in fastavro.reader(source)]


@pytest.mark.parametrize("codec", ["null", "deflate", "snappy", "zstandard", "bzip2", "xz"])
def test_records_of_others_stay_in_their_order(lake: Lake, tmp_path: Path, codec: str) -> None:
    records = [record(user) for user in ("a", "b", " wanted\t", "c", "wanted", "wanted2", "a")]
    one = receive(lake, tmp_path / "f.avro", records, codec=codec, sync_interval=60)
    of_others = receive(lake, tmp_path / "others.avro", [record("wanted2", username="wanted")], codec=codec)
    before, of_others_before = content(lake, one), content(lake, of_others)
    assert clean_feeds(lake, WHO) == 1
    assert users(lake, one) == ["a", "b", "c", "wanted2", "a"]
    (noted,) = (left for left in lake.inputs(["feed"]) if left.input_id == one.input_id)
    assert (noted.row_count, noted.size_bytes) == (5, len(content(lake, one)))
    with lake.read(one) as source:
        kept = header(source)
        of_file = [block for _, block in blocks(source, noted.size_bytes, kept.marker)]
    assert before.startswith(kept.content) and of_file[-1] in before
    assert content(lake, of_others) == of_others_before
    assert clean_feeds(lake, WHO) == 0


def test_a_block_that_cannot_be_read_goes_where_it_names_the_person(lake: Lake, tmp_path: Path) -> None:
    names = ["a", "wanted", "b", "c", "d"]
    one = receive(lake, path := tmp_path / "f.avro", [record(name) for name in names], sync_interval=1)
    spoilt = path.read_bytes()
    for name in ("wanted", "c"):  # the length of a text, far beyond the block
        place = spoilt.index(bytes([2 * len(name)]) + name.encode())
        behind = spoilt.index("Zoë".encode(), place) - 1
        spoilt = spoilt[:behind] + b"\x7a" + spoilt[behind + 1 :]
    path.write_bytes(spoilt)
    other = feed.receive_file(path, lake, NOW)
    assert clean_feeds(lake, WHO) == 2
    assert users(lake, one) == ["a", "b", "c", "d"]
    left = content(lake, other)
    assert b"wanted" not in left and len(left) < len(spoilt)
    assert [left.count(bytes([2, ord(name)])) >= 1 for name in "abcd"] == [True] * 4


def test_times_that_no_calendar_has_and_texts_that_are_none_stay_as_they_are(lake: Lake, tmp_path: Path) -> None:
    plain = contract("user")
    plain["fields"] = [
        {"name": one["name"], "type": "long" if one["name"] == "updatedAt" else one["type"]} for one in plain["fields"]
    ]
    moments = [record("a", updatedAt=2**62), record("wanted", updatedAt=0), record("b", updatedAt=-(2**62))]
    one = receive(lake, path := tmp_path / "f.avro", moments, schema=plain)
    path.write_bytes(path.read_bytes().replace("Zoë".encode(), b"Zo\xff\xfe"))
    other = feed.receive_file(path, lake, NOW)
    assert clean_feeds(lake, WHO) == 2
    assert users(lake, one) == ["a", "b"]
    assert content(lake, other).count(b"Zo\xff\xfe") == 2


def test_users_that_are_numbers(lake: Lake, tmp_path: Path) -> None:
    schema = contract("user")
    schema["fields"] = [one | ({"type": "long"} if one["name"] == "userId" else {}) for one in schema["fields"]]
    one = receive(lake, tmp_path / "f.avro", [record(number) for number in (7, 77)], schema=schema)  # type: ignore[arg-type]
    assert clean_feeds(lake, Person(frozenset({"7"}))) == 1
    assert users(lake, one) == [77]  # type: ignore[comparison-overlap]


def test_a_feed_of_nobody_else_stays_as_an_empty_one(lake: Lake, tmp_path: Path) -> None:
    one = receive(lake, tmp_path / "f.avro", [record("wanted")])
    assert clean_feeds(lake, WHO) == 1
    assert users(lake, one) == [] and [left.row_count for left in lake.inputs(["feed"])] == [0]
