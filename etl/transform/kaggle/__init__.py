"""Rows of Kaggle files and of the synthetic catalogue: each is accepted, or rejected with a reason.

In: the rows of one format as text, as ``formats.tabular.read_rows`` returns them. Out: rows of ``TRACK_ROW``,
``ARTIST_ROW`` or ``SURVEY_ROW``, depending on the format, and rows of ``REJECTED_ROW``. Every row is in exactly one of
the two.

A row is rejected if its name, its artist, its id (in formats that have ids) or its duration is missing, or if a value
is unreadable or out of range. Any other missing value is NULL. The placeholder that a source writes for a failed
detection (tempo 0, time signature 0, key -1) is NULL, too. A reason begins with the name of the file's column, so that
reasons can be counted.

    tracks, artists, survey   the column that each field of a format fills
    fields, list_fields       values parsed from a field's text, with their validation rules
"""

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F
from pyspark.sql.types import StructType

from etl.formats.contracts import ARTIST_ROW, SURVEY_ROW, TRACK_ROW
from etl.formats.kaggle.file_formats import FORMATS, FileFormat
from etl.transform.kaggle import artists, survey, tracks
from etl.transform.kaggle.fields import Field, add_text_columns
from etl.transform.validation import (
    Rule,
    ValidationResult,
    compute_once,
    first_violation,
    select_schema_columns,
    split_rows,
)

_FIELD_MAPPINGS = tracks.FIELD_MAPPINGS | artists.FIELD_MAPPINGS | survey.FIELD_MAPPINGS

_SCHEMAS: dict[str, StructType] = {"track": TRACK_ROW, "artist": ARTIST_ROW, "survey_response": SURVEY_ROW}


def parse_rows(rows: DataFrame, file_format: FileFormat) -> ValidationResult:
    """Split rows into accepted and rejected ones.

    :param rows: the result of ``formats.tabular.read_rows`` for inputs of this format.
    """
    fields = _FIELD_MAPPINGS[file_format.name]()
    validated_rows = _compute_fields(rows, fields, file_format).withColumn("reason", _rejection_reason(fields))
    return split_rows(validated_rows, _build_columns(fields, file_format), _encode_received_row(file_format))


def _compute_fields(rows: DataFrame, fields: dict[str, Field], file_format: FileFormat) -> DataFrame:
    """Return the rows with all columns that values and rules refer to."""
    derived_columns = {
        name: expression for field in fields.values() for name, expression in field.derived_columns.items()
    }
    text_columns = [f"{state} {name}" for name in file_format.columns for state in ("trimmed", "present")]
    return compute_once(
        add_text_columns(rows, file_format),
        [
            *(F.col(f"`{name}`") for name in text_columns),
            *(column.alias(name) for name, column in derived_columns.items()),
        ],
        [F.col(f"`{name}`") for name in rows.columns],
    )


def _build_columns(fields: dict[str, Field], file_format: FileFormat) -> list[Column]:
    constant_columns = {
        "input_id": F.col("input_id"),
        "row_number": F.col("row_number"),
        "source": F.lit(file_format.source),
    }
    values = constant_columns | {name: field.value for name, field in fields.items()}
    return select_schema_columns(values, _SCHEMAS[file_format.kind])


def _rejection_reason(fields: dict[str, Field]) -> Column:
    """Return why a row is rejected, or NULL; ``problem`` is set if a row does not fit its file's header."""
    rules = (
        Rule(rule.is_violated, f"{field.column} {rule.message}") for field in fields.values() for rule in field.rules
    )
    return F.coalesce("problem", first_violation(rules))


def _encode_received_row(file_format: FileFormat) -> Column:
    """Return the row as JSON: an object keyed by the header, or an array of fields if they do not fit the header."""
    fields = F.concat(F.array(*(F.col(f"`{name}`") for name in file_format.columns)), F.col("others"))
    by_name = F.to_json(F.map_from_arrays(F.col("header"), F.coalesce(F.col("as_received"), fields)))
    return F.when(F.col("problem").isNull(), by_name).otherwise(F.to_json(F.col("others")))


assert _FIELD_MAPPINGS.keys() == FORMATS.keys(), (
    f"FORMATS and the FIELD_MAPPINGS of tracks, artists or survey differ: {_FIELD_MAPPINGS.keys() ^ FORMATS.keys()}"
)
