"""Messages for the failures of Spark's processes, and the end of sessions whose driver may have exited."""

import logging
import re
import subprocess

from py4j.protocol import Py4JError, Py4JJavaError
from pyspark import SparkContext
from pyspark.errors import PySparkRuntimeError
from pyspark.sql import SparkSession

from etl.errors import ActionNeededError, EtlError, TryAgainError

log = logging.getLogger(__name__)

_OUT_OF_MEMORY = "java.lang.OutOfMemoryError"
_WORKER_EXITED = re.compile(r"Python worker exited unexpectedly|reading the port number from pyspark\.daemon")
_EXIT_WAIT_SECONDS = 5


def stop_session(spark: SparkSession) -> None:
    """Stop a session; a driver that exits meanwhile counts as stopped."""
    try:
        spark.stop()
    except (Py4JError, ConnectionError):
        # The connection breaks shortly before the driver's exit code is available.
        if get_exit_code(_EXIT_WAIT_SECONDS) is None:
            raise
        log.warning("Spark exited while it was being stopped.")


def explain_failure(error: Exception, driver_memory: str) -> EtlError | None:
    """Return an error with a remedy if Spark ran out of memory, exited or did not start; None for any other failure.

    :param driver_memory: the value of SPARK_DRIVER_MEMORY.
    """
    if _OUT_OF_MEMORY in str(error):
        return ActionNeededError(
            f"Spark ran out of memory: SPARK_DRIVER_MEMORY is {driver_memory}. Set it higher, then run the step again."
        )
    if _WORKER_EXITED.search(str(error)):
        return TryAgainError(
            "A Python worker of Spark has ended before its work was done, as the system makes it where memory runs out:"
            " then end what else needs it. Nothing half done is kept."
        )
    if isinstance(error, PySparkRuntimeError) and error.getCondition() == "JAVA_GATEWAY_EXITED":
        return TryAgainError(
            "Spark ended while it was starting: what it said of that stands above. It needs Java 17, and"
            f" SPARK_DRIVER_MEMORY ({driver_memory}) of free memory."
        )
    is_connection_lost = isinstance(error, Py4JError | ConnectionError) and not isinstance(error, Py4JJavaError)
    code = get_exit_code(_EXIT_WAIT_SECONDS if is_connection_lost else 0)
    if code is None:
        return None
    return TryAgainError(
        f"Spark has ended before its work was done (exit code {code}; -9 is what the system does where memory runs"
        " out: then end what else needs it). Nothing half done is kept."
    )


def get_exit_code(wait_seconds: float = 0) -> int | None:
    """Return the exit code of the Spark driver that this process started; None while it runs."""
    gateway = SparkContext._gateway
    if gateway is None:
        return None
    try:
        return int(gateway.proc.wait(wait_seconds))
    except subprocess.TimeoutExpired:
        return None
