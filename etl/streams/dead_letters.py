"""Dead letters: rejected messages, in a topic of their own with the reason.

They are sent in transactions that move the consumer group's offsets behind them. So each is sent once, also if the
process is killed: the group's offset shows whether it was sent.
"""

from collections.abc import Callable
from contextlib import suppress
from typing import Any

import pyarrow as pa
from confluent_kafka import KafkaException, Producer, TopicPartition

from etl.settings import KafkaSettings
from etl.streams.clients import REQUEST_SECONDS, ErrorLog, build_client_options
from etl.streams.messages import SCHEMA_VERSION_HEADER

DEAD_LETTER_SCHEMA = pa.schema(
    [
        pa.field("partition", pa.int32()),
        pa.field("offset", pa.int64()),
        pa.field("timestamp", pa.timestamp("us", "UTC")),
        pa.field("key", pa.binary()),
        pa.field("value", pa.binary()),
        pa.field("schema_version", pa.string()),
        pa.field("reason", pa.string()),
    ]
)
"""The columns of dead letters; ``partition``, ``offset`` and ``timestamp`` are those of the rejected message."""

_MAX_BYTES = {"key": 10_000, "value": 900_000, SCHEMA_VERSION_HEADER: 40, "reason": 1_000}
"""What is longer is cut: a dead letter with all its headers must not exceed the largest size of a message."""

_TRANSACTION_LETTERS = 5_000
"""Kafka aborts a transaction that takes longer than a minute."""


class DeadLetterSender:
    """A transactional producer of dead letters."""

    def __init__(self, kafka: KafkaSettings, transactional_id: str) -> None:
        """Connect, and complete or abort a transaction that an earlier process with this id left.

        :raises EtlError: if Kafka cannot be reached or refuses the producer.
        """
        self._kafka = kafka
        self._errors = ErrorLog()
        options = build_client_options(kafka, self._errors)
        self._producer = Producer({**options, "transactional.id": transactional_id, "compression.type": "lz4"})
        self._request(lambda: self._producer.init_transactions(REQUEST_SECONDS))

    def send(
        self,
        letters: pa.Table,
        offsets: list[TopicPartition],
        get_group_metadata: Callable[[], Any],
        before_transaction: Callable[[], None],
    ) -> None:
        """Send dead letters and commit the offsets of a consumer group, in transactions of a limited size.

        Each transaction commits the offsets behind its letters, so a failure leaves exactly the letters behind the
        committed offsets to be sent.

        :param letters: the columns of ``DEAD_LETTER_SCHEMA``, the offsets of each partition in their order.
        :param offsets: what the last transaction commits.
        :param get_group_metadata: of the consumer: Kafka refuses one that has lost its partitions.
        :param before_transaction: called before each transaction: each may take a minute.
        :raises EtlError: if not all is sent and committed.
        """
        for start in range(0, max(1, len(letters)), _TRANSACTION_LETTERS):
            before_transaction()
            is_last = start + _TRANSACTION_LETTERS >= len(letters)
            self._send_together(
                letters.slice(start, _TRANSACTION_LETTERS).to_pylist(), offsets if is_last else None, get_group_metadata
            )

    def _send_together(
        self,
        letters: list[dict[str, Any]],
        offsets: list[TopicPartition] | None,
        get_group_metadata: Callable[[], Any],
    ) -> None:
        """Send letters and commit offsets, both or neither.

        :param offsets: None for those behind the letters.
        """
        if offsets is None:
            next_offsets = {letter["partition"]: letter["offset"] + 1 for letter in letters}
            offsets = [TopicPartition(self._kafka.topic, *item) for item in next_offsets.items()]

        def run_transaction() -> None:
            self._producer.begin_transaction()
            for letter in letters:
                self._produce(letter)
            self._producer.send_offsets_to_transaction(offsets, get_group_metadata(), REQUEST_SECONDS)
            self._producer.commit_transaction(REQUEST_SECONDS)

        self._request(run_transaction)

    def _produce(self, letter: dict[str, Any]) -> None:
        contents, lengths = _cut_contents(letter)
        headers = {
            "reason": contents["reason"],
            "topic": self._kafka.topic.encode(),
            "partition": str(letter["partition"]).encode(),
            "offset": str(letter["offset"]).encode(),
            "timestamp": letter["timestamp"].isoformat().encode(),
            SCHEMA_VERSION_HEADER: contents[SCHEMA_VERSION_HEADER],
            **{f"{name}_bytes": str(length).encode() for name, length in lengths.items()},
        }
        present_headers = [(name, content) for name, content in headers.items() if content is not None]
        value, key = contents["value"], contents["key"]
        while True:
            try:
                self._producer.produce(self._kafka.dead_letter_topic, value, key, headers=present_headers)
                return
            except BufferError:  # The queue is full; polling waits until Kafka has taken some.
                self._producer.poll(1)

    def _request(self, request: Any) -> None:
        try:
            request()
        except KafkaException as error:
            failure = error.args[0]
            if failure.txn_requires_abort():
                with suppress(KafkaException):  # The next sender with this id aborts the transaction, too.
                    self._producer.abort_transaction(REQUEST_SECONDS)
            self._producer.poll(0)  # calls ``errors.record``
            raise self._errors.explain(failure, self._kafka) from error


def _cut_contents(letter: dict[str, Any]) -> tuple[dict[str, bytes | None], dict[str, int]]:
    """Return the contents of a letter that may be long, cut, and the true lengths of those that were cut."""
    contents: dict[str, bytes | None] = {}
    lengths: dict[str, int] = {}
    for name, max_bytes in _MAX_BYTES.items():
        content = letter[name].encode() if isinstance(letter[name], str) else letter[name]
        if content is not None and len(content) > max_bytes:
            lengths[name] = len(content)
            content = content[:max_bytes]
            if isinstance(letter[name], str):
                content = content.decode("utf-8", "ignore").encode()  # without a part of a character
        contents[name] = content
    return contents, lengths
