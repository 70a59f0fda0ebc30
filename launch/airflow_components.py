"""Airflow: its four processes, started one by one and stopped together."""

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

from etl import database
from etl.errors import ActionNeededError, TryAgainError
from launch.airflow_api import AirflowApi, parse_time
from launch.processes import run_logged
from launch.supervised_process import SupervisedProcess

COMPONENT_OPTIONS = {
    "api-server": [],
    "dag-processor": [],
    "scheduler": ["--skip-serve-logs"],
    "triggerer": ["--skip-serve-logs"],
}
"""Options by component: the log servers are off, because they would listen on all addresses."""

_AIRFLOW = [sys.executable, "-m", "airflow"]
_READY_SECONDS = 240
_GRACE_SECONDS = {"scheduler": 6.0, "triggerer": 3.0, "dag-processor": 3.0, "api-server": 3.0}
"""Seconds that each component may take to end, in the order in which they are stopped."""


class ComponentEnded(ActionNeededError):
    """A component of Airflow has ended or was killed."""


class Airflow:
    """The four components for one STATE_DIR."""

    def __init__(self, state: Path, environ: dict[str, str], api: AirflowApi) -> None:
        self.state = state
        self.api = api
        self._environ = environ
        self._components: dict[str, SupervisedProcess] = {}
        self._started_at = datetime.now(UTC)

    def migrate_database(self) -> bool:
        """Migrate Airflow's metadata database to the installed version.

        :returns: whether there was anything to do.
        :raises ActionNeededError: if the migration fails.
        """
        marker = self.state / "airflow" / "migrated"
        url = self._environ["AIRFLOW__DATABASE__SQL_ALCHEMY_CONN"]
        if marker.exists() and marker.read_text() == f"{version('apache-airflow-core')} {_get_schema_version(url)}":
            return False
        exit_code, last_output = run_logged("airflow-migrate", [*_AIRFLOW, "db", "migrate"], self._environ, self.state)
        if exit_code != 0:
            raise ActionNeededError(
                f"Airflow's database could not be migrated: {last_output} (log: {self.get_log_path('airflow-migrate')})"
            )
        marker.write_text(f"{version('apache-airflow-core')} {_get_schema_version(url)}")
        return True

    def wait_until_parsed(self, dag_ids: tuple[str, ...], seconds: float) -> None:
        """Wait until the DAG processor, which runs elsewhere, has parsed some DAGs.

        :raises ActionNeededError: if that takes longer than ``seconds``.
        """
        self._wait_for("the DAG processor", lambda: all(self.api.get_dag(dag_id) for dag_id in dag_ids), seconds)

    def start_dag_processing(self, dag_ids: tuple[str, ...]) -> None:
        """Start the API server and the DAG processor, and wait until they have the current ``dag_ids``.

        :raises ActionNeededError: if a component ends, a DAG file cannot be imported, or the wait takes minutes.
        """
        self._start_component("api-server")
        self._start_component("dag-processor")
        self._wait_for("the API server", lambda: self.api.get_health().get("metadatabase") == "healthy")
        self._wait_for("the DAG processor", lambda: all(self._is_dag_parsed(dag_id) for dag_id in dag_ids))

    def start_scheduling(self) -> None:
        """Start the scheduler and the triggerer, and wait until tasks can run."""
        self._start_component("scheduler")
        self._start_component("triggerer")
        self._wait_for("the scheduler", lambda: self.api.get_health().get("scheduler") == "healthy")

    def check_components(self) -> None:
        """Raise ComponentEnded if a component is not running."""
        for component in self._components.values():
            if not component.is_running():
                raise ComponentEnded(
                    f"{component.display_name} has ended (exit code {component.exit_code}), so everything is stopped. "
                    f"The last line of its log: {component.last_log_line}"
                )

    def restart_if_ended(self) -> str | None:
        """Restart each component that has ended, after ending its children: tasks of a dead scheduler are retried.

        :returns: the messages of all restarts, or None.
        :raises ComponentEnded: if one ends repeatedly.
        """
        messages = [component.restart_if_ended() for component in self._components.values()]
        if any(component.has_given_up for component in self._components.values()):
            self.check_components()
        return " ".join(filter(None, messages)) or None

    @contextmanager
    def explain_errors(self) -> Iterator[None]:
        """Within the context, replace the error of an API that does not respond, if a component has ended.

        :raises ComponentEnded: instead of TryAgainError.
        """
        try:
            yield
        except TryAgainError:
            time.sleep(1)  # a killed process may not have been reaped yet
            self.check_components()
            raise

    def stop(self) -> None:
        """Stop all components, the scheduler first and the API server last; processes of tasks may outlive them."""
        for name in _GRACE_SECONDS:
            if name in self._components:
                self._components.pop(name).stop()

    def get_log_path(self, name: str) -> Path:
        """Return the path of a component's log."""
        return self.state / "logs" / f"{name}.log"

    def _start_component(self, name: str) -> None:
        command = [*_AIRFLOW, name, *COMPONENT_OPTIONS[name]]
        self._components[name] = SupervisedProcess(
            name, f"Airflow's {name}", command, self._environ, self.state, grace_seconds=_GRACE_SECONDS[name]
        )
        self._components[name].start()

    def _wait_for(self, component: str, is_ready: Callable[[], bool], seconds: float = _READY_SECONDS) -> None:
        deadline = time.monotonic() + seconds
        while not is_ready():
            self.check_components()
            if time.monotonic() > deadline:
                errors = self.api.list_import_errors() if self.api.get_health() else []
                raise ActionNeededError(
                    f"Airflow was not ready after {seconds:.0f} s: it still waits for {component}. "
                    + (" ".join(errors) or f"Its logs are in {self.state / 'logs'}.")
                )
            time.sleep(0.25)

    def _is_dag_parsed(self, dag_id: str) -> bool:
        dag = self.api.get_dag(dag_id)
        parsed_at = parse_time(dag["last_parsed_time"]) if dag else None
        if parsed_at is None or parsed_at < self._started_at:
            errors = [error for error in self.api.list_import_errors() if f"{dag_id}.py" in error]
            if errors:
                raise ActionNeededError(f"A DAG file cannot be imported: {errors[0]}")
            return False
        return True


def _get_schema_version(url: str) -> str:
    with database.connect(url) as connection:
        if not database.fetch_rows(connection, "select from pg_tables where tablename = 'alembic_version'"):
            return "none"
        return str(database.fetch_rows(connection, "select version_num from alembic_version")[0]["version_num"])
