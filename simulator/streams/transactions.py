"""Messages and the position of their stream, sent in one transaction: both are there or neither is."""

import time
from collections.abc import Callable

from confluent_kafka import KafkaException, Producer

from etl.errors import ActionNeededError, TryAgainError
from etl.settings import KafkaSettings
from etl.streams.clients import ErrorLog, build_client_options
from etl.streams.messages import SCHEMA_VERSION_HEADER
from etl.streams.topics import describe_topic
from simulator.streams.blocks import Messages
from simulator.streams.observer import Observer
from simulator.streams.positions import StreamPosition, read_position

TRANSACTION_SECONDS = 30
"""After that time Kafka ends the transaction of a killed process, which other readers wait for."""
_REQUEST_SECONDS = 10.0


class LostTransactionError(Exception):
    """A transaction that failed, or of which it is not known whether it was committed; the message says why."""


class TransactionalProducer:
    """A producer for one stream. A new one ends the transaction of an earlier one and takes its place."""

    def __init__(self, kafka: KafkaSettings, name: str) -> None:
        """
        :raises LostTransactionError: if Kafka does not respond.
        :raises ActionNeededError: if it refuses the user.
        """
        self._kafka, self._name, self._errors = kafka, name, ErrorLog()
        self._producer = Producer(
            {
                **build_client_options(kafka, self._errors),
                "transactional.id": f"{kafka.topic}.{name}",
                "transaction.timeout.ms": TRANSACTION_SECONDS * 1000,
                "enable.idempotence": True,
                "compression.type": "lz4",
                "linger.ms": 5,
                "queue.buffering.max.messages": 1_000_000,
            }
        )
        self._run(lambda: self._producer.init_transactions(_REQUEST_SECONDS))

    def send(self, messages: Messages, position: StreamPosition) -> None:
        """Send messages and the position after them, and return when Kafka has confirmed both.

        :raises LostTransactionError: if it has not; this producer cannot be used again.
        :raises ActionNeededError: if Kafka refuses the user.
        """
        self._run(lambda: self._send_transaction(messages, position))

    def discard(self) -> None:
        """Give up the producer, and what it has not sent yet."""
        self._producer.purge()
        del self._producer

    def _send_transaction(self, messages: Messages, position: StreamPosition) -> None:
        producer, topic = self._producer, self._kafka.topic
        producer.begin_transaction()
        headers_by_version: dict[bytes | None, dict[str, str | bytes | None] | None] = {
            version: None if version is None else {SCHEMA_VERSION_HEADER: version} for version in set(messages.versions)
        }
        for value, key, partition, version in zip(
            messages.values, messages.keys, messages.partitions, messages.versions, strict=True
        ):
            producer.produce(topic, value, key, partition, headers=headers_by_version[version])
        producer.produce(self._kafka.position_topic, position.encode(), self._name.encode(), 0)
        producer.commit_transaction(_REQUEST_SECONDS)

    def _run(self, action: Callable[[], None]) -> None:
        try:
            action()
        except KafkaException as error:
            self._producer.poll(0)  # calls ``error_cb``
            explanation = self._errors.explain(error.args[0], self._kafka)
            if isinstance(explanation, ActionNeededError):
                raise explanation from error
            raise LostTransactionError(str(explanation)) from error


def open_producer(
    kafka: KafkaSettings, name: str, observer: Observer
) -> tuple[TransactionalProducer, StreamPosition | None] | None:
    """Return a producer for a stream and the stream's committed position; wait for Kafka as long as it takes.

    :returns: None if the observer stopped it.
    :raises ActionNeededError: if a topic is missing, or Kafka refuses the user.
    """
    started = time.monotonic()
    is_reported = False
    while True:
        try:
            # First the producer, which ends an earlier one's transaction; then the position is certain.
            producer = TransactionalProducer(kafka, name)
            for topic in (kafka.topic, kafka.position_topic):
                describe_topic(kafka, topic)  # a missing topic would only be slow
            position = read_position(kafka, name)
        except (LostTransactionError, TryAgainError) as error:
            if not is_reported:
                observer.report(f"{error} Waiting for Kafka.")
                is_reported = True
            if observer.stop.wait(1.0):
                return None
            continue
        if is_reported:
            observer.report(f"Kafka responds again, after {time.monotonic() - started:,.0f} s.")
        return producer, position
