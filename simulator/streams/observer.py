"""What a stream reports while it is sent, and how it is stopped."""

from collections.abc import Callable
from dataclasses import dataclass, field
from threading import Event


@dataclass(frozen=True)
class Progress:
    """How far a stream is."""

    sent: int
    """Messages that this process has sent."""
    seconds: float
    """Since the first of them was due."""
    event_ms: int | None
    """The stream's time at the last message: UTC, ms since 1970."""
    behind_ms: int
    """How much later than due the next message is."""


@dataclass
class Observer:
    """What a sender tells about itself, and asks."""

    report: Callable[[str], None] = lambda text: None
    """Receives messages for the operator."""
    show_progress: Callable[[Progress], None] = lambda progress: None
    """Is called about once a second."""
    stop: Event = field(default_factory=Event)
    """Ends the stream after the transaction in progress."""
