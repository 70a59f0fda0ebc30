"""The messages that a landing process has read and not landed yet, as columns."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from confluent_kafka import Message

from etl.streams.messages import MESSAGE_SCHEMA, SCHEMA_VERSION_HEADER


class MessageBatch:
    """Messages of several partitions, in the order in which they were read.

    A list for each column, not an object for each message: half a million messages then take a third of the memory,
    and Arrow builds its columns in one call each. ``size_bytes`` is the size of keys and values.
    """

    def __init__(self) -> None:
        self._partitions: list[int] = []
        self._offsets: list[int] = []
        self._timestamps: list[int] = []
        self.keys: list[bytes | None] = []
        self.values: list[bytes | None] = []
        self.versions: list[str | None] = []
        self.size_bytes = 0

    def __len__(self) -> int:
        return len(self._offsets)

    def add_messages(self, messages: Sequence[Message]) -> None:
        """Append messages without errors."""
        self._partitions += [message.partition() or 0 for message in messages]
        self._offsets += [message.offset() or 0 for message in messages]
        self._timestamps += [message.timestamp()[1] for message in messages]
        keys, values = [message.key() for message in messages], [message.value() for message in messages]
        self.keys += keys
        self.values += values
        self.size_bytes += sum(len(content) for content in (*keys, *values) if content is not None)
        self.versions += [read_schema_version(message.headers()) for message in messages]

    @property
    def partitions(self) -> npt.NDArray[np.int64]:
        """Return the partition of each message."""
        return np.array(self._partitions, np.int64)

    @property
    def offsets(self) -> npt.NDArray[np.int64]:
        """Return the offset of each message."""
        return np.array(self._offsets, np.int64)

    def build_table(self) -> pa.Table:
        """Return the columns of ``messages.MESSAGE_SCHEMA``."""
        timestamps = pa.array(self._timestamps, pa.timestamp("ms", "UTC"))
        return pa.table(
            [
                pa.array(self._partitions, pa.int32()),
                pa.array(self._offsets, pa.int64()),
                timestamps.cast(MESSAGE_SCHEMA.field("timestamp").type),
                pa.array(self.values, pa.binary()),
                pa.array(self.versions, pa.string()),
            ],
            schema=MESSAGE_SCHEMA,
        )


def read_schema_version(headers: Any) -> str | None:
    """Return the value of the header ``schema_version``; None if a message does not have it.

    :param headers: pairs of a name and bytes, or None.
    """
    for name, value in headers or ():
        if name == SCHEMA_VERSION_HEADER and value is not None:
            return value.decode("utf-8", "replace") if isinstance(value, bytes) else value
    return None
