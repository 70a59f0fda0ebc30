"""The ids of events: an event has the same id in every load, and different events have different ids."""

import hashlib
from datetime import UTC, datetime, timedelta
from typing import Any

import pyarrow as pa
import pytest

from etl.transform.events.event_ids import add_event_ids
from tests.transform.events.parsed_rows import NOON, make_event_rows


def make_ids(*rows: dict[str, Any]) -> list[bytes]:
    return add_event_ids(make_event_rows(*rows))["event_id"].to_pylist()


@pytest.mark.parametrize(
    "timestamp", [NOON, datetime(2006, 4, 23, 0, 0, 0, 123_000, UTC), datetime(2199, 12, 31, tzinfo=UTC)]
)
def test_an_id_is_the_moment_the_mark_of_its_kind_and_a_hash(timestamp: datetime) -> None:
    (actual,) = make_ids({"event_time": timestamp, "source": "feed", "user_id": "u1", "identity": "id e1"})
    since = timestamp - datetime(1970, 1, 1, tzinfo=UTC)
    hashed_text = "\u0001".join(("feed", "u1", str(since // timedelta(microseconds=1)), "id e1"))
    digest = hashlib.md5(hashed_text.encode(), usedforsecurity=False).digest()
    milliseconds = (since // timedelta(milliseconds=1)).to_bytes(6, "big")
    assert actual == milliseconds + bytes([0x80 | digest[6] & 0x0F]) + digest[7:]


def test_what_differs_in_source_user_moment_or_identity_is_another_event() -> None:
    first: dict[str, Any] = {}
    others = [
        {"source": "basic_export"},
        {"user_id": "u2"},
        {"event_time": NOON + timedelta(microseconds=1)},
        {"event_time": NOON + timedelta(milliseconds=1)},
        {"identity": "id e2"},
    ]
    actual = make_ids(first, *others)
    assert len(set(actual)) == 6
    assert actual[0] == make_ids({"track_id": "t9", "ms_played": 5, "input_id": "other"})[0], "by nothing else"


def test_ids_stand_beside_their_rows_and_sort_by_time() -> None:
    timestamps = [NOON + timedelta(seconds=second) for second in (30, 10, 20, 1_000_000)]
    table = add_event_ids(make_event_rows(*({"event_time": timestamp} for timestamp in timestamps)))
    assert table["event_time"].to_pylist() == timestamps
    actual = table["event_id"].to_pylist()
    assert sorted(actual) == [actual[1], actual[2], actual[0], actual[3]]
    assert "identity" not in table.column_names
    assert table.schema.field("event_id").type == pa.binary()


def test_rows_in_several_chunks_get_the_ids_that_they_get_alone() -> None:
    parts = [make_event_rows({"user_id": name}, {"user_id": f"{name}!"}) for name in ("u1", "u2")]
    alone = [event_id for part in parts for event_id in add_event_ids(part)["event_id"].to_pylist()]
    assert add_event_ids(pa.concat_tables(parts))["event_id"].to_pylist() == alone
