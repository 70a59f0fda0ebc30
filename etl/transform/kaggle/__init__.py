"""Kaggle's rows, made-up ones included: each becomes an accepted row or a rejected one with a reason.

In: the rows of one format as text, as ``tabular.read_rows`` gives them. Out: rows of ``TRACK_ROW``, ``ARTIST_ROW`` or
``SURVEY_ROW``, whichever the format is about, and rows of ``REJECTED_ROW``. Every row is in exactly one of the two.

A row is refused where its name, its artist, its id (in formats that have ids) or its duration is missing, and where a
value is there but cannot be read or is out of its range. Any other missing value is NULL. What a source writes where
it detected nothing (tempo 0, time signature 0, key -1) is NULL, too. A reason begins with the name of the file's
column, so that reasons can be counted.

    tracks, artists, survey   which field becomes which column, format by format
    values, lists             what is read out of a field's text, and what can be wrong with it
"""

from collections.abc import Callable

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F
from pyspark.sql.types import StructType

from etl.formats.contracts import ARTIST_ROW, REJECTED_ROW, SURVEY_ROW, TRACK_ROW
from etl.formats.kaggle.file_formats import FORMATS, FileFormat
from etl.transform.kaggle import artists, survey, tracks
from etl.transform.kaggle.fields import Field, add_text_columns
from etl.transform.validation import ValidationResult

_FIELD_MAPPINGS: dict[str, Callable[[], dict[str, Field]]] = {
    "tracks_by_genre": tracks.map_tracks_by_genre,
    "tracks_1921_2020": tracks.map_tracks_1921_2020,
    "artists_1921_2020": artists.map_artists_1921_2020,
    "playlist_songs": tracks.map_playlist_songs,
    "top_2000s": tracks.map_top_2000s,
    "user_behavior": survey.map_user_behavior,
    "made_up_tracks": tracks.map_synthetic_tracks,
    "made_up_artists": artists.map_synthetic_artists,
}

_SCHEMAS: dict[str, StructType] = {"track": TRACK_ROW, "artist": ARTIST_ROW, "survey_response": SURVEY_ROW}


def parse_rows(rows: DataFrame, file_format: FileFormat) -> ValidationResult:
    """Split rows into accepted and rejected ones.

    :param rows: what ``tabular.read_rows`` gives for inputs of this format.
    """
    fields = _FIELD_MAPPINGS[file_format.name]()
    validated_rows = _compute_fields(rows, fields, file_format).withColumn("reason", _rejection_reason(fields))
    accepted = validated_rows.where(F.col("reason").isNull()).select(*_build_columns(fields, file_format))
    rejected = (
        validated_rows.where(F.col("reason").isNotNull())
        .withColumn("row", _encode_received_row(file_format))
        .select(*REJECTED_ROW.names)
    )
    return ValidationResult(accepted, rejected)


def _compute_fields(rows: DataFrame, fields: dict[str, Field], file_format: FileFormat) -> DataFrame:
    """The rows with all columns that values and faults refer to, each computed once."""
    derived_columns = {
        name: expression for field in fields.values() for name, expression in field.derived_columns.items()
    }
    text_columns = [f"{state} {name}" for name in file_format.columns for state in ("trimmed", "known")]
    computed_struct = F.struct(
        *(F.col(f"`{name}`") for name in text_columns),
        *(column.alias(name) for name, column in derived_columns.items()),
    )
    # Spark moves a filter below the columns that it asks for, and copies them into it, over and over. It cannot move
    # one below a generator; this generator makes one row of each.
    return add_text_columns(rows, file_format).select(
        *(F.col(f"`{name}`") for name in rows.columns), F.inline(F.array(computed_struct))
    )


def _build_columns(fields: dict[str, Field], file_format: FileFormat) -> list[Column]:
    constant_columns = {
        "input_id": F.col("input_id"),
        "row_number": F.col("row_number"),
        "source": F.lit(file_format.source),
    }
    values = constant_columns | {name: field.value for name, field in fields.items()}
    schema = _SCHEMAS[file_format.kind]
    return [values.get(column.name, F.lit(None)).cast(column.dataType).alias(column.name) for column in schema.fields]


def _rejection_reason(fields: dict[str, Field]) -> Column:
    """The first fault of a row, or NULL."""
    reason = F.when(F.col("problem").isNotNull(), F.col("problem"))
    for field in fields.values():
        for is_violated, phrase in field.rules:
            reason = reason.when(is_violated, F.lit(f"{field.column} {phrase}"))
    return reason


def _encode_received_row(file_format: FileFormat) -> Column:
    """The row as JSON: an object by the header's names, or an array of its fields where they do not fit the header."""
    fields = F.concat(F.array(*(F.col(f"`{name}`") for name in file_format.columns)), F.col("others"))
    by_name = F.to_json(F.map_from_arrays(F.col("header"), F.coalesce(F.col("as_received"), fields)))
    return F.when(F.col("problem").isNull(), by_name).otherwise(F.to_json(F.col("others")))


assert _FIELD_MAPPINGS.keys() == FORMATS.keys()
