"""The ids of events: the same event has the same one whenever it comes, another one has another."""

import hashlib
from datetime import UTC, datetime, timedelta
from typing import Any

import pyarrow as pa
import pytest

from etl.transform.events.event_ids import add_event_ids
from tests.transform.events.told import NOON, event_rows


def ids(*rows: dict[str, Any]) -> list[bytes]:
    return add_event_ids(event_rows(*rows))["event_id"].to_pylist()


@pytest.mark.parametrize(
    "moment", [NOON, datetime(2006, 4, 23, 0, 0, 0, 123_000, UTC), datetime(2199, 12, 31, tzinfo=UTC)]
)
def test_an_id_is_the_moment_the_mark_of_its_kind_and_a_hash(moment: datetime) -> None:
    (found,) = ids({"event_time": moment, "source": "feed", "user_id": "u1", "identity": "id e1"})
    since = moment - datetime(1970, 1, 1, tzinfo=UTC)
    told = "\u0001".join(("feed", "u1", str(since // timedelta(microseconds=1)), "id e1"))
    digest = hashlib.md5(told.encode(), usedforsecurity=False).digest()
    milliseconds = (since // timedelta(milliseconds=1)).to_bytes(6, "big")
    assert found == milliseconds + bytes([0x80 | digest[6] & 0x0F]) + digest[7:]


def test_what_differs_in_source_user_moment_or_identity_is_another_event() -> None:
    one: dict[str, Any] = {}
    others = [
        {"source": "basic_export"},
        {"user_id": "u2"},
        {"event_time": NOON + timedelta(microseconds=1)},
        {"event_time": NOON + timedelta(milliseconds=1)},
        {"identity": "id e2"},
    ]
    found = ids(one, *others)
    assert len(set(found)) == 6
    assert found[0] == ids({"track_id": "t9", "ms_played": 5, "input_id": "other"})[0], "by nothing else"


def test_ids_stand_beside_their_rows_and_sort_by_time() -> None:
    moments = [NOON + timedelta(seconds=second) for second in (30, 10, 20, 1_000_000)]
    table = add_event_ids(event_rows(*({"event_time": moment} for moment in moments)))
    assert table["event_time"].to_pylist() == moments
    found = table["event_id"].to_pylist()
    assert sorted(found) == [found[1], found[2], found[0], found[3]]
    assert "identity" not in table.column_names
    assert table.schema.field("event_id").type == pa.binary()


def test_rows_in_several_chunks_get_the_ids_that_they_get_alone() -> None:
    parts = [event_rows({"user_id": name}, {"user_id": f"{name}!"}) for name in ("u1", "u2")]
    alone = [one for part in parts for one in add_event_ids(part)["event_id"].to_pylist()]
    assert add_event_ids(pa.concat_tables(parts))["event_id"].to_pylist() == alone
