"""The lock that allows one bin/run for each STATE_DIR."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from etl.errors import ActionNeededError
from launch.environment import get_api_url
from launch.secrets_store import make_private_folder


@contextmanager
def lock_instance(state: Path) -> Iterator[None]:
    """Lock ``state`` during the context; the lock of a killed process is released.

    :raises ActionNeededError: if another process has the lock.
    """
    with os.fdopen(
        os.open(make_private_folder(state / "run") / "run.lock", os.O_RDWR | os.O_CREAT, 0o600), "r+"
    ) as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise ActionNeededError(
                f"bin/run is already running on {state} (process {lock.read().strip() or 'unknown'}): "
                f"use {get_api_url()}, or stop it first."
            ) from None
        lock.truncate(0)
        lock.write(str(os.getpid()))
        lock.flush()
        yield
