"""The users, artists, tracks, playlists and contexts that events name; and how many events there are."""

from collections.abc import Sequence

import pyarrow as pa
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F
from pyspark.sql.pandas.types import to_arrow_schema

from etl.engines.datafusion import TableSession, convert_table
from etl.formats.contracts import EVENTS
from etl.transform.names import artist_key, name_derived_id, name_derived_track_id, split_title

CONTEXT_COLUMNS = tuple(EVENTS["event_context"].names)
MAX_CONTEXT_BYTES = 600
"""Bytes of its texts together: an entry of the index that keeps contexts apart holds 2,700 bytes."""

_MEMBER_SETS = {
    "users": ("source", "user_id"),
    "months": ("input_id", "is_spoken", "first_day"),
    "contexts": CONTEXT_COLUMNS,
    "things": ("source", "track_id", "track_name", "artist_id", "artist_name"),
    "playlists": ("source", "playlist_id"),
}
_MEMBER_SOURCE_QUERY = """
    select *, spoken_id is not null as is_spoken, cast(date_trunc('month', event_time) as date) as first_day from rows
"""
_MEMBER_SCHEMA = to_arrow_schema(EVENTS["event_named"])
_MEMBER_COLUMNS = ", ".join(
    name for name in _MEMBER_SCHEMA.names if name not in ("row_count", "made_track", "made_artist")
)
# What a feed names has ids; what accounts tell may be told by another source by its name alone.
_NEEDS_TRACK_ID = "(track_id is null or source <> 'feed') and track_name is not null and artist_name is not null"
# Where the track is known, its own artists count: the made id is for one that nobody has told of yet.
_NEEDS_ARTIST_ID = "artist_id is null and artist_name is not null"


def collect_members(rows: pa.Table) -> pa.Table:
    """What rows of EVENT_ROW name, far fewer than they are: rows of ``event_named`` of ``schemas.EVENTS``.

    Each row is of one set: ``users`` has source and user_id; ``things`` source, ids and names of tracks and artists;
    ``playlists`` source and playlist_id; ``contexts`` how plays came about; ``months`` input_id, is_spoken and
    first_day. row_count says how many events say so. made_track and made_artist are NULL: ``with_made`` fills them.
    """
    tables = TableSession(rows=rows)
    tables.create_view("looked_at", _MEMBER_SOURCE_QUERY)
    return pa.concat_tables(_collect_set(tables, name, columns) for name, columns in _MEMBER_SETS.items())


def merge_members(member_tables: Sequence[pa.Table]) -> pa.Table:
    """What several parts name, each once, as ``named`` gives it."""
    tables = TableSession(named=pa.concat_tables([_MEMBER_SCHEMA.empty_table(), *member_tables]))
    query = f"select {_MEMBER_COLUMNS}, sum(row_count) as row_count from named group by {_MEMBER_COLUMNS}"  # noqa: S608 (ours)
    return convert_table(tables.collect_table(query), _MEMBER_SCHEMA)


def add_name_derived_ids(members: pa.Table, spark: SparkSession) -> pa.Table:
    """``named`` with made_track and made_artist: ids made of the names of what has none."""
    tables = TableSession(named=members)
    names = tables.collect_table(f"select distinct track_name, artist_name from named where {_NEEDS_DERIVED_ID}")  # noqa: S608
    tables.add_table("made", _derive_ids(spark.createDataFrame(names)))
    other_columns = ", ".join(f"n.{name}" for name in _MEMBER_SCHEMA.names if name not in ("made_track", "made_artist"))
    query = (
        f"select {other_columns}, case when {_NEEDS_TRACK_ID} then m.made_track_id end as made_track,"  # noqa: S608
        f" case when {_NEEDS_ARTIST_ID} then m.made_artist_id end as made_artist"
        " from named as n left join made as m on (m.of_track is not distinct from n.track_name)"
        " and (m.of_artist is not distinct from n.artist_name)"
    )
    return convert_table(tables.collect_table(query), _MEMBER_SCHEMA)


def collect_playlist_members(playlists: pa.Table, tracks: pa.Table) -> pa.Table:
    """Return what playlists of exports name, as ``named`` gives it: their users and tracks.

    :param playlists: rows of ``exported_playlist`` of ``schemas.EVENTS``.
    :param tracks: rows of ``exported_playlist_track``.
    """
    tables = TableSession(playlists=playlists, tracks=tracks)
    queries = (
        "select 'users' as name_set, 'playlist_export' as source, user_id, count(*) as row_count"
        " from playlists group by user_id",
        "select 'things' as name_set, 'playlist_export' as source, track_id, track_name, artist_name,"
        " count(*) as row_count from tracks group by track_id, track_name, artist_name",
    )
    return pa.concat_tables(convert_table(tables.collect_table(query), _MEMBER_SCHEMA) for query in queries)


def has_members_without_id(members: pa.Table) -> bool:
    """Whether ``with_made`` has anything to make."""
    query = f"select 1 from named where {_NEEDS_DERIVED_ID} limit 1"  # noqa: S608 (conditions of ours)
    return bool(TableSession(named=members).collect_table(query).num_rows)


_NEEDS_DERIVED_ID = f"name_set = 'things' and ({_NEEDS_TRACK_ID} or {_NEEDS_ARTIST_ID})"


def _collect_set(tables: TableSession, name: str, columns: tuple[str, ...]) -> pa.Table:
    selected_columns = ", ".join(columns)
    rows = "looked_at where activity_type = 'PLAY'" if name == "contexts" else "looked_at"
    query = f"select '{name}' as name_set, {selected_columns}, count(*) as row_count from {rows} group by {selected_columns}"  # noqa: S608
    return convert_table(tables.collect_table(query), _MEMBER_SCHEMA)


def _derive_ids(names: DataFrame) -> pa.Table:
    title, artist = split_title(F.col("track_name")), artist_key(F.col("artist_name"))
    derived_ids = names.select(
        F.col("track_name").alias("of_track"),
        F.col("artist_name").alias("of_artist"),
        name_derived_track_id(title["title"], title["version"], artist).alias("made_track_id"),
        name_derived_id(artist).alias("made_artist_id"),
    )
    return derived_ids.toArrow()
