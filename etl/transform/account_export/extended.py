"""The extended streaming history: what its fields become."""

from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F

from etl.transform.account_export.devices import device_type
from etl.transform.account_export.values import (
    FIRST_PLAY,
    LOCAL_URI,
    SPOKEN_URI,
    TRACK_URI,
    Faults,
    earlier,
    flag,
    length_faults,
    moment,
    moment_faults,
    said,
    text_faults,
    whole,
)
from etl.transform.events.members import LONGEST_CONTEXT
from etl.transform.names import made_id

_TRACK = "master_metadata_track_name"
_ARTIST = "master_metadata_album_artist_name"
_ALBUM = "master_metadata_album_album_name"
_CONTEXT = ("platform", "reason_start", "reason_end")
_SPOKEN_URIS = ("spotify_episode_uri", "audiobook_chapter_uri", "audiobook_uri")
_TEXTS = (
    "platform",
    _TRACK,
    _ARTIST,
    _ALBUM,
    "spotify_track_uri",
    "episode_name",
    "episode_show_name",
    *_SPOKEN_URIS,
    "audiobook_title",
    "audiobook_chapter_title",
    "reason_start",
    "reason_end",
)
FIELDS = (
    *_TEXTS,
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
_LEFT_EARLY = ("fwdbtn", "backbtn", "clickrow", "clickside")
_PLAYED_OUT = "trackdone"
_LATE_AFTER_S = 24 * 60 * 60
_MILLISECONDS_FROM = 10**11
"""As seconds this is the year 5138, as milliseconds 1973."""


def reads() -> dict[str, Column]:
    """Columns that the others refer to by name."""
    track_uri = said("spotify_track_uri")
    is_misplaced = F.coalesce(~track_uri.startswith("spotify:track:") & track_uri.rlike(SPOKEN_URI), F.lit(False))
    spoken_uri = F.coalesce(*(said(field) for field in _SPOKEN_URIS), F.when(is_misplaced, track_uri))
    spoken_name = F.coalesce(*(said(name) for name in ("episode_name", "audiobook_chapter_title", "audiobook_title")))
    show_name = F.coalesce(said("episode_show_name"), said("audiobook_title"))
    is_spoken = is_misplaced | (track_uri.isNull() & F.coalesce(spoken_uri, spoken_name, show_name).isNotNull())
    return {
        "stopped_at": moment("ts"),
        "length": whole("ms_played"),
        "offline_start": _offline_start(),
        "track": F.nullif(F.regexp_extract(track_uri, TRACK_URI, 1), F.lit("")),
        "spoken": F.when(is_spoken, F.coalesce(spoken_uri, made_id(show_name, spoken_name))),
        # Whoever puts an episode into the track's field may put its names into those of a track, too.
        "spoken_title": F.when(is_spoken, F.coalesce(spoken_name, said(_TRACK))),
        "show": F.when(is_spoken, F.coalesce(show_name, said(_ARTIST))),
    }


def faults() -> Faults:
    """What refuses a record, the first that holds."""
    track_uri = said("spotify_track_uri")
    return [
        *text_faults(_TEXTS),
        *moment_faults("ts", F.col("stopped_at")),
        *length_faults("ms_played", F.col("length")),
        (
            F.coalesce("track", "spoken").isNull() & track_uri.isNotNull() & ~track_uri.rlike(LOCAL_URI),
            "spotify_track_uri is no track",
        ),
        (
            F.octet_length(F.concat_ws("", *(said(field) for field in _CONTEXT))) > LONGEST_CONTEXT,
            f"platform and reasons are longer than {LONGEST_CONTEXT} bytes",
        ),
        *((~said(uri).rlike(_ANY_URI), f"{uri} is no Spotify URI") for uri in _SPOKEN_URIS),
    ]


def columns() -> dict[str, Column]:
    """Columns of ``EVENT_ROW``, times by ``ts``, and those that ``relate`` reads."""
    started_at = earlier(F.col("stopped_at"), F.col("length"))
    is_music = F.col("spoken").isNull()
    platform = said("platform")
    return {
        "source": F.lit("extended_export"),
        "identity": _identity(),
        "event_time": started_at,
        "started_at": started_at,
        "ended_at": F.col("stopped_at"),
        "track_id": F.col("track"),
        "track_name": F.when(is_music, said(_TRACK)),
        "artist_name": F.when(is_music, said(_ARTIST)),
        "spoken_id": F.col("spoken"),
        "spoken_name": F.col("spoken_title"),
        "show_name": F.col("show"),
        "ms_played": F.col("length"),
        "is_skipped": _is_skipped(),
        "device_type": device_type(platform),
        "platform": platform,
        "reason_start": said("reason_start"),
        "reason_end": said("reason_end"),
        "is_shuffle": flag("shuffle"),
        "is_offline": flag("offline"),
        "is_incognito": flag("incognito_mode"),
        "country": _country(),
        "offline_start": F.col("offline_start"),
    }


def relate(events: DataFrame) -> DataFrame:
    """Move plays whose ``ts`` is not their end but when the app was online again to when they began.

    That is so where ``offline_timestamp`` lies more than a day before the start by ``ts``, or where several offline
    plays that began at different times carry one ``ts``, with which only one of them can have ended.
    """
    reported_together = Window.partitionBy("user_id", "ended_at")
    first, last = (bound("offline_start").over(reported_together) for bound in (F.min, F.max))
    delay = F.unix_seconds("started_at") - F.unix_seconds("offline_start")
    offline_at = F.when((delay > _LATE_AFTER_S) | (first < last), F.col("offline_start"))
    started_at = F.coalesce("offline_at", "started_at")
    ended_at = F.coalesce(earlier(F.col("offline_at"), -F.col("ms_played")), "ended_at")
    moved = events.withColumn("offline_at", offline_at).withColumn("ended_at", ended_at)
    return moved.withColumn("started_at", started_at).withColumn("event_time", F.col("started_at"))


def _offline_start() -> Column:
    """When the app says an offline play began, where that can be believed: it had ended by ``ts``. To the second, as
    newer exports have it: an older one of the same play has milliseconds, and both must be one event."""
    reported = whole("offline_timestamp")
    seconds = F.when(reported >= _MILLISECONDS_FROM, F.floor(reported / 1000)).otherwise(reported).cast("bigint")
    first = F.unix_seconds(F.lit(FIRST_PLAY).cast("timestamp"))
    has_ended = seconds + whole("ms_played") / 1000 <= F.unix_seconds(moment("ts")) + 1
    return F.when(flag("offline") & (seconds >= first) & has_ended, F.timestamp_seconds(seconds))


def _identity() -> Column:
    """When it was reported, what was played and for how long, as every export of the same history says it."""
    uri = F.concat(F.lit("spotify:track:"), F.col("track"))
    names = F.when(
        F.coalesce(said(_TRACK), said(_ARTIST)).isNotNull(), made_id(said(_ARTIST), said(_TRACK), said(_ALBUM))
    )
    thing = F.coalesce(uri, F.col("spoken"), names)
    return F.concat_ws(" ", F.unix_seconds("stopped_at"), thing, F.col("length"))


def _is_skipped() -> Column:
    reason = F.lower(said("reason_end"))
    return (
        F.when(reason == _PLAYED_OUT, F.lit(False))
        .when(reason.isin(*_LEFT_EARLY) | flag("skipped"), F.lit(True))
        .when(reason.isNotNull() | flag("skipped").isNotNull(), F.lit(False))
    )


def _country() -> Column:
    code = F.upper(said("conn_country"))
    return F.when(code.rlike("^[A-Z]{2}$") & (code != "ZZ"), code)
