"""Spark's jars, resolved once into STATE_DIR/ivy; after that a session needs no network."""

import os
import sys
from pathlib import Path

from etl.config import CHECKOUT
from etl.errors import ActionNeededError
from etl.spark import JARS
from launch.processes import run_logged

_RESOLVE = """
import sys
from pyspark.sql import SparkSession
builder = SparkSession.builder.master("local[1]").config("spark.jars.packages", sys.argv[1])
builder.config("spark.jars.ivy", sys.argv[2]).config("spark.ui.enabled", "false").getOrCreate().stop()
"""


def resolve_jars(state: Path, environ: dict[str, str]) -> bool:
    """Fetch the jars that ``etl.spark`` names where they are missing.

    :returns: whether there was anything to fetch.
    :raises ActionNeededError: where they cannot be fetched.
    """
    ivy, wanted = state / "ivy", ",".join(JARS)
    note = ivy / "resolved"
    if note.exists() and note.read_text() == wanted:
        return False
    ivy.mkdir(parents=True, exist_ok=True)
    command = [sys.executable, "-c", _RESOLVE, wanted, str(ivy)]
    code, words = run_logged("spark-jars", command, {**environ, "PYSPARK_PYTHON": sys.executable}, state)
    if code != 0:
        raise ActionNeededError(
            f"Spark's jars could not be fetched; the first start needs the network ({words}). "
            f"Log: {state / 'logs' / 'spark-jars.log'}"
        )
    draft = note.with_suffix(f".{os.getpid()}")
    draft.write_text(wanted)
    draft.rename(note)
    return True


def lend_jars(state: Path) -> None:
    """Let Spark find the product's jars under another state folder, for tests and benchmarks; fetched where missing."""
    own = Path(os.environ.get("STATE_DIR") or CHECKOUT / ".state")
    resolve_jars(own, {**os.environ, "AIRFLOW_HOME": str(state)})
    if not (state / "ivy").is_symlink():
        (state / "ivy").symlink_to(own / "ivy")
