"""The users, artists, tracks, playlists and contexts that events name; and how many events there are."""

from collections.abc import Sequence

import pyarrow as pa
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F
from pyspark.sql.pandas.types import to_arrow_schema

from etl.columnar import Tables, as_table
from etl.schemas import EVENTS
from etl.transform.names import artist_key, made_id, made_track_id, title_parts

CONTEXT = tuple(EVENTS["event_context"].names)
LONGEST_CONTEXT = 600
"""Bytes of its texts together: an entry of the index that keeps contexts apart holds 2,700 bytes."""

_SETS = {
    "users": ("source", "user_id"),
    "months": ("input_id", "is_spoken", "first_day"),
    "contexts": CONTEXT,
    "things": ("source", "track_id", "track_name", "artist_id", "artist_name"),
    "playlists": ("source", "playlist_id"),
}
_LOOKED_AT = """
    select *, spoken_id is not null as is_spoken, cast(date_trunc('month', event_time) as date) as first_day from rows
"""
_NAMED = to_arrow_schema(EVENTS["event_named"])
_COLUMNS = ", ".join(name for name in _NAMED.names if name not in ("row_count", "made_track", "made_artist"))
# What a feed names has ids; what accounts tell may be told by another source by its name alone.
_IS_TRACK_NAMED = "(track_id is null or source <> 'feed') and track_name is not null and artist_name is not null"
# Where the track is known, its own artists count: the made id is for one that nobody has told of yet.
_IS_ARTIST_IDLESS = "artist_id is null and artist_name is not null"


def named(rows: pa.Table) -> pa.Table:
    """What rows of EVENT_ROW name, far fewer than they are: rows of ``event_named`` of ``schemas.EVENTS``.

    Each row is of one set: ``users`` has source and user_id; ``things`` source, ids and names of tracks and artists;
    ``playlists`` source and playlist_id; ``contexts`` how plays came about; ``months`` input_id, is_spoken and
    first_day. row_count says how many events say so. made_track and made_artist are NULL: ``with_made`` fills them.
    """
    tables = Tables(rows=rows)
    tables.view("looked_at", _LOOKED_AT)
    return pa.concat_tables(_set(tables, name, columns) for name, columns in _SETS.items())


def together(parts: Sequence[pa.Table]) -> pa.Table:
    """What several parts name, each once, as ``named`` gives it."""
    tables = Tables(named=pa.concat_tables([_NAMED.empty_table(), *parts]))
    query = f"select {_COLUMNS}, sum(row_count) as row_count from named group by {_COLUMNS}"  # noqa: S608 (ours)
    return as_table(tables.table(query), _NAMED)


def with_made(named: pa.Table, spark: SparkSession) -> pa.Table:
    """``named`` with made_track and made_artist: ids made of the names of what has none."""
    tables = Tables(named=named)
    names = tables.table(f"select distinct track_name, artist_name from named where {_IS_NAMED}")  # noqa: S608
    tables.add("made", _made(spark.createDataFrame(names)))
    others = ", ".join(f"n.{name}" for name in _NAMED.names if name not in ("made_track", "made_artist"))
    query = (
        f"select {others}, case when {_IS_TRACK_NAMED} then m.made_track_id end as made_track,"  # noqa: S608
        f" case when {_IS_ARTIST_IDLESS} then m.made_artist_id end as made_artist"
        " from named as n left join made as m on (m.of_track is not distinct from n.track_name)"
        " and (m.of_artist is not distinct from n.artist_name)"
    )
    return as_table(tables.table(query), _NAMED)


def named_by_playlists(playlists: pa.Table, tracks: pa.Table) -> pa.Table:
    """Return what playlists of exports name, as ``named`` gives it: their users and tracks.

    :param playlists: rows of ``exported_playlist`` of ``schemas.EVENTS``.
    :param tracks: rows of ``exported_playlist_track``.
    """
    tables = Tables(playlists=playlists, tracks=tracks)
    queries = (
        "select 'users' as name_set, 'playlist_export' as source, user_id, count(*) as row_count"
        " from playlists group by user_id",
        "select 'things' as name_set, 'playlist_export' as source, track_id, track_name, artist_name,"
        " count(*) as row_count from tracks group by track_id, track_name, artist_name",
    )
    return pa.concat_tables(as_table(tables.table(query), _NAMED) for query in queries)


def has_names_alone(named: pa.Table) -> bool:
    """Whether ``with_made`` has anything to make."""
    return bool(Tables(named=named).table(f"select 1 from named where {_IS_NAMED} limit 1").num_rows)  # noqa: S608


_IS_NAMED = f"name_set = 'things' and ({_IS_TRACK_NAMED} or {_IS_ARTIST_IDLESS})"


def _set(tables: Tables, name: str, columns: tuple[str, ...]) -> pa.Table:
    chosen = ", ".join(columns)
    rows = "looked_at where activity_type = 'PLAY'" if name == "contexts" else "looked_at"
    query = f"select '{name}' as name_set, {chosen}, count(*) as row_count from {rows} group by {chosen}"  # noqa: S608
    return as_table(tables.table(query), _NAMED)


def _made(names: DataFrame) -> pa.Table:
    title, artist = title_parts(F.col("track_name")), artist_key(F.col("artist_name"))
    made = names.select(
        F.col("track_name").alias("of_track"),
        F.col("artist_name").alias("of_artist"),
        made_track_id(title["title"], title["version"], artist).alias("made_track_id"),
        made_id(artist).alias("made_artist_id"),
    )
    return made.toArrow()
