"""A watch that ends its process if a step stands still: its supervisor then starts it again."""

import faulthandler
import logging
import math
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Event, Thread

log = logging.getLogger(__name__)

_CHECK_SECONDS = 5.0


class HangWatch:
    """Ends the process once a step takes longer than expected.

    A call of the Kafka client may wait without end, whatever its timeout, if the broker is killed during a transaction.
    Nothing but the end of the process stops such a call.
    """

    def __init__(self) -> None:
        self._deadline = math.inf
        self._has_ended = Event()

    @contextmanager
    def run(self) -> Iterator[None]:
        """Watch the process during the context."""
        Thread(target=self._watch, daemon=True).start()
        try:
            yield
        finally:
            self._has_ended.set()

    def expect_within(self, seconds: float) -> None:
        """Expect the next call of this function within a time."""
        self._deadline = time.monotonic() + seconds

    def _watch(self) -> None:
        checked_at = time.monotonic()
        while not self._has_ended.wait(_CHECK_SECONDS):
            pause_seconds = time.monotonic() - checked_at
            checked_at += pause_seconds
            if pause_seconds > 2 * _CHECK_SECONDS:  # The whole process was suspended, not only a step of it.
                self._deadline += pause_seconds
            if checked_at > self._deadline:
                log.error("The process has stood still for too long, and is started again.")
                faulthandler.dump_traceback()  # shows in the log which call hangs
                os._exit(1)
