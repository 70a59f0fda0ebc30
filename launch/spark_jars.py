"""Spark's jars, resolved once into STATE_DIR/ivy; afterwards a session needs no network."""

import os
import sys
from pathlib import Path

from etl.engines.spark import MAVEN_COORDINATES
from etl.errors import ActionNeededError
from etl.settings import CHECKOUT
from launch.processes import run_logged

_RESOLVE_SCRIPT = """
import sys
from pyspark.sql import SparkSession
builder = SparkSession.builder.master("local[1]").config("spark.jars.packages", sys.argv[1])
builder.config("spark.jars.ivy", sys.argv[2]).config("spark.ui.enabled", "false").getOrCreate().stop()
"""


def resolve_jars(state: Path, environ: dict[str, str]) -> bool:
    """Fetch missing jars of ``etl.engines.spark.MAVEN_COORDINATES``.

    :returns: whether any was missing.
    :raises ActionNeededError: if they cannot be fetched.
    """
    ivy, jar_list = state / "ivy", ",".join(MAVEN_COORDINATES)
    marker = ivy / "resolved"
    if marker.exists() and marker.read_text() == jar_list:
        return False
    ivy.mkdir(parents=True, exist_ok=True)
    command = [sys.executable, "-c", _RESOLVE_SCRIPT, jar_list, str(ivy)]
    exit_code, last_output = run_logged("spark-jars", command, {**environ, "PYSPARK_PYTHON": sys.executable}, state)
    if exit_code != 0:
        raise ActionNeededError(
            f"Spark's jars could not be fetched; the first start needs the network ({last_output}). "
            f"Log: {state / 'logs' / 'spark-jars.log'}"
        )
    draft = marker.with_suffix(f".{os.getpid()}")
    draft.write_text(jar_list)
    draft.rename(marker)
    return True


def link_jars(state: Path) -> None:
    """Link the product's jars into another state folder, for tests and benchmarks; fetch them if missing."""
    own_state_dir = Path(os.environ.get("STATE_DIR") or CHECKOUT / ".state")
    resolve_jars(own_state_dir, {**os.environ, "AIRFLOW_HOME": str(state)})
    if not (state / "ivy").is_symlink():
        (state / "ivy").symlink_to(own_state_dir / "ivy")
