"""External queries of processes; a process that ends during a query is omitted."""

import socket
from collections.abc import Callable
from pathlib import Path

import psutil

from launch.environment import STATE_MARKER


def check_process(process: psutil.Process, is_so: Callable[[psutil.Process], bool]) -> bool:
    """Return whether a condition holds for a process; False if the process has ended."""
    try:
        return is_so(process)
    except (psutil.Error, OSError):
        return False


def list_marked_processes(state: Path) -> list[psutil.Process]:
    """Return all live processes of a STATE_DIR, which have a marker in their environment."""

    def is_marked(process: psutil.Process) -> bool:
        return process.environ().get(STATE_MARKER) == str(state) and process.status() != psutil.STATUS_ZOMBIE

    return [process for process in psutil.process_iter() if check_process(process, is_marked)]


def list_listening_addresses(processes: list[psutil.Process]) -> set[str]:
    """Return the addresses on which processes listen, from one query of the machine's sockets.

    Java writes an address of version 4 as one of version 6: ``::ffff:127.0.0.1``.
    """
    ours = {process.pid for process in processes}
    connections = psutil.net_connections("inet")
    return {c.laddr.ip.removeprefix("::ffff:") for c in connections if c.status == psutil.CONN_LISTEN and c.pid in ours}


def find_free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])
