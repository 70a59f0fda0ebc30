"""Blocks of a stream's messages, in the order in which they are sent; a stream is the same blocks at every start."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Protocol

from simulator.listeners.hashed_draws import Integers


@dataclass(frozen=True)
class Messages:
    """Messages for the topic of events, an entry each in every list."""

    values: list[bytes]
    keys: list[bytes]
    partitions: list[int]
    versions: list[bytes | None]
    """The values of the header ``schema_version``; None for a message without it."""


class Block(Protocol):
    """Consecutive messages of a stream, which are encoded when they are sent."""

    @property
    def number(self) -> int:
        """The block's number; numbers increase, with gaps."""

    @property
    def due_ms(self) -> Integers:
        """When each message is due in the stream's own time, ascending: UTC, ms since 1970."""

    def encode_messages(self, first: int, end: int) -> Messages:
        """Return the messages from the index ``first`` to before ``end``."""

    def count_errors(self, first: int, end: int) -> Mapping[str, int]:
        """Return how many of these messages have an injected error, by kind."""


class Source(Protocol):
    """What a stream consists of."""

    @property
    def first_number(self) -> int:
        """The number of the first block, 0 or greater."""

    @property
    def undecodable_count(self) -> int:
        """The number of records before the current block that cannot be sent."""

    def iterate_blocks(self, first_number: int) -> Iterator[Block]:
        """Yield the blocks from a number on."""
