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

_TEXTS = ("artistName", "trackName", "podcastName", "episodeName")
FIELDS = ("endTime", *_TEXTS, "msPlayed")

_MINUTE_MS = 60_000


def reads() -> dict[str, Column]:
    """Columns that the others refer to by name."""
    is_spoken = F.coalesce(said("podcastName"), said("episodeName")).isNotNull()
    return {
        "stopped_at": moment("endTime"),
        "length": whole("msPlayed"),
        "spoken": F.when(is_spoken, made_id(said("podcastName"), said("episodeName"))),
        "thing": made_id(*(F.coalesce(said(field), F.lit("")) for field in _TEXTS)),
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
        "spoken_name": said("episodeName"),
        "show_name": said("podcastName"),
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


def _unless_unknown(field: str, unknown: str) -> Column:
    return F.when(said(field) != unknown, said(field))
