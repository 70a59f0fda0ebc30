"""How a schema is written here: names and types, all of them nullable; and what several schemas have in common."""

from pyspark.sql.types import (
    ArrayType,
    DataType,
    DateType,
    DoubleType,
    IntegerType,
    LongType,
    StringType,
    StructField,
    StructType,
    TimestampType,
)


def build_schema(**columns: DataType) -> StructType:
    """A schema of the columns, in this order."""
    return StructType([StructField(name, kind) for name, kind in columns.items()])


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

REJECTED_ROW = build_schema(
    input_id=StringType(),
    row_number=LongType(),
    reason=StringType(),
    row=StringType(),
)
"""A refused row: why, and the row as received (a JSON object, or an array where it does not fit the header)."""

USER_PROFILE: dict[str, DataType] = {
    "username": StringType(),
    "birthdate": DateType(),
    "gender": StringType(),
    "country": StringType(),
    "continent": StringType(),
    "timezone": StringType(),
    "favourite_genre": StringType(),
    "subscription_plan": StringType(),
}
"""What may be said of a user."""

USER_RECORD = build_schema(user_id=StringType(), valid_from=TimestampType(), source=StringType(), **USER_PROFILE)
"""What a source says of a user as of ``valid_from``, as it is staged."""
