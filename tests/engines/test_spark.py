"""Spark's processes: their environment, and the errors if they run out of memory or are killed."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from py4j.java_gateway import JVMView
from pyspark.sql import Column, SparkSession
from pyspark.sql import functions as F

from benchmarks._shared_session import changed_options
from etl.engines import spark
from etl.formats.contracts import LATEST_STATE
from etl.settings import CHECKOUT, read_settings

pytestmark = pytest.mark.spark

SECRETS = (
    *(
        "WAREHOUSE_URL",
        "KAGGLE_PATH",
        "SPOTIPY_CLIENT_SECRET",
        "FAILURE_NOTIFIER",
        "AIRFLOW_METADATA_URL",
        "AIRFLOW_CONN_MAIL",
    ),
    *("AIRFLOW__CORE__FERNET_KEY", "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN", "AIRFLOW__API_AUTH__JWT_SECRET"),
)
OTHERS = ("STATE_DIR", "JAVA_HOME", "AIRFLOW_HOME", "AWS_SECRET_ACCESS_KEY")
_PROGRAM = """
import os

from etl.settings import read_settings
from etl.errors import EtlError
from etl.engines.spark import open_session

chosen = read_settings()
try:
    with open_session(chosen, "lacks memory"):
        raise RuntimeError("An error occurred. : java.lang.OutOfMemoryError: Java heap space")
except EtlError as error:
    print(type(error).__name__, error)
try:
    with open_session(chosen, "loses a worker") as spark:
        spark.sparkContext.parallelize([1]).foreach(lambda _: os.kill(os.getpid(), 9))
except EtlError as error:
    print(type(error).__name__, error)
try:
    with open_session(chosen, "has no worker") as spark:
        spark.sparkContext.pythonExec = "/bin/false"
        spark.sparkContext.parallelize([1]).map(str).count()
except EtlError as error:
    print(type(error).__name__, error)
try:
    with open_session(chosen, "is killed") as spark:
        spark.sparkContext._gateway.proc.kill()
        spark.range(10).count()
except EtlError as error:
    print(type(error).__name__, error)
"""
_KILLED_AT_THE_END = """
from pyspark.sql import SparkSession

from etl.settings import read_settings
from etl.engines.spark import open_session

stop = SparkSession.stop


def stop_what_is_killed(spark):
    spark.sparkContext._gateway.proc.kill()
    stop(spark)


SparkSession.stop = stop_what_is_killed
with open_session(read_settings(), "is killed at the end") as spark:
    spark.sparkContext._jvm.org.slf4j.LoggerFactory.getLogger("org.apache.spark.Test").warn("what to know")
    print("No Error:", spark.range(10).count())
"""
_NO_START = """
from etl.settings import read_settings
from etl.errors import EtlError
from etl.engines.spark import open_session

try:
    with open_session(read_settings(), "does not start"):
        pass
except EtlError as error:
    print(type(error).__name__, error)
"""


@pytest.fixture(name="spark_session")
def _spark_session(request: pytest.FixtureRequest) -> SparkSession:
    """Return the session of all tests, under a name that differs from the module's."""
    shared: SparkSession = request.getfixturevalue("spark")
    return shared


def test_spark_is_not_told_what_it_needs_not_and_we_keep_it(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in (*SECRETS, *OTHERS):
        monkeypatch.setenv(name, "value")
    with pytest.raises(KeyError, match="in between"), spark._hide_secrets():
        show = [sys.executable, "-c", "import os; print(*os.environ)"]
        command = subprocess.run(show, capture_output=True, text=True, check=True).stdout.split()
        raise KeyError("in between")
    assert not set(SECRETS) & set(command) and set(OTHERS) <= set(command)
    assert all(os.environ[name] == "value" for name in SECRETS)


def test_spark_without_memory_and_spark_that_was_killed_say_what_to_do(tmp_path: Path) -> None:
    lacks, loses, has_none, killed = read_errors(_PROGRAM, tmp_path)
    assert lacks.startswith("ActionNeededError Spark ran out of memory: SPARK_DRIVER_MEMORY is 600m. Set it higher")
    assert loses.startswith("TryAgainError A Python worker of Spark has ended before its work was done")
    assert has_none == loses
    assert killed.startswith("TryAgainError Spark has ended before its work was done (exit code -9;")


def test_spark_that_is_killed_when_its_work_is_done_does_no_harm(tmp_path: Path) -> None:
    done = run_program(_KILLED_AT_THE_END, tmp_path)
    assert done.stdout.splitlines() == ["No Error: 10"]
    of_java = ("WARNING: Using incubator modules", "Picked up JAVA_TOOL_OPTIONS")
    lines = [line for line in done.stderr.splitlines() if not line.startswith(of_java)]
    assert lines[0].endswith(" WARN Test: what to know"), "lines of each start hide what is to be read"


def test_spark_that_ends_while_it_starts_says_so(tmp_path: Path) -> None:
    java = tmp_path / "java" / "bin" / "java"
    java.parent.mkdir(parents=True)
    java.write_text("#!/bin/sh\nexit 9\n")
    java.chmod(0o755)
    (message,) = read_errors(_NO_START, tmp_path, JAVA_HOME=str(tmp_path / "java"))
    assert message.startswith("TryAgainError Spark ended while it was starting") and "(600m)" in message


def test_small_inputs_get_options_of_their_own_and_large_ones_none(spark_session: SparkSession) -> None:
    assert spark.options_for_size(1000)["spark.sql.shuffle.partitions"] == "1"
    assert spark.options_for_size(1 << 30) == {}
    before = spark_session.conf.get("spark.sql.shuffle.partitions")
    with changed_options(spark_session, spark.options_for_size(1000)):
        assert spark_session.range(4).repartition("id").rdd.getNumPartitions() == 1
    assert spark_session.conf.get("spark.sql.shuffle.partitions") == before


@pytest.mark.usefixtures("spark_session")
def test_columns_ask_java_for_no_class(monkeypatch: pytest.MonkeyPatch) -> None:
    def build_column() -> Column:
        return F.coalesce(F.col("name"), F.lit("none")).alias("name")

    build_column()  # the first of a process reads a setting of the session
    names: list[str] = []
    monkeypatch.setattr(JVMView, "__getattr__", lambda _view, name: names.append(name))
    build_column()
    assert names == []


def test_what_is_joined_to_an_empty_frame_is_not_read(spark_session: SparkSession) -> None:
    schema = LATEST_STATE["api_track"]
    empty = spark.empty_frame(spark_session, schema)
    assert [(field.name, field.dataType) for field in empty.schema] == [
        (field.name, field.dataType) for field in schema
    ]
    names = spark_session.createDataFrame([("t1",)], "track_id string")
    joined = names.join(empty, on="track_id", how="inner")
    assert joined.collect() == []
    plan = joined._jdf.queryExecution().optimizedPlan().toString()
    assert plan.startswith("LocalRelation <empty>")


def test_the_archive_of_classes_is_mapped_where_there_is_one(spark_session: SparkSession, tmp_path: Path) -> None:
    settings = read_settings({"STATE_DIR": str(tmp_path), "WAREHOUSE_URL": "postgresql://127.0.0.1/none"})
    assert "SharedArchiveFile" not in spark._complete_java_options("-Xmx1g", settings)
    archive = spark.get_class_archive(tmp_path)
    archive.parent.mkdir()
    archive.touch()
    assert f'"-XX:SharedArchiveFile={archive}"' in spark._complete_java_options("-Xmx1g", settings)

    jvm = spark_session.sparkContext._jvm
    assert jvm is not None
    bean = jvm.java.lang.management.ManagementFactory.getRuntimeMXBean()
    names = [option.partition("=")[2] for option in bean.getInputArguments() if "SharedArchiveFile" in option]
    if not names:
        pytest.skip("the jars of this STATE_DIR were fetched before archives were written: remove STATE_DIR/ivy")
    assert Path(names[0]).resolve().as_posix() in Path(f"/proc/{bean.getPid()}/maps").read_text()


def read_errors(program: str, folder: Path, **others: str) -> list[str]:
    """Return the errors that a program prints on its standard output."""
    return [line for line in run_program(program, folder, **others).stdout.splitlines() if "Error" in line]


def run_program(program: str, folder: Path, **others: str) -> "subprocess.CompletedProcess[str]":
    environ = {
        **os.environ,
        "STATE_DIR": str(folder),
        "PYTHONPATH": str(CHECKOUT),
        "WAREHOUSE_URL": "postgresql://unused@127.0.0.1:1/none",
        "SPARK_MASTER": "local[1]",
        "SPARK_DRIVER_MEMORY": "600m",
        **others,
    }
    command = [sys.executable, "-c", program]
    done = subprocess.run(command, env=environ, capture_output=True, text=True, check=False, timeout=300)
    assert done.returncode == 0, done.stderr
    return done
