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

from etl import warehouse
from etl.config import settings
from etl.errors import EtlError
from etl.extract.kaggle import without_secrets
from etl.jobs.spotify import keep_apart
from launch import dag_runs, first_feed, followers, postgres
from launch.airflow_api import AirflowApi, UnfinishedRun
from launch.airflow_parts import Airflow
from launch.console import Screen
from launch.dag_runs import RunResult
from launch.dashboard import Dashboard
from launch.environment import api_port, api_url, dashboard_port, environment, login, state_dir
from launch.jars import resolve_jars
from launch.only_one import only_one
from launch.postgres.use import embedded_server
from launch.preconditions import check_disk, check_kaggle_path, check_port, check_settings, check_warehouse
from launch.processes import end_strays
from launch.report import print_report
from launch.spotify import keep_spotify_pools, who_answers
from launch.stand_in import StandIn, asking_stand_in, is_needed

IMPORT, REFRESH = "kaggle_import", "nightly_refresh"

Mend = Callable[[], str | None]
"""Starts something again where it has ended, and says so."""


class Stopped(BaseException):
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
        signal.signal(number, _stop)
    try:
        with only_one(state_dir()):
            return _run(screen, state_dir(), options.exit)
    except EtlError as error:
        screen.complain(str(error))
        return 1
    except Stopped as stopped:
        screen.say("Stopped.")
        return 128 + stopped.number


def _run(screen: Screen, state: Path, is_exit_wanted: bool) -> int:
    check_disk(state)
    check_settings()
    check_kaggle_path()
    strays = end_strays(state)
    if strays:
        screen.say(f"An earlier start was killed: {strays} of its processes were still there and have been ended.")
    check_port(api_port(), "the web interface", "AIRFLOW__API__PORT")
    if not is_exit_wanted:
        check_port(dashboard_port(), "the dashboard", "DASHBOARD_PORT")
    shutil.rmtree(state / "spark", ignore_errors=True)
    with ExitStack() as stack:
        with screen.step("PostgreSQL"):
            server = stack.enter_context(embedded_server(state)) if _is_embedded_needed() else None
            environ = environment(state, server)
            check_warehouse(environ["WAREHOUSE_URL"])
        stand_in = _stand_in(screen, stack, state, environ) if is_needed(environ) else None
        if stand_in is not None:
            environ = asking_stand_in(environ, stand_in.url)
        keep_apart(settings(environ))
        with screen.step("Spark's jars"):
            resolve_jars(state, environ)
        airflow = Airflow(state, environ, AirflowApi(api_url(), *login(state)))
        stack.callback(_end, screen, airflow)
        others = [stand_in.mend] if stand_in is not None else []
        if server is not None:
            others.append(partial(postgres.bound_log, state))
        check = partial(_keep_up, screen, others, airflow.check)
        with airflow.explained():
            _start(screen, airflow, environ)
            if not is_exit_wanted:
                others.append(_dashboard(screen, stack, state, environ).mend)
            earlier = followers.known_runs(airflow.api)
            imported, refreshed = _import_and_refresh(screen, airflow, environ, check)
            wait = partial(_wait, screen, airflow.api, check)
            made = _make_up_listeners(screen, airflow.api, environ, wait) if refreshed.is_good() else []
            followed = followers.follow(airflow.api, earlier, wait, screen.say)
        written = _written(airflow.api, refreshed, followed)
        url, results = environ["WAREHOUSE_URL"], [imported, refreshed, *made, *followed]
        answering = who_answers(state, environ)
        print_report(screen, url, results, written, login(state), answering, is_staying=not is_exit_wanted)
        screen.say(f"Logs           {state / 'logs'}, of tasks {state / 'airflow' / 'logs'}\n")
        if is_exit_wanted:
            has_imported = imported.is_good() or imported.has_done("import_file")
            return 0 if has_imported and all(one.is_good() for one in results[1:]) else 1
        # The database first: parts of Airflow end where they have none.
        database = [partial(postgres.mend, server)] if server is not None else []
        _stay(screen, partial(_keep_up, screen, [*database, *others, airflow.mend]))
    return 0


def _stand_in(screen: Screen, stack: ExitStack, state: Path, environ: dict[str, str]) -> StandIn:
    with screen.step("Stand-in for Spotify's API"):
        stand_in = StandIn(state, environ)
        stack.callback(stand_in.stop)
    return stand_in


def _dashboard(screen: Screen, stack: ExitStack, state: Path, environ: dict[str, str]) -> Dashboard:
    with screen.step("Dashboard"):
        dashboard = Dashboard(state, environ, dashboard_port())
        stack.callback(dashboard.stop)
    return dashboard


def _keep_up(screen: Screen, mends: list[Mend], check: Callable[[], None] = lambda: None) -> None:
    """Start again what has ended.

    :param check: raises where something has ended that is not started again now.
    """
    check()
    for news in filter(None, (mend() for mend in mends)):
        screen.say(news)


def _start(screen: Screen, airflow: Airflow, environ: dict[str, str]) -> None:
    from etl.load.migrate import migrate  # SQLAlchemy's migrations are slow to load

    with screen.step("Tables of the warehouse"):
        migrate(environ["WAREHOUSE_URL"])
    with screen.step("Tables of Airflow"):
        airflow.migrate()
    with screen.step("Airflow: API server and DAG processor"):
        airflow.start_reading((IMPORT, REFRESH))
        keep_spotify_pools(airflow.api, environ)
    # Before the scheduler can start what is due: the refresh is to come once, and after the import.
    airflow.api.pause(REFRESH, True)
    airflow.api.pause(IMPORT, False)
    cut_short = airflow.api.end_unfinished_runs(partial(_record_cut_short, environ["WAREHOUSE_URL"]))
    with screen.step("Airflow: scheduler and triggerer"):
        airflow.start_running()
    if cut_short:
        screen.say(f"{cut_short} DAG runs were cut short by the end of an earlier start; they are marked as failed.")


def _record_cut_short(url: str, runs: list[UnfinishedRun]) -> None:
    with warehouse.connect(url) as connection:
        for run in runs:
            warehouse.record_failed_run(connection, run.audit_id, run.dag_id, run.started_at, warehouse.CUT_SHORT)


def _import_and_refresh(
    screen: Screen, airflow: Airflow, environ: dict[str, str], check: Callable[[], None]
) -> tuple[RunResult, RunResult]:
    path = environ.get("KAGGLE_PATH")
    # Tasks know KAGGLE_PATH; in a form Airflow would keep what is secret in an address.
    conf = {"path": None, "format": None, "refresh": False}
    told = without_secrets(path) if path else "the made-up catalogue (KAGGLE_PATH names no files)"
    screen.say(f"Importing {told}")
    imported = _wait(screen, airflow.api, check, IMPORT, airflow.api.trigger(IMPORT, conf))
    screen.say("Refreshing the warehouse")
    refreshed = _wait(screen, airflow.api, check, REFRESH, dag_runs.refresh(airflow.api, REFRESH))
    return imported, refreshed


def _make_up_listeners(
    screen: Screen, api: AirflowApi, environ: dict[str, str], wait: followers.Wait
) -> list[RunResult]:
    listeners = settings(environ).simulated_listeners
    if not first_feed.is_wanted(listeners, environ["WAREHOUSE_URL"]):
        return []
    screen.say(f"Making up {listeners} listeners and what they do")
    form = {"users": listeners, "hours": first_feed.HOURS}
    return [wait(first_feed.SIMULATE, api.trigger(first_feed.SIMULATE, form))]


def _written(api: AirflowApi, refreshed: RunResult, followed: list[RunResult]) -> dict[str, int]:
    """Rows that this start has written, by table."""
    loads = [api.result(followers.LOAD, one.run_id, "load_events") for one in followed if one.dag_id == followers.LOAD]
    events = {table: sum(load.get(table, 0) for load in loads) for load in loads for table in load}
    return api.result(REFRESH, refreshed.run_id, "load_catalogue") | events


def _wait(screen: Screen, api: AirflowApi, check: Callable[[], None], dag_id: str, run_id: str) -> RunResult:
    with screen.step(dag_id, has_spinner=False) as step:
        result = dag_runs.wait(screen, api, dag_id, run_id, check)
        step.is_good = result.is_good()
    return result


def _stay(screen: Screen, keep_up: Callable[[], None]) -> None:
    screen.say(f"{api_url()} stays up until Ctrl-C.")
    try:
        while True:
            keep_up()
            time.sleep(1)
    except Stopped:
        return


def _end(screen: Screen, airflow: Airflow) -> None:
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    with screen.step("Everything stopped"):
        airflow.stop()


def _stop(number: int, _frame: FrameType | None) -> None:
    raise Stopped(number)


def _is_embedded_needed() -> bool:
    return not (os.environ.get("WAREHOUSE_URL") and os.environ.get("AIRFLOW__DATABASE__SQL_ALCHEMY_CONN"))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
