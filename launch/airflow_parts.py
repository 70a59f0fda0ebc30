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
from launch.processes import Part, end_part, end_strays, last_line, run_logged, start_part

_AIRFLOW = [sys.executable, "-m", "airflow"]
_READY_SECONDS = 240
_GRACE_SECONDS = {"scheduler": 6.0, "triggerer": 3.0, "dag-processor": 3.0, "api-server": 3.0}
"""How long each part may take to end by itself, in the order in which they are asked."""
_RESTARTS = 5
"""How often a part that ends by itself is started again; whatever ends it each time will not stop doing so."""


class PartEnded(ActionNeededError):
    """A part of Airflow has ended by itself, or something has ended it."""


class Airflow:
    """The four parts of one STATE_DIR."""

    def __init__(self, state: Path, environ: dict[str, str], api: AirflowApi) -> None:
        self.state = state
        self.api = api
        self._environ = environ
        self._parts: dict[str, Part] = {}
        self._started_at = datetime.now(UTC)
        self._restarts_left = dict.fromkeys(_GRACE_SECONDS, _RESTARTS)

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
        for name, part in self._parts.items():
            if not part.is_running():
                raise PartEnded(
                    f"Airflow's {name} has ended (exit code {part.process.returncode}), so everything is stopped. "
                    f"Its last words: {last_line(part.log) or 'none'} (log: {part.log})"
                )

    def mend(self) -> list[str]:
        """Start each part again that has ended, and end what it has left: tasks of a dead scheduler are tried again.

        :returns: a sentence for each.
        :raises PartEnded: where one ends again and again.
        """
        ended = [name for name, part in self._parts.items() if not part.is_running()]
        if not all(self._restarts_left[name] for name in ended):
            self.check()
        return [self._restart(name) for name in ended]

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
                end_part(self._parts.pop(name), _GRACE_SECONDS[name])
        end_strays(self.state)

    def log(self, name: str) -> Path:
        """Where the output of a part goes."""
        return self.state / "logs" / f"{name}.log"

    def _start(self, name: str) -> None:
        command = [*_AIRFLOW, name]
        if name in ("scheduler", "triggerer"):
            command.append("--skip-serve-logs")
        self._parts[name] = start_part(name, command, self._environ, self.state)

    def _restart(self, name: str) -> str:
        part = self._parts[name]
        end_part(part, _GRACE_SECONDS[name])
        self._restarts_left[name] -= 1
        self._start(name)
        return f"Airflow's {name} had ended (exit code {part.process.returncode}) and was started again."

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
