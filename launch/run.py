"""bin/run: start everything, import, refresh, print a report; then keep the web interface up until Ctrl-C."""

import logging
import os
import shutil
import signal
import sys
import time
from collections.abc import Callable
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from types import FrameType
from typing import Annotated

import typer

from etl.extract.source_files import remove_secrets
from etl.jobs.spotify import require_single_api
from etl.settings import read_settings
from launch import dag_runs, postgres, triggered_runs
from launch.airflow_api import AirflowApi
from launch.airflow_components import Airflow
from launch.audit import has_feed_or_export, record_interrupted_runs
from launch.command_line import run_command
from launch.console import Screen
from launch.dag_runs import RunResult
from launch.dashboard import Dashboard
from launch.environment import (
    build_environment,
    get_api_port,
    get_api_url,
    get_dashboard_port,
    get_state_dir,
    get_web_login,
)
from launch.instance_lock import lock_instance
from launch.mock_api import MockApi, is_mock_api_needed, set_mock_api_variables
from launch.postgres.shared_server import run_embedded_server
from launch.preconditions import check_disk, check_kaggle_path, check_port, check_settings, check_warehouse
from launch.processes import end_orphaned_processes
from launch.report.start_report import print_report
from launch.spark_jars import resolve_jars
from launch.spotify import describe_api_source, ensure_spotify_pools
from launch.streams import Streams

IMPORT_DAG, REFRESH_DAG, SIMULATION_DAG = "kaggle_import", "nightly_refresh", "simulate_feed"
FEED_DAYS = 365
"""How long bin/run simulates listeners at a first start."""
_STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)

RestartIfEnded = Callable[[], str | None]
"""Restarts a process that has ended, and returns a message if it did."""


class StopRequested(BaseException):
    """The operator has asked bin/run to stop, by Ctrl-C or a signal."""

    def __init__(self, number: int) -> None:
        self.number = number


def main(arguments: list[str]) -> int:
    """Run bin/run; return its exit code."""
    return run_command("run", run_product, arguments)


def run_product(
    is_exit_requested: Annotated[bool, typer.Option("--exit", help="Stop everything after the report.")] = False,
    has_streams: Annotated[
        bool,
        typer.Option("--streams", envvar="STREAMS", help="Start Kafka, its landing and the live tables, too."),
    ] = False,
) -> int:
    """Start everything, import KAGGLE_PATH, run the nightly refresh and print a report.

    The web interface then stays up until Ctrl-C. With --exit, the exit code is 0 if the refresh was published or there
    was nothing new, and all started runs succeeded; else 1.
    """
    screen = Screen()
    logging.getLogger("urllib3").setLevel(logging.ERROR)  # it would print each retry
    for number in _STOP_SIGNALS:
        signal.signal(number, _raise_stop)
    try:
        with lock_instance(get_state_dir()), ExitStack() as stack:
            return ProductStart(screen, get_state_dir(), stack, is_exit_requested, has_streams).run()
    except StopRequested as stopped:
        screen.print_line("Stopped.")
        return 128 + stopped.number


class ProductStart:
    """One start of the product: the running processes, and their restart if they end."""

    def __init__(
        self, screen: Screen, state: Path, stack: ExitStack, is_exit_requested: bool, has_streams: bool
    ) -> None:
        """Prepare a start; nothing runs yet.

        :param stack: stops the started processes at its end, the last one first.
        """
        self._screen, self._state, self._stack = screen, state, stack
        self._is_exit_requested, self._has_streams = is_exit_requested, has_streams
        self._streams: Streams | None = None
        self._restarts: list[RestartIfEnded] = []

    def run(self) -> int:
        """Start everything, do the runs and print the report; return the exit code."""
        self._check_preconditions()
        self._start_services()
        with self._airflow.explain_errors():
            self._start_airflow()
            if not self._is_exit_requested:
                self._start_dashboard()
            results, written_rows = self._do_runs()
        print_report(
            self._screen,
            self._environ["WAREHOUSE_URL"],
            results,
            written_rows,
            get_web_login(self._state),
            describe_api_source(self._state, self._environ),
            is_staying_up=not self._is_exit_requested,
        )
        if self._streams is not None and not self._is_exit_requested:
            self._streams.print_address()
        logs, task_logs = self._state / "logs", self._state / "airflow" / "logs"
        self._screen.print_line(f"Logs           {logs}, of tasks {task_logs}\n")
        if self._is_exit_requested:
            has_imported = results[0].is_successful() or results[0].has_succeeded("import_file")
            return 0 if has_imported and all(result.is_successful() for result in results[1:]) else 1
        self._wait_until_stopped()
        return 0

    def _check_preconditions(self) -> None:
        check_disk(self._state)
        check_settings()
        check_kaggle_path()
        orphan_count = end_orphaned_processes(self._state)
        if orphan_count:
            self._screen.print_line(f"An earlier start was killed: {orphan_count} of its processes were ended.")
        check_port(get_api_port(), "the web interface", "AIRFLOW__API__PORT")
        if not self._is_exit_requested:
            check_port(get_dashboard_port(), "the dashboard", "DASHBOARD_PORT")
        shutil.rmtree(self._state / "spark", ignore_errors=True)

    def _start_services(self) -> None:
        """Start PostgreSQL and the mock API as needed, fetch Spark's jars, and prepare Airflow."""
        with self._screen.show_step("PostgreSQL"):
            is_embedded = _is_embedded_server_needed()
            self._server = self._stack.enter_context(run_embedded_server(self._state)) if is_embedded else None
            self._environ = build_environment(self._state, self._server)
            check_warehouse(self._environ["WAREHOUSE_URL"])
        if is_mock_api_needed(self._environ):
            self._start_mock_api()
        require_single_api(read_settings(self._environ))
        with self._screen.show_step("Spark's jars"):
            resolve_jars(self._state, self._environ)
        if self._server is not None:
            self._restarts.append(partial(postgres.truncate_log, self._state))
        if self._has_streams:
            self._start_kafka()
        self._airflow = Airflow(self._state, self._environ, AirflowApi(get_api_url(), *get_web_login(self._state)))
        self._stack.callback(self._stop_everything)

    def _start_mock_api(self) -> None:
        with self._screen.show_step("Mock Spotify API"):
            mock_api = MockApi(self._state, self._environ)
            self._stack.callback(mock_api.stop)
        self._restarts.append(mock_api.restart_if_ended)
        self._environ = set_mock_api_variables(self._environ, mock_api.url)

    def _start_kafka(self) -> None:
        self._streams = Streams(self._screen, self._state, self._environ)
        self._stack.callback(self._streams.stop)
        self._streams.start_kafka()
        self._environ = self._streams.environ

    def _start_dashboard(self) -> None:
        with self._screen.show_step("Dashboard"):
            dashboard = Dashboard(self._state, self._environ, get_dashboard_port())
            self._stack.callback(dashboard.stop)
        self._restarts.append(dashboard.restart_if_ended)

    def _start_airflow(self) -> None:
        from etl.load.migrate import migrate_warehouse  # Alembic is slow to import

        screen, airflow, url = self._screen, self._airflow, self._environ["WAREHOUSE_URL"]
        with screen.show_step("Tables of the warehouse"):
            migrate_warehouse(url)
        if self._streams is not None:
            self._streams.start_processes()
            self._restarts.extend(self._streams.restarts)
        with screen.show_step("Tables of Airflow"):
            airflow.migrate_database()
        with screen.show_step("Airflow: API server and DAG processor"):
            airflow.start_dag_processing((IMPORT_DAG, REFRESH_DAG))
            ensure_spotify_pools(airflow.api, self._environ)
        # Before the scheduler starts a refresh that is due: there is to be one refresh, after the import.
        airflow.api.set_paused(REFRESH_DAG, True)
        airflow.api.set_paused(IMPORT_DAG, False)
        interrupted_count = airflow.api.mark_unfinished_runs_failed(partial(record_interrupted_runs, url))
        with screen.show_step("Airflow: scheduler and triggerer"):
            airflow.start_scheduling()
        if interrupted_count:
            screen.print_line(f"{interrupted_count} interrupted DAG runs of an earlier start were marked as failed.")

    def _do_runs(self) -> tuple[list[RunResult], dict[str, int]]:
        """Import, refresh and simulate listeners, and wait for the runs that Airflow triggers.

        :returns: the results, first those of the import and the refresh; and the rows written, by table.
        """
        api, url = self._airflow.api, self._environ["WAREHOUSE_URL"]
        earlier_runs = triggered_runs.list_known_runs(api)
        path = self._environ.get("KAGGLE_PATH")
        source = remove_secrets(path) if path else "the synthetic catalogue (KAGGLE_PATH is not set)"
        self._screen.print_line(f"Importing {source}")
        # Tasks read KAGGLE_PATH from their environment: Airflow would store a secret in a form's URL.
        conf = {"path": None, "format": None, "refresh": False}
        import_result = self._wait_for_run(IMPORT_DAG, api.start_run(IMPORT_DAG, conf))
        self._screen.print_line("Refreshing the warehouse")
        refresh_result = self._wait_for_run(REFRESH_DAG, dag_runs.start_scheduled_run(api, REFRESH_DAG))
        results = [import_result, refresh_result]
        listeners = read_settings(self._environ).simulated_listeners
        if refresh_result.is_successful() and listeners > 0 and not has_feed_or_export(url):
            self._screen.print_line(f"Simulating a year of {listeners} listeners")
            run_id = api.start_run(SIMULATION_DAG, {"users": listeners, "hours": FEED_DAYS * 24})
            results.append(self._wait_for_run(SIMULATION_DAG, run_id))
        triggered = triggered_runs.wait_for_triggered_runs(
            api, earlier_runs, self._wait_for_run, self._screen.print_line
        )
        return [*results, *triggered], _count_written_rows(api, refresh_result, triggered)

    def _wait_for_run(self, dag_id: str, run_id: str) -> RunResult:
        with self._screen.show_step(dag_id, has_spinner=False) as step:
            result = dag_runs.wait_for_run(self._screen, self._airflow.api, dag_id, run_id, self._check_services)
            step.is_successful, step.seconds = result.is_successful(), result.seconds
        return result

    def _check_services(self) -> None:
        """Raise an error if a part of Airflow has ended, and restart everything else that has ended."""
        self._airflow.check_components()
        self._restart_ended(self._restarts)

    def _restart_ended(self, restarts: list[RestartIfEnded]) -> None:
        for message in filter(None, (restart() for restart in restarts)):
            self._screen.print_line(message)

    def _wait_until_stopped(self) -> None:
        # The database first: parts of Airflow end without one.
        database_restarts = [partial(postgres.restart_if_ended, self._server)] if self._server is not None else []
        self._screen.print_line(f"{get_api_url()} stays up until Ctrl-C.")
        try:
            while True:
                self._restart_ended([*database_restarts, *self._restarts, self._airflow.restart_if_ended])
                time.sleep(1)
        except StopRequested:
            return

    def _stop_everything(self) -> None:
        for number in _STOP_SIGNALS:
            signal.signal(number, signal.SIG_IGN)
        with self._screen.show_step("Everything stopped"):
            self._airflow.stop()
            if self._streams is not None:
                self._streams.stop()
            end_orphaned_processes(self._state)


def _count_written_rows(api: AirflowApi, refresh_result: RunResult, triggered: list[RunResult]) -> dict[str, int]:
    """Return the rows that this start has written, by table."""
    loads = [
        api.get_task_counts(triggered_runs.LOAD_DAG, run.run_id, "load_events")
        for run in triggered
        if run.dag_id == triggered_runs.LOAD_DAG
    ]
    events = {table: sum(load.get(table, 0) for load in loads) for load in loads for table in load}
    return api.get_task_counts(REFRESH_DAG, refresh_result.run_id, "load_catalogue") | events


def _raise_stop(number: int, _frame: FrameType | None) -> None:
    raise StopRequested(number)


def _is_embedded_server_needed() -> bool:
    return not (os.environ.get("WAREHOUSE_URL") and os.environ.get("AIRFLOW__DATABASE__SQL_ALCHEMY_CONN"))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
