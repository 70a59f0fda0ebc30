"""The way of streamify beside the live tables: JSON by Spark Structured Streaming into Parquet files.

    python -m benchmarks.streams_json [--events N]

It reads messages of JSON, parses them by a schema, and appends them to Parquet files by month, day and hour, as the
project streamify does. It neither validates nor removes duplicates, nor counts anything. The figure is the processor
time of its driver and of Java for each event, with the start of the session, and events a second.
"""

import argparse
import json
import tempfile
import time
from datetime import UTC, datetime, timedelta
from random import Random

from confluent_kafka.admin import NewTopic
from pyspark.sql import functions as F
from pyspark.sql.types import DoubleType, LongType, StringType, StructField, StructType

from benchmarks._stream_topic import make_event, make_producer, read_spark_seconds, start_servers
from etl.engines.spark import list_jars, open_session
from etl.settings import KafkaSettings, Settings
from etl.streams.clients import build_spark_options, run_request

_PARTITIONS = 7
_TEXTS = ("userId", "activityType", "song", "songId", "genre", "artist", "artistId", "deviceType", "eventId")
_MORE_TEXTS = ("subscriptionType", "country", "timezone")
_TIMES = ("eventTime", "startTime", "endTime")
_SCHEMA = StructType(
    [
        *(StructField(name, StringType()) for name in (*_TEXTS, *_MORE_TEXTS)),
        *(StructField(name, LongType()) for name in (*_TIMES, "duration", "msPlayed")),
        *(StructField(name, DoubleType()) for name in ("valence", "acousticness", "energy", "danceability", "tempo")),
    ]
)


def main() -> None:
    """Run the measurement."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--events", type=int, default=1_000_000)
    count = parser.parse_args().events
    with start_servers("off") as (settings, _), tempfile.TemporaryDirectory() as folder:
        kafka = settings.require_kafka()
        topic = f"{kafka.topic}.json"
        _produce_json(kafka, topic, count)
        cpu_before, started_at = read_spark_seconds(), time.monotonic()
        cpu_seconds = _write_files(settings, topic, folder)
        elapsed = time.monotonic() - started_at
        parts = {name: value - cpu_before[name] for name, value in cpu_seconds.items()}
    print(
        f"JSON to Parquet files  {sum(parts.values()) / count * 1e6:6.1f} µs an event"
        f" ({', '.join(f'{name} {value / count * 1e6:.1f}' for name, value in parts.items())}),"
        f" {count / elapsed:,.0f} events/s with the start"
    )


def _produce_json(kafka: KafkaSettings, topic: str, count: int) -> None:
    run_request(kafka, lambda client: client.create_topics([NewTopic(topic, _PARTITIONS)])[topic].result(30))
    random, producer = Random(count), make_producer(kafka)
    begin = datetime.now(UTC) - timedelta(minutes=30)
    for number in range(count):
        event = make_event(random, begin + timedelta(seconds=number / count * 1_200))
        event |= {name: int(event[name].timestamp() * 1000) for name in _TIMES}
        producer.produce(topic, json.dumps(event).encode(), partition=number % _PARTITIONS)
        if number % 10_000 == 0:
            producer.poll(0)
    producer.flush()


def _write_files(settings: Settings, topic: str, folder: str) -> dict[str, float]:
    """Write the messages of a topic into files; return the processor seconds so far."""
    kafka, options = settings.require_kafka(), {"spark.jars": list_jars(settings.state_dir, "ivy", "ivy-kafka")}
    with open_session(settings, "JSON", options) as spark:
        event = F.from_json(F.col("value").cast("string"), _SCHEMA).alias("event")
        at = F.timestamp_millis("eventTime")
        query = (
            spark.readStream.format("kafka")
            .options(**build_spark_options(kafka))
            .option("subscribe", topic)
            .option("startingOffsets", "earliest")
            .option("maxOffsetsPerTrigger", settings.live.max_messages)
            .load()
            .select(event)
            .select("event.*")
            .withColumns({"month": F.month(at), "day": F.dayofmonth(at), "hour": F.hour(at)})
            .writeStream.format("parquet")
            .partitionBy("month", "day", "hour")
            .option("path", f"{folder}/events")
            .option("checkpointLocation", f"{folder}/checkpoint")
            .trigger(availableNow=True)
            .start()
        )
        query.awaitTermination()
        seconds = read_spark_seconds()
        if not seconds["Java"] or not spark.read.parquet(f"{folder}/events").count():
            raise RuntimeError("Nothing was written.")
        return seconds


if __name__ == "__main__":
    main()
