"""The timezones by whose clocks events can be told."""

from zoneinfo import available_timezones

import pyarrow as pa
from pyspark.sql import SparkSession
from pyspark.sql import functions as F


def known_timezones(spark: SparkSession) -> list[str]:
    """Names of places that Python and Spark's Java both know: an executor fails at a name that its Java is too old for.

    Names without a region ("EST", "Factory") are not known everywhere, or say less than they seem to.
    """
    named = sorted({name for name in available_timezones() if "/" in name} | {"UTC"})
    year, one, none = F.lit(2020), F.lit(1), F.lit(0)
    moment = F.try_make_timestamp(year, one, one, none, none, none, F.col("name"))
    frame = spark.createDataFrame(pa.table({"name": named}))
    return [row["name"] for row in frame.where(moment.isNotNull()).collect()]
