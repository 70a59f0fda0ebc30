"""Streams of a small simulation, and what a consumer of committed messages sees of them.

As a program, it sends one stream: the process that tests kill.
"""

import json
import sys
import uuid
from collections.abc import Mapping
from typing import Any

from confluent_kafka import Consumer, KafkaError, KafkaException, Message, TopicPartition

from etl.settings import KafkaSettings, read_settings
from etl.streams import topics
from etl.streams.clients import build_client_options
from simulator.streams.activity_tables import make_words
from simulator.streams.blocks import Source
from simulator.streams.listener_source import ListenerSource, StreamErrors
from simulator.streams.observer import Observer
from simulator.streams.pacing import Pace
from simulator.streams.sending import Sender, SendOptions, StreamResult, StreamStart
from tests.simulator.listeners.small_library import PLAYLIST_IDS, TRACKS, make_simulation

WORDS = make_words(TRACKS, PLAYLIST_IDS)
START = StreamStart({"users": 60}, 0, 0, can_repeat=False)
_NO_ERRORS = StreamErrors()
FULL_SPEED = Pace(is_full_speed=True)


def make_topics(variables: Mapping[str, str]) -> KafkaSettings:
    """Return settings with topics of their own, which exist."""
    topic = f"SpotifyWrapped-{uuid.uuid4().hex[:8]}"
    kafka = read_settings({"WAREHOUSE_URL": "unused", "KAFKA_TOPIC": topic, **variables}).require_kafka()
    topics.create_topics(kafka)
    return kafka


def make_source(users: int = 60, days: float = 2, errors: StreamErrors = _NO_ERRORS, **options: Any) -> Source:
    """Return the stream of a small simulation."""
    return ListenerSource(make_simulation(users, days, **options), WORDS, errors)


def send(
    kafka: KafkaSettings,
    source: Source,
    name: str = "tests",
    start: StreamStart = START,
    observer: Observer | None = None,
    **options: Any,
) -> StreamResult:
    """Send a stream, at full speed unless the options have another pace."""
    sender = Sender(kafka, name, SendOptions(**{"pace": FULL_SPEED, **options}), observer or Observer())
    result = sender.send_stream(start, lambda position: source)
    assert result is not None
    return result


def list_event_ids(source: Source) -> list[str]:
    """Return the event ids of a stream of listeners, in its order."""
    blocks: Any = source.iterate_blocks(source.first_number)
    return [f"{block.population}-{code:x}" for block in blocks for code in block.rows.code.tolist()]


def consume_committed(kafka: KafkaSettings) -> list[Message]:
    """Return all committed messages of the topic of events, each partition's in its order."""
    consumer = Consumer(
        {
            **build_client_options(kafka),
            "group.id": "tests",
            "isolation.level": "read_committed",
            "enable.partition.eof": True,
        }
    )
    partition_count = len(topics.CONTINENT_PARTITIONS)
    consumer.assign([TopicPartition(kafka.topic, partition, 0) for partition in range(partition_count)])
    messages: list[Message] = []
    ended_partitions: set[int] = set()
    while len(ended_partitions) < partition_count:
        for message in consumer.consume(10_000, timeout=0.1):
            error = message.error()
            if error is None:
                messages.append(message)
            elif error.code() == KafkaError._PARTITION_EOF:
                ended_partitions.add(int(message.partition() or 0))
            else:
                raise KafkaException(error)
    consumer.close()
    return messages


KILLED_USERS = 600
"""The listeners of the stream that is killed: enough that it does not end before."""

if __name__ == "__main__":
    variables = json.loads(sys.stdin.readline())
    kafka_settings = read_settings({"WAREHOUSE_URL": "unused", **variables}).require_kafka()
    send(kafka_settings, make_source(KILLED_USERS), max_transaction_messages=10)
