"""Wall and processor seconds of work that several processes do: this one, its children, and a PostgreSQL server."""

import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass

import psutil

from launch import postgres


@dataclass(frozen=True)
class Spent:
    """What some work took, in seconds by the clock and of processors."""

    seconds: float
    processor_seconds: float

    def __str__(self) -> str:
        return f"{self.seconds:.2f} s, processor {self.processor_seconds:.2f} s"


class ProcessorClock:
    """Reads the processor time of this process, of the processes that it has started, and of a server."""

    def __init__(self, server_pid: int | None = None) -> None:
        """
        :param server_pid: as ``find_server_pid`` returns it; None: no server works for this process.
        """
        self._server_pid = server_pid

    def measure(self, work: Callable[[], object]) -> Spent:
        """Return what a call took."""
        began, processor_began = time.perf_counter(), self.read()
        work()
        return Spent(time.perf_counter() - began, self.read() - processor_began)

    def read(self) -> float:
        """Return the processor seconds so far; those of a process that has ended count with its parent."""
        own = psutil.Process()
        processes = {own.pid: own} | {child.pid: child for child in own.children(recursive=True)}
        if self._server_pid is not None:
            server = psutil.Process(self._server_pid)
            processes |= {server.pid: server} | {child.pid: child for child in server.children()}
        spent = 0.0
        for process in processes.values():
            with suppress(psutil.NoSuchProcess):
                times = process.cpu_times()
                spent += times.user + times.system + times.children_user + times.children_system
        return spent


def find_server_pid(server: postgres.Server) -> int:
    """Return the process id of a running server."""
    pid = postgres.find_running_pid(server.installation)
    assert pid is not None, "the server does not run"
    return pid
