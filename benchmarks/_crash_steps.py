"""The steps that the crash benchmark kills, each as a task runs it: ``python -m benchmarks._crash_steps NAME``. Without
a name it stays, runs what it reads names of, line by line, and keeps one Spark session for all.

STATE_DIR, WAREHOUSE_URL and where the stand-in is come from the environment, as everywhere. CRASH_NOW is the moment at
which everything is received and asked, so that a fetch that is tried again tells the same; CRASH_EXPORT is the account
export that is imported.
"""

import logging
import os
import sys
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial

from pyspark.sql import SparkSession

import etl.spark
from etl import warehouse
from etl.config import Settings, settings
from etl.errors import EtlError
from etl.extract.spotify.api import Api
from etl.jobs import (
    account_export,
    events,
    feed,
    forget,
    kaggle,
    marts,
    recently_played,
    refresh,
    spotify,
    stand_in,
)
from etl.simulate.listeners.feed import SPARK_OPTIONS
from etl.simulate.spotify_api.playlists import account
from etl.spark import session

EXPORTED_USER = "exported"
ENDED = "== ended with"
REFRESH, EVENTS, MORE_EVENTS = "nightly_refresh.crash", "load_events.crash", "load_events.crash_again"
_FEED = {
    "users": 20,
    "hours": 48.0,
    **dict.fromkeys(("duplicate", "late", "disorder", "unknown_track", "broken"), 0.02),
}
PROCESS, FAMILY, JVM, WORKER = "the process", "the process and its children", "Spark's JVM", "a Python worker"
BACKEND, SERVER, STAND_IN = "a PostgreSQL backend", "PostgreSQL", "the stand-in"
_ITSELF = (PROCESS, FAMILY)
_DATABASE = (*_ITSELF, BACKEND, SERVER)
_ASKING = (*_DATABASE, STAND_IN)
_SPARK = (*_DATABASE, JVM)
VICTIMS = (*_ASKING, JVM, WORKER)


@dataclass(frozen=True)
class Step:
    """What a step does, and what may be killed under it."""

    run: Callable[[Settings, datetime], object]
    victims: tuple[str, ...]


def _import_files(chosen: Settings, now: datetime) -> None:
    for path in kaggle.find_files(None, chosen):
        kaggle.import_file(path, None, chosen, "kaggle_import.crash", now)


def _ask(chosen: Settings, now: datetime, ask: Callable[[str], object]) -> None:
    spotify.Api = recently_played.Api = partial(Api, clock=lambda: now)  # type: ignore[assignment, misc]
    for name in spotify.choose_accounts(now.date(), chosen):
        ask(name)


def _fetch_accounts(chosen: Settings, now: datetime) -> None:
    _ask(chosen, now, lambda name: spotify.fetch_account(name, REFRESH, chosen, is_last_try=False))


def _fetch_catalogue(chosen: Settings, now: datetime) -> None:
    spotify.Api = partial(Api, clock=lambda: now)  # type: ignore[assignment, misc]
    spotify.fetch_catalogue(REFRESH, now.date(), chosen, is_last_try=False)


def _fetch_plays(chosen: Settings, now: datetime) -> None:
    _ask(chosen, now, lambda name: recently_played.fetch_plays(name, "recently_played.crash", chosen, False))


def _plan_refresh(chosen: Settings, now: datetime) -> None:
    refresh.plan_refresh(REFRESH, "nightly_refresh", now.date(), False, chosen)


def _simulate_feed(chosen: Settings, now: datetime) -> None:
    end = now.replace(hour=0, minute=0, second=0, microsecond=0)
    told = feed.parameters_of({**_FEED, "end": end.isoformat()}, now)
    feed.simulate_feed("simulate_feed.crash", told, now, chosen)


def _import_export(chosen: Settings, now: datetime) -> None:
    account_export.import_export(
        os.environ["CRASH_EXPORT"], EXPORTED_USER, "Europe/Berlin", chosen, now, "account_import.crash"
    )


def _build_marts(run_id: str) -> Callable[[Settings, datetime], object]:
    return lambda chosen, now: marts.build_marts(run_id, marts.TOUCHED, None, chosen)


def _forget(user_id: str, run_id: str) -> Callable[[Settings, datetime], object]:
    return lambda chosen, now: forget.forget_user(user_id, run_id, chosen)


def _forget_listener(chosen: Settings, now: datetime) -> None:
    with warehouse.connect(chosen.warehouse_url) as connection:
        (row,) = warehouse.rows(connection, "select min(population) as population from simulation.listener")
    forget.forget_user(f"madeup-{row['population']}-3", "forget_user.crash_listener", chosen)


def _load_events(run_id: str) -> Callable[[Settings, datetime], object]:
    return lambda chosen, now: events.load_events(run_id, (now - timedelta(days=1)).date(), chosen)


def _plan_events(run_id: str) -> Callable[[Settings, datetime], object]:
    return lambda chosen, now: events.plan_events(run_id, chosen)


STEPS = {
    "import_files": Step(_import_files, _ITSELF),
    "stock_stand_in": Step(lambda chosen, now: stand_in.stock_stand_in(chosen), (*_ITSELF, JVM, WORKER, STAND_IN)),
    "fetch_accounts": Step(_fetch_accounts, _ASKING),
    "fetch_catalogue": Step(_fetch_catalogue, _ASKING),
    "plan_refresh": Step(_plan_refresh, _DATABASE),
    "transform_catalogue": Step(
        lambda chosen, now: refresh.transform_catalogue(REFRESH, chosen), (*_ITSELF, JVM, WORKER)
    ),
    "fit_clusters": Step(lambda chosen, now: refresh.fit_clusters(REFRESH, chosen), _SPARK),
    "load_catalogue": Step(lambda chosen, now: refresh.load_catalogue(REFRESH, chosen), (*_SPARK, WORKER)),
    "simulate_feed": Step(_simulate_feed, (*_SPARK, WORKER)),
    "plan_events": Step(_plan_events(EVENTS), _DATABASE),
    "load_events": Step(_load_events(EVENTS), _SPARK),
    "build_marts": Step(_build_marts("build_marts.crash"), _DATABASE),
    "import_export": Step(_import_export, _ITSELF),
    "fetch_plays": Step(_fetch_plays, _ASKING),
    "plan_more_events": Step(_plan_events(MORE_EVENTS), _DATABASE),
    "load_more_events": Step(_load_events(MORE_EVENTS), _SPARK),
    "build_marts_again": Step(_build_marts("build_marts.crash_again"), _DATABASE),
    "forget_exported": Step(_forget(EXPORTED_USER, "forget_user.crash"), _DATABASE),
    "forget_account": Step(_forget(account(0, stand_in.SEED).account_id, "forget_user.crash_again"), _DATABASE),
    "forget_listener": Step(_forget_listener, _SPARK),
    "build_marts_after": Step(_build_marts("build_marts.crash_after"), _DATABASE),
}
"""In the order in which they run; some of them run without those between them."""


def main(name: str) -> int:
    """Run a step.

    :returns: 0, or 1 where it failed with a sentence, which is then the last line said.
    """
    try:
        STEPS[name].run(settings(), datetime.fromisoformat(os.environ["CRASH_NOW"]))
    except EtlError as error:
        print(f"{type(error).__name__}: {error}", flush=True)
        return 1
    except Exception as error:
        traceback.print_exc()
        print(f"{type(error).__name__}: no sentence", flush=True)
        return 2
    return 0


def stay() -> None:
    """Run the steps that standard input names, and say after each how it ended: ENDED and the exit code."""
    with session(settings(), "steps", SPARK_OPTIONS) as spark:

        @contextmanager
        def shared(*_: object) -> Iterator[SparkSession]:
            yield spark

        for module in (etl.spark, feed, refresh, stand_in):
            module.session = shared  # type: ignore[attr-defined]
        for line in sys.stdin:
            print(ENDED, main(line.strip()), flush=True)


def _main() -> int:
    logging.basicConfig(format="%(message)s", level=logging.INFO, stream=sys.stdout)
    logging.getLogger("py4j").setLevel(logging.WARNING)
    if sys.argv[1:]:
        return main(sys.argv[1])
    stay()
    return 0


if __name__ == "__main__":
    sys.exit(_main())
