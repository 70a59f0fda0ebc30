"""The writer of the live tables: blocks of the query, without duplicates and without users forgotten meanwhile."""

import uuid
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, cast

import pyarrow as pa

from etl.jobs.live_anomalies import _drop_forgotten_users
from etl.jobs.live_tables import BLOCK_SCHEMA, LiveWriter, parse_batches
from etl.load.live_tables import Batch, CountEvents, LiveTables
from etl.storage.forgotten_users import ForgottenUsers, hash_user_id
from etl.streams.live_query import QueryBatch
from etl.streams.messages import MESSAGE_SCHEMA
from tests.jobs.topic_events import encode_event, make_event

NOW = datetime.now(UTC).replace(microsecond=0)
EUROPE = 3


class RecordingTables:
    """Live tables that record what a batch adds to them, if the first event is in an earlier batch."""

    def __init__(self) -> None:
        self.batch: Batch | None = None
        self.counts: Mapping[str, pa.Table] = {}

    def write_batch(self, batch: Batch, count_events: CountEvents) -> bool:
        self.batch, self.counts = batch, count_events([0], {EUROPE: None})
        return True


def parse_users(lake_url: str, *users: str) -> list[pa.RecordBatch]:
    rows = [
        {
            "partition": EUROPE,
            "offset": offset,
            "timestamp": NOW,
            "value": encode_event(make_event(NOW, userId=user, eventId=str(uuid.uuid5(uuid.NAMESPACE_OID, user)))),
            "schema_version": "2",
        }
        for offset, user in enumerate(users)
    ]
    return list(parse_batches([pa.RecordBatch.from_pylist(rows, schema=MESSAGE_SCHEMA)], None, lake_url))


def test_a_batch_is_written_without_duplicates_and_users_forgotten_since_it_was_parsed(tmp_path: Path) -> None:
    forgotten_users = ForgottenUsers(tmp_path.as_uri())
    blocks = [*parse_users(tmp_path.as_uri(), "known", "a", "a", "gone"), *parse_users(tmp_path.as_uri(), "b", "a")]
    forgotten_users.record_users(["gone"], NOW + timedelta(seconds=1))
    tables = RecordingTables()
    writer = LiveWriter(cast(LiveTables, tables), forgotten_users, "v2-a", 30_000)
    rows = pa.Table.from_batches(blocks, BLOCK_SCHEMA)
    assert writer.write(QueryBatch("query", 0, rows, {EUROPE: 4})) == 6
    assert tables.batch is not None and len(tables.batch.event_ids) == 4  # known, a, gone, b
    counts = tables.batch.partitions[EUROPE]
    assert (counts.next_offset, counts.last_offset, counts.accepted_events) == (4, 3, 6)
    users: list[Any] = tables.counts["user_hour"]["user_id"].to_pylist()
    assert sorted(users) == ["a", "b"]
    assert tables.counts["partition"].to_pylist() == [{"partition": EUROPE, "unique_events": 2, "late_events": 0}]


def test_findings_of_windows_before_a_user_was_forgotten_are_dropped() -> None:
    rows = [
        {"user_id": user, "window_start": NOW + timedelta(hours=hours)}
        for user in ("gone", "other")
        for hours in (0, 2)
    ]
    forgotten = {hash_user_id("gone"): NOW + timedelta(hours=1)}
    remaining = [(row["user_id"], row["window_start"] - NOW) for row in _drop_forgotten_users(rows, forgotten)]
    assert remaining == [("gone", timedelta(hours=2)), ("other", timedelta(0)), ("other", timedelta(hours=2))]
