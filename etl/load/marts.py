"""The build of the marts: the files of sql/marts, run in one transaction.

What has been touched since the last build is queued by whoever changes the star; a build works on that alone, or on
everything where nothing was built yet or by another definition.
"""

import logging
import time
from dataclasses import dataclass
from datetime import date

from sqlalchemy import Connection, text

from etl.database import fetch_rows, read_sql, record_nothing_new, run_statements, sql_path
from etl.database.run_records import Run, record_published, record_start
from etl.load.frame_load import lock_for_run
from etl.load.table_swap import ShadowTables

log = logging.getLogger(__name__)

BASE_FILES = ("counted_play", "listener_day", "listening_session", "listener_count", "chart_count", "audio_point")
"""The files of sql/marts/incremental that count plays, days and sessions and read audio features, which the marts are
made from."""

MART_FILES = (
    "wrapped",
    "top_by_continent",
    "artist_audience",
    "daily_engagement",
    "playlist_profile",
    "taste_profile",
    "discovery",
    "user_personality",
)
"""The files of sql/marts/incremental, each named for what it answers; docs/marts.md says what they may read."""

_PRESERVED_TABLES = ("circumstance", "chart", "catalogue_place", "artist_place", "definition", "applied_exclusion")
"""Tables that give keys, hold what changes by steps only, or say what was built: they stay when marts are built from
nothing."""

_INCREMENTAL_DAY_LIMIT = 20_000
"""Days of users; so few are worked on one by one, whatever is there already."""

_CHANGE_QUEUES = ("touched_day", "touched_track", "touched_playlist")
_BUILD_SETTINGS = {
    "work_mem": "256MB",
    "jit": "off",
    "random_page_cost": "1.1",
    "max_parallel_workers_per_gather": "2",
    "maintenance_work_mem": "512MB",
}
_WRITTEN_ROWS = """
    select relname as table_name, n_tup_ins + n_tup_upd + n_tup_del as row_count
    from pg_stat_xact_user_tables
    where schemaname = 'mart'
"""


@dataclass(frozen=True)
class MartDefinition:
    """What counts: the marts are built anew where it was another one."""

    play_min_ms: int
    session_gap_minutes: int


@dataclass(frozen=True)
class BuildResult:
    """What a build did: whether from nothing, rows written by table, seconds by file of sql/marts."""

    is_full_refresh: bool
    written_rows: dict[str, int]
    seconds: dict[str, float]


def update_marts(
    run: Run, definition: MartDefinition, is_full_refresh: bool, since: date | None, url: str
) -> BuildResult | None:
    """Build the marts and publish them; waits while another run changes the warehouse.

    :param run: what the build belongs to; published already, nothing is done.
    :param is_from_nothing: work on everything.
    :param since: work on all days from this one on, too.
    :returns: None where nothing has been touched.
    :raises EtlError: where PostgreSQL fails, as ``warehouse.explained`` says; the marts are as they were.
    """
    with lock_for_run(run, url) as connection:
        return _update_under_lock(connection, run, definition, is_full_refresh, since)


def _update_under_lock(
    connection: Connection, run: Run, definition: MartDefinition, is_full_refresh: bool, since: date | None
) -> BuildResult | None:
    if not record_start(connection, run):
        log.info("The run %s is published already.", run.run_id)
        return None
    connection.commit()
    if since is not None:
        mark_changed_since(connection, since)
    if not (is_full_refresh or has_changes(connection, definition)):
        record_nothing_new(connection, run.run_id, run.job, run.started_at)
        connection.commit()
        return None
    build_result = build_marts(connection, definition, is_full_refresh)
    record_published(connection, run)
    connection.commit()
    return build_result


def build_marts(connection: Connection, definition: MartDefinition, is_full_refresh: bool = False) -> BuildResult:
    """Bring the marts up to date; only for who holds the lock, and commits.

    :param is_from_nothing: work on everything also where the queue would do. So it is where most days are touched:
        tables that are filled at once cost less.
    """
    is_full_refresh = is_full_refresh or not _is_built_with(connection, definition) or _is_mostly_changed(connection)
    for name, value in _BUILD_SETTINGS.items():
        connection.execute(text("select set_config(:name, :value, true)"), {"name": name, "value": value})
    rows_before, seconds = _count_written_rows(connection), {}
    _write_definition(connection, definition)
    connection.execute(text(f"create temporary table changed_exclusion on commit drop as {_CHANGED_EXCLUSIONS}"))
    shadow_tables = ShadowTables(connection, _list_rebuilt_tables(connection)) if is_full_refresh else None
    variant = "everything" if is_full_refresh else "queued"
    for name in (
        "touched/taken",
        f"touched/{variant}",
        BASE_FILES[0],
        f"play_change/{variant}",
        *BASE_FILES[1:],
        *MART_FILES,
    ):
        started = time.monotonic()
        _run_mart_file(connection, name, shadow_tables)
        seconds[name] = time.monotonic() - started
        log.info("%s: %.1f s.", name, seconds[name])
    if shadow_tables is not None:
        shadow_tables.swap_tables()
    started = time.monotonic()
    connection.execute(text("select audit.publish_artists()"))
    seconds["publish_artists"] = time.monotonic() - started
    _record_exclusions(connection)
    written_rows = {name: count - rows_before.get(name, 0) for name, count in _count_written_rows(connection).items()}
    return BuildResult(is_full_refresh, {name: count for name, count in written_rows.items() if count}, seconds)


def build_marts_as_defined(connection: Connection) -> None:
    """Bring the marts up to date by the definition that they have; nothing where they were never built.

    Only for who holds the lock, and commits.
    """
    definitions = fetch_rows(connection, "select play_min_ms, session_gap_minutes from mart.definition")
    for row in definitions:
        build_marts(connection, MartDefinition(int(str(row["play_min_ms"])), int(str(row["session_gap_minutes"]))))


def mark_changed_since(connection: Connection, first_day: date) -> None:
    """Queue all days of users from a day on; part of the transaction of the build that follows."""
    connection.execute(text(_MARK_CHANGED_SINCE), {"first_day": first_day})


def has_changes(connection: Connection, definition: MartDefinition) -> bool:
    """Whether there is anything to build."""
    queues = " or ".join(f"exists (select from audit.{name})" for name in _CHANGE_QUEUES)
    changed_inputs = " or ".join(
        f"exists ({condition})" for condition in (_CHANGED_EXCLUSIONS, _CHANGED_CATALOGUE, _NEW_ARTISTS)
    )
    statement = f"select {queues} or {changed_inputs} as it"
    return not _is_built_with(connection, definition) or bool(fetch_rows(connection, statement)[0]["it"])


_EXCLUDED_IDS = """
    select kind, id from warehouse.exclusion
    union
    select 'track', t.track_id
    from warehouse.exclusion as x
    inner join warehouse.dim_track as n on n.track_id = x.id
    inner join warehouse.dim_track as t on t.recording_key = n.recording_key
    where x.kind = 'track'
"""
"""What exclusions leave out: of a track all ids of its recording, which may become others."""

_CHANGED_EXCLUSIONS = f"""
    with left_out as ({_EXCLUDED_IDS})

    (select kind, id from left_out except select kind, id from mart.applied_exclusion)
    union all
    (select kind, id from mart.applied_exclusion except select kind, id from left_out)
"""  # noqa: S608 (no data in it)

_CHANGED_CATALOGUE = """
    select
    from mart.counted_catalogue
    where last_track_key < (select max(track_key) from warehouse.dim_track)
        or fit_id is distinct from (select fit_id from mart.audio_scale)
"""
"""New tracks and fits of the clusters queue nothing."""

_NEW_ARTISTS = """
    select
    from audit.login as l
    inner join warehouse.dim_artist as a on a.artist_id = l.artist_id
    where not exists (select from audit.published_artist as p where p.artist_key = a.artist_key)
"""
"""Artists whose logins were made while a build held the lock."""

_MARK_CHANGED_SINCE = """
    insert into audit.touched_day (listener_key, local_date)
    select listener_key, local_date from mart.listener_day where local_date >= :first_day
    union
    select l.listener_key, e.local_time::date
    from warehouse.fact_event as e
    inner join warehouse.dim_user as u on u.user_key = e.user_key
    inner join mart.listener as l on l.user_id = u.user_id
    where e.event_time >= cast(:first_day as date) - interval '1 day'
        and e.local_time >= :first_day
        and e.activity_type in ('PLAY', 'PAUSE', 'SKIP')
    on conflict do nothing
"""


def _is_built_with(connection: Connection, definition: MartDefinition) -> bool:
    statement = "select play_min_ms, session_gap_minutes, marts from mart.definition"
    return fetch_rows(connection, statement) == [_to_row(definition)]


def _is_mostly_changed(connection: Connection) -> bool:
    """Whether more days are touched than are known; looks at no more than are touched."""
    changed_day_count = int(str(fetch_rows(connection, "select count(*) as size from audit.touched_day")[0]["size"]))
    has_more_days = "select exists (select from mart.listener_day offset :touched) as it"
    return (
        changed_day_count > _INCREMENTAL_DAY_LIMIT
        and not fetch_rows(connection, has_more_days, touched=changed_day_count)[0]["it"]
    )


def _to_row(definition: MartDefinition) -> dict[str, object]:
    return {
        "play_min_ms": definition.play_min_ms,
        "session_gap_minutes": definition.session_gap_minutes,
        "marts": [*BASE_FILES, *MART_FILES],
    }


def _write_definition(connection: Connection, definition: MartDefinition) -> None:
    connection.execute(text("delete from mart.definition"))
    statement = "insert into mart.definition values (:play_min_ms, :session_gap_minutes, :marts)"
    connection.execute(text(statement), _to_row(definition))


def _list_rebuilt_tables(connection: Connection) -> list[str]:
    tables = fetch_rows(
        connection,
        "select tablename as name from pg_tables where schemaname = 'mart' and not tablename = any(:kept)",
        kept=list(_PRESERVED_TABLES),
    )
    return [str(table["name"]) for table in tables]


def _record_exclusions(connection: Connection) -> None:
    connection.execute(text("delete from mart.applied_exclusion"))
    connection.execute(text(f"insert into mart.applied_exclusion {_EXCLUDED_IDS}"))


def _run_mart_file(connection: Connection, name: str, shadow_tables: ShadowTables | None) -> None:
    full_refresh = f"marts/full_refresh/{name}"
    if shadow_tables is not None and sql_path(full_refresh).exists():
        shadow_tables.run_statements(read_sql(full_refresh), is_full_refresh=True)
        return
    statements = read_sql(f"marts/incremental/{name}")
    if shadow_tables is not None:
        shadow_tables.run_statements(statements, is_full_refresh=False)
    else:
        run_statements(connection, statements)


def _count_written_rows(connection: Connection) -> dict[str, int]:
    return {str(row["table_name"]): int(str(row["row_count"])) for row in fetch_rows(connection, _WRITTEN_ROWS)}
