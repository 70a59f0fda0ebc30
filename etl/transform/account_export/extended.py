"""The extended streaming history: which columns its fields fill."""

from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F

from etl.transform.account_export.device_types import classify_device
from etl.transform.account_export.fields import (
    EARLIEST_PLAY,
    build_duration_rules,
    build_text_rules,
    build_timestamp_rules,
    get_text,
    parse_boolean,
    parse_integer,
    parse_timestamp,
    subtract_ms,
)
from etl.transform.events.dimension_members import MAX_CONTEXT_BYTES
from etl.transform.names import name_derived_id
from etl.transform.uris import LOCAL_URI, SPOKEN_URI, TRACK_URI
from etl.transform.validation import Rule

_TRACK_FIELD = "master_metadata_track_name"
_ARTIST_FIELD = "master_metadata_album_artist_name"
_ALBUM_FIELD = "master_metadata_album_album_name"
_CONTEXT_FIELDS = ("platform", "reason_start", "reason_end")
_SPOKEN_URI_FIELDS = ("spotify_episode_uri", "audiobook_chapter_uri", "audiobook_uri")
_TEXT_FIELDS = (
    "platform",
    _TRACK_FIELD,
    _ARTIST_FIELD,
    _ALBUM_FIELD,
    "spotify_track_uri",
    "episode_name",
    "episode_show_name",
    *_SPOKEN_URI_FIELDS,
    "audiobook_title",
    "audiobook_chapter_title",
    "reason_start",
    "reason_end",
)
FIELDS = (
    *_TEXT_FIELDS,
    "ts",
    "ms_played",
    "conn_country",
    "shuffle",
    "skipped",
    "offline",
    "offline_timestamp",
    "incognito_mode",
)

_ANY_URI = "^spotify:[a-z]+(:[0-9A-Za-z]+)+$"
_SKIP_REASONS = ("fwdbtn", "backbtn", "clickrow", "clickside")
_COMPLETED_REASON = "trackdone"
_LATE_REPORT_DELAY_S = 24 * 60 * 60
_SMALLEST_MILLISECONDS = 10**11
"""Read as seconds this is the year 5138, read as milliseconds 1973."""


def build_derived_columns() -> dict[str, Column]:
    """Return the columns that rules and event columns refer to by name."""
    track_uri = get_text("spotify_track_uri")
    is_misplaced = F.coalesce(~track_uri.startswith("spotify:track:") & track_uri.rlike(SPOKEN_URI), F.lit(False))
    spoken_uri = F.coalesce(*(get_text(field) for field in _SPOKEN_URI_FIELDS), F.when(is_misplaced, track_uri))
    spoken_name = F.coalesce(
        *(get_text(name) for name in ("episode_name", "audiobook_chapter_title", "audiobook_title"))
    )
    show_name = F.coalesce(get_text("episode_show_name"), get_text("audiobook_title"))
    is_spoken = is_misplaced | (track_uri.isNull() & F.coalesce(spoken_uri, spoken_name, show_name).isNotNull())
    return {
        "ended_at": parse_timestamp("ts"),
        "ms_played": parse_integer("ms_played"),
        "offline_start": _parse_offline_start(),
        "track_id": F.nullif(F.regexp_extract(track_uri, TRACK_URI, 1), F.lit("")),
        "spoken_id": F.when(is_spoken, F.coalesce(spoken_uri, name_derived_id(show_name, spoken_name))),
        # A record with an episode's URI in the track's field may have the episode's names in the track's fields, too.
        "spoken_name": F.when(is_spoken, F.coalesce(spoken_name, get_text(_TRACK_FIELD))),
        "show_name": F.when(is_spoken, F.coalesce(show_name, get_text(_ARTIST_FIELD))),
    }


def build_validation_rules() -> list[Rule[Column]]:
    """Return the rules that reject a record, in the order in which they are checked."""
    track_uri = get_text("spotify_track_uri")
    return [
        *build_text_rules(_TEXT_FIELDS),
        *build_timestamp_rules("ts", F.col("ended_at")),
        *build_duration_rules("ms_played", F.col("ms_played")),
        Rule(
            F.coalesce("track_id", "spoken_id").isNull() & track_uri.isNotNull() & ~track_uri.rlike(LOCAL_URI),
            "spotify_track_uri is no track",
        ),
        Rule(
            F.octet_length(F.concat_ws("", *(get_text(field) for field in _CONTEXT_FIELDS))) > MAX_CONTEXT_BYTES,
            f"platform and reasons are longer than {MAX_CONTEXT_BYTES} bytes",
        ),
        *(Rule(~get_text(uri).rlike(_ANY_URI), f"{uri} is no Spotify URI") for uri in _SPOKEN_URI_FIELDS),
    ]


def build_event_columns() -> dict[str, Column]:
    """Return columns of ``EVENT_ROW``, dated by ``ts``, and those that ``resolve_related_events`` reads."""
    started_at = subtract_ms(F.col("ended_at"), F.col("ms_played"))
    is_music = F.col("spoken_id").isNull()
    platform = get_text("platform")
    return {
        "source": F.lit("extended_export"),
        "identity": _event_identity(),
        "event_time": started_at,
        "started_at": started_at,
        "ended_at": F.col("ended_at"),
        "track_id": F.col("track_id"),
        "track_name": F.when(is_music, get_text(_TRACK_FIELD)),
        "artist_name": F.when(is_music, get_text(_ARTIST_FIELD)),
        "spoken_id": F.col("spoken_id"),
        "spoken_name": F.col("spoken_name"),
        "show_name": F.col("show_name"),
        "ms_played": F.col("ms_played"),
        "is_skipped": _is_skipped(),
        "device_type": classify_device(platform),
        "platform": platform,
        "reason_start": get_text("reason_start"),
        "reason_end": get_text("reason_end"),
        "is_shuffle": parse_boolean("shuffle"),
        "is_offline": parse_boolean("offline"),
        "is_incognito": parse_boolean("incognito_mode"),
        "country": _country_code(),
        "offline_start": F.col("offline_start"),
    }


def resolve_related_events(events: DataFrame) -> DataFrame:
    """Move late-reported plays to the time at which they began.

    The ``ts`` of such a play is not its end but the time at which the app was online again. A play counts as late if
    ``offline_timestamp`` lies more than a day before the start by ``ts``, or if several offline plays that began at
    different times have one ``ts``: at most one of them can have ended then.
    """
    reported_together = Window.partitionBy("user_id", "ended_at")
    earliest_start, latest_start = (aggregate("offline_start").over(reported_together) for aggregate in (F.min, F.max))
    delay = F.unix_seconds("started_at") - F.unix_seconds("offline_start")
    offline_at = F.when((delay > _LATE_REPORT_DELAY_S) | (earliest_start < latest_start), F.col("offline_start"))
    started_at = F.coalesce("offline_at", "started_at")
    ended_at = F.coalesce(subtract_ms(F.col("offline_at"), -F.col("ms_played")), "ended_at")
    moved_events = events.withColumn("offline_at", offline_at).withColumn("ended_at", ended_at)
    return moved_events.withColumn("started_at", started_at).withColumn("event_time", F.col("started_at"))


def _parse_offline_start() -> Column:
    """Parse the start of an offline play, to the second; NULL unless it is possible and the play had ended by ``ts``.

    Older exports have milliseconds and newer ones seconds: both must give one event.
    """
    reported_value = parse_integer("offline_timestamp")
    seconds = (
        F.when(reported_value >= _SMALLEST_MILLISECONDS, F.floor(reported_value / 1000))
        .otherwise(reported_value)
        .cast("bigint")
    )
    first_play_second = F.unix_seconds(F.lit(EARLIEST_PLAY).cast("timestamp"))
    has_ended = seconds + parse_integer("ms_played") / 1000 <= F.unix_seconds(parse_timestamp("ts")) + 1
    return F.when(parse_boolean("offline") & (seconds >= first_play_second) & has_ended, F.timestamp_seconds(seconds))


def _event_identity() -> Column:
    """Return ``ts``, the id of the content and the milliseconds played: equal in every export of the same history."""
    uri = F.concat(F.lit("spotify:track:"), F.col("track_id"))
    name_id = F.when(
        F.coalesce(get_text(_TRACK_FIELD), get_text(_ARTIST_FIELD)).isNotNull(),
        name_derived_id(get_text(_ARTIST_FIELD), get_text(_TRACK_FIELD), get_text(_ALBUM_FIELD)),
    )
    content_id = F.coalesce(uri, F.col("spoken_id"), name_id)
    return F.concat_ws(" ", F.unix_seconds("ended_at"), content_id, F.col("ms_played"))


def _is_skipped() -> Column:
    reason = F.lower(get_text("reason_end"))
    return (
        F.when(reason == _COMPLETED_REASON, F.lit(False))
        .when(reason.isin(*_SKIP_REASONS) | parse_boolean("skipped"), F.lit(True))
        .when(reason.isNotNull() | parse_boolean("skipped").isNotNull(), F.lit(False))
    )


def _country_code() -> Column:
    code = F.upper(get_text("conn_country"))
    return F.when(code.rlike("^[A-Z]{2}$") & (code != "ZZ"), code)
