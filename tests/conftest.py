"""Shared fixtures: a real Spark session, a real PostgreSQL, a lake in a temporary folder."""

import gc
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path

import pytest
from pyspark.sql import SparkSession
from sqlalchemy import text

from benchmarks._shared_session import changed_options
from etl.database import make_engine
from etl.engines.spark import open_session, options_for_size
from etl.load.migrate import migrate_warehouse
from etl.settings import Settings, read_settings
from etl.storage.lake import Lake
from launch import kafka, postgres
from launch.postgres.roles import make_roles_and_databases
from launch.spark_jars import link_jars

# Tests start many short-lived JVMs on small data: the second compiler would cost more time than it saves.
# Without it, Java keeps too little space for the compiled code of the one long session, and stops compiling.
os.environ.setdefault("JAVA_TOOL_OPTIONS", "-XX:TieredStopAtLevel=1 -XX:ReservedCodeCacheSize=240m")

pytest_plugins = ["tests.tiers"]
LARGE_INPUT_OPTIONS = {
    "spark.sql.codegen.wholeStage": "true",
    "spark.sql.codegen.factoryMode": "FALLBACK",
    "spark.sql.adaptive.enabled": "true",
    "spark.sql.shuffle.partitions": "8",
}
"""The defaults of the options that ``options_for_size`` changes for small inputs."""
MEMORY = Path("/dev/shm")
LEAST_FREE_MEMORY_BYTES = 3 << 30
"""For the servers of two processes: each has half a gigabyte of write-ahead log, and some databases."""
SHARED_DATA = Path(__file__).resolve().parents[2] / "shared" / "data"


def pytest_collection_finish() -> None:
    """Exempt the modules and tests from garbage collection: each full collection would visit a million objects."""
    gc.freeze()


@pytest.fixture(scope="session")
def spark(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SparkSession]:
    """Yield one session on two cores for the whole test run.

    It has the options of small inputs, but two partitions, so that rows are shuffled.
    """
    state_dir = tmp_path_factory.mktemp("spark")
    link_jars(state_dir)
    options = {**options_for_size(0), "spark.sql.shuffle.partitions": "2"}
    with open_session(_settings(state_dir, SPARK_MASTER="local[2]"), "tests", options) as spark:
        yield spark


@pytest.fixture(scope="module")
def large_input_options(spark: SparkSession) -> Iterator[None]:
    """Give the session the options of large inputs for the tests of a module."""
    with changed_options(spark, LARGE_INPUT_OPTIONS):
        yield


@pytest.fixture(scope="session")
def kafka_broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[kafka.Broker]:
    """Yield one embedded broker for the whole test run; each test makes topics of its own (SpotifyWrapped…)."""
    state_dir = tmp_path_factory.mktemp("kafka")
    kafka.link_jars(state_dir)
    with kafka.run_embedded_broker(state_dir, {**os.environ, "AIRFLOW_HOME": str(state_dir)}) as broker:
        yield broker


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    return Lake((tmp_path / "lake").as_uri())


@pytest.fixture(scope="session")
def real_kaggle() -> Path:
    """Return the folder of real Kaggle files; skip the test, with this message, if the folder is missing."""
    folder = SHARED_DATA / "kaggle"
    if not folder.is_dir():
        pytest.skip(f"the real Kaggle files are not here: {folder}")
    return folder


@pytest.fixture(scope="session")
def real_exports() -> Path:
    """Return the folder of real exports; skip the test, with this message, if the folder is missing."""
    folder = SHARED_DATA / "account_export"
    if not folder.is_dir():
        pytest.skip(f"the real account exports are not here: {folder}")
    return folder


@pytest.fixture(scope="session")
def embedded_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[postgres.Server]:
    """Yield an embedded PostgreSQL for the whole test run, and remove it at the end."""
    state_dir = make_memory_folder() or tmp_path_factory.mktemp("embedded")
    server = postgres.start_server(state_dir)
    # No test needs its data after a crash of the machine. Hundreds of databases are copied: without fsync, a copy
    # of files takes a fraction of the time of a copy of pages.
    for setting in ("fsync", "full_page_writes"):
        run_as_superuser(server, f"alter system set {setting} = off")
    # A test opens dozens of connections, and most of their time is the repeated hashing of the password.
    run_as_superuser(server, "alter system set scram_iterations = 1")
    run_as_superuser(server, "alter system set max_wal_size = '512MB'")
    run_as_superuser(server, "select pg_reload_conf()")
    make_roles_and_databases(server)
    yield server
    postgres.remove_servers(state_dir)
    shutil.rmtree(state_dir)


def make_memory_folder() -> Path | None:
    """Return a new folder in memory, or None if there is little memory for it.

    Each copy of a database creates a thousand files, and its end removes them: some file systems get slow by that.
    """
    if not MEMORY.is_dir() or shutil.disk_usage(MEMORY).free < LEAST_FREE_MEMORY_BYTES:
        return None
    folder = Path(tempfile.mkdtemp(prefix="tests-", dir=MEMORY))
    folder.chmod(0o711)  # The server may run as another user.
    return folder


@pytest.fixture(scope="session")
def migrated_template(embedded_server: postgres.Server) -> str:
    """Return the name of a migrated, empty database from which others are copied."""
    name = "migrated_template"
    run_as_superuser(embedded_server, f"create database {name} owner loader")
    migrate_warehouse(embedded_server.build_url("loader", name))
    return name


_NUMBERS = count(1)


@pytest.fixture
def empty_database_url(embedded_server: postgres.Server) -> Iterator[str]:
    """Yield the URL of a new database without tables, for its owner ``loader``."""
    with copy_database(embedded_server, "template1") as url:
        yield url


@pytest.fixture
def warehouse_url(embedded_server: postgres.Server, migrated_template: str) -> Iterator[str]:
    """Yield the URL of a new, migrated and empty warehouse, for its owner ``loader``."""
    with copy_database(embedded_server, migrated_template) as url:
        yield url


@contextmanager
def copy_database(server: postgres.Server, template: str) -> Iterator[str]:
    """Yield the URL of a copy of a database, and drop the copy at the end."""
    name = f"test_{next(_NUMBERS)}"
    run_as_superuser(server, f"create database {name} template {template} strategy file_copy owner loader")
    yield server.build_url("loader", name)
    run_as_superuser(server, f"drop database {name} with (force)")


def run_as_superuser(server: postgres.Server, statement: str) -> None:
    """Run a statement as the server's superuser, outside of any transaction."""
    engine = make_engine(server.build_url("postgres", "postgres")).execution_options(isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(text(statement))


def _settings(state_dir: Path, **environ: str) -> Settings:
    return read_settings(
        {"STATE_DIR": str(state_dir), "WAREHOUSE_URL": "postgresql://unused@127.0.0.1:1/none", **environ}
    )
