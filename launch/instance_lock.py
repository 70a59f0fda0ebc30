"""One bin/run a STATE_DIR."""

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
    """Hold the place of the only bin/run of ``state``; a killed holder holds it no more.

    :raises ActionNeededError: where another process holds it.
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
