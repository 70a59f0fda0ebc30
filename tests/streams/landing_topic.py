"""A topic of a test's own on the real broker, its landing, and what came of its messages."""

import json
import os
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from threading import Event, Thread
from typing import Any

import fastavro
import pyarrow.parquet
from confluent_kafka import Consumer, Producer, TopicPartition
from fsspec.core import url_to_fs

from etl.jobs.landing import land_messages
from etl.settings import Settings, read_settings
from etl.storage.landed_files import ACCEPTED_SUFFIX, REJECTED_SUFFIX, LandedTopic
from etl.streams import topics
from etl.streams.clients import build_client_options
from launch.kafka import Broker
from tests.formats.avro.test_datums import encode_value
from tests.streams.test_topics import make_kafka_settings

CHECKOUT = Path(__file__).resolve().parents[2]
_WAIT_SECONDS = 60.0


def make_event(user: str = "u", **fields: object) -> bytes:
    """Return a valid event of now."""
    now = int(datetime.now(UTC).timestamp() * 1000)
    return encode_value(**{"userId": user, **dict.fromkeys(("eventTime", "startTime", "endTime"), now), **fields})


@dataclass
class LandingTopic:
    """The topics of one test, and the settings of its landing processes."""

    broker: Broker
    state_dir: Path
    environ: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        kafka = make_kafka_settings(dict(self.broker.variables))
        self.environ = {
            "STATE_DIR": str(self.state_dir),
            "WAREHOUSE_URL": "postgresql://unused@127.0.0.1:1/none",
            "KAFKA_TOPIC": kafka.topic,
            "LANDING_SECONDS": "1",
            "LANDING_SESSION_SECONDS": "6",
            **self.broker.variables,
            **self.environ,
        }
        self.kafka = kafka
        topics.create_topics(kafka)

    @property
    def settings(self) -> Settings:
        return read_settings(self.environ)

    @property
    def landed(self) -> LandedTopic:
        topic_id = topics.describe_topic(self.kafka, self.kafka.topic).topic_id
        return LandedTopic(self.settings.lake_url, self.kafka.topic, topic_id)

    def produce(
        self, values: Sequence[bytes | None], partition: int = 3, version: str | None = "2", key: bytes = b"u"
    ) -> None:
        """Send values in a transaction."""
        options = build_client_options(self.kafka)
        producer = Producer({**options, "transactional.id": self.kafka.topic, "queue.buffering.max.messages": 10**6})
        producer.init_transactions(30)
        producer.begin_transaction()
        headers = [("schema_version", version.encode())] if version else []
        for value in values:
            producer.produce(self.kafka.topic, value, key, partition=partition, headers=headers)
            producer.poll(0)
        producer.commit_transaction(60)

    def read_topic(self, topic: str) -> list[Any]:
        """Return all committed messages of a topic."""
        options = build_client_options(self.kafka)
        consumer = Consumer(
            {**options, "group.id": f"{topic}.test", "enable.auto.commit": False, "enable.partition.eof": True}
        )
        try:
            partitions = sorted(consumer.list_topics(topic, 10).topics[topic].partitions)
            consumer.assign([TopicPartition(topic, partition, 0) for partition in partitions])
            messages, ended = [], 0
            deadline = time.monotonic() + _WAIT_SECONDS
            while ended < len(partitions) and time.monotonic() < deadline:
                for message in consumer.consume(1000, 0.5):
                    ended += message.error() is not None
                    messages += [message] if message.error() is None else []
            return messages
        finally:
            consumer.close()

    @contextmanager
    def run_landing(self, **environ: str) -> Iterator[None]:
        """Land in a thread; at the end of the context all that is read is landed."""
        should_stop, errors = Event(), []

        def land() -> None:
            try:
                land_messages(read_settings({**self.environ, **environ}), should_stop)
            except Exception as error:
                errors.append(error)

        thread = Thread(target=land)
        thread.start()
        try:
            yield
        finally:
            should_stop.set()
            thread.join(_WAIT_SECONDS)
            if errors:
                raise errors[0]
        assert not thread.is_alive()

    def start_process(self, **environ: str) -> subprocess.Popen[bytes]:
        """Start a landing process."""
        return subprocess.Popen(
            [sys.executable, "-m", "launch.run_landing"],
            cwd=CHECKOUT,
            env={**os.environ, **self.environ, **environ},
            stdout=subprocess.DEVNULL,
            stderr=(self.state_dir / "landing.log").open("ab"),
        )

    def wait_until_landed(self, count: int, seconds: float = _WAIT_SECONDS) -> None:
        """Wait until as many messages are landed, accepted or rejected."""
        deadline = time.monotonic() + seconds
        while (landed_count := self.count_landed()) < count:
            if time.monotonic() > deadline:
                raise AssertionError(f"{landed_count} of {count} messages are landed: {self.read_progress()}")
            time.sleep(0.1)

    def wait_until_settled(self) -> None:
        """Wait until all landed dead letters are sent."""
        deadline = time.monotonic() + _WAIT_SECONDS
        while self.landed.find_files(".dead-letters.arrow"):
            assert time.monotonic() < deadline, "dead letters are not sent"
            time.sleep(0.1)

    def count_landed(self) -> int:
        """Return the number of landed messages."""
        return sum(self.read_values().values()) + len(self.read_rejected())

    def read_values(self) -> Counter[str]:
        """Return how often the event of each user is landed as accepted."""
        return Counter(
            record["userId"]
            for path in self._list_paths(ACCEPTED_SUFFIX)
            for record in fastavro.reader(path.open("rb"))
        )

    def read_rejected(self) -> list[tuple[str, dict[str, Any]]]:
        """Return the reason and the row of each rejected message."""
        return [
            (row["reason"], json.loads(row["row"]))
            for path in self._list_paths(REJECTED_SUFFIX)
            for row in pyarrow.parquet.read_table(path).to_pylist()
        ]

    def read_progress(self) -> dict[str, Any]:
        """Return the progress file."""
        progress: dict[str, Any] = json.loads((self.state_dir / "streams" / "landing.progress").read_text())
        return progress

    def read_committed(self) -> dict[int, int]:
        """Return the committed offsets of the landing group."""
        consumer = Consumer({**build_client_options(self.kafka), "group.id": self.kafka.landing_group})
        try:
            partitions = [TopicPartition(self.kafka.topic, number) for number in range(7)]
            return {item.partition: item.offset for item in consumer.committed(partitions, 10)}
        finally:
            consumer.close()

    def _list_paths(self, suffix: str) -> list[Path]:
        """Return the files of the landed chains: files beside a chain do not count."""
        _, root = url_to_fs(self.settings.lake_url)
        return sorted(Path(root, "landing", self.kafka.topic).glob(f"*/*/*{suffix}"))
