"""How a schema is written here: names and types, all of them nullable."""

from pyspark.sql.types import DataType, StructField, StructType


def schema(**columns: DataType) -> StructType:
    """A schema of the columns, in this order."""
    return StructType([StructField(name, kind) for name, kind in columns.items()])
