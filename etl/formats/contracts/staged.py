"""Spark schemas of staging tables, read from the SQL files in sql/schema that create the tables.

Executors have these files in the zip that ``etl.engines.spark`` creates.
"""

import re
from importlib.resources import files
from pathlib import Path
from typing import cast

from pyspark.sql.types import (
    ArrayType,
    BinaryType,
    BooleanType,
    DataType,
    DateType,
    DoubleType,
    IntegerType,
    LongType,
    ShortType,
    StringType,
    StructType,
    TimestampNTZType,
    TimestampType,
)

from etl.formats.contracts.columns import build_schema

_CHECKOUT = cast(Path, files("etl")).parent
"""The folder that contains the package ``etl``, or its zip on executors."""

_SPARK_TYPES: dict[str, DataType] = {
    "bigint": LongType(),
    "boolean": BooleanType(),
    "date": DateType(),
    "double precision": DoubleType(),
    "double precision[]": ArrayType(DoubleType(), containsNull=False),
    "integer": IntegerType(),
    "smallint": ShortType(),
    "text": StringType(),
    "text[]": ArrayType(StringType(), containsNull=False),
    "timestamp": TimestampNTZType(),
    "timestamptz": TimestampType(),
    "uuid": BinaryType(),
}
_LIKE = re.compile(r"^create table staging\.\w+ \(like (?P<schema>\w+)\.(?P<table>\w+) ", re.MULTILINE)
_COLUMNS = re.compile(r"^create .*? \(\n(?P<lines>.*?)\n(?:    constraint |\))", re.DOTALL | re.MULTILINE)
_COLUMN = re.compile(r"    (?P<name>\w+) (?P<type>[a-z\[\] ]+?)(?: collate \"C\")?(?: not null)?,?")


def read_staged_schema(table: str) -> StructType:
    """Return the schema of the frames that fill a staging table."""
    statements = _read("staging", table)
    like = _LIKE.search(statements)
    columns = _COLUMNS.search(_read(like["schema"], like["table"]) if like else statements)
    assert columns is not None, table
    return build_schema(**dict(map(_parse_column, columns["lines"].splitlines())))


def _read(database_schema: str, table: str) -> str:
    return (_CHECKOUT / "sql" / "schema" / database_schema / f"{table}.sql").read_text(encoding="utf-8")


def _parse_column(line: str) -> tuple[str, DataType]:
    column = _COLUMN.fullmatch(line)
    assert column is not None, line
    return column["name"], _SPARK_TYPES[column["type"].replace(" []", "[]")]
