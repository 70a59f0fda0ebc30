"""The streams of a product without Airflow: PostgreSQL, a broker, landing and live queries, restarted as by bin/run."""

import os
import random
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from functools import partial
from pathlib import Path
from threading import Event, Thread

import psutil

from etl.load.migrate import migrate_warehouse
from etl.settings import CHECKOUT, Settings, read_settings
from launch import kafka, postgres
from launch.console import Screen
from launch.environment import STATE_MARKER
from launch.postgres.running_server import find_running_pid, list_processes
from launch.spark_jars import link_jars, link_kafka_jars
from launch.streams import Streams

VICTIMS = ("producer", "landing", "broker", "live driver", "live jvm", "postgres", "sleep")
_RESTART_CHECK_SECONDS = 0.2
_COMMAND_WORDS = {
    "producer": "launch.simulate_stream",
    "landing": "launch.run_landing",
    "broker": "kafka.Kafka",
    "live driver": "launch.run_live_queries",
    "live jvm": "org.apache.spark.deploy.SparkSubmit",
}


class StreamEnvironment:
    """Running streams with a producer that replays a feed; every process that ends is started again."""

    def __init__(self, state: Path, server: postgres.Server, streams: Streams) -> None:
        self.state = state
        self.streams = streams
        self.settings: Settings = read_settings(streams.environ)
        self.messages: list[str] = []
        self._server = server
        self._producer: subprocess.Popen[bytes] | None = None
        self._producer_command: list[str] = []
        self._is_stopping = Event()
        self._thread = Thread(target=self._restart_ended, daemon=True)

    def start_producer(self, feed: Path, rate: int) -> None:
        """Send the records of a feed, so many a second; a producer that is killed goes on at once."""
        self._producer_command = [sys.executable, "-m", "launch.simulate_stream"]
        self._producer_command += ["--from", str(feed), "--rate", str(rate), "--name", "campaign"]
        self._producer = self._start_producer()

    def has_producer_ended(self) -> bool:
        """Return whether the producer has sent everything."""
        return self._producer is not None and self._producer.poll() == 0

    def supervise(self) -> None:
        """Start restarting processes that end, as bin/run does."""
        self._thread.start()

    def stop_supervising(self) -> None:
        """Stop restarting, and end the producer."""
        self._is_stopping.set()
        self._thread.join()
        if self._producer is not None and self._producer.poll() is None:
            self._producer.kill()
            self._producer.wait()

    def kill(self, victim: str, sleep_seconds: float) -> bool:
        """Kill a process, or stop all processes for a while; return False if the process does not run now."""
        if victim == "sleep":
            self._suspend_all(sleep_seconds)
            return True
        if victim == "postgres":
            pid = find_running_pid(self._server.installation)
            processes = [psutil.Process(pid)] if pid is not None else []
        else:
            processes = [process for process in _list_processes() if self._is_victim(process, victim)]
        for process in processes[:1]:
            process.kill()
        return bool(processes)

    def _is_victim(self, process: psutil.Process, victim: str) -> bool:
        try:
            return _COMMAND_WORDS[victim] in process.cmdline()
        except psutil.Error:
            return False

    def _suspend_all(self, seconds: float) -> None:
        """Suspend all processes, as a laptop that sleeps does."""
        processes = [*_list_processes(), *list_processes(self._server.installation)]
        with ExitStack() as stack:
            for process in processes:
                try:
                    process.suspend()
                except psutil.Error:
                    continue
                stack.callback(_resume, process)
            time.sleep(seconds)

    def _start_producer(self) -> subprocess.Popen[bytes]:
        with (self.state / "logs" / "producer.log").open("ab") as log:
            return subprocess.Popen(self._producer_command, env=self.streams.environ, stdout=log, stderr=log)

    def _restart_ended(self) -> None:
        restarts: list[Callable[[], str | None]] = [partial(postgres.restart_if_ended, self._server)]
        while not self._is_stopping.wait(_RESTART_CHECK_SECONDS):
            for restart in [*restarts, *self.streams.restarts]:
                if message := restart():
                    self.messages.append(message)
            if self._producer is not None and self._producer.poll() not in (None, 0):
                self._producer = self._start_producer()


@contextmanager
def open_environment(state: Path) -> Iterator[StreamEnvironment]:
    """Start the streams in a new state folder; stop and remove everything at the end."""
    link_jars(state)
    link_kafka_jars(state)
    kafka.link_jars(state)
    with ExitStack() as stack:
        server = postgres.start_server(state)
        stack.callback(postgres.remove_servers, state)
        url = server.build_url("loader", "warehouse")
        migrate_warehouse(url)
        streams = Streams(Screen(), state, _build_environ(state, url))
        stack.callback(streams.stop)
        streams.start_kafka()
        streams.start_processes()
        environment = StreamEnvironment(state, server, streams)
        stack.callback(environment.stop_supervising)
        environment.supervise()
        yield environment


def choose_victims(count: int, victims: tuple[str, ...], draws: random.Random) -> list[str]:
    """Return victims in random order, each about equally often."""
    chosen = [victims[index % len(victims)] for index in range(count)]
    draws.shuffle(chosen)
    return chosen


def _build_environ(state: Path, url: str) -> dict[str, str]:
    inherited = ("PATH", "HOME", "LANG", "JAVA_HOME", "JAVA_TOOL_OPTIONS")
    return {
        **{name: os.environ[name] for name in inherited if name in os.environ},
        "STATE_DIR": str(state),
        "AIRFLOW_HOME": str(state),
        "PYTHONPATH": str(CHECKOUT),
        "WAREHOUSE_URL": url,
        "LANDING_SECONDS": "2",
        STATE_MARKER: str(state),
    }


def _list_processes() -> list[psutil.Process]:
    return psutil.Process().children(recursive=True)


def _resume(process: psutil.Process) -> None:
    with suppress(psutil.Error):  # It has ended.
        process.resume()
