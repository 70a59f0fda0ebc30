"""Rows of the fact tables: events with the surrogate keys of their dimension members."""

from collections.abc import Iterator, Mapping

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from pyspark.sql.pandas.types import to_arrow_schema

from etl.engines.datafusion import TableSession, convert_batch
from etl.formats.contracts import STAGED
from etl.formats.geography import CONTINENTS
from etl.transform.events.dimension_members import CONTEXT_COLUMNS
from etl.transform.events.utc_offsets import build_utc_offsets

_NOT_APPLICABLE = 0
_UNKNOWN = -1
_ROW_INDEX = "row_index"
_CONTINENTS = pa.table({"country": list(CONTINENTS), "continent": list(CONTINENTS.values())})

# The smaller table comes first: DataFusion builds the hash table of a join from its left side.
_RESOLVE_NAMES_QUERY = """
    select
        e.* except (track_id, artist_id),
        coalesce(e.track_id, m.made_track) as track_id,
        coalesce(e.artist_id, m.made_artist) as artist_id,
        e.artist_id is null as is_artist_id_derived
    from name_derived_id as m
    right join rows as e
        on m.artist_name = e.artist_name and (m.track_name is not distinct from e.track_name) and e.track_id is null
"""
_KEY_LOOKUPS = {
    "user": (
        ("user_key", "home_timezone"),
        "k.user_id = e.user_id and e.event_time >= k.valid_from and e.event_time < k.valid_to",
    ),
    "input": (("input_key",), "k.input_id = e.input_id"),
    "context": (
        ("context_key",),
        " and ".join(f"(k.{name} is not distinct from e.{name})" for name in CONTEXT_COLUMNS),
    ),
    "track": (("track_key", "first_artist_key"), "k.track_id = e.track_id"),
    "artist": (("artist_key",), "k.artist_id = e.artist_id"),
    "playlist": (("playlist_key",), "k.playlist_id = e.playlist_id"),
    "continent": (("continent",), "k.country = e.country"),
}
"""The columns to look up in each table ``k`` for rows ``e``, and the condition of the join. The joins run one after
another, over the row index alone: in one query of all, each join would copy every column."""
_LOCAL_TIME_QUERY = """
    select e.*, arrow_cast(e.event_time, 'Int64') + coalesce(o.utc_offset_us, 0) as local_us
    from offset as o
    right join (select *, coalesce(timezone, home_timezone, 'UTC') as local_timezone from keyed) as e
        on o.timezone = e.local_timezone and e.event_time >= o.offset_from and e.event_time < o.offset_to
"""
_DATE_KEY = "cast(date_part('year', {0}) * 10000 + date_part('month', {0}) * 100 + date_part('day', {0}) as int)"
_LOCAL_TIME = "arrow_cast(local_us, 'Timestamp(Microsecond, None)')"
_COLUMN_EXPRESSIONS = {
    "is_skipped": "coalesce(is_skipped, false)",
    "is_home_time": "timezone is null",
    "local_time": _LOCAL_TIME,
    "local_hour": "local_us / 3600000000 % 24",
    "date_key": _DATE_KEY.format(_LOCAL_TIME),
    "utc_date_key": _DATE_KEY.format("event_time"),
    "track_key": f"""
        case
            when track_key is not null then track_key
            when activity_type = 'FOLLOW' then {_NOT_APPLICABLE}
            else {_UNKNOWN}
        end
    """,
    "artist_key": f"""
        case
            when is_artist_id_derived and first_artist_key > 0 then first_artist_key
            when artist_key is not null then artist_key
            when first_artist_key is not null then first_artist_key
            when playlist_id is not null and activity_type = 'FOLLOW' then {_NOT_APPLICABLE}
            else {_UNKNOWN}
        end
    """,
    "playlist_key": f"coalesce(playlist_key, {_NOT_APPLICABLE})",
    "context_key": f"""
        case when activity_type <> 'PLAY' then {_NOT_APPLICABLE} else coalesce(context_key, {_UNKNOWN}) end
    """,
}
"""Columns of the fact tables that are computed; all others are columns of ``local``."""


def build_fact_batches(rows: pa.Table, keys: Mapping[str, pa.Table], table: str) -> Iterator[pa.RecordBatch]:
    """Return batches of the staged frame ``fact_event`` or ``fact_spoken_event``.

    :param rows: rows of ``EVENT_ROW`` with an event_id, as ``event_ids.add_event_ids`` returns them.
    :param keys: the lookup tables of ``load.lookup`` by name: user, artist, track, playlist, context, input, made_id.
    :param table: ``fact_event`` or ``fact_spoken_event``.
    """
    is_music = pc.is_null(rows["spoken_id"])
    fact_rows = _filter_rows(rows, is_music if table == "fact_event" else pc.invert(is_music))
    if not len(fact_rows):
        return
    if keys["name_derived_id"].num_rows:
        fact_rows = TableSession(rows=fact_rows, name_derived_id=keys["name_derived_id"]).collect_table(
            _RESOLVE_NAMES_QUERY
        )
    else:
        fact_rows = fact_rows.append_column("is_artist_id_derived", pa.repeat(False, len(fact_rows)))
    tables = TableSession(keyed=_add_keys(fact_rows, keys), offset=_build_offsets(fact_rows, keys["user"]))
    tables.create_view("local", _LOCAL_TIME_QUERY)
    schema = to_arrow_schema(STAGED[table])
    columns = ", ".join(f"{_COLUMN_EXPRESSIONS.get(name, name)} as {name}" for name in schema.names)
    for batch in tables.iterate_batches(f"select {columns} from local"):  # noqa: S608 (columns of a schema)
        yield convert_batch(batch, schema)


def _add_keys(rows: pa.Table, keys: Mapping[str, pa.Table]) -> pa.Table:
    """Return the rows with their keys; without rows whose user has no version at their time."""
    indexed_rows = rows.append_column(_ROW_INDEX, pa.array(np.arange(len(rows))))
    tables = TableSession(rows=indexed_rows, continent=_CONTINENTS, **keys)
    for name, (columns, condition) in _KEY_LOOKUPS.items():
        selected_columns = ", ".join(f"k.{column}" for column in columns)
        query = (
            f"select e.{_ROW_INDEX}, {selected_columns}"  # noqa: S608 (names of ours)
            f" from {name} as k right join rows as e on {condition}"
        )
        # A join returns rows in any order; its columns are appended by position, so the index restores the order.
        looked_up = tables.collect_table(query).sort_by(_ROW_INDEX)
        for column in columns:
            rows = rows.append_column(column, looked_up[column])
    return _filter_rows(rows, pc.is_valid(rows["user_key"]))


def _filter_rows(rows: pa.Table, is_selected: pa.ChunkedArray) -> pa.Table:
    return rows if pc.all(is_selected).as_py() else rows.filter(is_selected)


def _build_offsets(rows: pa.Table, users: pa.Table) -> pa.Table:
    timezones = {"UTC", *pc.unique(rows["timezone"]).to_pylist(), *pc.unique(users["home_timezone"]).to_pylist()} - {
        None
    }
    time_range = pc.min_max(rows["event_time"])
    return build_utc_offsets(timezones, time_range["min"].as_py(), time_range["max"].as_py())
