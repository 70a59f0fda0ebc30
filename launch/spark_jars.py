"""Spark's jars, resolved once into STATE_DIR/ivy; afterwards a session needs no network.

The jars for Kafka are only resolved for streams, into STATE_DIR/ivy-kafka.
"""

import fcntl
import os
import shutil
import sys
import uuid
from collections.abc import Sequence
from pathlib import Path

from etl.engines.spark import KAFKA_COORDINATES, KAFKA_EXCLUDES, MAVEN_COORDINATES
from etl.errors import ActionNeededError
from etl.settings import CHECKOUT
from launch.class_archive import write_class_archive
from launch.processes import run_logged

_IMAGE_FILE = "image"
"""Tells one container image from another."""

_RESOLVE_SCRIPT = """
import sys
from pyspark.sql import SparkSession
builder = SparkSession.builder.master("local[1]").config("spark.jars.packages", sys.argv[1])
builder.config("spark.jars.ivy", sys.argv[2]).config("spark.jars.excludes", sys.argv[3])
builder.config("spark.ui.enabled", "false").getOrCreate().stop()
"""


def resolve_jars(state: Path, environ: dict[str, str]) -> bool:
    """Fetch missing jars of ``etl.engines.spark.MAVEN_COORDINATES``, and write the archive of Spark's classes.

    :returns: whether any was missing.
    :raises ActionNeededError: if they cannot be fetched.
    """
    if not _resolve(state, environ, "ivy", MAVEN_COORDINATES, ()):
        return False
    write_class_archive(state, environ)
    return True


def resolve_kafka_jars(state: Path, environ: dict[str, str]) -> bool:
    """Fetch missing jars of ``etl.engines.spark.KAFKA_COORDINATES``, as ``resolve_jars`` does."""
    return _resolve(state, environ, "ivy-kafka", KAFKA_COORDINATES, KAFKA_EXCLUDES)


def resolve_additional_jars(state: Path, environ: dict[str, str], coordinates: Sequence[str]) -> None:
    """Fetch jars, such as a connector of an object store, beside those that ``resolve_jars`` fetches.

    :raises ActionNeededError: if they cannot be fetched.
    """
    _fetch_jars(state, environ, state / "ivy", ",".join(coordinates), ())


def fetch_image_jars(folder: Path, environ: dict[str, str]) -> None:
    """Fetch the jars of all sessions, as STATE_DIR has them, into a folder that all users may read.

    :raises ActionNeededError: if they cannot be fetched.
    """
    _resolve(folder, environ, "ivy", MAVEN_COORDINATES, ())
    _resolve(folder, environ, "ivy-kafka", KAFKA_COORDINATES, KAFKA_EXCLUDES)
    # Ivy has copied its cache into the folders of jars.
    for leftover in (folder / "ivy" / "cache", folder / "ivy-kafka" / "cache", folder / "logs"):
        shutil.rmtree(leftover, ignore_errors=True)
    (folder / _IMAGE_FILE).write_text(uuid.uuid4().hex)
    for path in (folder, *folder.rglob("*")):
        path.chmod(0o755 if path.is_dir() else 0o644)


def use_image_jars(image_jars: Path, state: Path, environ: dict[str, str]) -> bool:
    """Use the jars that ``fetch_image_jars`` has put into an image, so that an upgrade of the image changes them.

    Of another image than before, the archive of Spark's classes is written again.

    :returns: whether it was another image.
    """
    image = (image_jars / _IMAGE_FILE).read_text()
    marker = state / "ivy" / _IMAGE_FILE
    if marker.exists() and marker.read_text() == image:
        return False
    for name in ("ivy", "ivy-kafka"):
        shutil.rmtree(state / name, ignore_errors=True)
        (state / name).mkdir(parents=True)
        for path in (image_jars / name).iterdir():
            (state / name / path.name).symlink_to(path)
    write_class_archive(state, environ)
    marker.write_text(image)
    return True


def link_jars(state: Path) -> None:
    """Link the product's jars into another state folder, for tests and benchmarks; fetch them if missing."""
    own_state_dir = Path(os.environ.get("STATE_DIR") or CHECKOUT / ".state")
    resolve_jars(own_state_dir, {**os.environ, "AIRFLOW_HOME": str(state)})
    _link_folder(own_state_dir, state, "ivy")


def link_kafka_jars(state: Path) -> None:
    """Link Spark's jars for Kafka, as ``link_jars`` does."""
    own_state_dir = Path(os.environ.get("STATE_DIR") or CHECKOUT / ".state")
    resolve_kafka_jars(own_state_dir, {**os.environ, "AIRFLOW_HOME": str(state)})
    _link_folder(own_state_dir, state, "ivy-kafka")


def _resolve(
    state: Path, environ: dict[str, str], folder: str, coordinates: tuple[str, ...], excludes: tuple[str, ...]
) -> bool:
    ivy, jar_list = state / folder, ",".join(coordinates)
    marker = ivy / "resolved"
    if _has_jars(marker, jar_list):
        return False
    ivy.mkdir(parents=True, exist_ok=True)
    with (ivy / "lock").open("w") as lock:
        # Two processes that fetch into one folder read each other's unfinished files.
        fcntl.flock(lock, fcntl.LOCK_EX)
        if _has_jars(marker, jar_list):
            return False
        _fetch_jars(state, environ, ivy, jar_list, excludes)
        draft = marker.with_suffix(f".{os.getpid()}")
        draft.write_text(jar_list)
        draft.rename(marker)
    return True


def _has_jars(marker: Path, jar_list: str) -> bool:
    return marker.exists() and marker.read_text() == jar_list


def _fetch_jars(state: Path, environ: dict[str, str], ivy: Path, jar_list: str, excludes: tuple[str, ...]) -> None:
    command = [sys.executable, "-c", _RESOLVE_SCRIPT, jar_list, str(ivy), ",".join(excludes)]
    exit_code, last_output = run_logged("spark-jars", command, {**environ, "PYSPARK_PYTHON": sys.executable}, state)
    if exit_code != 0:
        raise ActionNeededError(
            f"Spark's jars could not be fetched; the first start needs the network ({last_output}). "
            f"Log: {state / 'logs' / 'spark-jars.log'}"
        )


def _link_folder(own_state_dir: Path, state: Path, folder: str) -> None:
    if not (state / folder).is_symlink():
        (state / folder).symlink_to(own_state_dir / folder)
