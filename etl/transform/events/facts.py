"""Events with the keys of what they name: rows of the fact tables."""

from collections.abc import Iterator, Mapping

import pyarrow as pa
import pyarrow.compute as pc
from pyspark.sql.pandas.types import to_arrow_schema

from etl.columnar import Tables, as_schema
from etl.places import CONTINENTS
from etl.schemas import STAGED
from etl.transform.events.members import CONTEXT
from etl.transform.events.timezones import offsets

_NOT_APPLICABLE = 0
_UNKNOWN = -1
_CONTINENT = pa.table({"country": list(CONTINENTS), "continent": list(CONTINENTS.values())})

# Each step reads the one before it. The smaller table stands first: a join looks rows up in what it makes of the first.
_NAMED = """
    select
        e.* except (track_id, artist_id),
        coalesce(e.track_id, m.made_track) as track_id,
        coalesce(e.artist_id, m.made_artist) as artist_id
    from made_id as m
    right join rows as e
        on m.artist_name = e.artist_name and (m.track_name is not distinct from e.track_name) and e.track_id is null
"""
_STEPS = {
    "of_user": """
        select e.*, u.user_key, coalesce(e.timezone, u.home_timezone, 'UTC') as clock
        from user as u
        inner join named as e
            on u.user_id = e.user_id and e.event_time >= u.valid_from and e.event_time < u.valid_to
    """,
    "local": """
        select e.*, arrow_cast(e.event_time, 'Int64') + coalesce(o.utc_offset_us, 0) as local_us
        from offset as o
        right join of_user as e
            on o.timezone = e.clock and e.event_time >= o.offset_from and e.event_time < o.offset_to
    """,
    "of_input": "select e.*, i.input_key from input as i inner join local as e on i.input_id = e.input_id",
    "of_context": f"""
        select e.*, c.context_key
        from context as c
        right join of_input as e on {" and ".join(f"(c.{name} is not distinct from e.{name})" for name in CONTEXT)}
    """,  # noqa: S608 (columns of ours)
    "of_track": """
        select e.*, t.track_key, t.first_artist_key
        from track as t
        right join of_context as e on t.track_id = e.track_id
    """,
    "of_artist": "select e.*, a.artist_key from artist as a right join of_track as e on a.artist_id = e.artist_id",
    "of_playlist": """
        select e.*, p.playlist_key from playlist as p right join of_artist as e on p.playlist_id = e.playlist_id
    """,
    "keyed": "select e.*, n.continent from continent as n right join of_playlist as e on n.country = e.country",
}
_DAY_NUMBER = "cast(date_part('year', {0}) * 10000 + date_part('month', {0}) * 100 + date_part('day', {0}) as int)"
_LOCAL_TIME = "arrow_cast(local_us, 'Timestamp(Microsecond, None)')"
_VALUES = {
    "is_skipped": "coalesce(is_skipped, false)",
    "is_home_time": "timezone is null",
    "local_time": _LOCAL_TIME,
    "local_hour": "local_us / 3600000000 % 24",
    "date_key": _DAY_NUMBER.format(_LOCAL_TIME),
    "utc_date_key": _DAY_NUMBER.format("event_time"),
    "track_key": f"""
        case
            when track_key is not null then track_key
            when activity_type = 'FOLLOW' then {_NOT_APPLICABLE}
            else {_UNKNOWN}
        end
    """,
    "artist_key": f"""
        case
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
"""Columns that are not one of ``keyed``."""


def facts(rows: pa.Table, keys: Mapping[str, pa.Table], table: str) -> Iterator[pa.RecordBatch]:
    """Batches of the staged frame ``fact_event`` or ``fact_spoken_event``.

    :param rows: as ``rows.identified`` gives them.
    :param keys: the tables of sql/lookup, by name: user, artist, track, playlist, context, input, made_id.
    :param table: which of the two.
    """
    tables = Tables(rows=rows, continent=_CONTINENT, **keys)
    tables.add("offset", _offsets(rows, keys["user"]))
    tables.view("named", _NAMED if keys["made_id"].num_rows else "select * from rows")
    for name, query in _STEPS.items():
        tables.view(name, query)
    schema = to_arrow_schema(STAGED[table])
    columns = ", ".join(f"{_VALUES.get(name, name)} as {name}" for name in schema.names)
    is_wanted = f"spoken_id is {'not ' if table == 'fact_spoken_event' else ''}null"
    for batch in tables.batches(f"select {columns} from keyed where {is_wanted}"):  # noqa: S608 (columns of ours)
        yield as_schema(batch, schema)


def _offsets(rows: pa.Table, users: pa.Table) -> pa.Table:
    clocks = {"UTC", *pc.unique(rows["timezone"]).to_pylist(), *pc.unique(users["home_timezone"]).to_pylist()} - {None}
    between = pc.min_max(rows["event_time"])
    return offsets(clocks, between["min"].as_py(), between["max"].as_py())
