"""The pace of a stream: how many of its messages are due now."""

import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from etl.errors import ActionNeededError
from simulator.listeners.hashed_draws import Integers


@dataclass(frozen=True)
class Pace:
    """How fast a stream is sent: in real time, ``speed`` times as fast, ``rate`` messages a second, or at full speed.

    No pace sends an event before its own time: events of the future would be rejected.
    """

    speed: float | None = None
    rate: float | None = None
    is_full_speed: bool = False

    def __post_init__(self) -> None:
        if sum((self.speed is not None, self.rate is not None, self.is_full_speed)) > 1:
            raise ActionNeededError("Choose one of speed, rate and full speed.")
        if any(value is not None and not value > 0 for value in (self.speed, self.rate)):
            raise ActionNeededError("Speed and rate must be greater than 0.")

    @property
    def is_real_time(self) -> bool:
        """Return whether each event is sent at its own time."""
        return self.speed is None and self.rate is None and not self.is_full_speed


REAL_TIME = Pace()
FULL_SPEED = Pace(is_full_speed=True)


class Pacer:
    """A pace since a start."""

    def __init__(self, pace: Pace, first_due_ms: int, read_clock: Callable[[], float] = time.time) -> None:
        """
        :param first_due_ms: the stream's time at the start, UTC in ms since 1970.
        :param read_clock: returns the seconds since 1970.
        """
        self._pace, self._first_due_ms, self._read_clock = pace, first_due_ms, read_clock
        self._started_at = read_clock()
        self._sent_count = 0

    def count_due(self, due_ms: Integers, first: int) -> int:
        """Return how many messages from the index ``first`` on are due."""
        count = int(np.searchsorted(due_ms, self.compute_stream_time(), side="right")) - first
        if self._pace.rate is not None:
            allowed = int((self._read_clock() - self._started_at) * self._pace.rate)
            count = min(count, allowed - self._sent_count)
        return max(count, 0)

    def record_sent(self, count: int) -> None:
        """Record that messages were sent."""
        self._sent_count += count

    def compute_wait(self, next_due_ms: int) -> float:
        """Return the seconds until the next message is due."""
        now = self._read_clock()
        waits = [next_due_ms / 1000 - now]
        if self._pace.speed is not None:
            waits.append((next_due_ms - self._first_due_ms) / 1000 / self._pace.speed - (now - self._started_at))
        if self._pace.rate is not None:
            waits.append((self._sent_count + 1) / self._pace.rate - (now - self._started_at))
        return max(0.0, *waits)

    def compute_stream_time(self) -> int:
        """Return the time up to which messages are due by the pace, except a rate: UTC, ms since 1970."""
        now = self._read_clock()
        stream_time = now * 1000
        if self._pace.speed is not None:
            stream_time = min(stream_time, self._first_due_ms + (now - self._started_at) * 1000 * self._pace.speed)
        return int(stream_time)
