"""Plays of podcasts and audiobooks that both kinds of export report: the extended export's events replace the others.

An extended export is complete for the time that it covers.
"""

from sqlalchemy import Connection, text

from etl.database import fetch_rows
from etl.formats.time_limits import MINUTE_TOLERANCE
from etl.load.partitions import COUNT_REMOVED

_FACT_TABLE = "fact_spoken_event"
_MATCH_TOLERANCE = f"interval '{MINUTE_TOLERANCE.seconds} seconds'"


def drop_staged_duplicates(connection: Connection) -> None:
    """Remove staged events of basic exports that an extended one reports, and count them in staging.arrival."""
    if _read_spoken_events(connection):
        connection.execute(text(_DROP_STAGED), {"table_name": _FACT_TABLE})


def delete_superseded_events(connection: Connection) -> None:
    """Delete published events of basic exports that an extended one now reports; part of the publishing transaction."""
    if _read_spoken_events(connection):
        connection.execute(text(_DROP_PUBLISHED))


def _read_spoken_events(connection: Connection) -> bool:
    """Fill the temporary table ``spoken`` with the events near staged ones; False if none are staged."""
    result = fetch_rows(
        connection,
        "select exists (select from staging.arrival where table_name = :name) as is_staged",
        name=_FACT_TABLE,
    )
    if not result[0]["is_staged"]:
        return False
    connection.execute(text(_CREATE_SPOKEN_TABLE))
    return True


_COLUMNS = """
    u.user_id, e.event_id, e.event_time, e.ended_at, e.source,
    lower(coalesce(e.show_name, '')) as show, lower(coalesce(e.spoken_name, e.show_name, '')) as name
"""

# "offset 0" makes the planner read the index of each partition user by user. An event lasts a day at most.
_CREATE_SPOKEN_TABLE = f"""
    drop table if exists pg_temp.spoken;

    create temporary table spoken on commit drop as
    with staged as (
        select {_COLUMNS}
        from staging.fact_spoken_event as e
        inner join warehouse.dim_user as u on u.user_key = e.user_key
        where e.source in ('extended_export', 'basic_export')
    ),

    changed_period as (
        select
            user_id, min(event_time) - interval '1 day' as first_time, max(event_time) + interval '1 day' as last_time
        from staged
        group by user_id
    )

    select user_id, event_id, event_time, ended_at, source, show, name, true as is_staged
    from staged
    union all
    select {_COLUMNS}, false
    from changed_period as t
    inner join warehouse.dim_user as u on u.user_id = t.user_id
    cross join lateral (
        select *
        from warehouse.fact_spoken_event as p
        where p.user_key = u.user_key
            and p.event_time between t.first_time and t.last_time
            and p.source in ('extended_export', 'basic_export')
            and p.input_key not in (select input_key from staging.reloaded_input)
        offset 0
    ) as e;

    analyze spoken;
"""  # noqa: S608 (constants)

_REPORTED_TWICE = f"""
    select own.event_id, own.event_time
    from spoken as own
    where own.source = 'basic_export'
        and exists (
            select
            from spoken as better
            where better.source = 'extended_export'
                and better.user_id = own.user_id
                and better.show = own.show
                and better.name = own.name
                and better.ended_at between own.ended_at - {_MATCH_TOLERANCE} and own.ended_at + {_MATCH_TOLERANCE}
        )
"""  # noqa: S608 (a constant)

_DROP_STAGED = f"""
    with removed as (
        delete from staging.fact_spoken_event as s
        using ({_REPORTED_TWICE} and own.is_staged) as d
        where s.event_id = d.event_id and s.event_time = d.event_time
        returning s.*
    )

    {COUNT_REMOVED}
"""  # noqa: S608 (a constant)

_DROP_PUBLISHED = f"""
    delete from warehouse.fact_spoken_event as t
    using ({_REPORTED_TWICE} and not own.is_staged) as d
    where t.event_id = d.event_id and t.event_time = d.event_time
"""  # noqa: S608 (a constant)
