"""The steps that the crash campaign kills, each as a task runs it.

    python -m campaigns.crash_runs.steps [NAME]

Without a name the process stays alive, reads names of steps line by line, and runs them with one Spark session.
STATE_DIR, WAREHOUSE_URL and the address of the mock API come from the environment. CRASH_NOW is the time of all
receipts and requests, so that a repeated fetch has the same result; CRASH_EXPORT is the account export that the steps
import.
"""

import logging
import os
import sys
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial

import etl.engines.spark
from benchmarks._shared_session import share_session
from etl import database
from etl.engines.spark import open_session
from etl.errors import EtlError
from etl.extract.spotify.client import ApiClient
from etl.jobs import account_import, erasure, events, kaggle, marts, recently_played, refresh, refresh_plan, spotify
from etl.settings import Settings, read_settings
from simulator.jobs import catalogue_files, feed, mock_api
from simulator.listeners.feed import SPARK_OPTIONS
from simulator.mock_api.playlists import make_account

EXPORTED_USER = "exported"
STEP_ENDED_MARKER = "== ended with"
REFRESH_RUN_ID, EVENTS_RUN_ID, MORE_EVENTS_RUN_ID = (
    "nightly_refresh.crash",
    "load_events.crash",
    "load_events.crash_again",
)
_FEED_FORM = {
    "users": 20,
    "hours": 48.0,
    **dict.fromkeys(("duplicate", "late", "disorder", "unknown_track", "broken"), 0.02),
}
STEP_PROCESS, PROCESS_TREE, SPARK_JVM, PYTHON_WORKER = (
    "the process",
    "the process and its children",
    "Spark's JVM",
    "a Python worker",
)
DATABASE_BACKEND, DATABASE_SERVER, MOCK_API = "a PostgreSQL backend", "PostgreSQL", "the mock API"
_PROCESS_VICTIMS = (STEP_PROCESS, PROCESS_TREE)
_DATABASE_VICTIMS = (*_PROCESS_VICTIMS, DATABASE_BACKEND, DATABASE_SERVER)
_API_VICTIMS = (*_DATABASE_VICTIMS, MOCK_API)
_SPARK_VICTIMS = (*_DATABASE_VICTIMS, SPARK_JVM)
ALL_VICTIMS = (*_API_VICTIMS, SPARK_JVM, PYTHON_WORKER)


@dataclass(frozen=True)
class Step:
    """A step: its function, and the processes that may be killed during it."""

    run: Callable[[Settings, datetime], object]
    victims: tuple[str, ...]


def _import_files(step_settings: Settings, now: datetime) -> None:
    for path in catalogue_files.find_or_write_files(None, step_settings):
        kaggle.import_file(path, None, step_settings, "kaggle_import.crash", now)


def _fetch_each_account(step_settings: Settings, now: datetime, fetch: Callable[[str], object]) -> None:
    spotify.ApiClient = recently_played.ApiClient = partial(ApiClient, clock=lambda: now)  # type: ignore[assignment, misc]
    for name in spotify.choose_accounts(now.date(), step_settings):
        fetch(name)


def _fetch_accounts(step_settings: Settings, now: datetime) -> None:
    _fetch_each_account(
        step_settings, now, lambda name: spotify.fetch_account(name, REFRESH_RUN_ID, step_settings, is_last_try=False)
    )


def _fetch_catalogue(step_settings: Settings, now: datetime) -> None:
    spotify.ApiClient = partial(ApiClient, clock=lambda: now)  # type: ignore[assignment, misc]
    spotify.fetch_catalogue(REFRESH_RUN_ID, now.date(), step_settings, is_last_try=False)


def _fetch_plays(step_settings: Settings, now: datetime) -> None:
    _fetch_each_account(
        step_settings,
        now,
        lambda name: recently_played.fetch_plays(name, "recently_played.crash", step_settings, False),
    )


def _plan_refresh(step_settings: Settings, now: datetime) -> None:
    refresh_plan.plan_refresh(REFRESH_RUN_ID, "nightly_refresh", now.date(), False, step_settings)


def _simulate_feed(step_settings: Settings, now: datetime) -> None:
    end = now.replace(hour=0, minute=0, second=0, microsecond=0)
    parameters = feed.parse_parameters({**_FEED_FORM, "end": end.isoformat()}, now)
    feed.simulate_feed("simulate_feed.crash", parameters, now, step_settings)


def _import_export(step_settings: Settings, now: datetime) -> None:
    account_import.import_export(
        os.environ["CRASH_EXPORT"], EXPORTED_USER, "Europe/Berlin", step_settings, now, "account_import.crash"
    )


def _make_mart_step(run_id: str) -> Callable[[Settings, datetime], object]:
    return lambda step_settings, now: marts.build_marts(run_id, marts.CHANGED, None, step_settings)


def _make_forget_step(user_id: str, run_id: str) -> Callable[[Settings, datetime], object]:
    return lambda step_settings, now: erasure.forget_user(user_id, run_id, step_settings)


def _forget_listener(step_settings: Settings, now: datetime) -> None:
    with database.connect(step_settings.warehouse_url) as connection:
        (row,) = database.fetch_rows(connection, "select min(population) as population from simulation.listener")
    erasure.forget_user(f"madeup-{row['population']}-3", "forget_user.crash_listener", step_settings)


def _make_load_step(run_id: str) -> Callable[[Settings, datetime], object]:
    return lambda step_settings, now: events.load_events(run_id, (now - timedelta(days=1)).date(), step_settings)


def _make_plan_step(run_id: str) -> Callable[[Settings, datetime], object]:
    return lambda step_settings, now: events.plan_events(run_id, step_settings)


STEPS = {
    "import_files": Step(_import_files, _PROCESS_VICTIMS),
    "stock_stand_in": Step(
        lambda step_settings, now: mock_api.seed_mock_api(step_settings),
        (*_PROCESS_VICTIMS, SPARK_JVM, PYTHON_WORKER, MOCK_API),
    ),
    "fetch_accounts": Step(_fetch_accounts, _API_VICTIMS),
    "fetch_catalogue": Step(_fetch_catalogue, _API_VICTIMS),
    "plan_refresh": Step(_plan_refresh, _DATABASE_VICTIMS),
    "transform_catalogue": Step(
        lambda step_settings, now: refresh.transform_catalogue(REFRESH_RUN_ID, step_settings),
        (*_PROCESS_VICTIMS, SPARK_JVM, PYTHON_WORKER),
    ),
    "fit_clusters": Step(
        lambda step_settings, now: refresh.fit_clusters(REFRESH_RUN_ID, step_settings), _SPARK_VICTIMS
    ),
    "load_catalogue": Step(
        lambda step_settings, now: refresh.load_catalogue(REFRESH_RUN_ID, step_settings),
        (*_SPARK_VICTIMS, PYTHON_WORKER),
    ),
    "simulate_feed": Step(_simulate_feed, (*_SPARK_VICTIMS, PYTHON_WORKER)),
    "plan_events": Step(_make_plan_step(EVENTS_RUN_ID), _DATABASE_VICTIMS),
    "load_events": Step(_make_load_step(EVENTS_RUN_ID), _SPARK_VICTIMS),
    "build_marts": Step(_make_mart_step("build_marts.crash"), _DATABASE_VICTIMS),
    "import_export": Step(_import_export, _PROCESS_VICTIMS),
    "fetch_plays": Step(_fetch_plays, _API_VICTIMS),
    "plan_more_events": Step(_make_plan_step(MORE_EVENTS_RUN_ID), _DATABASE_VICTIMS),
    "load_more_events": Step(_make_load_step(MORE_EVENTS_RUN_ID), _SPARK_VICTIMS),
    "build_marts_again": Step(_make_mart_step("build_marts.crash_again"), _DATABASE_VICTIMS),
    "forget_exported": Step(_make_forget_step(EXPORTED_USER, "forget_user.crash"), _DATABASE_VICTIMS),
    "forget_account": Step(
        _make_forget_step(make_account(0, mock_api.MOCK_API_SEED).account_id, "forget_user.crash_again"),
        _DATABASE_VICTIMS,
    ),
    "forget_listener": Step(_forget_listener, _SPARK_VICTIMS),
    "build_marts_after": Step(_make_mart_step("build_marts.crash_after"), _DATABASE_VICTIMS),
}
"""The steps in their order; some of them also run without those between them."""


def run_step(name: str) -> int:
    """Run a step.

    :returns: 0, or 1 if it failed with a message, which is then the last line of the output.
    """
    try:
        STEPS[name].run(read_settings(), datetime.fromisoformat(os.environ["CRASH_NOW"]))
    except EtlError as error:
        print(f"{type(error).__name__}: {error}", flush=True)
        return 1
    except Exception as error:
        traceback.print_exc()
        print(f"{type(error).__name__}: no sentence", flush=True)
        return 2
    return 0


def serve_steps() -> None:
    """Run the steps that standard input names, and print ENDED and the exit code after each."""
    with open_session(read_settings(), "steps", SPARK_OPTIONS) as spark:
        share_session(spark, etl.engines.spark, feed, refresh, mock_api)
        for line in sys.stdin:
            print(STEP_ENDED_MARKER, run_step(line.strip()), flush=True)


def main() -> int:
    logging.basicConfig(format="%(message)s", level=logging.INFO, stream=sys.stdout)
    logging.getLogger("py4j").setLevel(logging.WARNING)
    if sys.argv[1:]:
        return run_step(sys.argv[1])
    serve_steps()
    return 0


if __name__ == "__main__":
    sys.exit(main())
