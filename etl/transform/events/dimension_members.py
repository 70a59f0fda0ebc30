"""The dimension members of events: users, artists, tracks, playlists and contexts; and the events of each month.

In: rows of ``EVENT_ROW``. Out: rows of ``event_named`` of ``EVENTS``, far fewer than the events. Each row is of one
set: ``users`` has source and user_id; ``things`` source, and ids and names of tracks and artists; ``playlists`` source
and playlist_id; ``contexts`` the listening context of plays; ``months`` input_id, is_spoken and first_day.
``row_count`` counts the events. ``made_track`` and ``made_artist`` are name-derived ids.
"""

from collections.abc import Sequence

import pyarrow as pa
from pyspark.sql.pandas.types import to_arrow_schema

from etl.engines.datafusion import TableSession, convert_table
from etl.formats.contracts import EVENTS
from etl.transform.name_texts import artist_key, name_derived_id, name_derived_track_id

CONTEXT_COLUMNS = tuple(EVENTS["event_context"].names)
MAX_CONTEXT_BYTES = 600
"""The most bytes of a context's texts together: an entry of the unique index of contexts has room for 2,700 bytes."""

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
# Members of feeds have ids. A track of an account gets a name-derived id even if it has an id, because another source
# of the same account may report the same play by names only.
_NEEDS_TRACK_ID = "(track_id is null or source <> 'feed') and track_name is not null and artist_name is not null"
# The name-derived id is for an artist that the catalogue lacks; a known track brings its own artists.
_NEEDS_ARTIST_ID = "artist_id is null and artist_name is not null"


def collect_members(rows: pa.Table) -> pa.Table:
    """Return the dimension members of events; ``made_track`` and ``made_artist`` are NULL.

    :param rows: rows of ``EVENT_ROW``.
    """
    tables = TableSession(rows=rows)
    tables.create_view("events", _MEMBER_SOURCE_QUERY)
    return pa.concat_tables(_collect_set(tables, name, columns) for name, columns in _MEMBER_SETS.items())


def merge_members(member_tables: Sequence[pa.Table]) -> pa.Table:
    """Return the members of several tables, each once, with the sum of their counts."""
    tables = TableSession(members=pa.concat_tables([_MEMBER_SCHEMA.empty_table(), *member_tables]))
    query = (
        f"select {_MEMBER_COLUMNS}, sum(row_count) as row_count"  # noqa: S608 (columns of a schema)
        f" from members group by {_MEMBER_COLUMNS}"
    )
    return convert_table(tables.collect_table(query), _MEMBER_SCHEMA)


def add_name_derived_ids(members: pa.Table) -> pa.Table:
    """Fill ``made_track`` and ``made_artist`` with ids derived from names: those that the catalogue derives, too."""
    tables = TableSession(members=members)
    names = tables.collect_table(
        f"select distinct track_name, artist_name from members where {_NEEDS_DERIVED_ID}"  # noqa: S608 (conditions of ours)
    )
    tables.add_table("derived_ids", _derive_ids(names))
    columns = ", ".join(f"m.{name}" for name in _MEMBER_SCHEMA.names if name not in ("made_track", "made_artist"))
    query = (
        f"select {columns}, case when {_NEEDS_TRACK_ID} then d.derived_track_id end as made_track,"  # noqa: S608 (of ours)
        f" case when {_NEEDS_ARTIST_ID} then d.derived_artist_id end as made_artist"
        " from members as m left join derived_ids as d on (d.name_of_track is not distinct from m.track_name)"
        " and (d.name_of_artist is not distinct from m.artist_name)"
    )
    return convert_table(tables.collect_table(query), _MEMBER_SCHEMA)


def collect_playlist_members(playlists: pa.Table, tracks: pa.Table) -> pa.Table:
    """Return the dimension members of exported playlists: their users and tracks.

    :param playlists: rows of ``exported_playlist`` of ``EVENTS``.
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


_NEEDS_DERIVED_ID = f"name_set = 'things' and ({_NEEDS_TRACK_ID} or {_NEEDS_ARTIST_ID})"


def _collect_set(tables: TableSession, name: str, columns: tuple[str, ...]) -> pa.Table:
    selected_columns = ", ".join(columns)
    source = "events where activity_type = 'PLAY'" if name == "contexts" else "events"
    query = (
        f"select '{name}' as name_set, {selected_columns}, count(*) as row_count"  # noqa: S608 (names of ours)
        f" from {source} group by {selected_columns}"
    )
    return convert_table(tables.collect_table(query), _MEMBER_SCHEMA)


def _derive_ids(names: pa.Table) -> pa.Table:
    track_names, artist_names = (names[column].to_pylist() for column in ("track_name", "artist_name"))
    track_ids = list(map(name_derived_track_id, track_names, artist_names))
    artist_ids = [None if name is None else name_derived_id(artist_key(name)) for name in artist_names]
    return pa.table(
        {
            "name_of_track": names["track_name"],
            "name_of_artist": names["artist_name"],
            "derived_track_id": pa.array(track_ids, pa.string()),
            "derived_artist_id": pa.array(artist_ids, pa.string()),
        }
    )
