"""Values parsed from a record's fields, with the rules that reject unreadable ones, which are NULL.

A record's fields are read as text first (the struct ``payload``), whatever their type in JSON: exports of different
years write the same field as a number, as text or not at all.
"""

from pyspark.sql import Column
from pyspark.sql import functions as F

from etl.formats.kaggle.column_rules import MAX_TEXT_LENGTH
from etl.formats.time_limits import SPOTIFY_FOUNDED
from etl.transform.times import is_after_receipt, is_before_spotify
from etl.transform.validation import Rule

MAX_PLAY_MS = 24 * 60 * 60 * 1000
EARLIEST_PLAY = SPOTIFY_FOUNDED.isoformat()

_INTEGER = r"^-?[0-9]{1,18}(\.0+)?$"
_TIMESTAMP = r"^[0-9]{4}-[0-9]{2}-[0-9]{2}[T ][0-9]{2}:[0-9]{2}(:[0-9]{2}(\.[0-9]+)?)?"
_TO_THE_MINUTE = r"^[0-9-]{10}[T ][0-9]{2}:[0-9]{2}$"
_ZONE = r"(Z|[+-][0-9]{2}:?[0-9]{2})$"


def get_text(field: str) -> Column:
    """Return a field's text without blanks around it; NULL if it is empty."""
    return F.col("payload")[field]


def parse_integer(field: str) -> Column:
    """Parse a whole number."""
    return F.when(get_text(field).rlike(_INTEGER), F.regexp_replace(get_text(field), r"\.0+$", "").cast("bigint"))


def parse_boolean(field: str) -> Column:
    """Parse true, false, 1 or 0."""
    lowered_text = F.lower(get_text(field))
    return F.when(lowered_text.isin("true", "1", "1.0"), F.lit(True)).when(
        lowered_text.isin("false", "0", "0.0"), F.lit(False)
    )


def parse_timestamp(field: str) -> Column:
    """Parse a date and time; without a zone it is UTC."""
    text = get_text(field)
    zone = F.when(text.rlike(_TO_THE_MINUTE), ":00Z").when(text.rlike(_ZONE), "").otherwise("Z")
    text_with_zone = F.concat(text, zone)
    return F.when(text.rlike(_TIMESTAMP), F.try_to_timestamp(text_with_zone))


def build_timestamp_rules(field: str, value: Column) -> list[Rule[Column]]:
    """Return the rules for the end of a play."""
    return [
        Rule(get_text(field).isNull(), f"{field} is missing"),
        Rule(value.isNull(), f"{field} is no date and time"),
        Rule(is_before_spotify(value), f"{field} lies before Spotify's beginning"),
        Rule(is_after_receipt(value, F.col("received_at")), f"{field} lies after the import"),
    ]


def build_duration_rules(field: str, value: Column) -> list[Rule[Column]]:
    """Return the rules for the length of a play."""
    return [
        Rule(get_text(field).isNull(), f"{field} is missing"),
        Rule(value.isNull(), f"{field} is no whole number"),
        Rule(value < 0, f"{field} is negative"),
        Rule(value > MAX_PLAY_MS, f"{field} is more than a day"),
    ]


def build_text_rules(fields: tuple[str, ...]) -> list[Rule[Column]]:
    """Return the rules that reject texts longer than a name or title can be."""
    return [
        Rule(F.length(get_text(field)) > MAX_TEXT_LENGTH, f"{field} is longer than {MAX_TEXT_LENGTH} characters")
        for field in fields
    ]


def subtract_ms(timestamp: Column, offset_ms: Column) -> Column:
    """Return the time that lies so many milliseconds earlier."""
    return F.timestamp_millis(F.unix_millis(timestamp) - offset_ms)
