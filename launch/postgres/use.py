"""Share the embedded server among those who need it for a while: the last one to leave stops it."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from launch.postgres import server as servers
from launch.postgres.roles import client_count
from launch.postgres.running import Server, running_pid
from launch.secrets_store import private_folder


@contextmanager
def embedded_server(state: Path) -> Iterator[Server]:
    """The running server of ``state``, started where needed; stopped on leaving where nobody else uses it.

    Users are those inside this context in any process (a killed one counts no more) and connected clients.

    :raises ActionNeededError: where it cannot be started.
    """
    lock = os.open(private_folder(state / "run") / "postgres.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_SH)
        server = servers.start(state)
        try:
            yield server
        finally:
            _leave(lock, server)
    finally:
        os.close(lock)


def _leave(lock: int, server: Server) -> None:
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return
    if running_pid(server.place) is not None and client_count(server) == 0:
        servers.stop(server)
