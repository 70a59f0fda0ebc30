"""The streams of a start: a broker unless another Kafka is named, the topics, the landing and the live queries."""

import sys
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from pathlib import Path

from etl.settings import read_settings
from etl.streams.topics import create_topics, list_topics
from launch.console import Screen
from launch.kafka import Broker, resolve_jars
from launch.secrets_store import make_private_folder
from launch.spark_jars import resolve_kafka_jars
from launch.supervised_process import SupervisedProcess

PROCESSES = {
    "landing": ("The landing of streamed events", [sys.executable, "-m", "launch.run_landing"], 10.0),
    "live": ("The live queries", [sys.executable, "-m", "launch.run_live_queries"], 20.0),
}
"""Names, in the order of their start, to (display name, command, seconds to end)."""
_UNNEEDED_SETTINGS = (
    "AIRFLOW__",
    "AIRFLOW_CONN_",
    "AIRFLOW_METADATA_URL",
    "FAILURE_NOTIFIER",
    "KAGGLE_PATH",
    "SPOTIPY_",
)
_UNNEEDED_BY_LANDING = ("WAREHOUSE_", "ANOMALY_QUEUE_")
_FIRST_DELAY_SECONDS, _MAX_RESTARTS = 1.0, 10
_MIN_PROGRESS_SECONDS = 30.0
"""A process that fails at the same messages each time does so sooner."""


class Streams:
    """The running streams; ``environ`` is the given environment with the KAFKA_* settings of all other processes."""

    def __init__(self, screen: Screen, state: Path, environ: dict[str, str]) -> None:
        """Prepare the streams; nothing runs yet.

        :param environ: with KAFKA_BOOTSTRAP_SERVERS, if another Kafka than the embedded broker is to be used.
        """
        self.environ = environ
        self.restarts: list[Callable[[], str | None]] = []
        self._screen, self._state = screen, state
        self._broker: Broker | None = None
        self._stack = ExitStack()

    def start_kafka(self) -> None:
        """Start the embedded broker unless another Kafka is named; create the missing topics and check the others.

        :raises EtlError: if jars cannot be fetched, the broker does not start, or Kafka or a topic cannot be used.
        """
        if not self.environ.get("KAFKA_BOOTSTRAP_SERVERS"):
            with self._screen.show_step("Kafka's jars"):
                resolve_jars(self._state, self.environ)
            with self._screen.show_step("Kafka"):
                self._broker = Broker(self._state, self.environ)
                self._add(self._broker)
            self.environ = {**self.environ, **self._broker.variables}
        with self._screen.show_step("Spark's jars for Kafka"):
            resolve_kafka_jars(self._state, self.environ)
        with self._screen.show_step("Topics of Kafka"):
            create_topics(read_settings(self.environ).require_kafka())

    def start_processes(self) -> None:
        """Start the landing and the live queries; the tables of the warehouse are there."""
        for name, (display_name, command, grace_seconds) in PROCESSES.items():
            process = SupervisedProcess(
                name,
                display_name,
                command,
                build_environment(self.environ, name),
                self._state,
                grace_seconds=grace_seconds,
                after_restart="It goes on where it stopped.",
                after_loss="Events wait in Kafka until the next start.",
                first_delay_seconds=_FIRST_DELAY_SECONDS,
                max_restarts=_MAX_RESTARTS,
                progress_file=get_progress_path(self._state, name),
                min_progress_seconds=_MIN_PROGRESS_SECONDS,
            )
            with self._screen.show_step(display_name):
                process.start()
            self._add(process)

    def print_address(self) -> None:
        """Print where Kafka is, who may use it, and its topics."""
        kafka = read_settings(self.environ).require_kafka()
        line = f"Kafka          {kafka.bootstrap_servers}  {kafka.security_protocol}"
        if self._broker is not None:
            password = self._state / "secrets" / f"kafka-{kafka.sasl_username}"
            line += f"  {kafka.sasl_mechanism}  user {kafka.sasl_username}  password in {password}"
        self._screen.print_line(line)
        self._screen.print_line(f"               topics {', '.join(topic.name for topic in list_topics(kafka))}")

    def stop(self) -> None:
        """Stop what runs: the live queries, the landing, then the broker."""
        self._stack.close()

    def _add(self, process: SupervisedProcess) -> None:
        self._stack.callback(process.stop)
        self.restarts.append(process.restart_if_ended)


def get_progress_path(state: Path, name: str) -> Path:
    """Return the file that a process of the streams touches after each cycle of its work."""
    return make_private_folder(state / "streams") / f"{name}.progress"


def build_environment(environ: Mapping[str, str], process: str) -> dict[str, str]:
    """Return the environment of a process, without the secrets that it does not need."""
    unneeded = (*_UNNEEDED_SETTINGS, *(_UNNEEDED_BY_LANDING if process == "landing" else ()))
    return {name: value for name, value in environ.items() if not name.startswith(unneeded)}
