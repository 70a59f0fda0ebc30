"""Values out of a record's fields: what cannot be read is NULL, and a fault says so.

A record's fields are read as text first (``said``), whatever they were in JSON: exports of several ages write the same
field as a number, as text or not at all.
"""

from pyspark.sql import Column
from pyspark.sql import functions as F

from etl.formats.time_limits import CLOCK_TOLERANCE, SPOTIFY_FOUNDED

MAX_TEXT_LENGTH = 1000
MAX_PLAY_MS = 24 * 60 * 60 * 1000
EARLIEST_PLAY = SPOTIFY_FOUNDED.isoformat()
"""What is dated before was played by a clock that went wrong."""

_INTEGER = r"^-?[0-9]{1,18}(\.0+)?$"
_TIMESTAMP = r"^[0-9]{4}-[0-9]{2}-[0-9]{2}[T ][0-9]{2}:[0-9]{2}(:[0-9]{2}(\.[0-9]+)?)?"
_TO_THE_MINUTE = r"^[0-9-]{10}[T ][0-9]{2}:[0-9]{2}$"
_ZONE = r"(Z|[+-][0-9]{2}:?[0-9]{2})$"

TRACK_URI = "^spotify:track:([0-9A-Za-z]{22})$"
LOCAL_URI = "^spotify:local:"
SPOKEN_URI = "^spotify:(episode|chapter|show|audiobook):[0-9A-Za-z]+$"
"""What may stand in the field of a track instead of one: something spoken."""

ValidationRules = list[tuple[Column, str]]


def get_text(field: str) -> Column:
    """A field's text without blanks around it; NULL where nothing is left."""
    return F.col("said")[field]


def parse_integer(field: str) -> Column:
    """A whole number, also where it is written as text."""
    return F.when(get_text(field).rlike(_INTEGER), F.regexp_replace(get_text(field), r"\.0+$", "").cast("bigint"))


def parse_boolean(field: str) -> Column:
    """A yes or no: true, false, 1, 0."""
    lowered_text = F.lower(get_text(field))
    return F.when(lowered_text.isin("true", "1", "1.0"), F.lit(True)).when(
        lowered_text.isin("false", "0", "0.0"), F.lit(False)
    )


def parse_timestamp(field: str) -> Column:
    """A date and time; without a zone it is UTC."""
    text = get_text(field)
    zone = F.when(text.rlike(_TO_THE_MINUTE), ":00Z").when(text.rlike(_ZONE), "").otherwise("Z")
    text_with_zone = F.concat(text, zone)
    return F.when(text.rlike(_TIMESTAMP), F.try_to_timestamp(text_with_zone))


def build_timestamp_rules(field: str, value: Column) -> ValidationRules:
    """What can be wrong with the end of a play."""
    return [
        (get_text(field).isNull(), f"{field} is missing"),
        (value.isNull(), f"{field} is no date and time"),
        (value < F.lit(EARLIEST_PLAY).cast("timestamp"), f"{field} lies before Spotify's beginning"),
        (value > F.col("received_at") + F.lit(CLOCK_TOLERANCE), f"{field} lies after the import"),
    ]


def build_duration_rules(field: str, value: Column) -> ValidationRules:
    """What can be wrong with the length of a play."""
    return [
        (get_text(field).isNull(), f"{field} is missing"),
        (value.isNull(), f"{field} is no whole number"),
        (value < 0, f"{field} is negative"),
        (value > MAX_PLAY_MS, f"{field} is more than a day"),
    ]


def build_text_rules(fields: tuple[str, ...]) -> ValidationRules:
    """Texts that nobody wrote on purpose."""
    return [
        (F.length(get_text(field)) > MAX_TEXT_LENGTH, f"{field} is longer than {MAX_TEXT_LENGTH} characters")
        for field in fields
    ]


def subtract_ms(timestamp: Column, offset_ms: Column) -> Column:
    """A moment some milliseconds before another one."""
    return F.timestamp_millis(F.unix_millis(timestamp) - offset_ms)
