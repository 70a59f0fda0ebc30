"""The tables of the schema live: each batch of a streaming query is written exactly once, in one transaction.

The row of the batch in ``live.batch`` is part of that transaction. A batch that Spark runs again after a crash finds
its row and writes nothing. The watermarks are rows of the same transaction, so a batch always gives the same counts.
So are the ids of events: an event whose id is in an earlier batch of today, or of the last day with batches before it,
is a duplicate.
"""

import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
from psycopg2 import sql
from sqlalchemy import Connection, text
from sqlalchemy.exc import OperationalError

from etl.database import make_engine, query_sql, read_sql, run_sql
from etl.database.connection import convert_errors, get_sqlstate
from etl.database.locks import LOCK_NOT_AVAILABLE
from etl.errors import TryAgainError
from etl.load.staging_copy import copy_batches

log = logging.getLogger(__name__)

_TABLES = ("user_hour", "continent_hour", "artist_hour", "active_minute", "active_listener", "track")
_MERGES = ("track", "continent_hour", "artist_hour", "active_listener", "active_minute")
_BATCHES_BETWEEN_SWEEPS = 1000
_LAST_BATCH = """
    select query_id::text, batch_id, id_turn, id_turn_date from live.batch order by query_id desc, batch_id desc limit 1
"""
_ID_TURN = f"""
    select coalesce(b.id_turn, 0), coalesce(b.id_turn_date, d.today), d.today
    from (select cast(now() at time zone 'UTC' as date) as today) as d left join ({_LAST_BATCH}) as b on true
"""  # noqa: S608 (constants)


class _IdTurn(NamedTuple):
    """A turn of the two tables of event ids, ``event_id_even`` and ``event_id_odd``, and the day on which it began."""

    number: int
    started_on: date


class OutdatedCheckpointError(TryAgainError):
    """The checkpoint and the live tables are of different times, so the query has to start from the oldest message."""


@dataclass(frozen=True)
class PartitionCounts:
    """What a batch has read from a partition.

    ``accepted_events`` includes duplicates. ``newest_event_time`` is the newest time of them, but no time after the
    receipt of the event: a wrong clock must not close hours. ``next_offset`` is the end of the batch, ``last_offset``
    that of its last message.
    """

    next_offset: int
    last_offset: int | None = None
    accepted_events: int = 0
    rejected_messages: int = 0
    newest_event_time: datetime | None = None


@dataclass(frozen=True)
class Batch:
    """A batch of a streaming query.

    ``query_id`` is the id of the query's checkpoint; ``generation`` names its version and topic for readers.
    ``event_ids`` has the ids of its events, each once. ``is_complete`` is whether Kafka had the first message of the
    topic when the query began.
    """

    query_id: str
    generation: str
    batch_id: int
    partitions: Mapping[int, PartitionCounts]
    event_ids: pa.ChunkedArray
    is_complete: bool = True


CountEvents = Callable[[Sequence[int], Mapping[int, datetime | None]], dict[str, pa.Table]]
"""Returns the rows of each table, and of ``partition`` the numbers of events and late events, for the indexes of the
events that are duplicates and the watermarks before a batch."""


@dataclass
class LiveTables:
    """The live tables of a warehouse, written by one query; the connection stays open between batches."""

    url: str = field(repr=False)
    lateness: timedelta
    retention: timedelta
    continents: Mapping[int, str]
    _connection: Connection | None = field(default=None, init=False, repr=False)
    _skipped_batch: tuple[str, int] | None = field(default=None, init=False)

    def write_batch(self, batch: Batch, count_events: CountEvents) -> bool:
        """Add a batch to the tables, unless they already contain it.

        The first batch with messages of a query empties the tables: they then belong to another generation.

        :returns: whether it was added.
        :raises OutdatedCheckpointError: if the tables lack earlier batches of the query.
        :raises EtlError: as ``connection.explain_error`` decides.
        """
        with self._begin() as connection:
            return self._write(connection, batch, count_events)

    def record_lost_messages(self, generation: str, oldest_offsets: Mapping[int, int]) -> dict[int, int]:
        """Count messages that Kafka removed before a batch contained them, once.

        :param oldest_offsets: of the messages that Kafka still has, by partition.
        :returns: their number by partition, for partitions with lost messages.
        """
        lost: dict[int, int] = {}
        with self._begin() as connection:
            for partition, oldest_offset in oldest_offsets.items():
                rows = query_sql(
                    connection,
                    "merge/live/lost_messages",
                    generation=generation,
                    partition=partition,
                    oldest_offset=oldest_offset,
                )
                if rows:
                    lost[partition] = int(str(rows[0]["lost_messages"]))
        return lost

    def close(self) -> None:
        """Close the connection."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    @contextmanager
    def _begin(self) -> Iterator[Connection]:
        """Begin a transaction, which commits at the end of the context; a connection that fails is closed."""
        with convert_errors(self.url):
            if self._connection is None:
                self._connection = make_engine(self.url).connect()
            try:
                with self._connection.begin():
                    yield self._connection
            except BaseException:
                self.close()
                raise

    def _write(self, connection: Connection, batch: Batch, count_events: CountEvents) -> bool:
        if not self._begin_batch(connection, batch):
            return False
        id_turn = _choose_id_table(connection)
        duplicates = _record_event_ids(connection, batch.event_ids, id_turn)
        rows = connection.execute(text("select partition, watermark from live.progress"))
        watermarks: dict[int, datetime | None] = dict.fromkeys(batch.partitions) | {row[0]: row[1] for row in rows}
        tables = count_events(duplicates, watermarks)
        _add_rows(connection, batch.batch_id, tables)
        self._write_progress(connection, batch, {row["partition"]: row for row in tables["partition"].to_pylist()})
        _write_batch_row(connection, batch, tables["partition"], id_turn)
        _publish_artist_hours(connection, watermarks)
        if batch.batch_id % _BATCHES_BETWEEN_SWEEPS == 0:
            self._sweep(connection)
        return True

    def _begin_batch(self, connection: Connection, batch: Batch) -> bool:
        """Return whether a batch is to be written; empty the tables for the first one of a query with messages."""
        connection.execute(text("lock table live.batch in share row exclusive mode"))  # against a second query
        rows = connection.execute(text(_LAST_BATCH))  # The table has batches of one query only.
        last_batches = {row[0]: row[1] for row in rows}
        last_batch_id = last_batches.get(batch.query_id)
        if last_batch_id is not None and batch.batch_id <= last_batch_id:
            log.info("Batch %d is in the tables already.", batch.batch_id)
            return False
        is_first = batch.batch_id == 0 or self._skipped_batch == (batch.query_id, batch.batch_id - 1)
        if last_batch_id is None and is_first:
            if last_batches and all(counts.last_offset is None for counts in batch.partitions.values()):
                # Kafka may be the wrong one, by mistake: its empty topic leaves the tables of the former generation.
                self._skipped_batch = (batch.query_id, batch.batch_id)
                return False
            run_sql(connection, "merge/live/empty_tables")
        elif last_batch_id is None or batch.batch_id != last_batch_id + 1:
            raise OutdatedCheckpointError(
                f"The live tables do not contain batch {batch.batch_id - 1} of the query, as after a restore of the"
                " warehouse. They are built again from the oldest message."
            )
        return True

    def _write_progress(
        self, connection: Connection, batch: Batch, counts_by_partition: Mapping[int, Mapping[str, int]]
    ) -> None:
        statement = text(read_sql("merge/live/progress"))
        for partition, counts in sorted(batch.partitions.items()):
            newest = counts.newest_event_time
            unique_events, late_events = (
                counts_by_partition.get(partition, {}).get(name, 0) for name in ("unique_events", "late_events")
            )
            parameters: dict[str, Any] = {
                "partition": partition,
                "continent": self.continents.get(partition, "unknown"),
                "generation": batch.generation,
                "next_offset": counts.next_offset,
                "last_offset": counts.last_offset,
                "is_complete": batch.is_complete,
                "accepted_events": counts.accepted_events,
                "duplicate_events": counts.accepted_events - unique_events,
                "late_events": late_events,
                "rejected_messages": counts.rejected_messages,
                "watermark": None if newest is None else newest - self.lateness,
            }
            connection.execute(statement, parameters)
        run_sql(connection, "merge/live/closed_minutes")

    def _sweep(self, connection: Connection) -> None:
        """Remove hours beyond the retention, and old batches."""
        connection.execute(text(read_sql("erase/live/old_hours")), {"retention": self.retention})


def _write_batch_row(connection: Connection, batch: Batch, counts: pa.Table, id_turn: _IdTurn) -> None:
    parameters = {
        "query_id": batch.query_id,
        "batch_id": batch.batch_id,
        "events": sum(counts["unique_events"].to_pylist()),
        "id_turn": id_turn.number,
        "id_turn_date": id_turn.started_on,
    }
    connection.execute(text(read_sql("merge/live/batch")), parameters)


def _choose_id_table(connection: Connection) -> _IdTurn:
    """Return the turn of the tables of event ids; at the first batch of a day, empty the other one and begin its turn.

    If another session reads it, as pg_dump does, its turn begins with a later batch: an erasure waits for this one.
    """
    number, started_on, today = connection.execute(text(_ID_TURN)).one()
    if started_on >= today:
        return _IdTurn(number, started_on)
    try:
        with connection.begin_nested():
            connection.execute(text("set local lock_timeout = '200ms'"))
            connection.execute(text(f"truncate live.event_id_{'odd' if number % 2 == 0 else 'even'}"))
            connection.execute(text("set local lock_timeout = 0"))
    except OperationalError as error:
        if get_sqlstate(error) != LOCK_NOT_AVAILABLE:
            raise
        log.info("Old event ids are removed later, because another session reads them.")
        return _IdTurn(number, started_on)
    return _IdTurn(number + 1, today)


def _record_event_ids(connection: Connection, event_ids: pa.ChunkedArray, id_turn: _IdTurn) -> list[int]:
    """Store the ids of a batch's events, and return the indexes of those that earlier batches contain."""
    run_sql(connection, "merge/live/batch_tables")
    positions = pa.array(np.arange(len(event_ids), dtype=np.int32))
    rows = pa.table({"position": positions, "event_id": event_ids})
    if rows.num_rows == 0:
        return []
    with closing(connection.connection.cursor()) as cursor:
        copy_batches(cursor, sql.Identifier("batch_event_id"), rows.schema, iter(rows.to_batches()))  # type: ignore[arg-type]
    known = query_sql(connection, "merge/live/event_id", is_even_turn=id_turn.number % 2 == 0)
    return [int(str(row["position"])) for row in known]


def _add_rows(connection: Connection, batch_id: int, tables: Mapping[str, pa.Table]) -> None:
    user_hours = tables["user_hour"]
    user_hours = user_hours.append_column("batch_id", pa.array([batch_id] * len(user_hours), pa.int64()))
    with closing(connection.connection.cursor()) as cursor:
        for name in _TABLES:
            rows = user_hours if name == "user_hour" else tables[name]
            # live.user_hour has no unique key, so its rows need no merge.
            target = sql.Identifier("live", name) if name == "user_hour" else sql.Identifier(f"batch_{name}")
            if rows.num_rows:
                copy_batches(cursor, target, rows.schema, iter(rows.to_batches()))  # type: ignore[arg-type]
    for name in _MERGES:
        run_sql(connection, f"merge/live/{name}")


def _publish_artist_hours(connection: Connection, watermarks: Mapping[int, datetime | None]) -> None:
    """Publish to artists the hours that have become final: an hour after its end by the newest watermark.

    :param watermarks: before the batch.
    """
    watermark = connection.scalar(text("select max(watermark) from live.progress"))
    if watermark is None:
        return
    final_before = _find_final_hour(watermark)
    former = max((time for time in watermarks.values() if time is not None), default=None)
    final_from = None if former is None else _find_final_hour(former)
    if final_from is None or final_from < final_before:
        parameters = {"final_from": final_from, "final_before": final_before}
        connection.execute(text(read_sql("merge/live/published_artist_hour")), parameters)


def _find_final_hour(watermark: datetime) -> datetime:
    """Return the start of the first hour that is not final yet."""
    return (watermark - timedelta(hours=1)).replace(minute=0, second=0, microsecond=0)
