"""Simulated days of refreshes against the mock API, with a warehouse, a lake and a clock of their own.

The clock is pretended: a simulated day is a day later than the one before, and a wait takes no time. All steps of all
simulated days share one Spark session, which is what most of a small simulated day would else be spent on. Where a
folder is given all lies there, and another process goes on with it.
"""

import atexit
import os
import shutil
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from functools import cache, partial
from pathlib import Path
from typing import Any

import requests
from pyspark.sql import SparkSession

import etl.engines.spark
from benchmarks._shared_session import share_session
from etl.engines.spark import open_session
from etl.errors import ActionNeededError, EtlError, MustSignInError, RateLimitedError, TryAgainError
from etl.extract.spotify.app import get_app
from etl.extract.spotify.client import ApiClient
from etl.extract.spotify.http_session import HttpLimits
from etl.extract.spotify.sign_in import sign_in_unattended
from etl.jobs import events, kaggle, refresh, spotify
from etl.jobs.fetch_outcomes import open_accounts
from etl.load.migrate import migrate_warehouse
from etl.settings import CHECKOUT, read_settings
from launch import postgres
from launch.mock_api import run_mock_api as started
from simulator.jobs import catalogue_files, mock_api

MODES = ("development", "extended")
_MAX_TRIES = 3
_MAX_SIGN_IN_TRIES = 50
"""How often all accounts are tried to be signed in; those that are stay so."""
_CLOCK_LEAD = timedelta(days=28)
"""By how much pretended time is ahead, so that simulated days that are gone on with days later still lie in no past."""


@dataclass
class LongestWaits:
    """The longest waits, in seconds: of a worker at once, of one for all pauses that Spotify asked for in a fetch, and
    of a task before it is tried again; and what a try has really taken."""

    worker_s: float = 0.0
    fetch_s: float = 0.0
    task_s: float = 0.0
    real_s: float = 0.0


class RefreshSeries:
    """A warehouse, a lake and a mock API, and one refresh after the other."""

    def __init__(self, state: Path, base: str, url: str, daily_calls: int, limits: HttpLimits) -> None:
        """
        :param calls: what the catalogue may ask a simulated day.
        :param limits: how long a call may last.
        """
        self.base = base
        self.url = url
        self.waits = LongestWaits()
        self.settings = read_settings(
            {
                **os.environ,
                "STATE_DIR": str(state),
                "WAREHOUSE_URL": url,
                "SPOTIPY_CLIENT_ID": "stand-in",
                "SPOTIFY_API_URL": f"{base}/v1/",
                "SPOTIFY_ACCOUNTS_URL": base,
                "IS_STAND_IN": "true",
                "SPOTIFY_DAILY_CALLS": str(daily_calls),
            }
        )
        self._limits = limits
        start_file = state / "began"
        if not start_file.exists():
            start_file.write_text((datetime.now(UTC) + _CLOCK_LEAD).isoformat(), encoding="utf-8")
        self._started_at = self._now = datetime.fromisoformat(start_file.read_text(encoding="utf-8"))
        migrate_warehouse(url)

    def import_files(self, folder: Path | None) -> None:
        """Bring Kaggle's files in, or synthetic ones, and give the mock API what it serves."""
        import_settings = replace(self.settings, kaggle_path=str(folder) if folder else None)
        for file in catalogue_files.find_or_write_files(None, import_settings):
            kaggle.import_file(file, None, import_settings, "import", datetime.now(UTC))
        for tries_left in reversed(range(_MAX_SIGN_IN_TRIES)):
            try:
                mock_api.seed_mock_api(self.settings)
                return
            except (TryAgainError, ActionNeededError):  # a fault may meet a sign-in, and a code is taken but once
                if not tries_left:
                    raise

    def fetch_day(self, day: int, calls: int | None = None) -> dict[str, Counter[str]]:
        """Ask all accounts and the catalogue, each up to three times; who must sign in again then does.

        :param calls: what the catalogue may ask tonight, where that is another number than on other simulated days.
        :returns: good and rejected calls by endpoint, as the mock API counted them.
        """
        requests.put(f"{self.base}/stand-in/night", json={"number": day}, timeout=60)
        requests.delete(f"{self.base}/stand-in/calls", timeout=60)
        self._now = self._started_at + timedelta(days=day)
        fetch_settings = self.settings if calls is None else replace(self.settings, spotify_daily_calls=calls)
        run_id = _make_run_id(day)
        for name in spotify.choose_accounts(self._get_date(day), fetch_settings):
            self._try_step(partial(spotify.fetch_account, name, run_id, fetch_settings), name)
        self._try_step(
            lambda is_last_try: spotify.fetch_catalogue(run_id, self._get_date(day), fetch_settings, is_last_try)
        )
        call_counts = requests.get(f"{self.base}/stand-in/calls", timeout=60).json()
        return {endpoint: Counter(statuses) for endpoint, statuses in call_counts.items()}

    def read_injected_faults(self) -> Counter[str]:
        """The faults that the mock API made in the last fetch, by kind."""
        return Counter(requests.get(f"{self.base}/stand-in/faults", timeout=60).json())

    def publish_day(self, day: int) -> None:
        """Publish what was fetched."""
        run_id = _make_run_id(day)
        if refresh.plan_refresh(run_id, "benchmark", self._get_date(day), False, self.settings):
            refresh.transform_catalogue(run_id, self.settings)
            refresh.fit_clusters(run_id, self.settings)
            refresh.load_catalogue(run_id, self.settings)

    def load_events(self, day: int) -> None:
        """Publish what the accounts have saved and whom they follow, as far as it was fetched."""
        run_id = f"events.{day}"
        if events.plan_events(run_id, self.settings):
            events.load_events(run_id, self._get_date(day), self.settings)

    def _try_step(self, step: Callable[..., Any], name: str | None = None) -> None:
        for number in range(1, _MAX_TRIES + 1):
            apis: list[ApiClient] = []
            spotify.ApiClient = partial(self._make_api, apis)  # type: ignore[assignment, misc]
            began = time.monotonic()
            try:
                step(is_last_try=number == _MAX_TRIES)
                return
            except MustSignInError:
                if name:
                    self._sign_in_account(name)
                return
            except ActionNeededError as error:
                print(f"  {error}", flush=True)
                return
            except RateLimitedError as error:
                self.waits.task_s = max(self.waits.task_s, error.retry_after_s)
                self._now += timedelta(seconds=error.retry_after_s)
            except EtlError as error:
                print(f"  {name or 'the catalogue'}, try {number}: {type(error).__name__}: {error}", flush=True)
            finally:
                self.waits.real_s = max(self.waits.real_s, time.monotonic() - began)
                self.waits.fetch_s = max([self.waits.fetch_s, *(api._http_client.waited_s for api in apis)])

    def _make_api(self, apis: list[ApiClient], *args: Any, **options: Any) -> ApiClient:
        apis.append(
            ApiClient(*args, **options, limits=self._limits, clock=lambda: self._now, sleep=self._advance_clock)
        )
        return apis[-1]

    def _sign_in_account(self, name: str) -> None:
        """What the person of an account does on the day after; faults may meet this, too."""
        for _ in range(_MAX_TRIES):
            try:
                sign_in_unattended(get_app(self.settings), name, open_accounts(self.settings), lambda: self._now)
                return
            except EtlError as error:
                print(f"  {error}", flush=True)

    def _advance_clock(self, seconds: float) -> None:
        self.waits.worker_s = max(self.waits.worker_s, seconds)
        self._now += timedelta(seconds=seconds)

    def _get_date(self, day: int) -> date:
        return (self._started_at + timedelta(days=day)).date()


@contextmanager
def open_refresh_series(
    mode: str,
    scenario: str,
    daily_calls: int,
    account_count: int = mock_api.MOCK_ACCOUNT_COUNT,
    limits: HttpLimits | None = None,
    folder: Path | None = None,
) -> Iterator[RefreshSeries]:
    """Open a ``RefreshSeries`` against a mock API of a mode and a scenario.

    :param folder: where all that they write stays; else it is gone after them.
    """
    with ExitStack() as stack:
        state = folder or _create_process_folder()
        state.mkdir(parents=True, exist_ok=True)
        (state / "scenario.toml").write_text(scenario, encoding="utf-8")
        if not folder:
            stack.callback(postgres.remove_servers, state)
        server = postgres.start_server(state)
        if folder:
            stack.callback(postgres.stop_server, server)
        environ = {
            **os.environ,
            "STATE_DIR": str(state),
            "AIRFLOW_HOME": str(state),
            "CHECKOUT": str(CHECKOUT),
            "PYTHONPATH": str(CHECKOUT),
            "STAND_IN_MODE": mode,
            "STAND_IN_SCENARIO": str(state / "scenario.toml"),
        }
        base = stack.enter_context(started(state, environ))
        series = RefreshSeries(
            state, base, server.build_url("loader", "warehouse"), daily_calls, limits or HttpLimits()
        )
        share_session(_get_spark(), etl.engines.spark, refresh, mock_api)
        mock_api.MOCK_ACCOUNT_COUNT = account_count
        yield series


@cache
def _get_spark() -> SparkSession:
    """The one session of the process, which ends with it."""
    # Many small plans, each run once: to compile them well costs more than it brings.
    os.environ.setdefault("JAVA_TOOL_OPTIONS", "-XX:TieredStopAtLevel=1")
    stack = ExitStack()
    spark_settings = read_settings(
        {**os.environ, "STATE_DIR": str(_create_process_folder()), "WAREHOUSE_URL": "postgresql://127.0.0.1/none"}
    )
    spark = stack.enter_context(open_session(spark_settings, "benchmark", {"spark.sql.shuffle.partitions": "2"}))
    atexit.register(stack.close)
    return spark


def _create_process_folder() -> Path:
    """A folder until the process ends: Spark keeps its scratch from its first session to its last."""
    name = tempfile.mkdtemp()
    atexit.register(shutil.rmtree, name, ignore_errors=True)
    return Path(name)


def _make_run_id(day: int) -> str:
    return f"night.{day}"
