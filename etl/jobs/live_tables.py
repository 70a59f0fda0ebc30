"""The live tables: messages of the topic, parsed as landing validates them, counted and written batch by batch."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from etl.jobs.streamed_events import ParsedMessages, drop_forgotten_events, parse_remaining_messages
from etl.load.live_tables import Batch, LiveTables, PartitionCounts
from etl.storage.forgotten_users import ForgottenUsers
from etl.streams.live_query import QueryBatch
from etl.streams.messages import MESSAGE_SCHEMA, RegistryAddress
from etl.transform.events.live_counts import LIVE_EVENT, count_events

_PARTITION_SUMMARY = pa.schema(
    [
        pa.field("partition", pa.int32()),
        pa.field("accepted_events", pa.int64()),
        pa.field("rejected_messages", pa.int64()),
        pa.field("last_offset", pa.int64()),
        pa.field("newest_event_time", pa.timestamp("us", "UTC")),
    ]
)
BLOCK_SCHEMA = pa.schema([pa.field("events", pa.binary()), pa.field("partitions", pa.binary())])
"""The events of some messages as ``LIVE_EVENT``, and a summary of each of their partitions, both as Arrow streams: for
Spark, many events are one row."""


def parse_batches(
    batches: Iterable[pa.RecordBatch], registry: RegistryAddress | None, lake_url: str
) -> Iterator[pa.RecordBatch]:
    """Yield the events and summaries of messages, as ``BLOCK_SCHEMA``; forgotten users have none.

    :param batches: messages as ``MESSAGE_SCHEMA``.
    """
    for messages, parsed in parse_message_batches(batches, registry, lake_url):
        events = parsed.events.select(LIVE_EVENT.names).cast(LIVE_EVENT)
        block = {
            "events": [_write_stream(events)],
            "partitions": [_write_stream(_summarise(messages, parsed.events, parsed.reasons))],
        }
        yield pa.RecordBatch.from_pydict(block, schema=BLOCK_SCHEMA)


def parse_message_batches(
    batches: Iterable[pa.RecordBatch], registry: RegistryAddress | None, lake_url: str
) -> Iterator[tuple[pa.Table, ParsedMessages]]:
    """Yield the messages of each batch that has any, and what they contain without the events of forgotten users.

    :param batches: messages as ``MESSAGE_SCHEMA``.
    """
    for batch in batches:
        if batch.num_rows:
            messages = pa.Table.from_batches([batch]).cast(MESSAGE_SCHEMA)
            yield messages, parse_remaining_messages(messages, registry, lake_url)


def _write_stream(table: pa.Table) -> bytes:
    target = pa.BufferOutputStream()
    with pa.ipc.new_stream(target, table.schema) as writer:
        writer.write_table(table)
    return bytes(target.getvalue())


def _read_streams(streams: pa.ChunkedArray, schema: pa.Schema) -> pa.Table:
    tables = [pa.ipc.open_stream(stream.as_buffer()).read_all() for stream in streams]
    return pa.concat_tables([schema.empty_table(), *tables])


def _summarise(messages: pa.Table, events: pa.Table, reasons: pa.ChunkedArray) -> pa.Table:
    """Return a row for each partition of messages: the number of accepted and rejected ones, and the newest time."""
    last_offsets = _aggregate(messages, "offset", "max")
    rejected = _aggregate(messages.filter(pc.is_valid(reasons)), "offset", "count")
    event_times, receipt_times = events["event_time"], events["received_at"]
    times = pc.if_else(pc.less(event_times, receipt_times), event_times, receipt_times)
    timed_events = pa.table({"partition": events["partition"], "time": times})
    accepted, newest = _aggregate(timed_events, "time", "count"), _aggregate(timed_events, "time", "max")
    rows = [
        {
            "partition": partition,
            "accepted_events": accepted.get(partition, 0),
            "rejected_messages": rejected.get(partition, 0),
            "last_offset": last_offset,
            "newest_event_time": newest.get(partition),
        }
        for partition, last_offset in last_offsets.items()
    ]
    return pa.Table.from_pylist(rows, schema=_PARTITION_SUMMARY)


def _aggregate(rows: pa.Table, column: str, function: str) -> dict[int, Any]:
    """Return an aggregate of a column by partition."""
    groups = rows.group_by("partition").aggregate([(column, function)])
    return dict(zip(groups["partition"].to_pylist(), groups[f"{column}_{function}"].to_pylist(), strict=True))


@dataclass(frozen=True)
class LiveWriter:
    """Writes the batches of a generation into the live tables.

    ``is_complete`` is whether Kafka still has the first message of the topic.
    """

    tables: LiveTables
    forgotten_users: ForgottenUsers
    generation: str
    play_min_ms: int
    is_complete: bool = True

    def write(self, batch: QueryBatch) -> int:
        """Write a batch, unless the tables already contain it; return the number of its events, with duplicates."""
        all_events = _read_streams(batch.rows["events"], LIVE_EVENT)
        events = drop_repeated_events(all_events)
        partitions = _count_partitions(batch, _read_streams(batch.rows["partitions"], _PARTITION_SUMMARY))

        def count(duplicates: Sequence[int], watermarks: Mapping[int, datetime | None]) -> dict[str, pa.Table]:
            is_new = np.ones(len(events), np.bool_)
            is_new[list(duplicates)] = False
            new_events = events if is_new.all() else events.filter(pa.array(is_new))
            # An erasure records the user, and then waits for the lock that this batch has by now. So either this batch
            # knows the user, or the erasure finds the user's rows.
            remaining = drop_forgotten_events(new_events, self.forgotten_users.read_times())
            return count_events(remaining, watermarks, self.play_min_ms)

        event_ids = events["event_id"]
        written = Batch(batch.query_id, self.generation, batch.batch_id, partitions, event_ids, self.is_complete)
        self.tables.write_batch(written, count)
        return len(all_events)


def drop_repeated_events(events: pa.Table) -> pa.Table:
    """Return the first event of each id, in the same order."""
    numbered = pa.table({"event_id": events["event_id"], "index": pa.array(np.arange(len(events)))})
    first = numbered.group_by("event_id", use_threads=False).aggregate([("index", "min")])["index_min"]
    return events if len(first) == len(events) else events.take(first.sort())


def _count_partitions(batch: QueryBatch, summaries: pa.Table) -> dict[int, PartitionCounts]:
    accepted, rejected = (_aggregate(summaries, name, "sum") for name in ("accepted_events", "rejected_messages"))
    newest, last_offsets = (_aggregate(summaries, name, "max") for name in ("newest_event_time", "last_offset"))
    return {
        partition: PartitionCounts(
            next_offset,
            last_offsets.get(partition),
            accepted.get(partition, 0),
            rejected.get(partition, 0),
            newest.get(partition),
        )
        for partition, next_offset in batch.next_offsets.items()
    }
