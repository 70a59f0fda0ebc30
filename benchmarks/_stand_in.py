"""Nights of refreshes against the stand-in, with a warehouse, a lake and a clock of their own.

The clock is pretended: a night is a day later than the one before, and a wait takes no time. All steps of all nights
share one Spark session, which is what most of a small night would else be spent on. Where a folder is given all lies
there, and another process goes on with it.
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

import etl.spark
from etl.config import CHECKOUT, settings
from etl.errors import ActionNeededError, EtlError, MustSignInError, RateLimitedError, TryAgainError
from etl.extract.spotify.api import Api
from etl.extract.spotify.app import app_of
from etl.extract.spotify.exchange import Limits
from etl.extract.spotify.sign_in import sign_in_unattended
from etl.jobs import events, kaggle, refresh, spotify, stand_in
from etl.load.migrate import migrate
from etl.spark import session
from launch import postgres
from launch.stand_in import stand_in as started

MODES = ("development", "extended")
_TRIES = 3
_SIGN_INS = 50
"""How often all accounts are tried to be signed in; those that are stay so."""
_LEAD = timedelta(days=28)
"""By how much pretended time is ahead, so that nights that are gone on with days later still lie in no past."""


@dataclass
class Waits:
    """The longest waits, in seconds: of a worker at once, of one for all pauses that Spotify asked for in a fetch, and
    of a task before it is tried again; and what a try has really taken."""

    once: float = 0.0
    asked: float = 0.0
    task: float = 0.0
    really: float = 0.0


class Nights:
    """A warehouse, a lake and a stand-in, and one refresh after the other."""

    def __init__(self, state: Path, base: str, url: str, calls: int, limits: Limits) -> None:
        """
        :param calls: what the catalogue may ask a night.
        :param limits: how long a call may last.
        """
        self.base = base
        self.url = url
        self.waits = Waits()
        self.settings = settings(
            {
                **os.environ,
                "STATE_DIR": str(state),
                "WAREHOUSE_URL": url,
                "SPOTIPY_CLIENT_ID": "stand-in",
                "SPOTIFY_API_URL": f"{base}/v1/",
                "SPOTIFY_ACCOUNTS_URL": base,
                "IS_STAND_IN": "true",
                "SPOTIFY_DAILY_CALLS": str(calls),
            }
        )
        self._limits = limits
        began = state / "began"
        if not began.exists():
            began.write_text((datetime.now(UTC) + _LEAD).isoformat(), encoding="utf-8")
        self._began = self._now = datetime.fromisoformat(began.read_text(encoding="utf-8"))
        migrate(url)

    def import_files(self, folder: Path | None) -> None:
        """Bring Kaggle's files in, or made-up ones, and give the stand-in what it serves."""
        chosen = replace(self.settings, kaggle_path=str(folder) if folder else None)
        for file in kaggle.find_files(None, chosen):
            kaggle.import_file(file, None, chosen, "import", datetime.now(UTC))
        for tries_left in reversed(range(_SIGN_INS)):
            try:
                stand_in.stock_stand_in(self.settings)
                return
            except (TryAgainError, ActionNeededError):  # a fault may meet a sign-in, and a code is taken but once
                if not tries_left:
                    raise

    def fetch(self, number: int, calls: int | None = None) -> dict[str, Counter[str]]:
        """Ask all accounts and the catalogue, each up to three times; who must sign in again then does.

        :param calls: what the catalogue may ask tonight, where that is another number than on other nights.
        :returns: good and refused calls by endpoint, as the stand-in counted them.
        """
        requests.put(f"{self.base}/stand-in/night", json={"number": number}, timeout=60)
        requests.delete(f"{self.base}/stand-in/calls", timeout=60)
        self._now = self._began + timedelta(days=number)
        chosen = self.settings if calls is None else replace(self.settings, spotify_daily_calls=calls)
        run_id = _run_id(number)
        for name in spotify.choose_accounts(self._day(number), chosen):
            self._try(partial(spotify.fetch_account, name, run_id, chosen), name)
        self._try(lambda is_last_try: spotify.fetch_catalogue(run_id, self._day(number), chosen, is_last_try))
        counted = requests.get(f"{self.base}/stand-in/calls", timeout=60).json()
        return {endpoint: Counter(statuses) for endpoint, statuses in counted.items()}

    def faults(self) -> Counter[str]:
        """The faults that the stand-in made in the last fetch, by kind."""
        return Counter(requests.get(f"{self.base}/stand-in/faults", timeout=60).json())

    def refresh(self, number: int) -> None:
        """Publish what was fetched."""
        run_id = _run_id(number)
        if refresh.plan_refresh(run_id, "benchmark", self._day(number), False, self.settings):
            refresh.transform_catalogue(run_id, self.settings)
            refresh.fit_clusters(run_id, self.settings)
            refresh.load_catalogue(run_id, self.settings)

    def load_events(self, number: int) -> None:
        """Publish what the accounts have saved and whom they follow, as far as it was fetched."""
        run_id = f"events.{number}"
        if events.plan_events(run_id, self.settings):
            events.load_events(run_id, self._day(number), self.settings)

    def _try(self, step: Callable[..., Any], name: str | None = None) -> None:
        for number in range(1, _TRIES + 1):
            asking: list[Api] = []
            spotify.Api = partial(self._api, asking)  # type: ignore[assignment, misc]
            began = time.monotonic()
            try:
                step(is_last_try=number == _TRIES)
                return
            except MustSignInError:
                if name:
                    self._sign_in(name)
                return
            except ActionNeededError as error:
                print(f"  {error}", flush=True)
                return
            except RateLimitedError as error:
                self.waits.task = max(self.waits.task, error.retry_after_s)
                self._now += timedelta(seconds=error.retry_after_s)
            except EtlError as error:
                print(f"  {name or 'the catalogue'}, try {number}: {type(error).__name__}: {error}", flush=True)
            finally:
                self.waits.really = max(self.waits.really, time.monotonic() - began)
                self.waits.asked = max([self.waits.asked, *(api._caller.waited_s for api in asking)])

    def _api(self, asking: list[Api], *args: Any, **known: Any) -> Api:
        asking.append(Api(*args, **known, limits=self._limits, clock=lambda: self._now, sleep=self._wait))
        return asking[-1]

    def _sign_in(self, name: str) -> None:
        """What the person of an account does on the day after; faults may meet this, too."""
        for _ in range(_TRIES):
            try:
                sign_in_unattended(app_of(self.settings), name, spotify.accounts_of(self.settings), lambda: self._now)
                return
            except EtlError as error:
                print(f"  {error}", flush=True)

    def _wait(self, seconds: float) -> None:
        self.waits.once = max(self.waits.once, seconds)
        self._now += timedelta(seconds=seconds)

    def _day(self, number: int) -> date:
        return (self._began + timedelta(days=number)).date()


@contextmanager
def nights(
    mode: str,
    scenario: str,
    calls: int,
    account_count: int = stand_in.ACCOUNTS,
    limits: Limits | None = None,
    folder: Path | None = None,
) -> Iterator[Nights]:
    """``Nights`` at a stand-in of a mode and a scenario.

    :param folder: where all that they write stays; else it is gone after them.
    """
    with ExitStack() as stack:
        state = folder or _kept_folder()
        state.mkdir(parents=True, exist_ok=True)
        (state / "scenario.toml").write_text(scenario, encoding="utf-8")
        if not folder:
            stack.callback(postgres.remove, state)
        server = postgres.start(state)
        if folder:
            stack.callback(postgres.stop, server)
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
        found = Nights(state, base, server.url("loader", "warehouse"), calls, limits or Limits())
        spark = _spark()
        for module in (etl.spark, refresh, stand_in):
            module.session = lambda *_: _shared(spark)  # type: ignore[attr-defined]
        stand_in.ACCOUNTS = account_count
        yield found


@cache
def _spark() -> SparkSession:
    """The one session of the process, which ends with it."""
    # Many small plans, each run once: to compile them well costs more than it brings.
    os.environ.setdefault("JAVA_TOOL_OPTIONS", "-XX:TieredStopAtLevel=1")
    stack = ExitStack()
    chosen = settings({**os.environ, "STATE_DIR": str(_kept_folder()), "WAREHOUSE_URL": "postgresql://127.0.0.1/none"})
    spark = stack.enter_context(session(chosen, "benchmark", {"spark.sql.shuffle.partitions": "2"}))
    atexit.register(stack.close)
    return spark


@contextmanager
def _shared(spark: SparkSession) -> Iterator[SparkSession]:
    yield spark


def _kept_folder() -> Path:
    """A folder until the process ends: Spark keeps its scratch from its first session to its last."""
    name = tempfile.mkdtemp()
    atexit.register(shutil.rmtree, name, ignore_errors=True)
    return Path(name)


def _run_id(number: int) -> str:
    return f"night.{number}"
