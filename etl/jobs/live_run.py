"""The run of the live tables: a Spark session with the streaming query, until it is asked to stop."""

import json
import logging
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from functools import partial
from threading import Event
from typing import Any

from pyspark.errors import StreamingQueryException
from pyspark.sql import SparkSession
from pyspark.sql.pandas.types import from_arrow_schema
from pyspark.sql.streaming.query import StreamingQuery

from etl.engines.spark import list_jars, open_session
from etl.errors import EtlError, TryAgainError
from etl.jobs import live_anomalies
from etl.jobs.landing import get_registry_address
from etl.jobs.live_tables import BLOCK_SCHEMA, LiveWriter, parse_batches
from etl.load.live_tables import LiveTables, OutdatedCheckpointError
from etl.settings import KafkaSettings, Settings
from etl.storage.forgotten_users import ForgottenUsers
from etl.streams import live_query
from etl.streams.live_checkpoints import (
    drop_checkpoint,
    drop_checkpoint_beyond_end,
    drop_other_checkpoints,
    find_gap_ends,
    warn_of_former_checkpoints,
)
from etl.streams.live_query import QueryBatch, has_ended_after_replay, read_topic, start_query, stop_query
from etl.streams.topics import CONTINENT_PARTITIONS, describe_topic, fetch_end_offsets, fetch_oldest_offsets

log = logging.getLogger(__name__)

_POLL_SECONDS = 0.5
_TOPIC_CHECK_SECONDS = 30
_MAX_REPLAY_ENDS = 5
_CORES = 2
_LOCAL_MASTER = f"local[{_CORES},4]"
"""A task may fail three times, since a pause of the machine fails tasks."""

ReportProgress = Callable[[Mapping[str, Any]], None]
"""Receives the state after each batch, and every few seconds while no message comes."""


@dataclass
class LiveRun:
    """One run of the live tables.

    :ivar report_progress: receives batch_id, events, events_per_second, duration_ms, updated_at and anomaly_error: why
        the query for anomalies has ended, if it waits for its next start.
    :ivar report_spark_progress: receives Spark's own progress of each batch.
    """

    settings: Settings
    report_progress: ReportProgress
    report_spark_progress: ReportProgress
    _failure: Exception | None = field(default=None, init=False)
    _last_batch: dict[str, Any] = field(default_factory=dict, init=False)
    _has_dropped_other_checkpoints: bool = field(default=False, init=False)
    _replay_ends: int = field(default=0, init=False)
    _anomaly_query: live_anomalies.AnomalyQuery | None = field(default=None, init=False)

    def run(self, stop: Event) -> None:
        """Fill the live tables until ``stop`` is set.

        :raises EtlError: if the query ends, or has to start again: its next start goes on without loss.
        """
        kafka = self.settings.require_kafka()
        topic_id = describe_topic(kafka, kafka.topic).topic_id
        generation = f"v{live_query.VERSION}-{topic_id}"
        checkpoint_url = _locate_checkpoint(self.settings, "live", generation)
        warn_of_former_checkpoints(checkpoint_url)
        options = {
            **live_query.SESSION_OPTIONS,
            "spark.jars": list_jars(self.settings.state_dir, "ivy", "ivy-kafka"),
            # A standalone cluster would give it all cores, and it runs until the product stops.
            "spark.cores.max": str(_CORES),
        }
        with (
            closing(_make_tables(self.settings)) as tables,
            open_session(_adapt_settings(self.settings), "live tables", options) as spark,
            self._run_anomaly_query(spark, topic_id),
        ):
            oldest_offsets = fetch_oldest_offsets(kafka, kafka.topic)
            is_complete = not any(oldest_offsets.values())
            writer = LiveWriter(
                tables, ForgottenUsers(self.settings.lake_url), generation, self.settings.play_min_ms, is_complete
            )
            drop_checkpoint_beyond_end(checkpoint_url, fetch_end_offsets(kafka, kafka.topic))
            _record_lost_messages(tables, generation, oldest_offsets)
            gap_ends = find_gap_ends(checkpoint_url, oldest_offsets)
            while not stop.is_set():
                query = self._start(spark, kafka, writer, checkpoint_url, is_data_loss_permitted=bool(gap_ends))
                try:
                    if self._watch(query, stop, topic_id, checkpoint_url, gap_ends):
                        gap_ends = {}
                finally:
                    stop_query(query)

    @contextmanager
    def _run_anomaly_query(self, spark: SparkSession, topic_id: str) -> Iterator[None]:
        """Run the query for anomalies beside the live tables during the context, unless it is switched off."""
        if not self.settings.live.has_anomaly_query:
            yield
            return
        generation = f"v{live_anomalies.VERSION}-{topic_id}"
        checkpoint_url = _locate_checkpoint(self.settings, "anomalies", generation)
        with closing(live_anomalies.AnomalyQuery(self.settings, spark, checkpoint_url)) as self._anomaly_query:
            self._anomaly_query.start()
            yield

    def _start(
        self,
        spark: SparkSession,
        kafka: KafkaSettings,
        writer: LiveWriter,
        checkpoint_url: str,
        *,
        is_data_loss_permitted: bool,
    ) -> StreamingQuery:
        live = self.settings.live
        return start_query(
            read_topic(spark, kafka, live.max_messages, is_data_loss_permitted),
            partial(parse_batches, registry=get_registry_address(kafka), lake_url=self.settings.lake_url),
            from_arrow_schema(BLOCK_SCHEMA),
            partial(self._write, writer),
            checkpoint_url,
            live.trigger_seconds,
        )

    def _write(self, writer: LiveWriter, batch: QueryBatch) -> None:
        started_at = time.monotonic()
        try:
            event_count = writer.write(batch)
        except Exception as error:
            self._failure = error  # Spark would only pass on its text
            raise
        if batch.batch_id > self._last_batch.get("batch_id", -1):
            self._replay_ends = 0
        seconds = max(time.monotonic() - started_at, 0.001)
        self._last_batch = {
            "batch_id": batch.batch_id,
            "events": event_count,
            "events_per_second": round(event_count / seconds),
            "duration_ms": round(seconds * 1000),
        }
        self._report()

    def _report(self) -> None:
        progress = {**self._last_batch, "updated_at": datetime.now(UTC).isoformat(timespec="seconds")}
        if self._anomaly_query is not None:
            progress["anomaly_error"] = self._anomaly_query.last_error or None
        self.report_progress(progress)

    def _watch(
        self,
        query: StreamingQuery,
        stop: Event,
        topic_id: str,
        checkpoint_url: str,
        gap_ends: Mapping[int, int],
    ) -> bool:
        """Watch a query until ``stop`` is set, or until it has to start again.

        :param gap_ends: the offset behind lost messages, by partition.
        :returns: whether it has read beyond the lost messages.
        :raises EtlError: if it has ended.
        """
        topic_checked_at = time.monotonic()
        reported_batch_id = -1
        while not stop.wait(_POLL_SECONDS):
            if not query.isActive:
                if has_ended_after_replay(query):
                    self._wait_after_replay(stop)
                    return False
                raise self._explain_end(query, checkpoint_url)
            if self._anomaly_query is not None:
                self._anomaly_query.check()
            progress = query.lastProgress
            if progress is not None and progress.batchId > reported_batch_id:
                reported_batch_id = progress.batchId
                details = json.loads(progress.json)
                self.report_spark_progress(details)
                if details["numInputRows"] and not self._has_dropped_other_checkpoints:
                    drop_other_checkpoints(checkpoint_url)
                    self._has_dropped_other_checkpoints = True
                if gap_ends and _has_passed(details, gap_ends):
                    return True
            # A query that is still starting is not active either, but it has not shown yet that it can work.
            if query.status["message"].startswith("Waiting"):
                self._report()
            if time.monotonic() - topic_checked_at > _TOPIC_CHECK_SECONDS:
                topic_checked_at = time.monotonic()
                self._check_topic(topic_id)
        return False

    def _wait_after_replay(self, stop: Event) -> None:
        """Wait before the next start after SPARK-55271, longer each time without a new batch.

        :raises TryAgainError: after several ends without one.
        """
        self._replay_ends += 1
        if self._replay_ends > _MAX_REPLAY_ENDS:
            raise TryAgainError("Spark ends the live query after each replay of a batch. The process starts again.")
        pause_seconds = 2 ** (self._replay_ends - 1)
        log.info("Spark has ended the query after a replay (SPARK-55271): it starts again in %d s.", pause_seconds)
        stop.wait(pause_seconds)

    def _check_topic(self, topic_id: str) -> None:
        kafka = self.settings.require_kafka()
        if describe_topic(kafka, kafka.topic).topic_id != topic_id:
            raise TryAgainError(
                f"The topic {kafka.topic} was deleted and created again. The live tables start again with its oldest"
                " message."
            )

    def _explain_end(self, query: StreamingQuery, checkpoint_url: str) -> EtlError:
        """Return an error with what to do for a query that has ended."""
        failure = self._failure
        if isinstance(failure, OutdatedCheckpointError):
            drop_checkpoint(checkpoint_url)
        if isinstance(failure, EtlError):
            return failure
        try:
            exception: StreamingQueryException | None = query.exception()
        except Exception as error:  # Spark itself may have ended.
            return TryAgainError(f"Spark has ended ({type(error).__name__}). The next start goes on without loss.")
        message = str(exception or "no reason given")
        if "KAFKA_DATA_LOSS" in message or "Some data may have been lost" in message:
            return TryAgainError(
                "Kafka no longer has messages that the live query has not read. The next start counts them in"
                " live.progress and goes on with the oldest message that is left; if Kafka has lost its newest"
                " messages, it begins a new generation."
            )
        cause = next((line for line in message.splitlines() if line.strip()), "")
        return TryAgainError(f"The live query has ended; its next start goes on without loss. Cause: {cause[:500]}")


def _record_lost_messages(tables: LiveTables, generation: str, oldest_offsets: Mapping[int, int]) -> None:
    """Count messages that Kafka removed before they were read."""
    for partition, count in tables.record_lost_messages(generation, oldest_offsets).items():
        log.error(
            "Kafka has removed %d messages of partition %d before the live query read them: they are missing from the"
            " live tables. The star has them if landing read them in time.",
            count,
            partition,
        )


def _has_passed(progress: Mapping[str, Any], ends: Mapping[int, int]) -> bool:
    """Return whether a batch ends at or behind offsets of partitions.

    :param progress: Spark's progress of the batch.
    """
    (offsets,) = progress["sources"][0]["endOffset"].values()
    return all(offsets[str(partition)] >= end for partition, end in ends.items())


def _make_tables(settings: Settings) -> LiveTables:
    live = settings.live
    return LiveTables(
        settings.warehouse_url,
        timedelta(minutes=live.lateness_minutes),
        timedelta(days=live.retention_days),
        {partition: continent for continent, partition in CONTINENT_PARTITIONS.items()},
    )


def _adapt_settings(settings: Settings) -> Settings:
    is_default = settings.spark_master == "local[*]"
    return replace(
        settings,
        spark_master=_LOCAL_MASTER if is_default else settings.spark_master,
        spark_driver_memory=settings.live.driver_memory,
        spark_idle_minutes=0,  # it runs until the product stops
    )


def _locate_checkpoint(settings: Settings, query: str, generation: str) -> str:
    """Return the folder of a query's checkpoint: in STATE_DIR if Spark runs on this machine, else in the lake."""
    is_local = settings.spark_master.startswith("local")
    base = settings.state_dir.as_uri() if is_local else settings.lake_url.rstrip("/")
    return f"{base}/streams/{query}/{generation}"
