"""The process that mutants share, with Spark and PostgreSQL running; each mutant gets a copy."""

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

from etl.database import make_engine
from etl.engines.spark import open_session
from etl.load.migrate import migrate_warehouse
from etl.settings import read_settings
from launch import postgres
from launch.spark_jars import link_jars

_OWN_PACKAGES = ("etl", "launch", "tests", "dashboard")
_TEMPLATE_DATABASE = "mutation_template"
_LOOK_SECONDS = 0.02
_PRELOADED_MODULES = (
    "datafusion",
    "fastavro",
    "hypothesis",
    "pandas",
    "pyarrow.compute",
    "adbc_driver_postgresql.dbapi",
)
"""Modules that each mutant would otherwise import again."""
_UNUSED_PLUGINS = ("cacheprovider", "xdist", "anyio")
# The server's data is not needed after a crash.
_FAST_SERVER_SETTINGS = ("fsync = off", "full_page_writes = off", "synchronous_commit = off")


class WarmRunner:
    """Spark, PostgreSQL and a migrated database for tests."""

    def __init__(self, spark: SparkSession | None, server: postgres.Server) -> None:
        self._spark, self._server = spark, server

    def find_first_failure(
        self, checkout: Path, tests: tuple[str, ...], timeout_s: float, first_tests: Sequence[str] = ()
    ) -> str:
        """Run tests of a checkout until one fails.

        :param first_tests: names of tests that run before the others, in this order.
        :returns: its name and its message; empty if none failed.
        """
        self._drop_databases()
        with tempfile.NamedTemporaryFile("r", prefix="mutant") as failure_file:
            child = os.fork()
            if child == 0:
                self._run_tests(checkout, tests, failure_file.name, first_tests)
            status = _wait_for_exit(child, timeout_s)
            if status is None:
                self._end_spark_jobs()
                return f"longer than {timeout_s:.0f} s"
            failure_text = failure_file.read()
        return failure_text or (f"ended with {status}" if status else "")

    def _run_tests(self, checkout: Path, tests: tuple[str, ...], failure_path: str, first_tests: Sequence[str]) -> None:
        """Run tests in the copy of this process; never return."""
        code = 1
        try:
            os.setsid()
            sys.dont_write_bytecode = False  # else each mutant would rewrite the tests that pytest has compiled
            _forget_modules()
            os.chdir(checkout)
            sys.path[:] = [
                str(checkout),
                *(path_entry for path_entry in sys.path if path_entry not in ("", str(Path.cwd()))),
            ]
            if self._spark is not None:
                self._spark.sparkContext._gateway._gateway_client.deque.clear()  # a connection has one user
            with Path(os.devnull).open("w") as nothing:
                os.dup2(nothing.fileno(), 1)
                os.dup2(nothing.fileno(), 2)
            plugin = _TestPlugin(self._spark, self._server, Path(failure_path), first_tests)
            plugin_options = [word for name in _UNUSED_PLUGINS for word in ("-p", f"no:{name}")]
            code = int(pytest.main(["-x", "-q", *plugin_options, "--rootdir", str(checkout), *tests], plugins=[plugin]))
        except BaseException:
            Path(failure_path).write_text(traceback.format_exc(limit=-3), encoding="utf-8")
        finally:
            os._exit(code)

    def _end_spark_jobs(self) -> None:
        """Cancel the jobs of a stopped mutant, which continue in the shared JVM."""
        if self._spark is not None:
            self._spark.sparkContext.cancelAllJobs()
            self._spark.catalog.clearCache()

    def _drop_databases(self) -> None:
        """Drop the databases that stopped mutants have left."""
        admin_engine = _make_admin_engine(self._server)
        with admin_engine.connect() as connection:
            names = connection.execute(text("select datname from pg_database where datname like 'test\\_%'")).scalars()
            for name in names.all():
                connection.execute(text(f"drop database {name} with (force)"))


class _TestPlugin:
    """Plugin that gives tests the shared fixtures, orders them, and records the first failure."""

    def __init__(
        self, spark: SparkSession | None, server: postgres.Server, failure_path: Path, first_tests: Sequence[str]
    ) -> None:
        self._fixtures = {"spark": spark, "embedded_server": server, "migrated_template": _TEMPLATE_DATABASE}
        self._failure_path = failure_path
        self._order = {name: index for index, name in enumerate(first_tests)}

    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        items.sort(key=lambda item: self._order.get(item.nodeid, len(self._order)))

    @pytest.hookimpl(tryfirst=True)
    def pytest_fixture_setup(self, fixturedef: Any, request: Any) -> object:
        value = self._fixtures.get(fixturedef.argname)
        if value is not None:
            fixturedef.cached_result = (value, fixturedef.cache_key(request), None)
        return value

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.failed:
            self._record_failure(report.nodeid, str(getattr(report.longrepr, "reprcrash", report.longrepr)))

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        if report.failed:
            self._record_failure(report.nodeid, str(report.longrepr))

    def _record_failure(self, name: str, message: str) -> None:
        if not self._failure_path.stat().st_size:
            self._failure_path.write_text(f"{name}: {' '.join(message.split())[:300]}", encoding="utf-8")


@contextmanager
def start_warm_runner(folder: Path, *, has_spark: bool) -> Iterator[WarmRunner]:
    """Open what tests need, with Spark if they use it; end and remove it afterwards."""
    state = folder / "state"
    state.mkdir()
    link_jars(state)
    os.environ.setdefault("JAVA_TOOL_OPTIONS", "-XX:TieredStopAtLevel=1 -XX:ReservedCodeCacheSize=240m")
    server = postgres.start_server(state)
    try:
        _prepare_server(server)
        runner_settings = read_settings(
            {"STATE_DIR": str(state), "WAREHOUSE_URL": "postgresql://unused@127.0.0.1:1/none"}
        )
        with open_session(runner_settings, "mutation") if has_spark else nullcontext() as spark:
            yield WarmRunner(spark, server)
    finally:
        postgres.remove_servers(state)


def _prepare_server(server: postgres.Server) -> None:
    admin_engine = _make_admin_engine(server)
    with admin_engine.connect() as connection:
        for setting in _FAST_SERVER_SETTINGS:
            connection.execute(text(f"alter system set {setting}"))
        connection.execute(text("select pg_reload_conf()"))
        connection.execute(text(f"create database {_TEMPLATE_DATABASE} owner loader"))
    migrate_warehouse(server.build_url("loader", _TEMPLATE_DATABASE))
    for name in _PRELOADED_MODULES:
        import_module(name)


def _make_admin_engine(server: postgres.Server) -> Engine:
    return make_engine(server.build_url("postgres", "postgres")).execution_options(isolation_level="AUTOCOMMIT")


def _forget_modules() -> None:
    for name in [name for name in sys.modules if name.partition(".")[0] in _OWN_PACKAGES]:
        del sys.modules[name]


def _wait_for_exit(child: int, timeout_s: float) -> int | None:
    """Return the exit code of a child, None if it had to be killed."""
    deadline = time.monotonic() + timeout_s
    try:
        while time.monotonic() < deadline:
            ended_pid, status = os.waitpid(child, os.WNOHANG)
            if ended_pid:
                return os.waitstatus_to_exitcode(status)
            time.sleep(_LOOK_SECONDS)
    except BaseException:
        os.kill(child, signal.SIGKILL)
        raise
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    return None
