"""What mutants share: a process with Spark and PostgreSQL running, of which each mutant gets a copy."""

import os
import signal
import sys
import tempfile
import time
import traceback
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
from pyspark.sql import SparkSession
from sqlalchemy import Engine, text

from etl.config import settings
from etl.load.migrate import migrate
from etl.spark import session
from etl.warehouse import engine
from launch import postgres
from launch.jars import lend_jars

_OURS = ("etl", "launch", "tests", "dashboard")
_TEMPLATE = "mutation_template"
_COPIED_AS_FILES = f"{_TEMPLATE} strategy file_copy"
"""What a test's database is created from: without fsync, files are copied in a third of the time of pages."""
_LOOK_SECONDS = 0.02
_WANTED = ("datafusion", "fastavro", "hypothesis", "pandas", "pyarrow.compute", "adbc_driver_postgresql.dbapi")
"""What each mutant would import anew."""
_UNUSED_PLUGINS = ("cacheprovider", "xdist", "anyio")
# A server that nobody needs after a crash.
_QUICK = ("fsync = off", "full_page_writes = off", "synchronous_commit = off")


class Warm:
    """Spark, PostgreSQL and a migrated database, of which tests have the use."""

    def __init__(self, spark: SparkSession | None, server: postgres.Server) -> None:
        self._spark, self._server = spark, server

    def first_failure(
        self, checkout: Path, tests: tuple[str, ...], patience_s: float, first: Sequence[str] = ()
    ) -> str:
        """Run tests of a checkout until one fails.

        :param first: names of tests that are run before the others, in this order.
        :returns: its name and what it says; empty where none failed.
        """
        self._drop_databases()
        with tempfile.NamedTemporaryFile("r", prefix="mutant") as told:
            child = os.fork()
            if child == 0:
                self._run(checkout, tests, told.name, first)
            status = _ended(child, patience_s)
            if status is None:
                self._end_spark_jobs()
                return f"longer than {patience_s:.0f} s"
            said = told.read()
        return said or (f"ended with {status}" if status else "")

    def _run(self, checkout: Path, tests: tuple[str, ...], told: str, first: Sequence[str]) -> None:
        """In the copy of this process: never returns."""
        code = 1
        try:
            os.setsid()
            sys.dont_write_bytecode = False  # what pytest makes of the tests would be made anew for each mutant
            _forget_modules()
            os.chdir(checkout)
            sys.path[:] = [str(checkout), *(one for one in sys.path if one not in ("", str(Path.cwd())))]
            if self._spark is not None:
                self._spark.sparkContext._gateway._gateway_client.deque.clear()  # a connection has one user
            with Path(os.devnull).open("w") as nothing:
                os.dup2(nothing.fileno(), 1)
                os.dup2(nothing.fileno(), 2)
            plugin = _Plugin(self._spark, self._server, Path(told), first)
            without = [word for name in _UNUSED_PLUGINS for word in ("-p", f"no:{name}")]
            code = int(pytest.main(["-x", "-q", *without, "--rootdir", str(checkout), *tests], plugins=[plugin]))
        except BaseException:
            Path(told).write_text(traceback.format_exc(limit=-3), encoding="utf-8")
        finally:
            os._exit(code)

    def _end_spark_jobs(self) -> None:
        """What a mutant that was stopped had begun goes on in the JVM, which all share."""
        if self._spark is not None:
            self._spark.sparkContext.cancelAllJobs()
            self._spark.catalog.clearCache()

    def _drop_databases(self) -> None:
        """A mutant that was stopped leaves its database."""
        place = _autocommit(self._server)
        with place.connect() as connection:
            names = connection.execute(text("select datname from pg_database where datname like 'test\\_%'")).scalars()
            for name in names.all():
                connection.execute(text(f"drop database {name} with (force)"))


class _Plugin:
    """Gives tests what is there, says which come first, and notes the first failure."""

    def __init__(self, spark: SparkSession | None, server: postgres.Server, told: Path, first: Sequence[str]) -> None:
        self._there = {"spark": spark, "embedded_server": server, "migrated_template": _COPIED_AS_FILES}
        self._told = told
        self._places = {name: place for place, name in enumerate(first)}

    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        items.sort(key=lambda item: self._places.get(item.nodeid, len(self._places)))

    @pytest.hookimpl(tryfirst=True)
    def pytest_fixture_setup(self, fixturedef: Any, request: Any) -> object:
        value = self._there.get(fixturedef.argname)
        if value is not None:
            fixturedef.cached_result = (value, fixturedef.cache_key(request), None)
        return value

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.failed:
            self._note(report.nodeid, str(getattr(report.longrepr, "reprcrash", report.longrepr)))

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        if report.failed:
            self._note(report.nodeid, str(report.longrepr))

    def _note(self, name: str, said: str) -> None:
        if not self._told.stat().st_size:
            self._told.write_text(f"{name}: {' '.join(said.split())[:300]}", encoding="utf-8")


@contextmanager
def warm(folder: Path, *, has_spark: bool) -> Iterator[Warm]:
    """Start what tests need, Spark where they do; ended and removed afterwards."""
    state = folder / "state"
    state.mkdir()
    lend_jars(state)
    os.environ.setdefault("JAVA_TOOL_OPTIONS", "-XX:TieredStopAtLevel=1")
    server = postgres.start(state)
    try:
        _prepare(server)
        own = settings({"STATE_DIR": str(state), "WAREHOUSE_URL": "postgresql://unused@127.0.0.1:1/none"})
        with session(own, "mutation") if has_spark else nullcontext() as spark:
            yield Warm(spark, server)
    finally:
        postgres.remove(state)


def _prepare(server: postgres.Server) -> None:
    place = _autocommit(server)
    with place.connect() as connection:
        for setting in _QUICK:
            connection.execute(text(f"alter system set {setting}"))
        connection.execute(text("select pg_reload_conf()"))
        connection.execute(text(f"create database {_TEMPLATE} owner loader"))
    migrate(server.url("loader", _TEMPLATE))
    for name in _WANTED:
        import_module(name)


def _autocommit(server: postgres.Server) -> Engine:
    return engine(server.url("postgres", "postgres")).execution_options(isolation_level="AUTOCOMMIT")


def _forget_modules() -> None:
    for name in [name for name in sys.modules if name.partition(".")[0] in _OURS]:
        del sys.modules[name]


def _ended(child: int, patience_s: float) -> int | None:
    """The exit code of a child; None where it had to be killed."""
    last = time.monotonic() + patience_s
    try:
        while time.monotonic() < last:
            found, status = os.waitpid(child, os.WNOHANG)
            if found:
                return os.waitstatus_to_exitcode(status)
            time.sleep(_LOOK_SECONDS)
    except BaseException:
        os.kill(child, signal.SIGKILL)
        raise
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    return None
