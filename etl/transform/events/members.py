"""The users, artists, tracks, playlists and contexts that events name, each once; and how many events there are."""

from dataclasses import dataclass

from pyspark import StorageLevel
from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from etl.schemas import EVENTS
from etl.transform.names import artist_key, made_id, made_track_id, title_parts

CONTEXT = tuple(EVENTS["event_context"].names)
LONGEST_CONTEXT = 600
"""Bytes of its texts together: an entry of the index that keeps contexts apart holds 2,700 bytes."""

_NAMES = ("track_id", "track_name", "artist_id", "artist_name")
_SETS = {
    "users": ("source", "user_id"),
    "months": ("input_id", "is_spoken", "first_day"),
    "contexts": ("is_play", *CONTEXT),
    "things": ("source", *_NAMES),
    "playlists": ("source", "playlist_id"),
}
_COLUMNS = tuple(dict.fromkeys(column for columns in _SETS.values() for column in columns))


@dataclass(frozen=True)
class Named:
    """What events name, each once: frames that are far smaller than the events, made by one look at them.

    ``users`` has source and user_id; ``months`` input_id, is_spoken, first_day and row_count; ``contexts`` the columns
    of a context; ``things`` source, ids and names of tracks and artists, and made_track and made_artist: ids that are
    made of the names; ``playlists`` source and playlist_id.
    """

    users: DataFrame
    months: DataFrame
    contexts: DataFrame
    things: DataFrame
    playlists: DataFrame


def named(events: DataFrame) -> Named:
    """What rows of EVENT_ROW name."""
    is_play = F.col("activity_type") == "PLAY"
    looked_at = events.select(
        *(name for name in _COLUMNS if name in events.columns and name not in CONTEXT),
        F.trunc("event_time", "month").alias("first_day"),
        F.col("spoken_id").isNotNull().alias("is_spoken"),
        is_play.alias("is_play"),
        *(F.when(is_play, F.col(name)).alias(name) for name in CONTEXT),
    )
    grouped = looked_at.groupingSets(list(_SETS.values()), *_COLUMNS)
    found = grouped.agg(F.count(F.lit(1)).alias("row_count"), F.grouping_id().alias("set"))
    found = found.persist(StorageLevel.MEMORY_AND_DISK)
    sets = {name: found.where(F.col("set") == _grouping_id(columns)) for name, columns in _SETS.items()}
    return Named(
        users=sets["users"].select(*_SETS["users"]),
        months=sets["months"].select(*_SETS["months"], "row_count"),
        contexts=sets["contexts"].where("is_play").select(*CONTEXT),
        things=sets["things"].select(*_SETS["things"], *_made()),
        playlists=sets["playlists"].select(*_SETS["playlists"]),
    )


def _grouping_id(columns: tuple[str, ...]) -> int:
    """What grouping_id() says of a set: a bit for each column, 1 where the set is without it."""
    return int("".join("01"[name not in columns] for name in _COLUMNS), 2)


def members(found: Named) -> dict[str, DataFrame]:
    """The staged frames ``event_user``, ``event_artist``, ``event_track``, ``event_playlist`` and ``event_context``."""
    things = found.things.withColumns(
        {"track_id": F.coalesce("track_id", "made_track"), "artist_id": F.coalesce("artist_id", "made_artist")}
    )
    # NULL sorts first: without a look at it, an event that says less would win.
    track = F.min(
        F.struct(
            F.isnull("track_name"),
            F.isnull("artist_id"),
            F.col("track_name").alias("name"),
            F.col("made_track").alias("made_id"),
            "artist_id",
            "source",
        )
    )
    artist = F.min(F.struct(F.isnull("artist_name"), F.col("artist_name").alias("name"), "source"))
    source = F.min("source").alias("source")
    return {
        "event_user": found.users.groupBy("user_id").agg(source),
        "event_artist": things.where("artist_id IS NOT NULL")
        .groupBy("artist_id")
        .agg(artist.alias("told"))
        .select("artist_id", "told.name", "told.source"),
        "event_track": things.where("track_id IS NOT NULL")
        .groupBy("track_id")
        .agg(track.alias("told"))
        .select("track_id", "told.name", "told.made_id", "told.artist_id", "told.source"),
        "event_playlist": found.playlists.where("playlist_id IS NOT NULL").groupBy("playlist_id").agg(source),
        "event_context": found.contexts,
    }


def made_ids(found: Named) -> DataFrame:
    """Made ids for what has a name alone: track_name, artist_name, made_track, made_artist; often none."""
    nameless = found.things.where("track_id IS NULL AND (made_track IS NOT NULL OR made_artist IS NOT NULL)")
    return nameless.select("track_name", "artist_name", "made_track", "made_artist").distinct()


def counts(found: Named) -> DataFrame:
    """How many events each input told: input_id, rows_accepted."""
    return found.months.groupBy("input_id").agg(F.sum("row_count").alias("rows_accepted"))


def months(found: Named) -> DataFrame:
    """The months that the events are in: is_spoken, first_day."""
    return found.months.select("is_spoken", "first_day").distinct()


def _made() -> tuple[Column, Column]:
    title, artist = title_parts(F.col("track_name")), artist_key(F.col("artist_name"))
    has_artist = F.col("artist_name").isNotNull()
    # What a feed names has ids; what accounts tell may be told by another source by its name alone.
    is_track_named = (F.col("track_id").isNull() | (F.col("source") != "feed")) & F.col("track_name").isNotNull()
    is_artist_nameless = F.col("track_id").isNull() & F.col("artist_id").isNull() & has_artist
    return (
        F.when(is_track_named & has_artist, made_track_id(title["title"], title["version"], artist)).alias(
            "made_track"
        ),
        F.when(is_artist_nameless, made_id(artist)).alias("made_artist"),
    )
