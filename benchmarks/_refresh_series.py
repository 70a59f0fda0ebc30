"""Simulated days of refreshes against the mock API, with their own warehouse, lake and clock.

The clock is simulated: a simulated day is a day later than the one before, and a wait takes no time. All steps of all
simulated days share one Spark session, whose start would take most of a small day's time. With a folder, all state is
stored there, and another process can continue the series.
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
from etl.jobs import events, kaggle, refresh, refresh_plan, spotify
from etl.jobs.fetch_outcomes import open_accounts
from etl.load.migrate import migrate_warehouse
from etl.settings import CHECKOUT, read_settings
from launch import postgres
from launch.mock_api import run_mock_api as started
from launch.spark_jars import link_jars
from simulator.jobs import catalogue_files, mock_api

MODES = ("development", "extended")
_MAX_TRIES = 3
_MAX_SIGN_IN_TRIES = 50
"""The maximum number of sign-in attempts of all accounts; an account that has signed in stays signed in."""
_CLOCK_LEAD = timedelta(days=28)
"""The lead of the simulated clock, so that days that continue a series days later do not lie in the past."""


@dataclass
class LongestWaits:
    """The longest waits in seconds: a worker's single wait, a worker's pauses in one fetch that Spotify requested, and
    the wait before a task's retry; and the longest real duration of an attempt."""

    worker_s: float = 0.0
    fetch_s: float = 0.0
    task_s: float = 0.0
    real_s: float = 0.0


class RefreshSeries:
    """A warehouse, a lake and a mock API with consecutive refreshes."""

    def __init__(self, state: Path, base: str, url: str, daily_calls: int, limits: HttpLimits) -> None:
        """Start a series whose state is below ``state``.

        :param daily_calls: the maximum number of catalogue calls on a simulated day.
        :param limits: the timeouts of a call.
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
        """Import Kaggle's files or synthetic ones, and write the mock API's seed data."""
        import_settings = replace(self.settings, kaggle_path=str(folder) if folder else None)
        for file in catalogue_files.find_or_write_files(None, import_settings):
            kaggle.import_file(file, None, import_settings, "import", datetime.now(UTC))
        for tries_left in reversed(range(_MAX_SIGN_IN_TRIES)):
            try:
                mock_api.seed_mock_api(self.settings)
                return
            except (TryAgainError, ActionNeededError):  # a fault may hit a sign-in, and a code is valid once
                if not tries_left:
                    raise

    def fetch_day(self, day: int, calls: int | None = None) -> dict[str, Counter[str]]:
        """Fetch all accounts and the catalogue, each in up to three attempts; then sign in accounts that need it.

        :param calls: the maximum number of catalogue calls on this day, if other than on most days.
        :returns: successful and rejected calls by endpoint, as the mock API counted them.
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
        """Return the faults that the mock API injected in the last fetch, by kind."""
        return Counter(requests.get(f"{self.base}/stand-in/faults", timeout=60).json())

    def publish_day(self, day: int) -> None:
        """Publish the fetched resources."""
        run_id = _make_run_id(day)
        if refresh_plan.plan_refresh(run_id, "benchmark", self._get_date(day), False, self.settings):
            refresh.transform_catalogue(run_id, self.settings)
            refresh.fit_clusters(run_id, self.settings)
            refresh.load_catalogue(run_id, self.settings)

    def load_events(self, day: int) -> None:
        """Publish the saved tracks and followed artists of the accounts, as far as they were fetched."""
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
        """Sign in the user of an account on the day after; faults may affect this, too."""
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

    :param folder: stores all files of the series; None uses a temporary folder.
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
    """Return the one session of the process, which ends with the process."""
    # There are many small plans, and each runs once: compiling them well costs more than it saves.
    os.environ.setdefault("JAVA_TOOL_OPTIONS", "-XX:TieredStopAtLevel=1 -XX:ReservedCodeCacheSize=240m")
    stack = ExitStack()
    state = _create_process_folder()
    link_jars(state)
    spark_settings = read_settings(
        {**os.environ, "STATE_DIR": str(state), "WAREHOUSE_URL": "postgresql://127.0.0.1/none"}
    )
    spark = stack.enter_context(open_session(spark_settings, "benchmark", {"spark.sql.shuffle.partitions": "2"}))
    atexit.register(stack.close)
    return spark


def _create_process_folder() -> Path:
    """Return a folder that exists until the process ends: Spark's scratch lasts from its first session to its last."""
    name = tempfile.mkdtemp()
    atexit.register(shutil.rmtree, name, ignore_errors=True)
    return Path(name)


def _make_run_id(day: int) -> str:
    return f"night.{day}"
