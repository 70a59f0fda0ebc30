"""Keys that the star has given, as frames: the queries of sql/lookup."""

import pyarrow as pa
from adbc_driver_postgresql import dbapi
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from etl.config import CHECKOUT
from etl.warehouse import libpq_url

LOOKUPS = ("user", "artist", "track", "playlist", "context", "input", "made_id")
_BROADCAST_ROWS = 2_000_000
"""Up to so many keys every executor gets them all, so that events need not be sorted to meet them."""


def keys(spark: SparkSession, url: str) -> dict[str, DataFrame]:
    """The keys of all members that the staged events name, and ids made for those without one, as LOOKUPS says."""
    with dbapi.connect(libpq_url(url)) as connection, connection.cursor() as cursor:
        found = {}
        for name in LOOKUPS:
            cursor.execute((CHECKOUT / "sql" / "lookup" / f"{name}.sql").read_text(encoding="utf-8"))
            found[name] = cursor.fetch_arrow_table()
    return {name: _frame(spark, table) for name, table in found.items()}


def _frame(spark: SparkSession, table: pa.Table) -> DataFrame:
    frame = spark.createDataFrame(table)
    return F.broadcast(frame) if table.num_rows <= _BROADCAST_ROWS else frame
