"""Landed files: the chain of a partition, files beside it, and inputs whose making is killed."""

from contextlib import nullcontext
from datetime import UTC, datetime
from typing import Any

import pyarrow as pa
import pytest
from fsspec.implementations.local import LocalFileSystem

from etl.formats.avro.datum_files import encode_datum_file
from etl.formats.contracts.avro import load_contract
from etl.jobs import landed_inputs
from etl.storage.lake import Lake
from etl.storage.landed_files import LandedTopic, list_landed_topics
from etl.storage.offset_ranges import OffsetRange, find_chain
from etl.transform.events.feed_records import REJECTED_SCHEMA
from tests.formats.avro.test_datums import encode_value

NOW = datetime(2026, 11, 30, tzinfo=UTC)


def make_ranges(*pairs: tuple[int, int]) -> list[OffsetRange]:
    return [OffsetRange(0, first, next_) for first, next_ in pairs]


@pytest.mark.parametrize(
    ("pairs", "start", "chain"),
    [
        ([], 5, []),
        ([(5, 9), (9, 12)], None, [(5, 9), (9, 12)]),
        ([(5, 9), (9, 12)], 9, [(9, 12)]),
        ([(5, 9), (10, 12)], 5, [(5, 9)]),
        ([(5, 9), (9, 20), (5, 15)], 5, [(5, 9), (9, 20)]),
        ([(5, 9), (9, 12), (5, 15), (12, 14)], 5, [(5, 15)]),
        ([(5, 9), (7, 12), (9, 10)], 5, [(5, 9), (9, 10)]),
    ],
)
def test_the_chain_reaches_furthest(
    pairs: list[tuple[int, int]], start: int | None, chain: list[tuple[int, int]]
) -> None:
    assert find_chain(make_ranges(*pairs), start) == make_ranges(*chain)


@pytest.fixture
def landed(lake: Lake, monkeypatch: pytest.MonkeyPatch) -> LandedTopic:
    """Return a topic; the lock of the warehouse is left out."""
    monkeypatch.setattr(landed_inputs, "lock_landed_files", lambda _url: nullcontext())
    return LandedTopic(lake.url, "SpotifyWrapped", "an_id-1")


def write_range(landed: LandedTopic, first: int, next_: int, partition: int = 0, rejected_count: int = 0) -> None:
    values = [encode_value(userId=f"{partition}-{offset}") for offset in range(first, next_ - rejected_count)]
    rows = [{"reason": "poison", "row": "{}"}] * rejected_count
    landed.write_range(
        OffsetRange(partition, first, next_),
        encode_datum_file(values, load_contract("user_activity_2"), {"topic": landed.topic}),
        pa.Table.from_pylist(rows, REJECTED_SCHEMA) if rows else None,
        None,
    )


def register(lake: Lake) -> list[dict[str, Any]]:
    return [
        {
            "rows": received.row_count,
            "files": [url.rsplit("-", 2)[-2:] for url in lake.inputs.find_input_files(received, ".avro")],
        }
        for received in landed_inputs.register_landed_files(lake, "unused", NOW)
    ]


def test_all_contiguous_files_become_one_input(lake: Lake, landed: LandedTopic) -> None:
    assert register(lake) == [] and landed.find_position(0) is None
    write_range(landed, 10, 20, rejected_count=3)
    write_range(landed, 20, 25)
    write_range(landed, 0, 4, partition=6)
    write_range(landed, 30, 40)
    assert (landed.find_position(0), landed.find_position(6)) == (25, 4)
    (registered,) = register(lake)
    assert (registered["rows"], len(registered["files"])) == (19, 3)
    assert (landed.find_position(0), landed.find_position(6)) == (25, 4)
    assert landed.list_ranges(0) == make_ranges((30, 40)), "behind a hole"
    assert register(lake) == []
    write_range(landed, 25, 31)
    write_range(landed, 31, 42)
    (registered,) = register(lake)
    assert registered["rows"] == 17 and landed.list_ranges(0) == []
    (received, later) = lake.inputs.find_inputs(["feed"])
    assert {received.row_count, later.row_count} == {19, 17}


def test_the_files_of_a_suspended_process_do_no_harm(lake: Lake, landed: LandedTopic) -> None:
    write_range(landed, 0, 10)
    write_range(landed, 10, 20)
    write_range(landed, 0, 15, rejected_count=1)
    write_range(landed, 5, 9)
    (registered,) = register(lake)
    assert registered["rows"] == 20 and landed.find_files("") == []
    write_range(landed, 5, 25)
    assert landed.find_position(0) == 20
    write_range(landed, 20, 22)
    (registered,) = register(lake)
    assert registered["rows"] == 2 and landed.find_files("") == []


def test_a_gap_is_a_remark_of_the_input(lake: Lake, landed: LandedTopic) -> None:
    write_range(landed, 0, 10)
    assert landed_inputs.has_landed_files(lake)
    landed.write_gap(OffsetRange(0, 10, 50))
    assert landed.count_lost_messages() == 40
    write_range(landed, 50, 60)
    (registered,) = landed_inputs.register_landed_files(lake, "unused", NOW)
    landed.write_gap(OffsetRange(1, 0, 3))
    assert landed.count_lost_messages() == 43
    assert not landed_inputs.has_landed_files(lake) and landed_inputs.find_waiting_messages(lake) is None
    assert registered.row_count == 20
    assert registered.remarks == (
        "Offsets 10 to 49 of partition 0 are missing: Kafka deleted them before they were landed.",
    )


class Killed(BaseException):
    """The process ends here."""


def test_an_input_whose_making_is_killed_is_completed(
    lake: Lake, landed: LandedTopic, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Kill it before each move of a file, including those that replace a document."""
    real_move = LocalFileSystem.mv
    for kill_at in range(8):
        first = 100 * kill_at
        write_range(landed, first, first + 50, rejected_count=1)
        write_range(landed, first + 50, first + 100)
        calls = 0

        def move(filesystem: Any, source: str, target: str, kill_at: int = kill_at, **options: Any) -> None:
            nonlocal calls
            calls += 1
            if calls > kill_at:
                raise Killed
            real_move(filesystem, source, target, **options)

        with monkeypatch.context() as patch:
            patch.setattr(LocalFileSystem, "mv", move)
            try:
                register(lake)
            except Killed:
                pass
            else:
                assert calls <= kill_at
        assert landed.find_position(0) == first + 100
        register(lake)
        assert landed.find_position(0) == first + 100 and landed.find_files("") == []
        inputs = lake.inputs.find_inputs(["feed"])
        assert [received.row_count for received in inputs] == [100] * (kill_at + 1)
        assert sum(len(lake.inputs.find_input_files(received, "")) for received in inputs) == 4 * (kill_at + 1)


def test_topics_are_found_by_name_and_id(lake: Lake, landed: LandedTopic) -> None:
    assert list_landed_topics(lake.url) == []
    write_range(landed, 0, 1)
    write_range(LandedTopic(lake.url, "SpotifyWrapped", "another"), 0, 1)
    write_range(LandedTopic(lake.url, "SpotifyWrapped-2", "third"), 0, 1)
    assert [topic.topic_id for topic in list_landed_topics(lake.url, "SpotifyWrapped")] == ["an_id-1", "another"]
    assert len(list_landed_topics(lake.url)) == 3
