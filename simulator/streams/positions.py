"""Positions of streams in the compacted topic of positions: up to where a stream was sent."""

import json
import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from confluent_kafka import Consumer, IsolationLevel, KafkaError, KafkaException, TopicPartition
from confluent_kafka.admin import AdminClient, OffsetSpec

from etl.errors import TryAgainError
from etl.settings import KafkaSettings
from etl.streams.clients import REQUEST_SECONDS, ErrorLog, build_client_options, run_request

_READ_SECONDS = 90
"""Longer than the timeout of another stream's transaction, before whose end no later position can be read."""
_BATCH_MESSAGES, _BATCH_SECONDS = 10_000, 0.05

NO_BLOCK = -1
"""The block of a stream that has not begun."""


@dataclass(frozen=True)
class StreamPosition:
    """The next message of a stream, and what the stream consists of."""

    identity: Mapping[str, Any]
    """The parameters that the stream's content follows from."""
    owner: str
    """The process that has sent the messages before."""
    start_ms: int
    """The interval of a stream of simulated listeners: UTC, ms since 1970."""
    end_ms: int
    block: int
    index: int = 0
    sent: int = 0
    """The number of messages before this position, of all processes."""
    errors: Mapping[str, int] = field(default_factory=dict)
    """The number of those with an injected error, by kind."""
    is_complete: bool = False

    def advance(self, block: int, index: int, count: int, errors: Mapping[str, int]) -> "StreamPosition":
        """Return the position after some more messages."""
        return replace(
            self, block=block, index=index, sent=self.sent + count, errors=dict(Counter(self.errors) + Counter(errors))
        )

    def encode(self) -> bytes:
        """Return the position as JSON."""
        return json.dumps(asdict(self), sort_keys=True).encode()


def decode_position(value: bytes) -> StreamPosition:
    """Return the position that JSON describes."""
    return StreamPosition(**json.loads(value))


def read_position(kafka: KafkaSettings, name: str) -> StreamPosition | None:
    """Return the last committed position of a stream; None if it has none.

    :raises EtlError: if Kafka cannot be reached, or another stream's transaction does not end.
    """
    partition = TopicPartition(kafka.position_topic, 0)

    def find_end(client: AdminClient) -> int:
        # Messages of unfinished transactions count, too: positions behind them may be committed.
        request = client.list_offsets(
            {partition: OffsetSpec.latest()},  # type: ignore[no-untyped-call]
            isolation_level=IsolationLevel.READ_UNCOMMITTED,
            request_timeout=REQUEST_SECONDS,
        )
        return int(request[partition].result().offset)

    end = run_request(kafka, find_end)
    errors = ErrorLog()
    consumer = Consumer(
        {
            **build_client_options(kafka, errors),
            "group.id": f"simulate-stream-{name}",
            "enable.auto.commit": False,
            "isolation.level": "read_committed",
            "enable.partition.eof": True,
        }
    )
    try:
        return _read_last_position(consumer, partition, name, end)
    except KafkaException as error:
        raise errors.explain(error.args[0], kafka) from error
    finally:
        consumer.close()


def _read_last_position(consumer: Consumer, partition: TopicPartition, name: str, end: int) -> StreamPosition | None:
    last_value: bytes | None = None
    key = name.encode()
    deadline = time.monotonic() + _READ_SECONDS
    consumer.assign([TopicPartition(partition.topic, partition.partition, 0)])
    next_offset = 0
    while next_offset < end:
        if time.monotonic() > deadline:
            raise TryAgainError(f"The positions of streams cannot be read to their end in {_READ_SECONDS} s.")
        for message in consumer.consume(_BATCH_MESSAGES, timeout=_BATCH_SECONDS):
            error = message.error()
            if error is None and message.key() == key:
                last_value = message.value()
            elif error is not None and error.code() == KafkaError._PARTITION_EOF:
                # Only this offset counts the markers of transactions at the end, which are no messages.
                next_offset = message.offset() or 0
            elif error is not None:
                raise KafkaException(error)
    return decode_position(last_value) if last_value else None
