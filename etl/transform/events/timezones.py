"""The timezones by whose clocks events can be told."""

from typing import Any
from zoneinfo import available_timezones

from pyspark.sql import SparkSession


def known_timezones(spark: SparkSession) -> list[str]:
    """Names of places that Python and Java both know: an executor fails at a name that its Java is too old for.

    Names without a region ("EST", "Factory") are not known everywhere, or say less than they seem to.
    """
    jvm: Any = spark.sparkContext._jvm
    zones = jvm.java.time.ZoneId.getAvailableZoneIds().toString()
    named = {name for name in available_timezones() if "/" in name} | {"UTC"}
    return sorted(named & set(zones.strip("[]").split(", ")))
