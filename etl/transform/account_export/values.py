"""Values out of a record's fields: what cannot be read is NULL, and a fault says so.

A record's fields are read as text first (``said``), whatever they were in JSON: exports of several ages write the same
field as a number, as text or not at all.
"""

from pyspark.sql import Column
from pyspark.sql import functions as F

from etl.limits import CLOCK_TOLERANCE, SPOTIFY_FOUNDED

LONGEST_TEXT = 1000
LONGEST_PLAY_MS = 24 * 60 * 60 * 1000
FIRST_PLAY = SPOTIFY_FOUNDED.isoformat()
"""What is dated before was played by a clock that went wrong."""

_WHOLE = r"^-?[0-9]{1,18}(\.0+)?$"
_MOMENT = r"^[0-9]{4}-[0-9]{2}-[0-9]{2}[T ][0-9]{2}:[0-9]{2}(:[0-9]{2}(\.[0-9]+)?)?"
_TO_THE_MINUTE = r"^[0-9-]{10}[T ][0-9]{2}:[0-9]{2}$"
_ZONE = r"(Z|[+-][0-9]{2}:?[0-9]{2})$"

TRACK_URI = "^spotify:track:([0-9A-Za-z]{22})$"
LOCAL_URI = "^spotify:local:"
SPOKEN_URI = "^spotify:(episode|chapter|show|audiobook):[0-9A-Za-z]+$"
"""What may stand in the field of a track instead of one: something spoken."""

Faults = list[tuple[Column, str]]


def said(field: str) -> Column:
    """A field's text without blanks around it; NULL where nothing is left."""
    return F.col("said")[field]


def whole(field: str) -> Column:
    """A whole number, also where it is written as text."""
    return F.when(said(field).rlike(_WHOLE), F.regexp_replace(said(field), r"\.0+$", "").cast("bigint"))


def flag(field: str) -> Column:
    """A yes or no: true, false, 1, 0."""
    word = F.lower(said(field))
    return F.when(word.isin("true", "1", "1.0"), F.lit(True)).when(word.isin("false", "0", "0.0"), F.lit(False))


def moment(field: str) -> Column:
    """A date and time; without a zone it is UTC."""
    text = said(field)
    zone = F.when(text.rlike(_TO_THE_MINUTE), ":00Z").when(text.rlike(_ZONE), "").otherwise("Z")
    zoned = F.concat(text, zone)
    return F.when(text.rlike(_MOMENT), F.try_to_timestamp(zoned))


def moment_faults(field: str, value: Column) -> Faults:
    """What can be wrong with the end of a play."""
    return [
        (said(field).isNull(), f"{field} is missing"),
        (value.isNull(), f"{field} is no date and time"),
        (value < F.lit(FIRST_PLAY).cast("timestamp"), f"{field} lies before Spotify's beginning"),
        (value > F.col("received_at") + F.lit(CLOCK_TOLERANCE), f"{field} lies after the import"),
    ]


def length_faults(field: str, value: Column) -> Faults:
    """What can be wrong with the length of a play."""
    return [
        (said(field).isNull(), f"{field} is missing"),
        (value.isNull(), f"{field} is no whole number"),
        (value < 0, f"{field} is negative"),
        (value > LONGEST_PLAY_MS, f"{field} is more than a day"),
    ]


def text_faults(fields: tuple[str, ...]) -> Faults:
    """Texts that nobody wrote on purpose."""
    return [
        (F.length(said(field)) > LONGEST_TEXT, f"{field} is longer than {LONGEST_TEXT} characters") for field in fields
    ]


def earlier(moment: Column, by_ms: Column) -> Column:
    """A moment some milliseconds before another one."""
    return F.timestamp_millis(F.unix_millis(moment) - by_ms)
