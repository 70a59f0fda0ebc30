"""The embedded broker as a process."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from confluent_kafka import KafkaException

from etl.errors import ActionNeededError
from etl.settings import KafkaSettings
from launch.environment import STATE_MARKER
from launch.kafka.access import build_variables, grant_client_access, is_responding
from launch.kafka.jars import resolve_jars
from launch.kafka.storage import ADMIN, CLIENT, build_java_command, prepare_files
from launch.ports import HOST, is_port_open
from launch.supervised_process import SupervisedProcess

NAME = "kafka"
_PASSED_VARIABLES = ("PATH", "JAVA_HOME", "JAVA_TOOL_OPTIONS", "LANG", "LC_ALL", "TZ", "AIRFLOW_HOME")


class Broker(SupervisedProcess):
    """A running broker on loopback; its address stays the same after a restart.

    ``variables`` are the KAFKA_* settings of clients, with the user of the product's streams; ``admin_variables`` are
    those of the broker's own user.
    """

    def __init__(self, state: Path, environ: Mapping[str, str]) -> None:
        """Start it, and wait until it lets clients in.

        :param environ: gives the Java program and its settings; the process gets none of its secrets.
        :raises ActionNeededError: if it does not start.
        """
        passed = {name: environ[name] for name in _PASSED_VARIABLES if name in environ} | {STATE_MARKER: str(state)}
        files = prepare_files(state, passed)
        self.bootstrap_servers = f"{HOST}:{files.port}"
        self.variables = build_variables(state, files.port, CLIENT)
        self.admin_variables = build_variables(state, files.port, ADMIN)
        self._port = files.port
        self._topic = environ.get("KAFKA_TOPIC") or KafkaSettings.topic
        super().__init__(
            NAME,
            "The embedded Kafka",
            [
                *build_java_command(state, passed, "-Xms128m", "-Xmx512m", "-XX:+ExitOnOutOfMemoryError"),
                *("kafka.Kafka", str(files.properties)),
            ],
            passed,
            state,
            grace_seconds=15.0,
            after_restart="No message was lost.",
            after_loss="Streams stand still until the next start.",
            first_delay_seconds=1.0,
            max_restarts=10,
            # After a kill, a broker reads its last segments before it lets clients in.
            ready_seconds=180.0,
        )
        self.start()

    def start(self) -> None:
        """Start it, wait until it lets clients in, and give the streams' user its rights.

        :raises ActionNeededError: if it ends before, or does not let them in within three minutes.
        """
        super().start()
        try:
            grant_client_access(self.admin_variables, self._topic)
        except KafkaException as error:
            self._end_child()
            raise ActionNeededError(
                f"Kafka does not accept the rights of its users ({error.args[0].str()})."
            ) from error
        except BaseException:
            self._end_child()
            raise

    def is_ready(self) -> bool:
        """Return whether it lets its own user in."""
        return self.is_running() and is_port_open(self._port) and is_responding(self.admin_variables)


@contextmanager
def run_embedded_broker(state: Path, environ: dict[str, str]) -> Iterator[Broker]:
    """Run the broker of ``state`` during the context; fetch its jars if they are missing.

    :raises ActionNeededError: if it does not start.
    """
    resolve_jars(state, environ)
    broker = Broker(state, environ)
    try:
        yield broker
    finally:
        broker.stop()
