"""The build of the marts: the files of sql/marts, run in one transaction.

Loads queue the users' days, tracks and playlists that they change. A build works on these changes only, or on all rows
after another definition and in a new warehouse (a full refresh).
"""

import logging
import time
from dataclasses import dataclass
from datetime import date

from sqlalchemy import Connection, text

from etl.database import fetch_rows, read_sql, record_nothing_new, run_statements
from etl.database.run_records import Run, lock_for_run, record_published, record_start
from etl.load.mart_files import BASE_FILES, MART_FILES
from etl.load.table_swap import ShadowTables

log = logging.getLogger(__name__)

_PRESERVED_TABLES = (
    "listening_context",
    "chart",
    "catalogue_place",
    "artist_place",
    "definition",
    "applied_exclusion",
    "applied_play_exclusion",
    "applied_artist_merge",
    "anomaly",
    "forecast",
    "forecast_series",
    "forecast_score",
    "forecast_champion",
    "forecast_refusal",
    "anomalous_day",
)
"""Tables that assign keys, hold counters, findings or forecasts, or record the last build: a full refresh preserves
them."""

_TABLES_FILLED_AT_ONCE = ("counted_play",)
"""Tables whose file fills them by one statement and looks nothing up in them: a full refresh builds their indexes after
it."""

_INCREMENTAL_DAY_LIMIT = 20_000
"""Up to so many changed days of users, a build is incremental, however few days the marts have."""

_CHANGE_QUEUES = ("changed_day", "changed_track", "changed_playlist")
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
    """The settings that the marts depend on; other values cause a full refresh."""

    play_min_ms: int
    session_gap_minutes: int


@dataclass(frozen=True)
class BuildResult:
    """The result of a build: whether it was a full refresh, rows written by table, seconds by file of sql/marts."""

    is_full_refresh: bool
    written_rows: dict[str, int]
    seconds: dict[str, float]


def update_marts(
    run: Run, definition: MartDefinition, is_full_refresh: bool, since: date | None, url: str
) -> BuildResult | None:
    """Build the marts and publish them; wait while another run changes the warehouse.

    :param run: the run of the build; nothing is done if it is already published.
    :param is_full_refresh: build all rows.
    :param since: also build all days from this one on.
    :returns: None if nothing has changed.
    :raises EtlError: if PostgreSQL fails, as ``connection.explain_error`` decides; the marts are unchanged.
    """
    with lock_for_run(run, url) as connection:
        return _update_under_lock(connection, run, definition, is_full_refresh, since)


def _update_under_lock(
    connection: Connection, run: Run, definition: MartDefinition, is_full_refresh: bool, since: date | None
) -> BuildResult | None:
    if not record_start(connection, run):
        log.info("The run %s is already published.", run.run_id)
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
    """Bring the marts up to date; the caller has the lock of the warehouse and commits.

    :param is_full_refresh: build all rows. A build also does so after another definition, and if most days have
        changed: filling whole tables is then cheaper.
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
        "changed/stated",
        "changed/taken",
        f"changed/{variant}",
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
    """Bring the marts up to date with the settings of the last build; do nothing if they were never built.

    The caller has the lock of the warehouse and commits.
    """
    definitions = fetch_rows(connection, "select play_min_ms, session_gap_minutes from mart.definition")
    for row in definitions:
        build_marts(connection, MartDefinition(int(str(row["play_min_ms"])), int(str(row["session_gap_minutes"]))))


def mark_changed_since(connection: Connection, first_day: date) -> None:
    """Queue all days of users from a day on, in the transaction of the build that follows."""
    connection.execute(text(_MARK_CHANGED_SINCE), {"first_day": first_day})


def has_changes(connection: Connection, definition: MartDefinition) -> bool:
    """Return whether a build would have anything to do."""
    queues = " or ".join(f"exists (select from audit.{name})" for name in _CHANGE_QUEUES)
    changed_inputs = " or ".join(
        f"exists ({condition})"
        for condition in (_CHANGED_EXCLUSIONS, *_CHANGED_STATEMENTS, _CHANGED_CATALOGUE, _NEW_ARTISTS)
    )
    statement = f"select {queues} or {changed_inputs} as is_changed"
    return not _is_built_with(connection, definition) or bool(fetch_rows(connection, statement)[0]["is_changed"])


_EXCLUDED_IDS = """
    select kind, id from warehouse.exclusion
    union
    select 'track', t.track_id
    from warehouse.exclusion as x
    inner join warehouse.dim_track as n on n.track_id = x.id
    inner join warehouse.dim_track as t on t.recording_key = n.recording_key
    where x.kind = 'track'
"""
"""The effects of exclusions. An excluded track stands for its recording, whose ids may change between builds."""

_CHANGED_EXCLUSIONS = f"""
    with left_out as ({_EXCLUDED_IDS})

    (select kind, id from left_out except select kind, id from mart.applied_exclusion)
    union all
    (select kind, id from mart.applied_exclusion except select kind, id from left_out)
"""  # noqa: S608 (constants)

_CHANGED_STATEMENTS = tuple(
    f"select from (((table mart.current_{name}) except (table mart.applied_{name}))"
    f" union all ((table mart.applied_{name}) except (table mart.current_{name}))) as changed"
    for name in ("artist_merge", "play_exclusion")
)
"""Artists that are merged by decision, and plays that are left out for a user: now, and as the marts were built."""

_CHANGED_CATALOGUE = """
    select
    from mart.counted_catalogue
    where last_track_key < (select max(track_key) from warehouse.dim_track)
        or fit_id is distinct from (select fit_id from mart.audio_scale)
"""
"""New tracks and new fits of the clusters are not queued, so a build looks for them."""

_NEW_ARTISTS = """
    select
    from audit.login as l
    inner join warehouse.dim_artist as a on a.artist_id = l.artist_id
    where not exists (select from audit.published_artist as p where p.artist_key = a.artist_key)
"""
"""Artists whose logins were added while a build had the lock."""

_MARK_CHANGED_SINCE = """
    insert into audit.changed_day (listener_key, local_date)
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
    """Return whether more days have changed than the marts have; "offset" reads no more days than have changed."""
    changed_day_count = int(str(fetch_rows(connection, "select count(*) as size from audit.changed_day")[0]["size"]))
    has_more_days = "select exists (select from mart.listener_day offset :changed_count) as is_larger"
    return (
        changed_day_count > _INCREMENTAL_DAY_LIMIT
        and not fetch_rows(connection, has_more_days, changed_count=changed_day_count)[0]["is_larger"]
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
        "select tablename as name from pg_tables where schemaname = 'mart' and not tablename = any(:preserved)",
        preserved=list(_PRESERVED_TABLES),
    )
    return [str(table["name"]) for table in tables]


def _record_exclusions(connection: Connection) -> None:
    connection.execute(text("delete from mart.applied_exclusion"))
    connection.execute(text(f"insert into mart.applied_exclusion {_EXCLUDED_IDS}"))


def _run_mart_file(connection: Connection, name: str, shadow_tables: ShadowTables | None) -> None:
    statements = read_sql(f"marts/{name}")
    if shadow_tables is not None:
        shadow_tables.run_statements(statements, _TABLES_FILLED_AT_ONCE)
    else:
        run_statements(connection, statements)


def _count_written_rows(connection: Connection) -> dict[str, int]:
    return {str(row["table_name"]): int(str(row["row_count"])) for row in fetch_rows(connection, _WRITTEN_ROWS)}
