"""Plays that several sources tell of: read for matching, and what was matched applied to the star."""

from collections.abc import Iterable, Sequence
from contextlib import closing
from io import StringIO

from sqlalchemy import Connection, text

from etl.load.partitions import COUNT_REMOVED
from etl.warehouse import rows

_NEAR = "interval '1 day'"
"""No play is longer: what is farther away is another play."""

_COLUMNS = "e.event_id::text as event_id, e.event_time, e.started_at, e.ended_at, e.source"


def plays(connection: Connection, sources: Sequence[str]) -> list[dict[str, object]]:
    """All plays near staged ones of the same users: staged, in the star, and dropped ones.

    Twice as far as what is changed, so that whatever may change comes with all that it may be matched with.

    :param sources: who tells of plays that another may tell of too.
    :returns: user_id, recording_key, event_id, event_time, started_at, ended_at, source; nothing where no staged play
        has such a source.
    """
    return rows(connection, _PLAYS, sources=list(sources)) if _is_told(connection, sources) else []


def stage(connection: Connection, matches: Iterable[tuple[object, ...]]) -> None:
    """Write matches into staging.

    :param matches: dropped event_id and event_time, kept event_id and event_time, rule.
    """
    lines = StringIO("".join("\t".join(map(str, match)) + "\n" for match in matches))
    with closing(connection.connection.cursor()) as cursor:
        cursor.copy_expert("copy staging.event_match from stdin", lines)
    connection.execute(text("analyze staging.event_match"))


def apply(connection: Connection, sources: Sequence[str]) -> None:
    """Drop plays that a better source tells, and bring back those of which that is no longer so.

    Part of the publishing transaction, before the staged rows go to the star.
    """
    if not _is_told(connection, sources):
        return
    for statement in (_NEAR_TABLE, _LEAVE_FAR, _DROP_STAGED, _DROP_PUBLISHED, _BRING_BACK, _FORGET, _REMEMBER):
        parameters = {"sources": list(sources), "table_name": "fact_event"}
        connection.execute(text(statement), {k: v for k, v in parameters.items() if f":{k}" in statement})


def _is_told(connection: Connection, sources: Sequence[str]) -> bool:
    """Whether any of them tells of staged events: to look for it in the events themselves would be to read them all."""
    found = rows(
        connection,
        "select exists (select from staging.arrival where source = any(:sources)) as it",
        sources=list(sources),
    )
    return bool(found[0]["it"])


_TOUCHED = f"""
    touched as (
        select u.user_id, min(e.event_time) - {_NEAR} as first_time, max(e.event_time) + {_NEAR} as last_time
        from staging.fact_event as e
        inner join warehouse.dim_user as u on u.user_key = e.user_key
        where e.source = any(:sources) and e.activity_type = 'PLAY'
        group by u.user_id
    )
"""  # noqa: S608 (no data in it)


def _near(table: str, margin: str) -> str:
    return f"""
        select t.user_id, d.recording_key, {_COLUMNS}
        from touched as t
        inner join warehouse.dim_user as u on u.user_id = t.user_id
        inner join {table} as e
            on e.user_key = u.user_key and e.event_time between t.first_time - {margin} and t.last_time + {margin}
        inner join warehouse.dim_track as d on d.track_key = e.track_key
        where e.source = any(:sources) and e.activity_type = 'PLAY' and e.track_key > 0
    """  # noqa: S608 (a table of ours)


def _all_near(margin: str) -> str:
    tables = ("staging.fact_event", "warehouse.fact_event", "audit.dropped_event")
    return " union all ".join(_near(table, margin) for table in tables)


_PLAYS = f"with {_TOUCHED} {_all_near(_NEAR)}"

_NEAR_TABLE = f"""
    create temporary table touched on commit drop as with {_TOUCHED} select * from touched
"""  # noqa: S608

_LEAVE_FAR = f"""
    with near as ({_all_near("interval '0'")})

    delete from staging.event_match as m
    where not exists (
        select from near as n
        where n.event_id = m.dropped_event_id::text and n.event_time = m.dropped_event_time
    )
"""  # noqa: S608

_DROP_STAGED = f"""
    with removed as (
        delete from staging.fact_event as s
        using staging.event_match as m
        where s.event_id = m.dropped_event_id and s.event_time = m.dropped_event_time
        returning s.*
    ),

    kept as (
        insert into audit.dropped_event select * from removed
    )

    {COUNT_REMOVED}
"""  # noqa: S608 (a statement of ours)

_DROP_PUBLISHED = """
    with removed as (
        delete from warehouse.fact_event as t
        using staging.event_match as m
        where t.event_id = m.dropped_event_id and t.event_time = m.dropped_event_time
        returning t.*
    )

    insert into audit.dropped_event select * from removed
"""

_BRING_BACK = """
    with freed as (
        delete from audit.dropped_event as d
        using touched as t, warehouse.dim_user as u
        where u.user_id = t.user_id
            and d.user_key = u.user_key
            and d.event_time between t.first_time and t.last_time
            and not exists (
                select
                from staging.event_match as m
                where m.dropped_event_id = d.event_id and m.dropped_event_time = d.event_time
            )
        returning d.*
    )

    insert into warehouse.fact_event select * from freed
"""

_FORGET = """
    delete from audit.event_match as a
    using touched as t, warehouse.dim_user as u, warehouse.fact_event as e
    where u.user_id = t.user_id
        and e.user_key = u.user_key
        and e.event_time between t.first_time and t.last_time
        and e.event_id = a.dropped_event_id
        and e.event_time = a.dropped_event_time
"""

_REMEMBER = """
    insert into audit.event_match (dropped_event_id, dropped_event_time, kept_event_id, kept_event_time, rule)
    select dropped_event_id, dropped_event_time, kept_event_id, kept_event_time, rule
    from staging.event_match
    on conflict (dropped_event_id, dropped_event_time) do update
    set kept_event_id = excluded.kept_event_id, kept_event_time = excluded.kept_event_time, rule = excluded.rule
    where (event_match.kept_event_id, event_match.kept_event_time, event_match.rule)
        is distinct from (excluded.kept_event_id, excluded.kept_event_time, excluded.rule)
"""
