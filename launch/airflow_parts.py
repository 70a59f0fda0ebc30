"""A real Airflow: its four parts, started one by one and stopped together."""

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

from etl import warehouse
from etl.errors import ActionNeededError, TryAgainError
from launch.airflow_api import AirflowApi, parse_time
from launch.kept import KeptPart
from launch.processes import end_strays, run_logged

PARTS = {
    "api-server": [],
    "dag-processor": [],
    "scheduler": ["--skip-serve-logs"],
    "triggerer": ["--skip-serve-logs"],
}
"""What each part is told when it starts: log servers would listen on all addresses."""

_AIRFLOW = [sys.executable, "-m", "airflow"]
_READY_SECONDS = 240
_GRACE_SECONDS = {"scheduler": 6.0, "triggerer": 3.0, "dag-processor": 3.0, "api-server": 3.0}
"""How long each part may take to end by itself, in the order in which they are asked."""


class PartEnded(ActionNeededError):
    """A part of Airflow has ended by itself, or something has ended it."""


class Airflow:
    """The four parts of one STATE_DIR."""

    def __init__(self, state: Path, environ: dict[str, str], api: AirflowApi) -> None:
        self.state = state
        self.api = api
        self._environ = environ
        self._parts: dict[str, KeptPart] = {}
        self._started_at = datetime.now(UTC)

    def migrate(self) -> bool:
        """Bring Airflow's own tables to the installed version.

        :returns: whether there was anything to do.
        :raises ActionNeededError: where Airflow says no.
        """
        note = self.state / "airflow" / "migrated"
        url = self._environ["AIRFLOW__DATABASE__SQL_ALCHEMY_CONN"]
        if note.exists() and note.read_text() == f"{version('apache-airflow-core')} {_schema_version(url)}":
            return False
        code, words = run_logged("airflow-migrate", [*_AIRFLOW, "db", "migrate"], self._environ, self.state)
        if code != 0:
            raise ActionNeededError(f"Airflow's tables could not be made: {words} (log: {self.log('airflow-migrate')})")
        note.write_text(f"{version('apache-airflow-core')} {_schema_version(url)}")
        return True

    def keep_pool(self, name: str, slots: int, description: str) -> None:
        """Make a pool where there is none of that name, without an API server; one that is there keeps its slots.

        :raises ActionNeededError: where Airflow says no.
        """
        pools, log = [*_AIRFLOW, "pools"], "airflow-pools"
        if run_logged(log, [*pools, "get", name], self._environ, self.state)[0] == 0:
            return
        code, words = run_logged(log, [*pools, "set", name, str(slots), description], self._environ, self.state)
        if code != 0:
            raise ActionNeededError(f"Airflow's pool {name} could not be made: {words} (log: {self.log(log)})")

    def start_reading(self, dag_ids: tuple[str, ...]) -> None:
        """Start the API server and the DAG processor, and wait until they know the current ``dag_ids``.

        :raises ActionNeededError: where a part ends, a DAG file cannot be read, or nothing happens for minutes.
        """
        self._start("api-server")
        self._start("dag-processor")
        self._wait("the API server", lambda: self.api.health().get("metadatabase") == "healthy")
        self._wait("the DAG processor", lambda: all(self._is_read(dag_id) for dag_id in dag_ids))

    def start_running(self) -> None:
        """Start the scheduler and the triggerer, and wait until tasks can run."""
        self._start("scheduler")
        self._start("triggerer")
        self._wait("the scheduler", lambda: self.api.health().get("scheduler") == "healthy")

    def check(self) -> None:
        """Raise PartEnded where a part runs no more."""
        for part in self._parts.values():
            if not part.is_running():
                raise PartEnded(
                    f"{part.what} has ended (exit code {part.exit_code}), so everything is stopped. "
                    f"Its last words: {part.last_words}"
                )

    def mend(self) -> str | None:
        """Start each part again that has ended, and end what it has left: tasks of a dead scheduler are tried again.

        :returns: a sentence for each, None where there is none.
        :raises PartEnded: where one ends again and again.
        """
        news = [part.mend() for part in self._parts.values()]
        if any(part.is_given_up for part in self._parts.values()):
            self.check()
        return " ".join(filter(None, news)) or None

    @contextmanager
    def explained(self) -> Iterator[None]:
        """An API that does not answer is explained by the part that has ended, where one has.

        :raises PartEnded: instead of TryAgainError.
        """
        try:
            yield
        except TryAgainError:
            time.sleep(1)  # a killed process may not have been reaped yet
            self.check()
            raise

    def stop(self) -> None:
        """End all parts, the scheduler first and the API server last, then whatever they have left."""
        for name in _GRACE_SECONDS:
            if name in self._parts:
                self._parts.pop(name).stop()
        end_strays(self.state)

    def log(self, name: str) -> Path:
        """Where the output of a part goes."""
        return self.state / "logs" / f"{name}.log"

    def _start(self, name: str) -> None:
        command = [*_AIRFLOW, name, *PARTS[name]]
        self._parts[name] = KeptPart(
            name, f"Airflow's {name}", command, self._environ, self.state, grace_seconds=_GRACE_SECONDS[name]
        )
        self._parts[name].start()

    def _wait(self, what: str, is_ready: Callable[[], bool]) -> None:
        deadline = time.monotonic() + _READY_SECONDS
        while not is_ready():
            self.check()
            if time.monotonic() > deadline:
                errors = self.api.import_errors() if self.api.health() else []
                raise ActionNeededError(
                    f"Airflow was not ready after {_READY_SECONDS} s: {what} is missing. "
                    + (" ".join(errors) or f"Its logs are in {self.state / 'logs'}.")
                )
            time.sleep(0.25)

    def _is_read(self, dag_id: str) -> bool:
        dag = self.api.dag(dag_id)
        read_at = parse_time(dag["last_parsed_time"]) if dag else None
        if read_at is None or read_at < self._started_at:
            errors = [error for error in self.api.import_errors() if f"{dag_id}.py" in error]
            if errors:
                raise ActionNeededError(f"A DAG cannot be read: {errors[0]}")
            return False
        return True


def _schema_version(url: str) -> str:
    with warehouse.connect(url) as connection:
        if not warehouse.rows(connection, "select from pg_tables where tablename = 'alembic_version'"):
            return "none"
        return str(warehouse.rows(connection, "select version_num from alembic_version")[0]["version_num"])
