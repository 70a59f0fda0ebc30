"""Plays that several sources report: read for matching, and the matches applied to the star.

Two reports are one play only if their tracks are one recording. If a catalogue load regroups the tracks of recordings,
it queues them in audit.regrouped_track, and the next load of events matches their plays again.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from contextlib import closing
from io import StringIO

from sqlalchemy import Connection, text

from etl.database import fetch_rows
from etl.load.partitions import COUNT_REMOVED

_MATCH_WINDOW = "interval '1 day'"
"""No play lasts longer, so reports that are farther apart are different plays."""

_PLAY_COLUMNS = """
    e.event_id::text as event_id, e.event_time, e.started_at, e.ended_at, e.source,
    coalesce(c.is_offline, false) as is_offline
"""


def list_matchable_plays(connection: Connection, sources: Sequence[str]) -> list[dict[str, object]]:
    """Return the staged, published and dropped plays near staged plays or plays of regrouped tracks, of the same users.

    Matches may change within one window of a changed play. The plays are read from two windows, so that each play that
    may change comes with all plays that it may match.

    :param sources: the sources whose plays another source may report too.
    :returns: user_id, track_key, recording_key, event_id, event_time, started_at, ended_at, source, is_offline; empty
        if no staged play has such a source and no track is regrouped.
    """
    return (
        fetch_rows(connection, _MATCHABLE_PLAYS, sources=list(sources))
        if _is_matching_needed(connection, sources)
        else []
    )


def list_track_name_ids(connection: Connection, track_keys: Collection[int]) -> dict[int, list[str]]:
    """Return the name-derived ids of tracks, by track_key: from events, aliases and tracks without an id of Spotify.

    A source that reports only names has the track that the name resolves to; another source may report the same play
    under another id of the same name.
    """
    name_ids: dict[int, list[str]] = defaultdict(list)
    for row in fetch_rows(connection, _TRACK_NAMES, track_keys=list(track_keys)):
        name_ids[int(str(row["track_key"]))].append(str(row["name_id"]))
    return name_ids


def stage_matches(connection: Connection, matches: Iterable[tuple[object, ...]]) -> None:
    """Write matches into staging.event_match.

    :param matches: event_id and event_time of the dropped play, those of the retained play, and the rule.
    """
    lines = StringIO("".join("\t".join(map(str, match)) + "\n" for match in matches))
    with closing(connection.connection.cursor()) as cursor:
        cursor.copy_expert("copy staging.event_match from stdin", lines)
    connection.execute(text("analyze staging.event_match"))


def apply_matches(connection: Connection, sources: Sequence[str]) -> None:
    """Drop plays that a better source reports, and restore dropped plays whose match is gone.

    Part of the publishing transaction, before the staged rows are published.
    """
    if not _is_matching_needed(connection, sources):
        return
    for statement in _STEPS:
        parameters = {"sources": list(sources), "table_name": "fact_event"}
        connection.execute(
            text(statement), {name: value for name, value in parameters.items() if f":{name}" in statement}
        )


def _is_matching_needed(connection: Connection, sources: Sequence[str]) -> bool:
    """Return whether any of the sources has staged events, or a track is regrouped.

    staging.arrival has the counts by source, so that the events are not scanned.
    """
    result = fetch_rows(
        connection,
        """
        select exists (select from staging.arrival where source = any(:sources))
            or exists (select from audit.regrouped_track) as is_needed
        """,
        sources=list(sources),
    )
    return bool(result[0]["is_needed"])


_FORCE_INDEX_SCAN = "offset 0"
"""At the end of a lateral query, prevents its flattening: the index is read user by user. The planner overestimates the
number of users and would scan all events."""

_PUBLISHED_PLAYS = """
    select user_key, track_key, event_time, source, activity_type from warehouse.fact_event
    union all
    select user_key, track_key, event_time, source, activity_type from audit.dropped_event
"""

# The periods in which matches may change, by user: a window around each run of staged plays, and around published plays
# of regrouped tracks. Overlapping periods are united, so that no play is read twice.
_CHANGED_PERIODS = f"""
    reported as (
        select u.user_id, min(e.event_time) as first_time, max(e.event_time) as last_time
        from staging.fact_event as e
        inner join warehouse.dim_user as u on u.user_key = e.user_key
        where e.source = any(:sources) and e.activity_type = 'PLAY'
        group by u.user_id
        union all
        select u.user_id, e.event_time, e.event_time
        from (select user_id from audit.play_source group by user_id having count(*) > 1) as s
        inner join warehouse.dim_user as u on u.user_id = s.user_id
        cross join lateral (
            select p.event_time
            from ({_PUBLISHED_PLAYS}) as p
            where p.user_key = u.user_key
                and p.track_key in (select track_key from audit.regrouped_track)
                and p.source = any(:sources)
                and p.activity_type = 'PLAY'
            {_FORCE_INDEX_SCAN}
        ) as e
        where exists (select from audit.regrouped_track)
    ),

    changed_period as (
        select user_id, lower(during) as first_time, upper(during) as last_time
        from (
            select
                user_id,
                unnest(
                    range_agg(tstzrange(first_time - {_MATCH_WINDOW}, last_time + {_MATCH_WINDOW}, '[]'))
                ) as during
            from reported
            group by user_id
        ) as united
    )
"""  # noqa: S608 (constants)


def _build_nearby_plays_query(table: str, margin: str) -> str:
    return f"""
        select t.user_id, d.track_key, d.recording_key, {_PLAY_COLUMNS}
        from changed_period as t
        inner join warehouse.dim_user as u on u.user_id = t.user_id
        cross join lateral (
            select p.*
            from {table} as p
            where p.user_key = u.user_key
                and p.event_time between t.first_time - {margin} and t.last_time + {margin}
                and p.source = any(:sources)
                and p.activity_type = 'PLAY'
                and p.track_key > 0
            {_PLAY_TABLES[table]}
        ) as e
        inner join warehouse.dim_track as d on d.track_key = e.track_key
        left join warehouse.dim_play_context as c on c.context_key = e.context_key
    """  # noqa: S608 (a constant table name)


_IS_NOT_RELOADED = "and p.input_key not in (select input_key from staging.reloaded_input)"
_PLAY_TABLES = {
    "staging.fact_event": "",
    "warehouse.fact_event": f"{_IS_NOT_RELOADED} {_FORCE_INDEX_SCAN}",
    "audit.dropped_event": f"{_IS_NOT_RELOADED} {_FORCE_INDEX_SCAN}",
}
"""The tables with plays, and the end of the query of each. Staged rows may have no index; published rows of inputs that
are reloaded will be replaced, so they do not count."""

_TRACK_NAMES = """
    select track_key, name_id from audit.track_name where track_key = any(:track_keys)
    union all
    select track_key, alias_value from warehouse.track_alias where alias_kind = 'name' and track_key = any(:track_keys)
    union all
    select track_key, track_id from warehouse.dim_track where track_id like 'name:%' and track_key = any(:track_keys)
"""


def _build_all_nearby_plays_query(margin: str) -> str:
    # "union" without "all": a play near two periods is one row.
    return " union ".join(_build_nearby_plays_query(table, margin) for table in _PLAY_TABLES)


_MATCHABLE_PLAYS = f"with {_CHANGED_PERIODS} {_build_all_nearby_plays_query(_MATCH_WINDOW)}"

_CREATE_CHANGED_PERIODS = f"""
    create temporary table changed_period on commit drop as with {_CHANGED_PERIODS} select * from changed_period
"""  # noqa: S608

_DELETE_DISTANT_MATCHES = f"""
    with nearby as ({_build_all_nearby_plays_query("interval '0'")})

    delete from staging.event_match as m
    where not exists (
        select from nearby as n
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

    moved as (
        insert into audit.dropped_event select * from removed
    )

    {COUNT_REMOVED}
"""  # noqa: S608 (a constant)

_DROP_PUBLISHED = """
    with removed as (
        delete from warehouse.fact_event as t
        using staging.event_match as m
        where t.event_id = m.dropped_event_id and t.event_time = m.dropped_event_time
        returning t.*
    )

    insert into audit.dropped_event select * from removed
"""

_RESTORE_DROPPED = """
    with restored as (
        delete from audit.dropped_event as d
        using changed_period as t, warehouse.dim_user as u
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

    insert into warehouse.fact_event select * from restored
"""

_DELETE_OBSOLETE_MATCHES = """
    delete from audit.event_match as a
    using changed_period as t, warehouse.dim_user as u, warehouse.fact_event as e
    where u.user_id = t.user_id
        and e.user_key = u.user_key
        and e.event_time between t.first_time and t.last_time
        and e.event_id = a.dropped_event_id
        and e.event_time = a.dropped_event_time
"""

_RECORD_MATCHES = """
    insert into audit.event_match (dropped_event_id, dropped_event_time, kept_event_id, kept_event_time, rule)
    select dropped_event_id, dropped_event_time, kept_event_id, kept_event_time, rule
    from staging.event_match
    on conflict (dropped_event_id, dropped_event_time) do update
    set kept_event_id = excluded.kept_event_id, kept_event_time = excluded.kept_event_time, rule = excluded.rule
    where (event_match.kept_event_id, event_match.kept_event_time, event_match.rule)
        is distinct from (excluded.kept_event_id, excluded.kept_event_time, excluded.rule)
"""

_RECORD_SOURCES = """
    insert into audit.play_source (user_id, source)
    select distinct u.user_id, e.source
    from staging.fact_event as e
    inner join warehouse.dim_user as u on u.user_key = e.user_key
    where e.source = any(:sources) and e.activity_type = 'PLAY'
    on conflict do nothing
"""

_CLEAR_REGROUPED_TRACKS = "delete from audit.regrouped_track"

_STEPS = (
    _CREATE_CHANGED_PERIODS,
    _DELETE_DISTANT_MATCHES,
    _RECORD_SOURCES,
    _DROP_STAGED,
    _DROP_PUBLISHED,
    _RESTORE_DROPPED,
    _DELETE_OBSOLETE_MATCHES,
    _RECORD_MATCHES,
    _CLEAR_REGROUPED_TRACKS,
)
