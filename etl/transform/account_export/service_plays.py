"""Plays of other services: which columns their fields fill. All services have the same fields.

A service that gives only the time at which a play began (Last.fm, mostly ListenBrainz, YouTube Music) has plays without
start, end and length, like Spotify's recently played.
"""

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from etl.formats.service_exports import APPLE_MUSIC, SERVICE_FIELDS, SPOTIFY_TRACK, YOUTUBE_MUSIC
from etl.formats.time_limits import EARLIEST_SCROBBLE
from etl.transform.account_export.device_types import classify_device
from etl.transform.account_export.fields import (
    MAX_PLAY_MS,
    build_text_rules,
    get_text,
    parse_boolean,
    parse_integer,
    subtract_ms,
)
from etl.transform.account_export.written_times import parse_written_time
from etl.transform.events.dimension_members import MAX_CONTEXT_BYTES
from etl.transform.names import name_derived_id
from etl.transform.times import is_after_receipt
from etl.transform.validation import Rule

_TEXT_FIELDS = ("artist", "track", "album", "platform", "reason_end")
_ISRC = r"^([A-Z]{2}[A-Z0-9]{3}[0-9]{7})$"
_DECIMAL = r"^[0-9]{1,9}(\.[0-9]+)?$"
_SKIP_REASONS = r"SKIPPED|MANUALLY_SELECTED_PLAYBACK_OF_A_DIFF_ITEM|BANNED"
_COMPLETED_REASON = "NATURAL_END_OF_TRACK"


def select_isrcs(lines: DataFrame) -> DataFrame:
    """Return the column ``isrc`` of the codes in lines of a service, each once."""
    isrc = _parse_isrc(F.get_json_object("body", "$.isrc")).alias("isrc")
    return lines.select(isrc).where("isrc is not null").distinct()


class ServicePlays:
    """The plays of one service, as an ``EventFormat``."""

    FIELDS = SERVICE_FIELDS

    def __init__(self, source: str) -> None:
        self._source = source
        self._has_lengths = source == APPLE_MUSIC

    def build_derived_columns(self) -> dict[str, Column]:
        """Return the columns that rules and event columns refer to by name."""
        ended_at = parse_written_time(get_text("ended_at"), get_text("date_order"))
        played_at = parse_written_time(get_text("played_at"), get_text("date_order"))
        ms_played = self._parse_ms_played(played_at, ended_at)
        return {
            "started_at": F.coalesce(played_at, subtract_ms(ended_at, ms_played)),
            "ended_at": F.coalesce(ended_at, subtract_ms(played_at, -ms_played)),
            "ms_played": ms_played,
            "track_id": F.nullif(F.regexp_extract(get_text("spotify_id"), SPOTIFY_TRACK.pattern, 1), F.lit("")),
            "isrc": _parse_isrc(get_text("isrc")),
        }

    def build_validation_rules(self) -> list[Rule[Column]]:
        """Return the rules that reject a record, in the order in which they are checked."""
        time, ms_played = F.col("started_at"), F.col("ms_played")
        is_unidentified = F.col("track_id").isNull() & F.col("isrc").isNull()
        return [
            *(Rule(get_text("problem") == problem, problem) for problem in _PROBLEMS),
            Rule(get_text("problem").isNotNull(), "row has more or fewer fields than the first row"),
            *build_text_rules(_TEXT_FIELDS),
            Rule(F.coalesce(get_text("played_at"), get_text("ended_at")).isNull(), "time of the play is missing"),
            *self._build_length_rules(ms_played),
            Rule(time.isNull(), "time of the play is no date and time, or its day and month could be either"),
            Rule(time < F.lit(EARLIEST_SCROBBLE), f"time of the play lies before {EARLIEST_SCROBBLE.year}"),
            Rule(is_after_receipt(time, F.col("received_at")), "time of the play lies after the import"),
            Rule(is_unidentified & get_text("track").isNull(), "track is missing"),
            Rule(is_unidentified & get_text("artist").isNull() & F.lit(not self._has_lengths), "artist is missing"),
            Rule(
                F.octet_length(F.concat_ws("", get_text("platform"), get_text("reason_end"))) > MAX_CONTEXT_BYTES,
                f"platform and reasons are longer than {MAX_CONTEXT_BYTES} bytes",
            ),
        ]

    def build_event_columns(self) -> dict[str, Column]:
        """Return columns of ``EVENT_ROW``, and the ``isrc``, by which the event may find its track."""
        has_length = F.col("ms_played").isNotNull()
        names_id = name_derived_id(F.lower(get_text("artist")), F.lower(get_text("track")))
        has_names = F.coalesce(get_text("artist"), get_text("track")).isNotNull()
        content_id = F.when(has_names, names_id).otherwise(F.coalesce("track_id", "isrc"))
        reason = get_text("reason_end")
        return {
            "source": F.lit(self._source),
            "identity": F.concat_ws(" ", F.unix_millis("started_at"), content_id),
            "event_time": F.col("started_at"),
            "started_at": F.when(has_length, F.col("started_at")),
            "ended_at": F.when(has_length, F.col("ended_at")),
            "track_id": F.col("track_id"),
            "track_name": get_text("track"),
            "artist_name": get_text("artist"),
            "ms_played": F.col("ms_played"),
            "is_skipped": F.when(reason == _COMPLETED_REASON, F.lit(False)).otherwise(reason.rlike(_SKIP_REASONS)),
            "device_type": classify_device(get_text("platform")),
            "platform": get_text("platform"),
            "reason_end": reason,
            "is_offline": parse_boolean("offline"),
            "country": F.when(F.upper(get_text("country")).rlike("^[A-Z]{2}$"), F.upper(get_text("country"))),
            "isrc": F.col("isrc"),
        }

    def resolve_related_events(self, events: DataFrame) -> DataFrame:
        """Return the events as they are: they do not depend on each other."""
        return events

    def _parse_ms_played(self, played_at: Column, ended_at: Column) -> Column:
        """Return the length of a play. If it does not decide whether the row is a play, an impossible one is NULL."""
        if self._has_lengths:
            length = F.coalesce(parse_integer("ms_played"), F.unix_millis(ended_at) - F.unix_millis(played_at))
            # Start and end include pauses, and the length repeated parts. An impossible length is rejected.
            max_ms = F.when(parse_integer("max_ms") > 0, parse_integer("max_ms"))
            return F.when(length.between(0, MAX_PLAY_MS), F.least(length, max_ms)).otherwise(length)
        if self._source == YOUTUBE_MUSIC:
            return F.lit(None).cast("bigint")
        seconds = F.when(get_text("seconds_played").rlike(_DECIMAL), get_text("seconds_played").cast("double"))
        length = F.coalesce(parse_integer("ms_played"), F.round(seconds * 1000).cast("bigint"))
        return F.when(length.between(1, MAX_PLAY_MS), length)

    def _build_length_rules(self, ms_played: Column) -> list[Rule[Column]]:
        if not self._has_lengths:
            return []
        return [
            Rule(ms_played.isNull(), "length of the play is missing"),
            Rule(ms_played < 0, "length of the play is negative"),
            Rule(ms_played > MAX_PLAY_MS, "length of the play is more than a day"),
        ]


def _parse_isrc(text: Column) -> Column:
    return F.nullif(F.regexp_extract(F.upper(F.regexp_replace(text, "[- ]", "")), _ISRC, 1), F.lit(""))


_PROBLEMS = ("line is no JSON", "record is no object", "row has bytes that are no text")
