"""bin/run: everything up, one import, one refresh, a report; then the web interface until Ctrl-C."""

import argparse
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

from etl import database
from etl.errors import EtlError
from etl.extract.kaggle import remove_secrets
from etl.jobs.spotify import require_single_api
from etl.settings import read_settings
from launch import dag_runs, first_feed, postgres, triggered_runs
from launch.airflow_api import AirflowApi, UnfinishedRun
from launch.airflow_components import Airflow
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
from launch.report import print_report
from launch.spark_jars import resolve_jars
from launch.spotify import describe_api_source, ensure_spotify_pools

IMPORT_DAG, REFRESH_DAG = "kaggle_import", "nightly_refresh"

RestartIfEnded = Callable[[], str | None]
"""Starts something again where it has ended, and says so."""


class StopRequested(BaseException):
    """Somebody asked us to end: Ctrl-C, or a signal."""

    def __init__(self, number: int) -> None:
        self.number = number


def main(arguments: list[str]) -> int:
    """Run the product.

    :returns: 0 where the refresh was published or there was nothing new, and all that it started ended well; else 1;
        128 and the signal's number where it was stopped before that was known.
    """
    parser = argparse.ArgumentParser(prog="bin/run", description=__doc__)
    parser.add_argument("--exit", action="store_true", help="stop everything after the report")
    options = parser.parse_args(arguments)
    screen = Screen()
    logging.getLogger("urllib3").setLevel(logging.ERROR)  # it would tell the screen of each retry
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _raise_stop)
    try:
        with lock_instance(get_state_dir()):
            return _run_product(screen, get_state_dir(), options.exit)
    except EtlError as error:
        screen.print_error(str(error))
        return 1
    except StopRequested as stopped:
        screen.print_line("Stopped.")
        return 128 + stopped.number


def _run_product(screen: Screen, state: Path, is_exit_requested: bool) -> int:
    check_disk(state)
    check_settings()
    check_kaggle_path()
    orphan_count = end_orphaned_processes(state)
    if orphan_count:
        screen.print_line(
            f"An earlier start was killed: {orphan_count} of its processes were still there and have been ended."
        )
    check_port(get_api_port(), "the web interface", "AIRFLOW__API__PORT")
    if not is_exit_requested:
        check_port(get_dashboard_port(), "the dashboard", "DASHBOARD_PORT")
    shutil.rmtree(state / "spark", ignore_errors=True)
    with ExitStack() as stack:
        with screen.show_step("PostgreSQL"):
            server = stack.enter_context(run_embedded_server(state)) if _is_embedded_server_needed() else None
            environ = build_environment(state, server)
            check_warehouse(environ["WAREHOUSE_URL"])
        mock_api = _start_mock_api(screen, stack, state, environ) if is_mock_api_needed(environ) else None
        if mock_api is not None:
            environ = set_mock_api_variables(environ, mock_api.url)
        require_single_api(read_settings(environ))
        with screen.show_step("Spark's jars"):
            resolve_jars(state, environ)
        airflow = Airflow(state, environ, AirflowApi(get_api_url(), *get_web_login(state)))
        stack.callback(_stop_airflow, screen, airflow)
        restarts = [mock_api.restart_if_ended] if mock_api is not None else []
        if server is not None:
            restarts.append(partial(postgres.truncate_log, state))
        check_services = partial(_check_and_restart, screen, restarts, airflow.check_components)
        with airflow.explain_errors():
            _start_airflow(screen, airflow, environ)
            if not is_exit_requested:
                restarts.append(_start_dashboard(screen, stack, state, environ).restart_if_ended)
            earlier_runs = triggered_runs.list_known_runs(airflow.api)
            import_result, refresh_result = _import_and_refresh(screen, airflow, environ, check_services)
            wait_for_run = partial(_wait_for_run, screen, airflow.api, check_services)
            simulated = (
                _simulate_listeners(screen, airflow.api, environ, wait_for_run)
                if refresh_result.is_successful()
                else []
            )
            triggered = triggered_runs.wait_for_triggered_runs(
                airflow.api, earlier_runs, wait_for_run, screen.print_line
            )
        written_rows = _count_written_rows(airflow.api, refresh_result, triggered)
        url, results = environ["WAREHOUSE_URL"], [import_result, refresh_result, *simulated, *triggered]
        api_message = describe_api_source(state, environ)
        print_report(
            screen, url, results, written_rows, get_web_login(state), api_message, is_staying_up=not is_exit_requested
        )
        screen.print_line(f"Logs           {state / 'logs'}, of tasks {state / 'airflow' / 'logs'}\n")
        if is_exit_requested:
            has_imported = import_result.is_successful() or import_result.has_succeeded("import_file")
            return 0 if has_imported and all(result.is_successful() for result in results[1:]) else 1
        # The database first: parts of Airflow end where they have none.
        database_restarts = [partial(postgres.restart_if_ended, server)] if server is not None else []
        _wait_until_stopped(
            screen, partial(_check_and_restart, screen, [*database_restarts, *restarts, airflow.restart_if_ended])
        )
    return 0


def _start_mock_api(screen: Screen, stack: ExitStack, state: Path, environ: dict[str, str]) -> MockApi:
    with screen.show_step("Stand-in for Spotify's API"):
        mock_api = MockApi(state, environ)
        stack.callback(mock_api.stop)
    return mock_api


def _start_dashboard(screen: Screen, stack: ExitStack, state: Path, environ: dict[str, str]) -> Dashboard:
    with screen.show_step("Dashboard"):
        dashboard = Dashboard(state, environ, get_dashboard_port())
        stack.callback(dashboard.stop)
    return dashboard


def _check_and_restart(
    screen: Screen, restarts: list[RestartIfEnded], check: Callable[[], None] = lambda: None
) -> None:
    """Start again what has ended.

    :param check: raises where something has ended that is not started again now.
    """
    check()
    for message in filter(None, (restart() for restart in restarts)):
        screen.print_line(message)


def _start_airflow(screen: Screen, airflow: Airflow, environ: dict[str, str]) -> None:
    from etl.load.migrate import migrate_warehouse  # SQLAlchemy's migrations are slow to load

    with screen.show_step("Tables of the warehouse"):
        migrate_warehouse(environ["WAREHOUSE_URL"])
    with screen.show_step("Tables of Airflow"):
        airflow.migrate_database()
    with screen.show_step("Airflow: API server and DAG processor"):
        airflow.start_dag_processing((IMPORT_DAG, REFRESH_DAG))
        ensure_spotify_pools(airflow.api, environ)
    # Before the scheduler can start what is due: the refresh is to come once, and after the import.
    airflow.api.set_paused(REFRESH_DAG, True)
    airflow.api.set_paused(IMPORT_DAG, False)
    interrupted_count = airflow.api.mark_unfinished_runs_failed(
        partial(_record_interrupted_runs, environ["WAREHOUSE_URL"])
    )
    with screen.show_step("Airflow: scheduler and triggerer"):
        airflow.start_scheduling()
    if interrupted_count:
        screen.print_line(
            f"{interrupted_count} DAG runs were cut short by the end of an earlier start; they are marked as failed."
        )


def _record_interrupted_runs(url: str, runs: list[UnfinishedRun]) -> None:
    with database.connect(url) as connection:
        for run in runs:
            database.record_external_failure(
                connection, run.audit_id, run.dag_id, run.started_at, database.INTERRUPTED_MESSAGE
            )


def _import_and_refresh(
    screen: Screen, airflow: Airflow, environ: dict[str, str], check: Callable[[], None]
) -> tuple[RunResult, RunResult]:
    path = environ.get("KAGGLE_PATH")
    # Tasks know KAGGLE_PATH; in a form Airflow would keep what is secret in an address.
    conf = {"path": None, "format": None, "refresh": False}
    source = remove_secrets(path) if path else "the made-up catalogue (KAGGLE_PATH names no files)"
    screen.print_line(f"Importing {source}")
    import_result = _wait_for_run(screen, airflow.api, check, IMPORT_DAG, airflow.api.start_run(IMPORT_DAG, conf))
    screen.print_line("Refreshing the warehouse")
    refresh_result = _wait_for_run(
        screen, airflow.api, check, REFRESH_DAG, dag_runs.start_scheduled_run(airflow.api, REFRESH_DAG)
    )
    return import_result, refresh_result


def _simulate_listeners(
    screen: Screen, api: AirflowApi, environ: dict[str, str], wait_for_run: triggered_runs.WaitForRun
) -> list[RunResult]:
    listeners = read_settings(environ).simulated_listeners
    if not first_feed.is_feed_wanted(listeners, environ["WAREHOUSE_URL"]):
        return []
    screen.print_line(f"Making up {listeners} listeners and what they do")
    conf = {"users": listeners, "hours": first_feed.FEED_HOURS}
    return [wait_for_run(first_feed.SIMULATION_DAG, api.start_run(first_feed.SIMULATION_DAG, conf))]


def _count_written_rows(api: AirflowApi, refresh_result: RunResult, triggered: list[RunResult]) -> dict[str, int]:
    """Rows that this start has written, by table."""
    loads = [
        api.get_task_counts(triggered_runs.LOAD_DAG, run.run_id, "load_events")
        for run in triggered
        if run.dag_id == triggered_runs.LOAD_DAG
    ]
    events = {table: sum(load.get(table, 0) for load in loads) for load in loads for table in load}
    return api.get_task_counts(REFRESH_DAG, refresh_result.run_id, "load_catalogue") | events


def _wait_for_run(screen: Screen, api: AirflowApi, check: Callable[[], None], dag_id: str, run_id: str) -> RunResult:
    with screen.show_step(dag_id, has_spinner=False) as step:
        result = dag_runs.wait_for_run(screen, api, dag_id, run_id, check)
        step.is_successful = result.is_successful()
    return result


def _wait_until_stopped(screen: Screen, check_services: Callable[[], None]) -> None:
    screen.print_line(f"{get_api_url()} stays up until Ctrl-C.")
    try:
        while True:
            check_services()
            time.sleep(1)
    except StopRequested:
        return


def _stop_airflow(screen: Screen, airflow: Airflow) -> None:
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    with screen.show_step("Everything stopped"):
        airflow.stop()


def _raise_stop(number: int, _frame: FrameType | None) -> None:
    raise StopRequested(number)


def _is_embedded_server_needed() -> bool:
    return not (os.environ.get("WAREHOUSE_URL") and os.environ.get("AIRFLOW__DATABASE__SQL_ALCHEMY_CONN"))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
