"""The extended streaming history: what its fields become."""

from pyspark.sql import Column
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
        "offline_at": _offline_at(),
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
    """Columns of ``EVENT_ROW``."""
    started_at, ended_at = _times()
    is_music = F.col("spoken").isNull()
    platform = said("platform")
    return {
        "source": F.lit("extended_export"),
        "identity": _identity(),
        "event_time": started_at,
        "started_at": started_at,
        "ended_at": ended_at,
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
    }


def _offline_at() -> Column:
    """When the app says the play began, where it was offline and can be believed; to the second, as newer exports have
    it: an older one of the same play has milliseconds, and both must tell of one event."""
    told = whole("offline_timestamp")
    seconds = F.when(told >= _MILLISECONDS_FROM, F.floor(told / 1000)).otherwise(told).cast("bigint")
    first = F.unix_seconds(F.lit(FIRST_PLAY).cast("timestamp"))
    is_late = F.unix_seconds(moment("ts")) - whole("ms_played") / 1000 - seconds > _LATE_AFTER_S
    return F.when(flag("offline") & (seconds >= first) & is_late, F.timestamp_seconds(seconds))


def _times() -> tuple[Column, Column]:
    """Start and end: ``ts`` is the end, but of an offline play that was reported days later."""
    length = F.col("length")
    started_at = F.coalesce("offline_at", earlier(F.col("stopped_at"), length))
    return started_at, F.coalesce(earlier(F.col("offline_at"), -length), F.col("stopped_at"))


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
