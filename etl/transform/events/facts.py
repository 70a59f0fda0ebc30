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

_WITH_MADE = """
    select
        e.* except (track_id, artist_id),
        coalesce(e.track_id, m.made_track) as track_id,
        coalesce(e.artist_id, m.made_artist) as artist_id
    from rows as e
    left join made_id as m
        on e.artist_name = m.artist_name and (e.track_name is not distinct from m.track_name) and e.track_id is null
"""
_OF_USER = """
    select e.*, u.user_key, coalesce(e.timezone, u.home_timezone, 'UTC') as clock
    from named as e
    inner join user as u
        on u.user_id = e.user_id and e.event_time >= u.valid_from and e.event_time < u.valid_to
"""
_LOCAL = """
    select e.*, arrow_cast(e.event_time, 'Int64') + coalesce(o.utc_offset_us, 0) as local_us
    from of_user as e
    left join offset as o
        on o.timezone = e.clock and e.event_time >= o.offset_from and e.event_time < o.offset_to
"""
_KEYED = f"""
    select
        e.* except (playlist_id),
        i.input_key,
        e.playlist_id,
        case
            when t.track_key is not null then t.track_key
            when e.activity_type = 'FOLLOW' then {_NOT_APPLICABLE}
            else {_UNKNOWN}
        end as track_key,
        case
            when a.artist_key is not null then a.artist_key
            when t.first_artist_key is not null then t.first_artist_key
            when e.playlist_id is not null and e.activity_type = 'FOLLOW' then {_NOT_APPLICABLE}
            else {_UNKNOWN}
        end as artist_key,
        coalesce(p.playlist_key, {_NOT_APPLICABLE}) as playlist_key,
        case
            when e.activity_type <> 'PLAY' then {_NOT_APPLICABLE}
            else coalesce(c.context_key, {_UNKNOWN})
        end as context_key,
        n.continent
    from local as e
    inner join input as i on i.input_id = e.input_id
    left join context as c
        on {" and ".join(f"(c.{name} is not distinct from e.{name})" for name in CONTEXT)}
    left join track as t on t.track_id = e.track_id
    left join artist as a on a.artist_id = e.artist_id
    left join playlist as p on p.playlist_id = e.playlist_id
    left join continent as n on n.country = e.country
"""  # noqa: S608 (numbers and columns of ours)
_DAY_NUMBER = "cast(date_part('year', {0}) * 10000 + date_part('month', {0}) * 100 + date_part('day', {0}) as int)"
_FACTS = f"""
    select
        * except (is_skipped, local_us),
        coalesce(is_skipped, false) as is_skipped,
        timezone is null as is_home_time,
        arrow_cast(local_us, 'Timestamp(Microsecond, None)') as local_time,
        cast(local_us / 3600000000 % 24 as smallint) as local_hour,
        {_DAY_NUMBER.format("arrow_cast(local_us, 'Timestamp(Microsecond, None)')")} as date_key,
        {_DAY_NUMBER.format("event_time")} as utc_date_key
    from keyed
"""  # noqa: S608 (expressions of ours)


def facts(rows: pa.Table, keys: Mapping[str, pa.Table], table: str) -> Iterator[pa.RecordBatch]:
    """Batches of the staged frame ``fact_event`` or ``fact_spoken_event``.

    :param rows: as ``rows.identified`` gives them.
    :param keys: the tables of sql/lookup, by name: user, artist, track, playlist, context, input, made_id.
    :param table: which of the two.
    """
    tables = Tables(rows=rows, continent=_CONTINENT, **keys)
    tables.view("named", _WITH_MADE if keys["made_id"].num_rows else "select * from rows")
    tables.view("of_user", _OF_USER)
    tables.add("offset", _offsets(rows, keys["user"]))
    tables.view("local", _LOCAL)
    tables.view("keyed", _KEYED)
    tables.view("facts", _FACTS)
    schema = to_arrow_schema(STAGED[table])
    is_wanted = f"spoken_id is {'not ' if table == 'fact_spoken_event' else ''}null"
    for batch in tables.batches(f"select {', '.join(schema.names)} from facts where {is_wanted}"):  # noqa: S608
        yield as_schema(batch, schema)


def _offsets(rows: pa.Table, users: pa.Table) -> pa.Table:
    clocks = {"UTC", *pc.unique(rows["timezone"]).to_pylist(), *pc.unique(users["home_timezone"]).to_pylist()} - {None}
    between = pc.min_max(rows["event_time"])
    return offsets(clocks, between["min"].as_py(), between["max"].as_py())
