"""The streaming query that looks for users who may behave anomalously: findings go to mart.anomaly and the queue."""

import logging
import time
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql.pandas.types import from_arrow_schema
from pyspark.sql.streaming.query import StreamingQuery

from etl.database import connect
from etl.engines.datafusion import convert_table
from etl.errors import EtlError
from etl.jobs.landing import get_registry_address
from etl.jobs.live_tables import parse_message_batches
from etl.load.anomalies import lock_findings, merge_stream_findings
from etl.settings import Settings
from etl.storage.forgotten_users import ForgottenUsers, hash_user_id
from etl.streams.anomaly_queue import AnomalyQueue, open_anomaly_queue
from etl.streams.live_checkpoints import drop_other_checkpoints
from etl.streams.live_query import has_ended_after_replay, read_topic, stop_query
from etl.streams.messages import RegistryAddress
from etl.transform.anomalies.user_hours import find_user_hour_anomalies

log = logging.getLogger(__name__)

VERSION = 1
"""Version of the query: a change of its state needs a new one, and a new checkpoint."""

_LATENESS = "3 hours"
"""How far an event may be behind the newest of all continents. The nightly rules see later events, too."""

_TRIGGER_SECONDS = 10
_MAX_PAUSE_SECONDS = 300
_EVENT_SCHEMA = pa.schema(
    [
        *(pa.field(name, pa.string()) for name in ("user_id", "activity_type", "artist_id", "artist_name")),
        *(pa.field(name, pa.string()) for name in ("subscription_plan", "country")),
        *(pa.field(name, pa.timestamp("us", "UTC")) for name in ("event_time", "ended_at")),
        pa.field("ms_played", pa.int32()),
        pa.field("is_skipped", pa.bool_()),
        pa.field("event_id", pa.binary()),
    ]
)
"""The columns of events that the rules read."""


@dataclass
class AnomalyQuery:
    """The running query; ``check`` starts it again after it has ended, with a growing pause.

    :ivar checkpoint_url: the folder of its state; other folders beside it are removed after a batch.
    :ivar last_error: why it has ended, until it has written a batch again; empty while all is well.
    """

    settings: Settings
    spark: SparkSession
    checkpoint_url: str
    last_error: str = field(default="", init=False)
    _query: StreamingQuery | None = field(default=None, init=False)
    _queue: AnomalyQueue | None = field(default=None, init=False)
    _failure: Exception | None = field(default=None, init=False)
    _has_dropped_other_checkpoints: bool = field(default=False, init=False)
    _ends_in_a_row: int = field(default=0, init=False)
    _restart_at: float = field(default=0.0, init=False)

    def start(self) -> None:
        """Start the query where its checkpoint ends, else with the oldest message."""
        kafka = self.settings.require_kafka()
        # Findings are suggestions: after lost messages, the query goes on with the oldest that is left.
        messages = read_topic(self.spark, kafka, self.settings.live.max_messages, is_data_loss_permitted=True)
        events = messages.coalesce(self.spark.sparkContext.defaultParallelism).mapInArrow(
            partial(_parse_batches, registry=get_registry_address(kafka), lake_url=self.settings.lake_url),
            from_arrow_schema(_EVENT_SCHEMA),
        )
        self._query = (
            find_user_hour_anomalies(events.withWatermark("event_time", _LATENESS))
            .writeStream.queryName("anomalies")
            .outputMode("update")
            .option("checkpointLocation", self.checkpoint_url)
            .trigger(processingTime=f"{_TRIGGER_SECONDS} seconds")
            .foreachBatch(self._write_batch)
            .start()
        )

    def check(self) -> None:
        """Start the query again after a pause if it has ended; the live tables go on meanwhile."""
        if self._query is not None and self._query.isActive:
            progress = self._query.lastProgress
            if progress is not None and progress.numInputRows and not self._has_dropped_other_checkpoints:
                drop_other_checkpoints(self.checkpoint_url)
                self._has_dropped_other_checkpoints = True
            return
        if self._query is not None:
            pause_seconds = min(2**self._ends_in_a_row, _MAX_PAUSE_SECONDS)
            self._ends_in_a_row = min(self._ends_in_a_row + 1, 10)
            self._restart_at = time.monotonic() + pause_seconds
            if self._failure is not None or not has_ended_after_replay(self._query):
                self.last_error = self._explain_end(self._query)
                log.error("%s It starts again in %d s and goes on without loss.", self.last_error, pause_seconds)
            self._query = None
        if time.monotonic() >= self._restart_at:
            self.start()

    def close(self) -> None:
        """Stop the query after the batch that it runs."""
        if self._query is not None:
            stop_query(self._query)

    def _explain_end(self, query: StreamingQuery) -> str:
        failure, self._failure = self._failure, None
        if isinstance(failure, EtlError):
            return f"The query for anomalies has ended: {failure}"
        cause = failure or query.exception() or "no reason given"
        line = next((line for line in str(cause).splitlines() if line.strip()), type(cause).__name__)
        return f"The query for anomalies has ended: {line[:500]}"

    def _write_batch(self, findings: DataFrame, _batch_id: int) -> None:
        try:
            self._write(findings)
        except Exception as error:
            self._failure = error  # Spark would only pass on its text
            raise
        self._ends_in_a_row, self.last_error = 0, ""

    def _write(self, findings: DataFrame) -> None:
        rows = findings.toArrow().to_pylist()
        if not rows:
            return
        if self._queue is None:
            self._queue = open_anomaly_queue(self.settings)
        with connect(self.settings.warehouse_url) as connection:
            lock_findings(connection)
            # The state may have events of users who were forgotten meanwhile. An erasure records the user, and then
            # waits for the lock.
            remaining_rows = _drop_forgotten_users(rows, ForgottenUsers(self.settings.lake_url).read_times())
            changed_findings = merge_stream_findings(connection, remaining_rows)
            # Before the commit: after a failure in between, findings are published twice rather than never.
            self._queue.publish([vars(finding) for finding in changed_findings])
            connection.commit()
        if changed_findings:
            log.info("%d new or changed findings about users.", len(changed_findings))


def _drop_forgotten_users(rows: list[dict[str, Any]], forgotten: Mapping[str, datetime]) -> list[dict[str, Any]]:
    """Return findings without those of windows that began before their user was forgotten."""
    if not forgotten:
        return rows
    return [
        row
        for row in rows
        if (time := forgotten.get(hash_user_id(row["user_id"]))) is None or row["window_start"] > time
    ]


def _parse_batches(
    batches: Iterable[pa.RecordBatch], registry: RegistryAddress | None, lake_url: str
) -> Iterator[pa.RecordBatch]:
    """Yield the events of messages with the columns of ``_EVENT_SCHEMA``; the live tables count rejected messages."""
    for _, parsed in parse_message_batches(batches, registry, lake_url):
        yield from convert_table(_limit_event_times(parsed.events), _EVENT_SCHEMA).to_batches()


def _limit_event_times(events: pa.Table) -> pa.Table:
    """Return events with no time after their receipt: one wrong clock would make all later events late."""
    event_times, receipt_times, end_times = events["event_time"], events["received_at"], events["ended_at"]
    is_ahead = pc.greater(event_times, receipt_times)
    shifted_end_times = pc.subtract(end_times, pc.subtract(event_times, receipt_times))
    times = {
        "event_time": pc.if_else(is_ahead, receipt_times, event_times),
        "ended_at": pc.if_else(is_ahead, shifted_end_times, end_times),
    }
    for name, values in times.items():
        events = events.set_column(events.schema.get_field_index(name), name, values)
    return events
