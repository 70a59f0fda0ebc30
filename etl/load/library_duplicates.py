"""Saved tracks and followed artists that both the API and account exports report, or several exports.

The API reports when a track was saved, an export does not. So the API's event replaces that of an export, whichever was
loaded first. Of several exports, the first one dates the event.
"""

from sqlalchemy import Connection, text

from etl.database import fetch_rows
from etl.load.partitions import COUNT_REMOVED

_EXPORT_SOURCE = "library_export"
_SOURCES = (_EXPORT_SOURCE, "saved_tracks", "followed_artists")


def drop_staged_duplicates(connection: Connection) -> None:
    """Remove staged events of exports that the API or another export reports, and count them in staging.arrival."""
    if _read_saved_events(connection):
        for statement in (_DROP_REPORTED_BY_API, _DROP_REPORTED_BY_EXPORT):
            connection.execute(text(statement), {"table_name": "fact_event"})


def delete_superseded_events(connection: Connection) -> None:
    """Delete published events of exports that the API now reports; part of the publishing transaction."""
    if _read_saved_events(connection):
        connection.execute(text(_DROP_PUBLISHED))


def _read_saved_events(connection: Connection) -> bool:
    """Fill the temporary table ``saved`` with such events of the users with staged ones; False if none are staged."""
    result = fetch_rows(
        connection,
        "select exists (select from staging.arrival where source = any(:sources)) as is_staged",
        sources=list(_SOURCES),
    )
    if not result[0]["is_staged"]:
        return False
    connection.execute(text(_CREATE_SAVED_TABLE), {"sources": list(_SOURCES)})
    return True


_COLUMNS = "u.user_id, e.event_id, e.event_time, e.source, e.activity_type, e.track_key, e.artist_key"

# "offset 0" makes the planner read the index of each partition user by user.
_CREATE_SAVED_TABLE = f"""
    drop table if exists pg_temp.saved;

    create temporary table saved on commit drop as
    with users as (
        select k.user_id, k.user_key
        from warehouse.dim_user as k
        where k.user_id in (
            select n.user_id
            from staging.fact_event as e
            inner join warehouse.dim_user as n on n.user_key = e.user_key
            where e.source = any(:sources)
        )
    ),

    reported as (
        select {_COLUMNS}, true as is_staged
        from users as u
        inner join staging.fact_event as e on e.user_key = u.user_key
        where e.source = any(:sources)
        union all
        select {_COLUMNS}, false
        from users as u
        cross join lateral (
            select *
            from warehouse.fact_event as p
            where p.user_key = u.user_key and p.source = any(:sources)
            offset 0
        ) as e
    )

    select
        e.user_id,
        e.event_id,
        e.event_time,
        e.activity_type,
        e.is_staged,
        e.source = '{_EXPORT_SOURCE}' as is_exported,
        case when e.activity_type = 'FOLLOW' then e.artist_key else e.track_key end as item_key,
        case when e.activity_type = 'FOLLOW' then e.artist_key else t.recording_key end as recording_key
    from reported as e
    left join warehouse.dim_track as t on t.track_key = e.track_key;

    analyze saved;
"""  # noqa: S608 (constants)

_REPORTED_BY_API = """
    inner join saved as api
        on not api.is_exported
        and api.user_id = own.user_id
        and api.activity_type = own.activity_type
        and api.recording_key = own.recording_key
    where own.is_exported and own.recording_key > 0
"""

_DROP_REPORTED_BY_API = f"""
    with removed as (
        delete from staging.fact_event as s
        using (
            select distinct own.event_id, own.event_time from saved as own {_REPORTED_BY_API} and own.is_staged
        ) as d
        where s.event_id = d.event_id and s.event_time = d.event_time
        returning s.*
    )

    {COUNT_REMOVED}
"""  # noqa: S608 (a constant)

_DROP_REPORTED_BY_EXPORT = f"""
    with removed as (
        delete from staging.fact_event as s
        using (
            select distinct event_id, event_time, is_staged, first_value(event_id) over (
                partition by user_id, activity_type, item_key order by is_staged, event_time, event_id
            ) as first_id
            from saved
            where is_exported and item_key > 0
        ) as d
        where d.is_staged and d.event_id <> d.first_id and s.event_id = d.event_id and s.event_time = d.event_time
        returning s.*
    )

    {COUNT_REMOVED}
"""  # noqa: S608 (a constant)

_DROP_PUBLISHED = f"""
    delete from warehouse.fact_event as t
    using (select distinct own.event_id, own.event_time from saved as own {_REPORTED_BY_API} and not own.is_staged) as d
    where t.event_id = d.event_id and t.event_time = d.event_time
"""  # noqa: S608 (a constant)
