"""Spark sessions: their options, and the Java process that they run in."""

import hashlib
import io
import os
import re
import sys
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path

from pyspark import SparkContext
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F
from pyspark.sql.types import StructType

from etl.engines.shared_driver import SharedDriver, attach_driver
from etl.engines.spark_failures import explain_failure, get_exit_code, stop_session
from etl.settings import CHECKOUT, Settings

MAVEN_COORDINATES = ("org.apache.spark:spark-avro_2.13:4.1.1",)
"""Maven coordinates that the product needs; resolved once, at set-up, into STATE_DIR/ivy."""

KAFKA_COORDINATES = ("org.apache.spark:spark-sql-kafka-0-10_2.13:4.1.1",)
"""Maven coordinates that only sessions of streams need; resolved once into STATE_DIR/ivy-kafka."""

KAFKA_EXCLUDES = (
    "com.google.code.findbugs:jsr305",
    "org.apache.hadoop:hadoop-client-api",
    "org.apache.hadoop:hadoop-client-runtime",
    "org.lz4:lz4-java",
    "org.slf4j:slf4j-api",
    "org.xerial.snappy:snappy-java",
)
"""Their dependencies that pyspark has."""

_SECRET_VARIABLES = re.compile(
    r"WAREHOUSE_URL|KAGGLE_PATH|KAFKA_SASL_PASSWORD|SCHEMA_REGISTRY_USER_INFO|SPOTIPY_CLIENT_SECRET|FAILURE_NOTIFIER"
    r"|ANOMALY_QUEUE_CONNECTION_STRING|AIRFLOW_(_|CONN|METADATA).*"
)
"""Variables that Spark's own processes do not get; the tasks bring the credentials that they need."""

_ZIPPED = (".py", ".avsc", ".sql")
_EXECUTOR_FOLDERS = ("etl", "simulator", "sql/schema")
"""Packages whose functions run on executors, and the tables that their frames fill."""
_LOG_CONFIGURATION = Path(__file__).with_name("log4j2.properties")
_COMPILE_HUGE_METHODS = "-XX:-DontCompileHugeMethods"
_JAVA_OPTIONS = f"-XX:+UseParallelGC {_COMPILE_HUGE_METHODS}"
"""The parallel collector has the highest throughput, and no job needs short pauses. By default Java does not compile
methods of more than 8,000 bytes, and generated code has such methods."""
_JAVA_CLASSES = ("functions", "org.apache.spark.sql.functions", "PythonUtils", "PythonSQLUtils")
_SMALL_BYTES = 2 << 20
_SMALL_OPTIONS = {
    # Plans are run as they are: to generate and compile Java for each stage takes longer than its few rows.
    "spark.sql.codegen.wholeStage": "false",
    "spark.sql.codegen.factoryMode": "NO_CODEGEN",
    # One partition is enough, so there is nothing for Spark to find out and plan again between two stages.
    "spark.sql.adaptive.enabled": "false",
    "spark.sql.shuffle.partitions": "1",
    # The second of Java's compilers would not be done before the work is. Without it Java keeps only 48 MB for compiled
    # code, and compiles nothing more once a few steps have filled them. The serial collector takes less
    # memory. It gives memory back at once instead of at its fourth full run, so that the process may wait.
    "spark.driver.extraJavaOptions": f"-XX:+UseSerialGC {_COMPILE_HUGE_METHODS} -XX:TieredStopAtLevel=1"
    " -XX:ReservedCodeCacheSize=240m -XX:MinHeapFreeRatio=20 -XX:MaxHeapFreeRatio=50 -XX:-ShrinkHeapInSteps",
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
    all_options = {**_build_options(settings, scratch, address), **(options or {})}
    java_options = all_options["spark.driver.extraJavaOptions"]
    all_options["spark.driver.extraJavaOptions"] = _complete_java_options(java_options, settings)
    spark, driver, is_done = None, None, False
    try:
        with _hide_secrets():
            driver = _attach_driver(settings, all_options)
            builder = SparkSession.builder.appName(name)
            spark = builder.config(map=dict(all_options)).getOrCreate()
            _look_up_classes(spark)
        yield spark
        is_done = True
    except Exception as error:
        explanation = explain_failure(error, settings.spark_driver_memory)
        if explanation is None:
            raise
        raise explanation from error
    finally:
        try:
            if spark is not None and get_exit_code() is None:
                stop_session(spark)
        finally:
            if driver is not None:
                driver.release() if is_done else driver.discard()


def _attach_driver(settings: Settings, options: dict[str, str]) -> SharedDriver | None:
    """Attach this process to the shared Java process, if the settings allow one and it has no Java of its own yet."""
    if not settings.spark_idle_minutes or SparkContext._gateway is not None or "PYSPARK_GATEWAY_PORT" in os.environ:
        return None
    # Java that compiles for large inputs also serves small ones.
    others = [_complete_java_options(_JAVA_OPTIONS, settings)]
    driver = attach_driver(settings.state_dir, options, others, settings.spark_idle_minutes * 60)
    if driver is not None:
        # An own Java process would get them at its start.
        options["spark.files"] = options["spark.submit.pyFiles"]
    return driver


def _look_up_classes(spark: SparkSession) -> None:
    """Look up the Java classes of column functions once: py4j asks for them at each call, and Java searches all jars.

    A plan of a refresh makes thousands of such calls.
    """
    jvm = spark.sparkContext._jvm
    for name in _JAVA_CLASSES:
        setattr(jvm, name, getattr(jvm, name))


def _build_options(settings: Settings, scratch: Path, address: str) -> dict[str, str]:
    """Return the options of every session.

    :param address: of the driver.
    """
    return {
        "spark.master": settings.spark_master,
        "spark.driver.memory": settings.spark_driver_memory,
        "spark.driver.host": address,
        "spark.driver.bindAddress": address,
        "spark.driver.extraJavaOptions": _JAVA_OPTIONS,
        "spark.executor.extraJavaOptions": _JAVA_OPTIONS,
        "spark.jars": list_jars(settings.state_dir, "ivy"),
        "spark.jars.ivy": str(settings.state_dir / "ivy"),
        "spark.local.dir": str(scratch),
        "spark.log.level": "WARN",
        # To record where the code makes a column takes five calls of Java for each; errors have the traceback.
        "spark.python.sql.dataFrameDebugging.enabled": "false",
        "spark.sql.ansi.enabled": "true",
        # Its cost grows with the square of a plan's columns, and gains nothing for joins on plain keys.
        "spark.sql.constraintPropagation.enabled": "false",
        "spark.sql.execution.arrow.pyspark.enabled": "true",
        "spark.sql.parquet.outputTimestampType": "TIMESTAMP_MICROS",
        "spark.sql.session.timeZone": "UTC",
        # A new session's data are small: more partitions would only add tasks. Adaptive execution coalesces further.
        "spark.sql.shuffle.partitions": "8",
        # Each query describes its plan for the web UI, which is off.
        "spark.sql.ui.explainMode": "simple",
        "spark.sql.warehouse.dir": (scratch / "warehouse").as_uri(),
        "spark.submit.pyFiles": str(_zip_package(scratch)),
        "spark.ui.enabled": "false",
        "spark.ui.showConsoleProgress": "false",
    }


def list_jars(state_dir: Path, *folders: str) -> str:
    """Return the jars that were resolved into folders of STATE_DIR, as the option spark.jars takes them."""
    jars = {jar.name: jar.as_uri() for folder in folders for jar in sorted((state_dir / folder / "jars").glob("*.jar"))}
    return ",".join(jars.values())


def get_class_archive(state_dir: Path) -> Path:
    """Return the path of the archive of Java classes that ``launch.class_archive`` writes."""
    return state_dir / "ivy" / "classes.jsa"


def _complete_java_options(java_options: str, settings: Settings) -> str:
    """Add what the driver logs, and the archive of Java classes, if it exists, to its options."""
    java_options = f'{java_options} "-Dlog4j2.configurationFile={_LOG_CONFIGURATION}"'
    archive = get_class_archive(settings.state_dir)
    if not archive.exists() or "-XX:ArchiveClassesAtExit" in java_options:
        return java_options
    # Java says nothing of an archive that does not fit, and starts without it.
    return f'{java_options} "-XX:SharedArchiveFile={archive}" -Xlog:cds=off -Xlog:cds+dynamic=off'


def options_for_size(size_bytes: int) -> dict[str, str]:
    """Return the settings of a session whose inputs have a size: for small ones those that make planning cheap.

    The rows that come out are the same.
    """
    return dict(_SMALL_OPTIONS) if is_small_input(size_bytes) else {}


def is_small_input(size_bytes: int) -> bool:
    """Return whether an input is so small that Spark spends its time on plans, tasks and workers, not on the rows."""
    return size_bytes <= _SMALL_BYTES


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
