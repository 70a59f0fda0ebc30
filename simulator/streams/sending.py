"""A stream sent at its pace, from the position that an earlier process has reached, without gaps or repeats."""

import time
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from etl.errors import ActionNeededError
from etl.settings import KafkaSettings
from simulator.streams.blocks import Block, Messages, Source
from simulator.streams.observer import Observer, Progress
from simulator.streams.pacing import REAL_TIME, Pace, Pacer
from simulator.streams.positions import NO_BLOCK, StreamPosition
from simulator.streams.transactions import LostTransactionError, open_producer

_NO_MESSAGES = Messages([], [], [], [])
_LONGEST_WAIT_SECONDS = 1.0


@dataclass(frozen=True)
class StreamResult:
    """What was sent."""

    name: str
    position: StreamPosition
    progress: Progress
    transaction_count: int
    undecodable_count: int
    """Records of the source that could not be sent."""


@dataclass(frozen=True)
class SendOptions:
    """How a stream is sent; its content does not depend on it."""

    pace: Pace = REAL_TIME
    commit_ms: int = 200
    """The time between two transactions, unless the next one is full."""
    max_transaction_messages: int = 10_000
    max_messages: int | None = None
    """Stop after so many messages; the next start goes on."""

    def __post_init__(self) -> None:
        if self.commit_ms < 1 or self.max_transaction_messages < 1:
            raise ActionNeededError("A transaction takes at least 1 ms and 1 message.")
        if self.max_messages is not None and self.max_messages < 1:
            raise ActionNeededError(f"The number of messages must be 1 or more, not {self.max_messages}.")


@dataclass(frozen=True)
class StreamStart:
    """A stream that begins now, unless an earlier process has begun it."""

    identity: Mapping[str, Any]
    """The parameters that its content follows from; a stream of the same name must have the same."""
    start_ms: int
    end_ms: int
    can_repeat: bool
    """Whether a complete stream begins again, in another interval."""
    is_restart: bool = False
    """Whether the stream begins again although an earlier process has not completed it."""

    def choose_position(self, name: str, committed: StreamPosition | None, owner: str) -> StreamPosition:
        """Return where to go on.

        :raises ActionNeededError: if the stream's name belongs to a stream with other parameters.
        """
        if committed is not None and not self.is_restart:
            self._check_identity(name, committed)
            if not (committed.is_complete and self.can_repeat):
                return replace(committed, owner=owner)
        return StreamPosition(dict(self.identity), owner, self.start_ms, self.end_ms, block=NO_BLOCK)

    def _check_identity(self, name: str, committed: StreamPosition) -> None:
        keys = sorted(self.identity.keys() | committed.identity.keys())
        differences = [
            f"{key} {committed.identity.get(key)} and not {self.identity.get(key)}"
            for key in keys
            if committed.identity.get(key) != self.identity.get(key)
        ]
        if differences:
            raise ActionNeededError(
                f"The stream {name} has other parameters: {', '.join(differences)}. Go on with the same parameters, "
                "choose another name, or restart the stream."
            )


class Sender:
    """A process that sends one stream."""

    def __init__(self, kafka: KafkaSettings, name: str, options: SendOptions, observer: Observer) -> None:
        self._kafka, self._name, self._options, self._observer = kafka, name, options, observer
        self._owner = uuid.uuid4().hex
        self._sent_before = self._transaction_count = 0
        self._started = self._shown_at = time.monotonic()
        self._event_ms: int | None = None

    def send_stream(self, start: StreamStart, open_source: Callable[[StreamPosition], Source]) -> StreamResult | None:
        """Send a stream until it is complete, or the observer stops it, or the number of messages is reached.

        :param open_source: returns what the stream consists of, given its interval.
        :returns: None if it was stopped before Kafka responded.
        :raises ActionNeededError: if the name belongs to another stream, another process takes over this one, a topic
            is missing, or Kafka refuses the user.
        """
        opened = open_producer(self._kafka, self._name, self._observer)
        if opened is None:
            return None
        self._producer, self._committed = opened
        self._position = start.choose_position(self._name, self._committed, self._owner)
        self._sent_before = self._position.sent
        undecodable_count = 0
        if not self._position.is_complete:
            source = open_source(self._position)
            if self._position.block < 0:
                self._position = replace(self._position, block=source.first_number)
            else:
                self._observer.report(f"The stream {self._name} goes on after {self._position.sent:,} messages.")
            self._send_blocks(source)
            undecodable_count = source.undecodable_count
        return StreamResult(
            self._name, self._position, self._measure_progress(0), self._transaction_count, undecodable_count
        )

    def _send_blocks(self, source: Source) -> None:
        # The position gets its owner now, since the first message may be due in hours.
        self._commit(_NO_MESSAGES, self._position)
        pacer: Pacer | None = None
        for block in source.iterate_blocks(self._position.block):
            if (index := self._get_index(block)) < len(block.due_ms):
                if pacer is None:
                    pacer = Pacer(self._options.pace, int(block.due_ms[index]))
                    self._started = time.monotonic()
                self._send_block(block, pacer)
            if self._is_finished():
                return
        while not self._position.is_complete and not self._observer.stop.is_set():
            self._commit(_NO_MESSAGES, replace(self._position, is_complete=True))

    def _send_block(self, block: Block, pacer: Pacer) -> None:
        """Send the rest of a block, unless the stream is to end before."""
        while (first := self._get_index(block)) < len(block.due_ms) and not self._is_finished():
            started, sent = time.monotonic(), self._position.sent
            count = min(pacer.count_due(block.due_ms, first), self._get_longest_transaction())
            if count:
                end = first + count
                position = self._position.advance(block.number, end, count, block.count_errors(first, end))
                self._commit(block.encode_messages(first, end), position)
                pacer.record_sent(self._position.sent - sent)
                self._event_ms = int(block.due_ms[end - 1])
                # The next transaction is as late as its messages may be, unless this one was full.
                is_full = count == self._options.max_transaction_messages
                wait = 0 if is_full else self._options.commit_ms / 1000 - (time.monotonic() - started)
            else:
                wait = min(pacer.compute_wait(int(block.due_ms[first])), _LONGEST_WAIT_SECONDS)
            self._show_progress(pacer, block)
            if wait > 0:
                self._observer.stop.wait(wait)

    def _get_index(self, block: Block) -> int:
        """Return the index of the next message in a block."""
        return self._position.index if self._position.block == block.number else 0

    def _get_longest_transaction(self) -> int:
        longest = self._options.max_transaction_messages
        if self._options.max_messages is not None:
            longest = min(longest, self._options.max_messages - (self._position.sent - self._sent_before))
        return longest

    def _is_finished(self) -> bool:
        return self._observer.stop.is_set() or self._get_longest_transaction() <= 0

    def _commit(self, messages: Messages, position: StreamPosition) -> None:
        """Send messages and the position after them; if Kafka fails, go on from the position that it has."""
        try:
            self._producer.send(messages, position)
        except LostTransactionError as error:
            self._observer.report(f"A transaction was lost: {error}")
            self._recover()
            return
        self._position = self._committed = position
        self._transaction_count += 1

    def _recover(self) -> None:
        self._producer.discard()
        opened = open_producer(self._kafka, self._name, self._observer)
        if opened is None:
            return
        self._producer, committed = opened
        if committed is not None and committed.owner == self._owner:
            self._position = self._committed = committed
        elif committed != self._committed:
            raise ActionNeededError(f"Another process sends the stream {self._name} now: this one ends.")

    def _show_progress(self, pacer: Pacer, block: Block) -> None:
        now = time.monotonic()
        if now - self._shown_at >= 1:
            self._shown_at, index = now, self._get_index(block)
            behind_ms = pacer.compute_stream_time() - int(block.due_ms[index]) if index < len(block.due_ms) else 0
            self._observer.show_progress(self._measure_progress(max(behind_ms, 0)))

    def _measure_progress(self, behind_ms: int) -> Progress:
        sent = self._position.sent - self._sent_before
        return Progress(sent, time.monotonic() - self._started, self._event_ms, behind_ms)
