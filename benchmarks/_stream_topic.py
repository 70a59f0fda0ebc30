"""A topic of events with a broker and a warehouse of its own, and the processor time of those who read it."""

import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from io import BytesIO
from pathlib import Path
from random import Random
from typing import Any
from uuid import UUID

import fastavro
import psutil
from confluent_kafka import Producer

from etl.formats.contracts.avro import load_contract
from etl.load.migrate import migrate_warehouse
from etl.settings import KafkaSettings, Settings, read_settings
from etl.streams.clients import build_client_options
from etl.streams.topics import choose_partition, create_topics
from launch import kafka, postgres
from launch.spark_jars import link_jars, link_kafka_jars

SCHEMA = fastavro.parse_schema(load_contract("user_activity_2"))
_COUNTRIES = ("DE", "FR", "US", "BR", "JP", "NG", "AU")
_USERS, _TRACKS, _ARTISTS, _GENRES = 20_000, 30_000, 5_000, 30


@contextmanager
def start_servers(anomalies: str) -> Iterator[tuple[Settings, postgres.Server]]:
    """Yield the settings of a new broker and a new warehouse, and the server of the latter.

    :param anomalies: ``on`` or ``off``: the query for anomalies.
    """
    state = Path(tempfile.mkdtemp(prefix="streams-live-"))
    for link in (link_jars, link_kafka_jars, kafka.link_jars):
        link(state)
    try:
        server = postgres.start_server(state)
        url = server.build_url("loader", "warehouse")
        with kafka.run_embedded_broker(state, {**os.environ, "AIRFLOW_HOME": str(state)}) as broker:
            migrate_warehouse(url)
            settings = read_settings(
                {"STATE_DIR": str(state), "WAREHOUSE_URL": url, "LIVE_ANOMALIES": anomalies, **broker.variables}
            )
            create_topics(settings.require_kafka())
            yield settings, server
    finally:
        postgres.remove_servers(state)
        shutil.rmtree(state, ignore_errors=True)


def make_producer(kafka_settings: KafkaSettings) -> Producer:
    """Return an idempotent producer."""
    options = build_client_options(kafka_settings) | {"enable.idempotence": True, "compression.type": "lz4"}
    return Producer({**options, "queue.buffering.max.messages": 2_000_000})


def produce(kafka_settings: KafkaSettings, count: int, begin: datetime) -> None:
    """Send events of twenty minutes from a time on."""
    random = Random(count)
    producer = make_producer(kafka_settings)
    for number in range(count):
        send(producer, kafka_settings, make_event(random, begin + timedelta(seconds=number / count * 1_200)))
        if number % 10_000 == 0:
            producer.poll(0)
    producer.flush()


def send(producer: Producer, kafka_settings: KafkaSettings, event: dict[str, Any]) -> None:
    """Send an event as the product does."""
    value = BytesIO()
    fastavro.schemaless_writer(value, SCHEMA, event)
    partition = choose_partition(event["userId"], None, event["country"])
    headers = [("schema_version", b"2")]
    producer.produce(kafka_settings.topic, value.getvalue(), partition=partition, headers=headers)


def make_event(random: Random, at: datetime) -> dict[str, Any]:
    """Return a random event."""
    user, track = random.randrange(_USERS), int(random.random() ** 3 * _TRACKS)
    return {
        "userId": f"user-{user:06d}",
        "eventTime": at,
        "activityType": random.choices(("PLAY", "SKIP", "PAUSE", "LIKE"), (80, 10, 7, 3))[0],
        "song": f"Song number {track}",
        "songId": f"{track:022d}",
        "genre": f"genre {track % _GENRES}",
        "artist": f"Artist {track % _ARTISTS}",
        "artistId": f"{track % _ARTISTS:022d}",
        "duration": 200_000,
        "startTime": at,
        "endTime": at + timedelta(minutes=3),
        "deviceType": "MOBILE",
        **dict.fromkeys(("valence", "acousticness", "energy", "danceability"), 0.5),
        "tempo": 120.0,
        "eventId": str(UUID(int=random.getrandbits(128))),
        "subscriptionType": "premium",
        "country": _COUNTRIES[user % len(_COUNTRIES)],
        "timezone": "Europe/Berlin",
        "msPlayed": 180_000,
        "context": {"platform": "ios", "reasonStart": "trackdone", "reasonEnd": "trackdone", "isShuffle": True},
    }


def list_java_processes() -> list[psutil.Process]:
    """Return the driver's Java processes; the broker is Java, too, and is none of them."""
    running = [process for process in psutil.Process().children() if process.status() != psutil.STATUS_ZOMBIE]
    return [process for process in running if process.name() == "java" and "SparkSubmit" in " ".join(process.cmdline())]


def read_spark_seconds() -> dict[str, float]:
    """Return the processor seconds so far of the driver, its Java process and the Python workers."""
    seconds = {"driver": time.process_time(), "Java": 0.0, "workers": 0.0}
    for java in list_java_processes():
        seconds["Java"] += sum(java.cpu_times()[:2])
        seconds["workers"] += sum(sum(worker.cpu_times()[:2]) for worker in java.children(recursive=True))
    return seconds
