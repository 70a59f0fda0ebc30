"""The users, artists, tracks, playlists and contexts that events name; and how many events there are."""

from functools import reduce

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


def named(events: DataFrame) -> DataFrame:
    """What rows of EVENT_ROW name: the staged frame ``event_named``, far smaller than they are, by one look at them.

    Each row is of one set: ``users`` has source and user_id; ``things`` source, ids and names of tracks and artists,
    and made_track and made_artist: ids made of the names; ``playlists`` source and playlist_id; ``contexts`` how
    plays came about; ``months`` input_id, is_spoken and first_day. row_count says how many events say so.
    """
    is_play = F.col("activity_type") == "PLAY"
    looked_at = events.select(
        *(name for name in _COLUMNS if name in events.columns and name not in CONTEXT),
        F.trunc("event_time", "month").alias("first_day"),
        F.col("spoken_id").isNotNull().alias("is_spoken"),
        is_play.alias("is_play"),
        *(F.when(is_play, F.col(name)).alias(name) for name in CONTEXT),
    )
    grouped = looked_at.groupingSets(list(_SETS.values()), *_COLUMNS)
    counted = grouped.agg(F.count(F.lit(1)).alias("row_count"), F.grouping_id().alias("set"))
    made_track, made_artist = _made()
    found = counted.withColumns({"name_set": _name_set(), "made_track": made_track, "made_artist": made_artist})
    return found.where("name_set <> 'contexts' OR is_play").select(*EVENTS["event_named"].names)


def _name_set() -> Column:
    """The name of a row's set; grouping_id() has a bit for each column, 1 where the set is without it."""
    ids = {name: int("".join("01"[one not in columns] for one in _COLUMNS), 2) for name, columns in _SETS.items()}
    return reduce(lambda column, name: column.when(F.col("set") == ids[name], name), ids, F.when(F.lit(False), ""))


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
