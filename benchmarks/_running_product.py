"""The product as a user starts it, with its own STATE_DIR, and the memory of its processes."""

import os
import re
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from types import TracebackType
from typing import Self

import psutil

from etl.settings import CHECKOUT
from launch import postgres
from launch.airflow_api import ENDED_STATES, AirflowApi
from launch.environment import STATE_MARKER, get_web_login

_PUBLISH_TIMEOUT_SECONDS = 3600


class RunningProduct:
    """A context manager that runs bin/run; it waits for the files of ``kaggle_path``, and stops bin/run at the end."""

    def __init__(self, state: Path, kaggle_path: Path | str, **environ: str) -> None:
        port = find_free_port()
        self.state = state
        self.api = AirflowApi(f"http://127.0.0.1:{port}", *get_web_login(state))
        self._output = state / "output.txt"
        self._environ = {
            **os.environ,
            "STATE_DIR": str(state),
            "PYTHONPATH": str(CHECKOUT),
            "AIRFLOW__API__PORT": str(port),
            "DASHBOARD_PORT": str(find_free_port()),
            "KAGGLE_PATH": str(kaggle_path),
            "SPOTIPY_CLIENT_ID": "nobody",  # no account signs in: the benchmark measures files only
            "SIMULATED_LISTENERS": "0",
            **environ,
        }

    def __enter__(self) -> Self:
        command = [sys.executable, "-m", "launch.run"]
        with self._output.open("w") as output:
            self._process = subprocess.Popen(command, env=self._environ, stdout=output, stderr=subprocess.STDOUT)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._process.send_signal(signal.SIGINT)
        self._process.wait(120)
        postgres.remove_servers(self.state)

    def wait_until_published(self) -> int:
        """Wait until the first refresh has ended.

        :returns: the peak memory during the wait, in bytes.
        """
        peak, deadline = 0, time.monotonic() + _PUBLISH_TIMEOUT_SECONDS
        while not self._is_published():
            if time.monotonic() > deadline:
                raise TimeoutError(self.read_report()[-3000:])
            peak = max(peak, sum(self.measure_memory().values()))
            time.sleep(0.5)
        return peak

    def _is_published(self) -> bool:
        output = self._output.read_text()
        if self._process.poll() is not None:
            raise RuntimeError(f"bin/run has ended:\n{output[-3000:]}")
        return "stays up until Ctrl-C" in output

    def read_report(self) -> str:
        """Return the output of bin/run, without colours."""
        return re.sub(r"\x1b\[[0-9;]*m", "", self._output.read_text())

    def time_dag_run(self, dag_id: str, conf: dict[str, object]) -> float:
        """Return the wall time of a DAG run, from trigger to end."""
        started = time.monotonic()
        run_id = self.api.start_run(dag_id, conf)
        while self.api.get_run(dag_id, run_id)["state"] not in ENDED_STATES:
            time.sleep(0.1)
        return time.monotonic() - started

    def measure_memory(self) -> dict[psutil.Process, int]:
        """Return the memory of each process; shared memory is divided among the processes that share it."""
        return {
            process: _measure_memory(process) for process in psutil.process_iter() if _belongs_to(process, self.state)
        }


def _belongs_to(process: psutil.Process, state: Path) -> bool:
    try:
        return process.environ().get(STATE_MARKER) == str(state) or str(state) in " ".join(process.cmdline())
    except psutil.Error:
        return False


def _measure_memory(process: psutil.Process) -> int:
    try:
        return int(process.memory_full_info().pss)
    except psutil.Error:
        return 0


def find_free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])
