"""The one place that starts a Spark session."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from pyspark.sql import SparkSession

from etl.config import Settings

JARS = ("org.apache.spark:spark-avro_2.13:4.1.1",)
"""Maven coordinates that sessions need; resolved once, at set-up, into STATE_DIR/ivy."""


@contextmanager
def session(settings: Settings, name: str) -> Iterator[SparkSession]:
    """A Spark session on ``settings.spark_master``, stopped on leaving.

    Everything that Spark writes besides results goes under ``STATE_DIR/spark``; the driver, and with
    it the block manager and the user interface (off), stays on loopback unless SPARK_LOCAL_IP says
    otherwise. Timestamps are UTC.
    """
    scratch = settings.state_dir / "spark"
    scratch.mkdir(parents=True, exist_ok=True)
    os.environ.setdefault("SPARK_LOCAL_IP", "127.0.0.1")
    os.environ["PYSPARK_PYTHON"] = sys.executable
    os.environ["PYSPARK_DRIVER_PYTHON"] = sys.executable
    spark = (
        SparkSession.builder.master(settings.spark_master)
        .appName(name)
        .config("spark.driver.memory", settings.spark_driver_memory)
        .config("spark.driver.host", os.environ["SPARK_LOCAL_IP"])
        .config("spark.driver.bindAddress", os.environ["SPARK_LOCAL_IP"])
        .config("spark.ui.enabled", "false")
        .config("spark.local.dir", str(scratch))
        .config("spark.sql.warehouse.dir", (scratch / "warehouse").as_uri())
        .config("spark.jars.ivy", str(settings.state_dir / "ivy"))
        .config("spark.sql.session.timeZone", "UTC")
        .config("spark.sql.execution.arrow.pyspark.enabled", "true")
        .config("spark.sql.shuffle.partitions", "8")
        .config("spark.sql.ansi.enabled", "true")
        .config("spark.log.level", "WARN")
        .config("spark.ui.showConsoleProgress", "false")
        .getOrCreate()
    )
    try:
        yield spark
    finally:
        spark.stop()
