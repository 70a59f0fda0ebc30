"""The notation of schemas (names and types, all nullable), and columns that several schemas share."""

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
    """Return a schema of the columns, in this order."""
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
"""The nine measures that tracks are clustered by: 0 to 1, except loudness (dB) and tempo (beats per minute)."""

OTHER_AUDIO_MEASURES = ("key", "mode", "time_signature")
"""Musical key (0 = C), mode (0 minor, 1 major) and beats per bar: stored with the features, not used for clusters."""

STRINGS = ArrayType(StringType(), containsNull=False)


def double_columns(names: tuple[str, ...]) -> dict[str, DataType]:
    """Return double columns with these names."""
    return {name: DoubleType() for name in names}


def integer_columns(names: tuple[str, ...]) -> dict[str, DataType]:
    """Return integer columns with these names."""
    return {name: IntegerType() for name in names}


MEASURES: dict[str, DataType] = {**double_columns(AUDIO_FEATURES), **integer_columns(OTHER_AUDIO_MEASURES)}
"""All audio measures, in this order."""
