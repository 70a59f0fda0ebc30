"""SIGTERM for a campaign: it ends once, in order, so that all started processes end."""

import signal
import sys
from types import FrameType


def exit_in_order_on_sigterm() -> None:
    """Raise ``SystemExit`` at the first SIGTERM, and ignore further ones: they would interrupt the cleanup."""
    signal.signal(signal.SIGTERM, _exit_in_order)


def _exit_in_order(_number: int, _frame: FrameType | None) -> None:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    sys.exit(1)
