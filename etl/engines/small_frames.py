"""Small frames between Spark and Arrow: an action of Spark takes a quarter of a second, however few its rows.

What is collected together is one action, and Spark plans an Arrow table as rows that it has, without a scan.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from functools import reduce
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F
from pyspark.sql.pandas.types import to_arrow_schema
from pyspark.sql.types import StructType

from etl.engines.spark import empty_frame


def collect_tables(frames: Mapping[str, DataFrame]) -> dict[str, pa.Table]:
    """Collect the rows of several frames in one action, by the frames' names.

    They are one union, whose columns any frame fills that has a column of their type.
    """
    slots_by_frame = {name: _assign_slots(frame.schema) for name, frame in frames.items()}
    types = {
        slot: field.dataType
        for name, frame in frames.items()
        for slot, field in zip(slots_by_frame[name], frame.schema, strict=True)
    }
    parts = (
        frame.select(
            F.lit(index).alias("frame"),
            *(
                (F.col(column) if column else F.lit(None).cast(kind)).alias(slot)
                for slot, kind in types.items()
                for column in [dict(zip(slots_by_frame[name], frame.columns, strict=True)).get(slot)]
            ),
        )
        for index, (name, frame) in enumerate(frames.items())
    )
    table = reduce(DataFrame.unionAll, parts).toArrow()
    return {
        name: table.filter(pc.field("frame") == index).select(slots_by_frame[name]).rename_columns(frame.columns)
        for index, (name, frame) in enumerate(frames.items())
    }


def _assign_slots(schema: StructType) -> list[str]:
    """Return a name for each column: its type, and how many columns of this type are before it."""
    counts: Counter[str] = Counter()
    slots = []
    for field in schema:
        kind = field.dataType.simpleString()
        slots.append(f"{counts[kind]} {kind}")
        counts[kind] += 1
    return slots


def make_frame(spark: SparkSession, rows: Iterable[Mapping[str, Any]] | pa.Table, schema: StructType) -> DataFrame:
    """Return rows as a frame. A list of Spark's would be read by workers of Python, which are started for it."""
    table = rows if isinstance(rows, pa.Table) else pa.Table.from_pylist(list(rows), to_arrow_schema(schema))
    return spark.createDataFrame(table, schema) if table.num_rows else empty_frame(spark, schema)
