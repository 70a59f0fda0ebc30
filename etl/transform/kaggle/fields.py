"""Column expressions that parse a field's text, with the rules that reject its row.

Nothing here raises on data: an unreadable value is NULL, and a rule rejects its row.

Spark copies an expression to each place that uses it, and a row has some twenty fields with several rules each. So the
costly steps are columns of their own, computed once (``validation.compute_once``), and all else refers to them by name:
first the ``trimmed`` and ``present`` texts (``add_text_columns``), then the ``derived_columns`` of each field.
"""

from collections.abc import Callable
from dataclasses import dataclass, field

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from etl.formats.kaggle.column_rules import (
    BLANKS,
    GROUPED_NUMBER,
    MAX_EXACT_DOUBLE_INTEGER,
    MAX_INT,
    MAX_TEXT_LENGTH,
    NUMBER,
    SPOTIFY_ID,
    get_missing_words,
)
from etl.formats.kaggle.file_formats import FileFormat
from etl.transform.validation import Rule


@dataclass(frozen=True)
class Field:
    """A value and the rules that reject its row; a rule's message follows the name of ``column`` in the reason.

    ``column`` is the column of the file. ``derived_columns`` are the columns, by name, that value and rules refer to.
    """

    column: str
    value: Column
    rules: tuple[Rule[Column], ...] = ()
    derived_columns: dict[str, Column] = field(default_factory=dict)


FieldMappings = dict[str, Callable[[], dict[str, Field]]]
"""By the name of a format: the function that returns its columns by field."""


def add_text_columns(rows: DataFrame, file_format: FileFormat) -> DataFrame:
    """Add the columns that ``trimmed_text`` and ``present_text`` refer to."""
    rows = rows.withColumns({f"trimmed {name}": trim_blanks(F.col(f"`{name}`")) for name in file_format.columns})
    return rows.withColumns({f"present {name}": _null_if_missing(file_format, name) for name in file_format.columns})


def _null_if_missing(file_format: FileFormat, name: str) -> Column:
    text = F.col(f"`trimmed {name}`")
    return F.when(~text.isin(*get_missing_words(file_format, name)), text)


def trim_blanks(text: Column) -> Column:
    """Return the text without blanks around it."""
    return F.btrim(text, F.lit(BLANKS))


def trimmed_text(column: str) -> Column:
    """Return a field's text without blanks around it; NULL if it is empty."""
    return F.nullif(F.col(f"`trimmed {column}`"), F.lit(""))


def present_text(column: str) -> Column:
    """Return a field's text without blanks around it; NULL if it is empty or a word for a missing value."""
    return F.col(f"`present {column}`")


def define_column(name: str, expression: Column) -> tuple[Column, dict[str, Column]]:
    """Return a reference to a column of a name, and the expression under that name."""
    return F.col(f"`{name}`"), {name: expression}


def optional_text(column: str) -> Field:
    """Parse a text that may be missing."""
    value = present_text(column)
    return Field(column, value, (text_length_rule(value),))


def text_length_rule(value: Column) -> Rule[Column]:
    """Return the rule that rejects a text longer than a name or title can be."""
    return Rule(F.length(value) > MAX_TEXT_LENGTH, f"is longer than {MAX_TEXT_LENGTH} characters")


def required_text(column: str) -> Field:
    """Parse a text without which a row is rejected."""
    field = optional_text(column)
    return Field(column, field.value, (Rule(field.value.isNull(), "is missing"), *field.rules))


def spotify_id(column: str, is_required: bool = False) -> Field:
    """Parse an id of Spotify: 22 letters and digits."""
    value = present_text(column)
    malformed = Rule(~value.rlike(SPOTIFY_ID), "is not a Spotify id")
    return Field(column, value, (Rule(value.isNull(), "is missing"), malformed) if is_required else (malformed,))


def spotify_ids(column: str, ids: Column, names: Column) -> Field:
    """Parse the ids that belong to a list of names, one each."""
    value, derived_columns = define_column(f"list {column}", ids)
    all_fit = F.forall(value, lambda item: item.rlike(SPOTIFY_ID))
    rules = (
        Rule(F.coalesce(F.size(value), F.lit(-1)) != F.size(names), "has not one id for each name"),
        Rule(~all_fit, "holds something that is not a Spotify id"),
    )
    return Field(column, value, rules, derived_columns)


def decimal_number(column: str, low: float, high: float, scale: float = 1, not_detected: float | None = None) -> Field:
    """Parse a number from ``low`` to ``high``, and divide it by ``scale``; the value ``not_detected`` becomes NULL."""
    value, derived_columns = define_column(f"number {column}", _parse_double(present_text(column)))
    is_fit = F.coalesce(value.between(low, high), F.lit(False))
    scaled = value / F.lit(float(scale)) if scale != 1 else value
    result = F.when(value != not_detected, scaled) if not_detected is not None else scaled
    return Field(
        column,
        result,
        (Rule(present_text(column).isNotNull() & ~is_fit, f"is not a number from {low} to {high}"),),
        derived_columns,
    )


def whole_number(column: str, low: int, high: int, kind: str = "int", not_detected: int | None = None) -> Field:
    """Parse a whole number, which some copies write with a decimal point (``55.0``)."""
    value, derived_columns = define_column(f"number {column}", _parse_double(present_text(column)))
    is_fit = F.coalesce(value.between(low, high) & (value == F.floor(value)), F.lit(False))
    result = (F.when(value != not_detected, value) if not_detected is not None else value).try_cast(kind)
    return Field(
        column,
        result,
        (Rule(present_text(column).isNotNull() & ~is_fit, f"is not a whole number from {low} to {high}"),),
        derived_columns,
    )


def item_count(column: str) -> Field:
    """Parse a count; it may exceed 32 bits."""
    return whole_number(column, 0, MAX_EXACT_DOUBLE_INTEGER, "bigint")


def duration_ms(column: str, milliseconds_in_unit: int = 1) -> Field:
    """Parse a duration and convert it to milliseconds; commas may group thousands."""
    text = present_text(column)
    ungrouped_text = F.when(text.rlike(GROUPED_NUMBER), F.replace(text, F.lit(","), F.lit(""))).otherwise(text)
    value, derived_columns = define_column(
        f"number {column}", F.round(_parse_double(ungrouped_text) * F.lit(float(milliseconds_in_unit)))
    )
    rules = (
        Rule(text.isNull(), "is missing"),
        Rule(value.isNull(), "is not a number"),
        Rule(value < 1, "is not above 0"),
        Rule(value > MAX_INT, f"is above {MAX_INT}"),
    )
    return Field(column, value.try_cast("int"), rules, derived_columns)


def boolean_flag(
    column: str, true: tuple[str, ...] = ("true", "1", "1.0"), false: tuple[str, ...] = ("false", "0", "0.0")
) -> Field:
    """Parse yes or no, in any case of letters."""
    lowered_text = F.lower(present_text(column))
    value, derived_columns = define_column(
        f"flag {column}", F.when(lowered_text.isin(*true), True).when(lowered_text.isin(*false), False)
    )
    is_unreadable = present_text(column).isNotNull() & value.isNull()
    return Field(column, value, (Rule(is_unreadable, f"is neither {true[0]} nor {false[0]}"),), derived_columns)


def release_date(column: str) -> tuple[Field, Field]:
    """Parse a date of 4, 7 or 10 characters, and its precision (year, month or day); the year 0000 means unknown."""
    text = F.regexp_replace(present_text(column), r"^([0-9]{4})\.0$", "$1")
    pattern = r"^[0-9]{4}(-[0-9]{2}(-[0-9]{2})?)?$"
    # A month or day of 00 means unknown.
    digits, derived_columns = define_column(
        f"digits {column}", F.when(text.rlike(pattern), F.regexp_replace(text, "(-00)+$", ""))
    )
    padded_date = F.concat(digits, F.substring(F.lit("0000-01-01"), F.length(digits) + 1, F.lit(10)))
    value = F.when(~digits.startswith("0000"), padded_date).try_cast("date")
    length = F.length(digits)
    precision = F.when(length == 4, "year").when(length == 7, "month").when(length == 10, "day")
    is_unreadable = (
        present_text(column).isNotNull() & value.isNull() & ~F.coalesce(digits.startswith("0000"), F.lit(False))
    )
    date = Field(column, value, (Rule(is_unreadable, "is not a date"),), derived_columns)
    return date, Field(column, F.when(value.isNotNull(), precision))


def _parse_double(text: Column) -> Column:
    return F.when(text.rlike(NUMBER), text).try_cast("double")
