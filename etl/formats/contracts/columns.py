"""How a schema is written here: names and types, all of them nullable; and what several schemas have in common."""

from pyspark.sql.types import (
    ArrayType,
    DataType,
    DoubleType,
    IntegerType,
    StringType,
    StructField,
    StructType,
)


def build_schema(**columns: DataType) -> StructType:
    """A schema of the columns, in this order."""
    return StructType([StructField(name, kind) for name, kind in columns.items()])


def list_columns(schema: StructType) -> dict[str, DataType]:
    """Return the columns of a schema, so that another schema can include them."""
    return {column.name: column.dataType for column in schema}


AUDIO_FEATURES = (
    "danceability",
    "energy",
    "loudness",
    "speechiness",
    "acousticness",
    "instrumentalness",
    "liveness",
    "valence",
    "tempo",
)
"""The nine measures that clusters are made of: 0 to 1, but loudness (dB) and tempo (beats a minute)."""

OTHER_AUDIO_MEASURES = ("key", "mode", "time_signature")
"""Musical key (0 = C), mode (0 minor, 1 major) and beats in a bar: stored beside the features, never clustered."""

STRINGS = ArrayType(StringType(), containsNull=False)


def double_columns(names: tuple[str, ...]) -> dict[str, DataType]:
    """Columns of measures."""
    return {name: DoubleType() for name in names}


def integer_columns(names: tuple[str, ...]) -> dict[str, DataType]:
    """Columns of small whole numbers."""
    return {name: IntegerType() for name in names}


MEASURES: dict[str, DataType] = {**double_columns(AUDIO_FEATURES), **integer_columns(OTHER_AUDIO_MEASURES)}
"""All of them, in this order."""
