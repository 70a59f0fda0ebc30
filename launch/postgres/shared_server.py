"""The embedded server, shared by several processes: the last one stops it."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from launch.postgres import lifecycle as servers
from launch.postgres.roles import count_clients
from launch.postgres.running_server import Server, find_running_pid
from launch.secrets_store import make_private_folder


@contextmanager
def run_embedded_server(state: Path) -> Iterator[Server]:
    """Run the server of ``state`` during the context; stop it at the end if it has no other users.

    Users are this context in other processes (not in killed ones) and connected clients.

    :raises ActionNeededError: if it cannot be started.
    """
    lock = os.open(make_private_folder(state / "run") / "postgres.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_SH)
        server = servers.start_server(state)
        try:
            yield server
        finally:
            _stop_if_unused(lock, server)
    finally:
        os.close(lock)


def _stop_if_unused(lock: int, server: Server) -> None:
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return
    if find_running_pid(server.installation) is not None and count_clients(server) == 0:
        servers.stop_server(server)
