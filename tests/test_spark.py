"""What is said where Spark lacks memory, or is ended by the system for the lack of it."""

import os
import subprocess
import sys
from pathlib import Path

from etl.config import CHECKOUT

_PROGRAM = """
from etl.config import settings
from etl.errors import EtlError
from etl.spark import session

chosen = settings()
try:
    with session(chosen, "lacks memory"):
        raise RuntimeError("An error occurred. : java.lang.OutOfMemoryError: Java heap space")
except EtlError as error:
    print(type(error).__name__, error)
try:
    with session(chosen, "is killed") as spark:
        spark.sparkContext._gateway.proc.kill()
        spark.range(10).count()
except EtlError as error:
    print(type(error).__name__, error)
"""


def test_spark_without_memory_and_spark_that_was_killed_say_what_to_do(tmp_path: Path) -> None:
    environ = {
        **os.environ,
        "STATE_DIR": str(tmp_path),
        "PYTHONPATH": str(CHECKOUT),
        "WAREHOUSE_URL": "postgresql://unused@127.0.0.1:1/none",
        "SPARK_MASTER": "local[1]",
        "SPARK_DRIVER_MEMORY": "600m",
    }
    program = [sys.executable, "-c", _PROGRAM]
    done = subprocess.run(program, env=environ, capture_output=True, text=True, check=False, timeout=300)
    assert done.returncode == 0, done.stderr
    lacks, killed = [line for line in done.stdout.splitlines() if "Error" in line]
    assert lacks.startswith("ActionNeededError Spark ran out of memory: SPARK_DRIVER_MEMORY is 600m. Set it higher")
    assert killed.startswith("TryAgainError Spark has ended before its work was done (exit code -9;")
