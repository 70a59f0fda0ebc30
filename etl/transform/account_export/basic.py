"""The streaming history of the basic account data: what its few fields become."""

from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F

from etl.transform.account_export.values import (
    Faults,
    earlier,
    length_faults,
    moment,
    moment_faults,
    said,
    text_faults,
    whole,
)
from etl.transform.names import made_id

_SPOKEN_TEXTS = ("podcastName", "episodeName", "audiobookName", "chapterName")
_TEXTS = ("artistName", "trackName", *_SPOKEN_TEXTS)
FIELDS = ("endTime", *_TEXTS, "msPlayed")

_MINUTE_MS = 60_000


def reads() -> dict[str, Column]:
    """Columns that the others refer to by name."""
    show, name = F.coalesce(said("podcastName"), said("audiobookName")), _spoken_name()
    names = (said("artistName"), said("trackName"), show, name)
    return {
        "stopped_at": moment("endTime"),
        "length": whole("msPlayed"),
        "show": show,
        "spoken": F.when(_is_spoken(show), made_id(show, name)),
        "thing": made_id(*(F.coalesce(text, F.lit("")) for text in names)),
    }


def faults() -> Faults:
    """What refuses a record, the first that holds."""
    is_music = F.col("spoken").isNull()
    return [
        *text_faults(_TEXTS),
        *moment_faults("endTime", F.col("stopped_at")),
        *length_faults("msPlayed", F.col("length")),
        (is_music & said("trackName").isNull(), "trackName is missing"),
        (is_music & said("artistName").isNull(), "artistName is missing"),
    ]


def columns() -> dict[str, Column]:
    """Columns of ``EVENT_ROW``; ``identity`` lacks the number that ``relate`` adds."""
    started_at = earlier(F.col("stopped_at"), F.col("length"))
    return {
        "source": F.lit("basic_export"),
        "identity": F.concat_ws(" ", F.unix_seconds("stopped_at"), "thing", "length"),
        "event_time": started_at,
        "started_at": started_at,
        "ended_at": F.col("stopped_at"),
        "track_name": F.when(F.col("spoken").isNull(), _unless_unknown("trackName", "Unknown Track")),
        "artist_name": F.when(F.col("spoken").isNull(), _unless_unknown("artistName", "Unknown Artist")),
        "spoken_id": F.col("spoken"),
        "spoken_name": _spoken_name(),
        "show_name": F.col("show"),
        "ms_played": F.col("length"),
    }


def relate(events: DataFrame) -> DataFrame:
    """Add to the identity of a play its number among the equal ones of its file.

    Equal records of two files are one play, because both files hold that minute. Where one file of a folder ends with
    the minute with which another one begins, though, the export was cut there, and the second file goes on counting.
    Equal plays ended within one minute: beyond what their lengths leave room for, a record repeats the last of them.
    """
    equal = ("input_id", "user_id", "identity")
    of_file = Window.partitionBy("input_id", "user_id", "file")
    in_file = Window.partitionBy(*equal, "file").orderBy("number")
    in_folder = Window.partitionBy(*equal, F.regexp_extract("file", "^(.*/)?[^/]*$", 1))
    bounded = (
        events.withColumn("first_at", F.min("ended_at").over(of_file))
        .withColumn("last_at", F.max("ended_at").over(of_file))
        .withColumn("position", F.row_number().over(in_file))
    )
    spans_minutes = F.col("first_at") < F.col("last_at")
    is_first, is_last = (spans_minutes & (F.col("ended_at") == F.col(bound)) for bound in ("first_at", "last_at"))
    counted_before = F.when(is_first, F.max(F.when(is_last, F.col("position"))).over(in_folder))
    room = F.when(F.col("ms_played") > 0, F.ceil(_MINUTE_MS / F.col("ms_played")))
    occurrence = F.least(F.col("position") + F.coalesce(counted_before, F.lit(0)), room)
    return bounded.withColumn("identity", F.concat_ws(" ", "identity", occurrence))


def _spoken_name() -> Column:
    return F.coalesce(said("episodeName"), said("chapterName"))


def _is_spoken(show: Column) -> Column:
    """Whether an episode or a chapter was played: its names say so, or else the fields that it has for them, or its
    file; a play without names is one of an unknown show."""
    is_nameless = F.coalesce(said("trackName"), said("artistName")).isNull()
    # The extract writes no space behind a field's name, and a quotation mark within a text has a backslash before it.
    has_fields = F.col("body").rlike(f'"({"|".join(_SPOKEN_TEXTS)})":')
    is_file_spoken = F.col("file").rlike("(?i)(podcast|audiobook)[^/]*$")
    return F.coalesce(show, _spoken_name()).isNotNull() | (is_nameless & (has_fields | is_file_spoken))


def _unless_unknown(field: str, unknown: str) -> Column:
    return F.when(said(field) != unknown, said(field))
