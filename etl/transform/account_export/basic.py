"""The streaming history of the basic account data: which columns its few fields fill."""

from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F

from etl.transform.account_export.fields import (
    build_duration_rules,
    build_text_rules,
    build_timestamp_rules,
    get_text,
    parse_integer,
    parse_timestamp,
    subtract_ms,
)
from etl.transform.names import name_derived_id
from etl.transform.validation import Rule

_SPOKEN_FIELDS = ("podcastName", "episodeName", "audiobookName", "chapterName")
_TEXT_FIELDS = ("artistName", "trackName", *_SPOKEN_FIELDS)
FIELDS = ("endTime", *_TEXT_FIELDS, "msPlayed")

_MINUTE_MS = 60_000


def build_derived_columns() -> dict[str, Column]:
    """Return the columns that rules and event columns refer to by name."""
    show, name = F.coalesce(get_text("podcastName"), get_text("audiobookName")), _get_spoken_name()
    names = (get_text("artistName"), get_text("trackName"), show, name)
    return {
        "ended_at": parse_timestamp("endTime"),
        "ms_played": parse_integer("msPlayed"),
        "show_name": show,
        "spoken_id": F.when(_is_spoken(show), name_derived_id(show, name)),
        "content_id": name_derived_id(*(F.coalesce(text, F.lit("")) for text in names)),
    }


def build_validation_rules() -> list[Rule[Column]]:
    """Return the rules that reject a record, in the order in which they are checked."""
    is_music = F.col("spoken_id").isNull()
    return [
        *build_text_rules(_TEXT_FIELDS),
        *build_timestamp_rules("endTime", F.col("ended_at")),
        *build_duration_rules("msPlayed", F.col("ms_played")),
        Rule(is_music & get_text("trackName").isNull(), "trackName is missing"),
        Rule(is_music & get_text("artistName").isNull(), "artistName is missing"),
    ]


def build_event_columns() -> dict[str, Column]:
    """Return columns of ``EVENT_ROW``; ``identity`` lacks the number that ``resolve_related_events`` adds."""
    started_at = subtract_ms(F.col("ended_at"), F.col("ms_played"))
    is_music = F.col("spoken_id").isNull()
    return {
        "source": F.lit("basic_export"),
        "identity": F.concat_ws(" ", F.unix_seconds("ended_at"), "content_id", "ms_played"),
        "event_time": started_at,
        "started_at": started_at,
        "ended_at": F.col("ended_at"),
        "track_name": F.when(is_music, _null_if_placeholder("trackName", "Unknown Track")),
        "artist_name": F.when(is_music, _null_if_placeholder("artistName", "Unknown Artist")),
        "spoken_id": F.col("spoken_id"),
        "spoken_name": _get_spoken_name(),
        "show_name": F.col("show_name"),
        "ms_played": F.col("ms_played"),
    }


def resolve_related_events(events: DataFrame) -> DataFrame:
    """Add to the identity of a play its number among the equal plays of its file.

    Equal records of two files are one play, because both files cover that minute. But if one file of a folder ends with
    the minute with which another file begins, the export was cut there, and the second file continues the numbering.
    Equal plays ended within one minute, so their number is limited by how many of their length fit into a minute; a
    record beyond that limit repeats the last play.
    """
    equal_columns = ("input_id", "user_id", "identity")
    file_window = Window.partitionBy("input_id", "user_id", "file")
    equal_in_file = Window.partitionBy(*equal_columns, "file").orderBy("number")
    equal_in_folder = Window.partitionBy(*equal_columns, F.regexp_extract("file", "^(.*/)?[^/]*$", 1))
    numbered_events = (
        events.withColumn("first_at", F.min("ended_at").over(file_window))
        .withColumn("last_at", F.max("ended_at").over(file_window))
        .withColumn("position", F.row_number().over(equal_in_file))
    )
    spans_minutes = F.col("first_at") < F.col("last_at")
    is_first, is_last = (spans_minutes & (F.col("ended_at") == F.col(boundary)) for boundary in ("first_at", "last_at"))
    counted_before = F.when(is_first, F.max(F.when(is_last, F.col("position"))).over(equal_in_folder))
    max_occurrences = F.when(F.col("ms_played") > 0, F.ceil(_MINUTE_MS / F.col("ms_played")))
    occurrence = F.least(F.col("position") + F.coalesce(counted_before, F.lit(0)), max_occurrences)
    return numbered_events.withColumn("identity", F.concat_ws(" ", "identity", occurrence))


def _get_spoken_name() -> Column:
    return F.coalesce(get_text("episodeName"), get_text("chapterName"))


def _is_spoken(show: Column) -> Column:
    """Return whether an episode or a chapter was played.

    Its names decide. A play without any name is spoken if the record has fields for spoken names, or by the name of its
    file; its show is unknown then.
    """
    is_nameless = F.coalesce(get_text("trackName"), get_text("artistName")).isNull()
    # The extract writes no space after a field's name, and a quotation mark within a text has a backslash before it.
    has_fields = F.col("body").rlike(f'"({"|".join(_SPOKEN_FIELDS)})":')
    is_file_spoken = F.col("file").rlike("(?i)(podcast|audiobook)[^/]*$")
    return F.coalesce(show, _get_spoken_name()).isNotNull() | (is_nameless & (has_fields | is_file_spoken))


def _null_if_placeholder(field: str, placeholder: str) -> Column:
    return F.when(get_text(field) != placeholder, get_text(field))
