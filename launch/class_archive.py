"""The archive of the classes that Spark loads: with it, a session needs about half of the processor time to start.

    python -m launch.class_archive FILE

Java maps the archive into memory instead of reading, parsing and verifying thousands of classes again. It ignores an
archive that another version of Java or of Spark has written.
"""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

from pyspark import SparkContext
from pyspark.sql import SparkSession, Window
from pyspark.sql import functions as F

from etl.engines.spark import get_class_archive, open_session, options_for_size
from etl.settings import CHECKOUT, read_settings
from launch.processes import run_logged

_WRITE_SECONDS = 300
"""How long Java may take to write the archive; without one, sessions start more slowly."""


def write_class_archive(state: Path, environ: dict[str, str]) -> bool:
    """Write the archive of STATE_DIR; sessions start without one if this fails.

    :returns: whether the archive was written.
    """
    archive = get_class_archive(state)
    draft = archive.with_suffix(f".{os.getpid()}")
    command = [sys.executable, "-m", "launch.class_archive", str(draft)]
    settings = {"STATE_DIR": str(state), "WAREHOUSE_URL": "postgresql:///unused", "PYTHONPATH": str(CHECKOUT)}
    for unfinished_draft in archive.parent.glob(f"{archive.stem}.[0-9]*"):
        unfinished_draft.unlink()
    run_logged("spark-classes", command, {**environ, **settings}, state)
    if not draft.exists():
        return False
    draft.rename(archive)
    return True


def _record_classes(draft: Path) -> None:
    """Run a small session, and let its Java write the classes that it has loaded, which takes some seconds."""
    options = {**options_for_size(0), "spark.driver.extraJavaOptions": f'"-XX:ArchiveClassesAtExit={draft}"'}
    settings = read_settings({**os.environ, "SPARK_MASTER": "local[2]", "SPARK_IDLE_MINUTES": "0"})
    with open_session(settings, "class archive", options) as spark, tempfile.TemporaryDirectory() as folder:
        _use_common_classes(spark, Path(folder).as_uri())
    gateway = SparkContext._gateway
    assert gateway is not None
    gateway.shutdown()
    gateway.proc.stdin.close()
    try:
        gateway.proc.wait(_WRITE_SECONDS)
    except subprocess.TimeoutExpired:
        gateway.proc.kill()
        raise


def _use_common_classes(spark: SparkSession, url: str) -> None:
    """Plan and run what the steps of a refresh consist of: JSON, Parquet, joins, aggregates, windows, checkpoints."""
    document = F.to_json(F.struct("id", (F.col("id") % 7).alias("key"))).alias("document")
    spark.range(100).select(document).write.text(f"{url}/json")
    rows = spark.read.text(f"{url}/json").select(F.from_json("value", "id bigint, key bigint").alias("row"))
    rows = rows.select("row.*").localCheckpoint()
    groups = rows.groupBy("key").agg(
        F.min_by("id", F.struct("key", "id")).alias("id"), F.collect_list("id").alias("ids")
    )
    ranked_rows = rows.withColumn("rank", F.row_number().over(Window.partitionBy("key").orderBy("id")))
    joined_rows = groups.join(ranked_rows.drop("key"), on="id", how="left").select(
        "*", F.explode("ids").alias("member")
    )
    joined_rows.unionByName(joined_rows).distinct().write.parquet(f"{url}/parquet")
    spark.read.parquet(f"{url}/parquet").where("rank = 1").collect()


if __name__ == "__main__":
    _record_classes(Path(sys.argv[1]))
