"""Small frames between Spark and Arrow: an action of Spark takes a quarter of a second, however few its rows.

What is collected together is one action, and Spark plans an Arrow table as rows that it has, without a scan.
"""

from collections.abc import Iterable, Mapping
from functools import reduce
from typing import Any

import pyarrow as pa
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F
from pyspark.sql.pandas.types import to_arrow_schema
from pyspark.sql.types import StructField, StructType

from etl.engines.spark import empty_frame


def collect_tables(frames: Mapping[str, DataFrame]) -> dict[str, pa.Table]:
    """Collect the rows of several frames in one action, by the frames' names."""
    schemas = {name: _make_nullable(frame.schema) for name, frame in frames.items()}
    parts = (
        frame.select(
            *(
                (F.struct(*frame.columns) if name == own_name else F.lit(None)).cast(schema).alias(name)
                for name, schema in schemas.items()
            )
        )
        for own_name, frame in frames.items()
    )
    table = reduce(DataFrame.unionAll, parts).toArrow().combine_chunks()
    return {name: _expand_structs(table.column(name)) for name in schemas}


def _make_nullable(schema: StructType) -> StructType:
    """Return a schema whose fields may be NULL, as they are wherever their struct is."""
    return StructType(
        [
            StructField(field.name, _make_nullable(kind) if isinstance(kind := field.dataType, StructType) else kind)
            for field in schema
        ]
    )


def _expand_structs(column: pa.ChunkedArray) -> pa.Table:
    """Return the fields of the structs of a column that are not NULL."""
    structs = column.drop_null()
    if not structs.num_chunks:
        structs = pa.chunked_array([pa.array([], column.type)])
    return pa.Table.from_struct_array(structs)


def make_frame(spark: SparkSession, rows: Iterable[Mapping[str, Any]] | pa.Table, schema: StructType) -> DataFrame:
    """Return rows as a frame. A list of Spark's would be read by workers of Python, which are started for it."""
    table = rows if isinstance(rows, pa.Table) else pa.Table.from_pylist(list(rows), to_arrow_schema(schema))
    return spark.createDataFrame(table, schema) if table.num_rows else empty_frame(spark, schema)
