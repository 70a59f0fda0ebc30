"""Spark sessions: their options, and messages for their failures."""

import hashlib
import io
import logging
import os
import re
import subprocess
import sys
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path

from py4j.protocol import Py4JError, Py4JJavaError
from pyspark import SparkContext
from pyspark.errors import PySparkRuntimeError
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F
from pyspark.sql.types import StructType

from etl.errors import ActionNeededError, EtlError, TryAgainError
from etl.settings import CHECKOUT, Settings

log = logging.getLogger(__name__)

MAVEN_COORDINATES = ("org.apache.spark:spark-avro_2.13:4.1.1",)
"""Maven coordinates that the product needs; resolved once, at set-up, into STATE_DIR/ivy."""

_SECRET_VARIABLES = re.compile(
    r"WAREHOUSE_URL|KAGGLE_PATH|SPOTIPY_CLIENT_SECRET|FAILURE_NOTIFIER|AIRFLOW_(_|CONN|METADATA).*"
)
"""Variables that Spark's own processes do not get; the tasks bring the credentials that they need."""

_OUT_OF_MEMORY = "java.lang.OutOfMemoryError"
_WORKER_EXITED = re.compile(r"Python worker exited unexpectedly|reading the port number from pyspark\.daemon")
_EXIT_WAIT_SECONDS = 5
_ZIPPED = (".py", ".avsc", ".sql")
_EXECUTOR_FOLDERS = ("etl", "simulator", "sql/schema")
"""Packages whose functions run on executors, and the tables that their frames fill."""
_JAVA_OPTIONS = "-XX:+UseParallelGC -XX:-DontCompileHugeMethods"
"""The parallel collector has the highest throughput, and no job needs short pauses. By default Java does not compile
methods of more than 8,000 bytes, and generated code has such methods."""
_SMALL_BYTES = 2 << 20
_SMALL_OPTIONS = {
    # Plans are run as they are: to generate and compile Java for each stage takes longer than its few rows.
    "spark.sql.codegen.wholeStage": "false",
    "spark.sql.codegen.factoryMode": "NO_CODEGEN",
    # One partition is enough, so there is nothing for Spark to find out and plan again between two stages.
    "spark.sql.adaptive.enabled": "false",
    "spark.sql.shuffle.partitions": "1",
    # The second of Java's compilers would not be done before the work is.
    "spark.driver.extraJavaOptions": f"{_JAVA_OPTIONS} -XX:TieredStopAtLevel=1",
}


@contextmanager
def open_session(settings: Settings, name: str, options: Mapping[str, str] | None = None) -> Iterator[SparkSession]:
    """Open a Spark session on ``settings.spark_master``, and stop it on leaving.

    Everything that Spark writes except results goes under ``STATE_DIR/spark``; the driver, and with it the block
    manager, stays on loopback unless SPARK_LOCAL_IP says otherwise. Timestamps are UTC. Executors get this package as
    a zip, so that a cluster needs only its third-party requirements.

    :param options: further Spark settings, which override these.
    :raises ActionNeededError: if Spark runs out of memory.
    :raises TryAgainError: if Spark, or a Python worker of it, exits unexpectedly.
    """
    scratch = settings.state_dir / "spark"
    scratch.mkdir(parents=True, exist_ok=True)
    address = os.environ.setdefault("SPARK_LOCAL_IP", "127.0.0.1")
    os.environ["PYSPARK_PYTHON"] = sys.executable
    os.environ["PYSPARK_DRIVER_PYTHON"] = sys.executable
    builder = SparkSession.builder.master(settings.spark_master).appName(name)
    spark = None
    try:
        with _hide_secrets():
            spark = builder.config(map={**_build_options(settings, scratch, address), **(options or {})}).getOrCreate()
        yield spark
    except Exception as error:
        explanation = _explain_failure(error, settings)
        if explanation is None:
            raise
        raise explanation from error
    finally:
        if spark is not None and _get_exit_code() is None:
            _stop_session(spark)


def _build_options(settings: Settings, scratch: Path, address: str) -> dict[str, bool | float | int | str | None]:
    """Return the options of every session.

    :param address: of the driver.
    """
    return {
        "spark.driver.memory": settings.spark_driver_memory,
        "spark.driver.host": address,
        "spark.driver.bindAddress": address,
        "spark.driver.extraJavaOptions": _JAVA_OPTIONS,
        "spark.executor.extraJavaOptions": _JAVA_OPTIONS,
        "spark.jars": ",".join(jar.as_uri() for jar in sorted((settings.state_dir / "ivy" / "jars").glob("*.jar"))),
        "spark.jars.ivy": str(settings.state_dir / "ivy"),
        "spark.local.dir": str(scratch),
        "spark.log.level": "WARN",
        "spark.sql.ansi.enabled": "true",
        # Its cost grows with the square of a plan's columns, and gains nothing for joins on plain keys.
        "spark.sql.constraintPropagation.enabled": "false",
        "spark.sql.execution.arrow.pyspark.enabled": "true",
        "spark.sql.parquet.outputTimestampType": "TIMESTAMP_MICROS",
        "spark.sql.session.timeZone": "UTC",
        # A new session's data are small: more partitions would only add tasks. Adaptive execution coalesces further.
        "spark.sql.shuffle.partitions": "8",
        "spark.sql.warehouse.dir": (scratch / "warehouse").as_uri(),
        "spark.submit.pyFiles": str(_zip_package(scratch)),
        "spark.ui.enabled": "false",
        "spark.ui.showConsoleProgress": "false",
    }


def options_for_size(size_bytes: int) -> dict[str, str]:
    """Return the settings of a session whose inputs have a size: for small ones those that make planning cheap.

    The rows that come out are the same.
    """
    return dict(_SMALL_OPTIONS) if size_bytes <= _SMALL_BYTES else {}


def empty_frame(spark: SparkSession, schema: StructType) -> DataFrame:
    """Return a frame without the rows that Spark knows to be empty, so that it does not plan a join or union of them.

    An empty list would be a data set of Python's instead, which workers are started for.
    """
    columns = (F.lit(None).cast(field.dataType).alias(field.name) for field in schema)
    return spark.range(0).select(*columns).where(F.lit(False))


@contextmanager
def _hide_secrets() -> Iterator[None]:
    """Hide secrets from the environment of processes that start within this block."""
    secrets = {name: value for name, value in os.environ.items() if _SECRET_VARIABLES.fullmatch(name)}
    for name in secrets:
        del os.environ[name]
    try:
        yield
    finally:
        os.environ.update(secrets)


class LazySession:
    """A session that starts when it is first called, for work that mostly needs none."""

    def __init__(self, settings: Settings, name: str, stack: ExitStack, options: Mapping[str, str] | None) -> None:
        self.master = settings.spark_master
        self._settings, self._name, self._stack, self._options = settings, name, stack, options
        self._session: SparkSession | None = None

    def __call__(self) -> SparkSession:
        if self._session is None:
            self._session = self._stack.enter_context(open_session(self._settings, self._name, self._options))
        return self._session


@contextmanager
def open_lazy_session(settings: Settings, name: str, options: Mapping[str, str] | None = None) -> Iterator[LazySession]:
    """Return a session that starts as ``open_session`` does when it is first called, and stops on leaving."""
    with ExitStack() as stack:
        yield LazySession(settings, name, stack, options)


def _stop_session(spark: SparkSession) -> None:
    """Stop a session; a driver that exits meanwhile counts as stopped."""
    try:
        spark.stop()
    except (Py4JError, ConnectionError):
        # The connection breaks shortly before the driver's exit code is available.
        if _get_exit_code(_EXIT_WAIT_SECONDS) is None:
            raise
        log.warning("Spark exited while it was being stopped.")


def _explain_failure(error: Exception, settings: Settings) -> EtlError | None:
    """Return an error with a remedy if Spark ran out of memory, exited or did not start; None for any other failure."""
    if _OUT_OF_MEMORY in str(error):
        return ActionNeededError(
            f"Spark ran out of memory: SPARK_DRIVER_MEMORY is {settings.spark_driver_memory}. Set it higher, then run"
            " the step again."
        )
    if _WORKER_EXITED.search(str(error)):
        return TryAgainError(
            "A Python worker of Spark has ended before its work was done, as the system makes it where memory runs out:"
            " then end what else needs it. Nothing half done is kept."
        )
    if isinstance(error, PySparkRuntimeError) and error.getCondition() == "JAVA_GATEWAY_EXITED":
        return TryAgainError(
            "Spark ended while it was starting: what it said of that stands above. It needs Java 17, and"
            f" SPARK_DRIVER_MEMORY ({settings.spark_driver_memory}) of free memory."
        )
    is_connection_lost = isinstance(error, Py4JError | ConnectionError) and not isinstance(error, Py4JJavaError)
    code = _get_exit_code(_EXIT_WAIT_SECONDS if is_connection_lost else 0)
    if code is None:
        return None
    return TryAgainError(
        f"Spark has ended before its work was done (exit code {code}; -9 is what the system does where memory runs"
        " out: then end what else needs it). Nothing half done is kept."
    )


def _get_exit_code(wait_seconds: float = 0) -> int | None:
    """Return the exit code of the Spark driver that this process started; None while it runs."""
    gateway = SparkContext._gateway
    if gateway is None:
        return None
    try:
        return int(gateway.proc.wait(wait_seconds))
    except subprocess.TimeoutExpired:
        return None


def _zip_package(folder: Path) -> Path:
    """Write a zip of the packages that executors need and of the tables that their frames fill; return its path.

    Its name is a hash of its content.
    """
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        folders = [CHECKOUT / name for name in _EXECUTOR_FOLDERS]
        for path in sorted(path for shipped in folders for path in shipped.rglob("*.*") if path.suffix in _ZIPPED):
            name = path.relative_to(CHECKOUT).as_posix()
            archive.writestr(zipfile.ZipInfo(name), path.read_bytes())
    target = folder / f"etl-{hashlib.sha256(content.getvalue()).hexdigest()[:16]}.zip"
    if not target.exists():
        draft = target.with_suffix(f".{os.getpid()}")
        draft.write_bytes(content.getvalue())
        draft.rename(target)
    return target
