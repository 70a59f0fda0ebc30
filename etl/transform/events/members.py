"""The users, artists, tracks, playlists and contexts that events name, each once; and how many events there are."""

from dataclasses import dataclass

from pyspark import StorageLevel
from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from etl.schemas import EVENTS
from etl.transform.names import artist_key, made_id, made_track_id, title_parts

CONTEXT = tuple(EVENTS["event_context"].names)
LONGEST_CONTEXT = 600
"""Characters of its texts together: an entry of the index that keeps contexts apart holds 2,700 bytes."""

_NAMES = ("track_id", "track_name", "artist_id", "artist_name", "playlist_id")


@dataclass(frozen=True)
class Named:
    """What events name, in two frames that are far smaller than the events and made by one look at them each.

    ``listeners`` has input_id, source, user_id, first_day (of the month), is_spoken, the columns of a context (NULL but
    for plays), is_play and row_count; ``things`` has source, the ids and names, and made_track and made_artist: ids
    that are made of the names.
    """

    listeners: DataFrame
    things: DataFrame


def named(events: DataFrame) -> Named:
    """What rows of EVENT_ROW name."""
    is_play = F.col("activity_type") == "PLAY"
    listeners = events.groupBy(
        "input_id",
        "source",
        "user_id",
        F.trunc("event_time", "month").alias("first_day"),
        F.col("spoken_id").isNotNull().alias("is_spoken"),
        is_play.alias("is_play"),
        *(F.when(is_play, F.col(name)).alias(name) for name in CONTEXT),
    ).agg(F.count(F.lit(1)).alias("row_count"))
    things = events.select("source", *_NAMES).distinct().select("*", *_made())
    return Named(listeners.persist(StorageLevel.MEMORY_AND_DISK), things.persist(StorageLevel.MEMORY_AND_DISK))


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
        "event_user": found.listeners.groupBy("user_id").agg(source),
        "event_artist": things.where("artist_id IS NOT NULL")
        .groupBy("artist_id")
        .agg(artist.alias("told"))
        .select("artist_id", "told.name", "told.source"),
        "event_track": things.where("track_id IS NOT NULL")
        .groupBy("track_id")
        .agg(track.alias("told"))
        .select("track_id", "told.name", "told.made_id", "told.artist_id", "told.source"),
        "event_playlist": things.where("playlist_id IS NOT NULL").groupBy("playlist_id").agg(source),
        "event_context": found.listeners.where("is_play").select(*CONTEXT).distinct(),
    }


def made_ids(found: Named) -> DataFrame:
    """Made ids for what has a name alone: track_name, artist_name, made_track, made_artist; often none."""
    nameless = found.things.where("track_id IS NULL AND (made_track IS NOT NULL OR made_artist IS NOT NULL)")
    return nameless.select("track_name", "artist_name", "made_track", "made_artist").distinct()


def counts(found: Named) -> DataFrame:
    """How many events each input told: input_id, rows_accepted."""
    return found.listeners.groupBy("input_id").agg(F.sum("row_count").alias("rows_accepted"))


def months(found: Named) -> DataFrame:
    """The months that the events are in: is_spoken, first_day."""
    return found.listeners.select("is_spoken", "first_day").distinct()


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
