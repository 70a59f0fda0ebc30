"""The streaming query behind the live tables: Kafka, parsed, batch by batch to a writer.

Spark reads, parses in parallel and repeats what a crash has interrupted. It has no state: the writer recognises
duplicates, in the transaction that stores the counts.
"""

import json
import logging
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import pyarrow as pa
from fsspec.core import url_to_fs
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F
from pyspark.sql.streaming.query import StreamingQuery
from pyspark.sql.types import StructType

from etl.settings import KafkaSettings
from etl.streams.clients import build_spark_options
from etl.streams.messages import SCHEMA_VERSION_HEADER

log = logging.getLogger(__name__)

VERSION = 2
"""Version of the query: a change of its tables' meaning needs a new one, and a new checkpoint."""

STATE_PARTITIONS = 2
"""Partitions of the state of the query for anomalies; a checkpoint keeps the number that it began with."""

SESSION_OPTIONS = {
    # A small heap, which the serial collector gives back, rather than throughput: the process runs all day.
    "spark.driver.extraJavaOptions": "-XX:+UseSerialGC -Xms128m -XX:MaxHeapFreeRatio=40 -XX:-DontCompileHugeMethods",
    "spark.sql.adaptive.enabled": "false",
    "spark.sql.execution.arrow.maxRecordsPerBatch": "50000",
    "spark.sql.shuffle.partitions": str(STATE_PARTITIONS),
    "spark.sql.streaming.minBatchesToRetain": "20",
    # A batch without messages would only remove expired event ids, which the next one with messages does.
    "spark.sql.streaming.noDataMicroBatches.enabled": "false",
    "spark.sql.streaming.numRecentProgressUpdates": "5",
    "spark.sql.streaming.stateStore.providerClass": (
        "org.apache.spark.sql.execution.streaming.state.RocksDBStateStoreProvider"
    ),
    "spark.sql.streaming.stateStore.rocksdb.changelogCheckpointing.enabled": "true",
    "spark.sql.streaming.statefulOperator.checkCorrectness.enabled": "true",
}

_STOP_SECONDS = 15
_REPLAY_FAULT = 'because the return value of "scala.Option.get()" is null'

ParseBatches = Callable[[Iterable[pa.RecordBatch]], Iterator[pa.RecordBatch]]
"""Turns batches of messages, as ``messages.MESSAGE_SCHEMA``, into rows for the writer."""


@dataclass(frozen=True)
class QueryBatch:
    """A batch of the query: its parsed rows, and for each partition the offset behind its last message."""

    query_id: str
    batch_id: int
    rows: pa.Table
    next_offsets: Mapping[int, int]


WriteBatch = Callable[[QueryBatch], None]


def read_topic(
    spark: SparkSession, kafka: KafkaSettings, max_messages: int, is_data_loss_permitted: bool = False
) -> DataFrame:
    """Return the messages of the topic as a stream with the columns of ``messages.MESSAGE_SCHEMA``.

    :param max_messages: the most messages of a batch.
    :param is_data_loss_permitted: whether to go on with the oldest message if Kafka has removed unread ones.
    """
    headers = F.filter("headers", lambda header: header["key"] == SCHEMA_VERSION_HEADER)
    return (
        spark.readStream.format("kafka")
        .options(**build_spark_options(kafka))
        .option("subscribe", kafka.topic)
        .option("startingOffsets", "earliest")
        .option("failOnDataLoss", str(not is_data_loss_permitted).lower())
        .option("kafka.isolation.level", "read_committed")
        .option("includeHeaders", "true")
        .option("maxOffsetsPerTrigger", max_messages)
        .load()
        .select(
            "partition",
            "offset",
            "timestamp",
            "value",
            F.try_element_at(headers, F.lit(-1))["value"].cast("string").alias("schema_version"),
        )
    )


def start_query(
    messages: DataFrame,
    parse: ParseBatches,
    schema: StructType,
    write: WriteBatch,
    checkpoint_url: str,
    trigger_seconds: int,
) -> StreamingQuery:
    """Start the query that parses messages and hands each batch to a writer.

    :param parse: returns rows of ``schema``; it runs in Python workers.
    :param write: called in this process, once for each batch and again for a batch that a crash has interrupted.
    :param checkpoint_url: the folder of the query's progress.
    """

    def write_frame(frame: DataFrame, batch_id: int) -> None:
        query_id = str(frame.sparkSession.sparkContext.getLocalProperty("sql.streaming.queryId"))
        write(QueryBatch(query_id, batch_id, frame.toArrow(), read_next_offsets(checkpoint_url, batch_id)))

    parallelism = messages.sparkSession.sparkContext.defaultParallelism
    return (
        # A task for each core, not for each partition: a task costs more than a few hundred messages.
        messages.coalesce(parallelism)
        .mapInArrow(parse, schema)
        .writeStream.queryName("live")
        .option("checkpointLocation", checkpoint_url)
        .trigger(processingTime=f"{trigger_seconds} seconds")
        .foreachBatch(write_frame)
        .start()
    )


def has_ended_after_replay(query: StreamingQuery) -> bool:
    """Return whether a query has ended by a fault of Spark 4.1.1 after it has committed the batch of an earlier run.

    The fault is SPARK-55271; the next start goes on without loss.
    """
    exception = query.exception()
    return exception is not None and _REPLAY_FAULT in str(exception)


def stop_query(query: StreamingQuery) -> None:
    """Stop a query after the batch that it runs, if that takes no longer than ``_STOP_SECONDS``."""
    deadline = time.monotonic() + _STOP_SECONDS
    try:
        while query.isActive and query.status["isTriggerActive"] and time.monotonic() < deadline:
            time.sleep(0.05)
        query.stop()
    except Exception:  # The driver may have ended; what matters is the error that was raised before.
        log.warning("The query %s could not be stopped in order; its next start goes on without loss.", query.name)


def read_next_offsets(checkpoint_url: str, batch_id: int) -> dict[int, int]:
    """Return for each partition the offset behind the last message of a batch, as its checkpoint has it."""
    filesystem, folder = url_to_fs(checkpoint_url)
    lines = filesystem.cat_file(f"{folder}/offsets/{batch_id}").decode().splitlines()
    offsets_by_topic: dict[str, Any] = json.loads(lines[-1])
    return {int(partition): offset for offsets in offsets_by_topic.values() for partition, offset in offsets.items()}
