"""The build of the marts: the files of sql/mart, run in one transaction.

What has been touched since the last build is queued by whoever changes the star; a build works on that alone, or on
everything where nothing was built yet or by another definition.
"""

import logging
import time
from dataclasses import dataclass
from datetime import date

from sqlalchemy import Connection, text

from etl.config import CHECKOUT
from etl.load.aside import Aside
from etl.load.loading import alone
from etl.load.run import Run, record_published, record_start
from etl.warehouse import record_nothing_new, rows

log = logging.getLogger(__name__)

BASES = ("counted_play", "listener_day", "listening_session", "listener_count", "chart_count", "audio_point")
"""The files of sql/mart that count plays, days and sessions and read audio features, which the marts are made from."""

MARTS = (
    "wrapped",
    "top_by_continent",
    "artist_audience",
    "daily_engagement",
    "playlist_profile",
    "taste_profile",
    "discovery",
    "user_personality",
)
"""The files of sql/mart, each named for what it answers; docs/marts.md says what they may read."""

_FOLDER = CHECKOUT / "sql" / "mart"
_KEPT = ("circumstance", "chart", "catalogue_place", "artist_place", "definition", "applied_exclusion")
"""Tables that give keys, hold what changes by steps only, or say what was built: they stay when marts are built from
nothing."""

_FEW_DAYS = 20_000
"""Days of users; so few are worked on one by one, whatever is there already."""

_QUEUES = ("touched_day", "touched_track", "touched_playlist")
_SETTINGS = {
    "work_mem": "256MB",
    "jit": "off",
    "random_page_cost": "1.1",
    "max_parallel_workers_per_gather": "2",
    "maintenance_work_mem": "512MB",
}
_WRITTEN = """
    select relname as table_name, n_tup_ins + n_tup_upd + n_tup_del as row_count
    from pg_stat_xact_user_tables
    where schemaname = 'mart'
"""


@dataclass(frozen=True)
class Definition:
    """What counts: the marts are built anew where it was another one."""

    play_min_ms: int
    session_gap_minutes: int


@dataclass(frozen=True)
class Built:
    """What a build did: whether from nothing, rows written by table, seconds by file of sql/mart."""

    is_from_nothing: bool
    written: dict[str, int]
    seconds: dict[str, float]


def update(run: Run, definition: Definition, is_from_nothing: bool, since: date | None, url: str) -> Built | None:
    """Build the marts and publish them; waits while another run changes the warehouse.

    :param run: what the build belongs to; published already, nothing is done.
    :param is_from_nothing: work on everything.
    :param since: work on all days from this one on, too.
    :returns: None where nothing has been touched.
    :raises EtlError: where PostgreSQL fails, as ``warehouse.explained`` says; the marts are as they were.
    """
    with alone(run, url) as connection:
        return _update(connection, run, definition, is_from_nothing, since)


def _update(
    connection: Connection, run: Run, definition: Definition, is_from_nothing: bool, since: date | None
) -> Built | None:
    if not record_start(connection, run):
        log.info("The run %s is published already.", run.run_id)
        return None
    connection.commit()
    if since is not None:
        touch_since(connection, since)
    if not (is_from_nothing or is_touched(connection, definition)):
        record_nothing_new(connection, run.run_id, run.job, run.started_at)
        connection.commit()
        return None
    built = build(connection, definition, is_from_nothing)
    record_published(connection, run)
    connection.commit()
    return built


def build(connection: Connection, definition: Definition, is_from_nothing: bool = False) -> Built:
    """Bring the marts up to date; only for who holds the lock, and commits.

    :param is_from_nothing: work on everything also where the queue would do. So it is where most days are touched:
        tables that are filled at once cost less.
    """
    is_from_nothing = is_from_nothing or not _is_built_by(connection, definition) or _is_mostly_touched(connection)
    for name, value in _SETTINGS.items():
        connection.execute(text("select set_config(:name, :value, true)"), {"name": name, "value": value})
    before, seconds = _written(connection), {}
    _define(connection, definition)
    connection.execute(text(f"create temporary table changed_exclusion on commit drop as {_CHANGED_EXCLUSIONS}"))
    aside = Aside(connection, _rebuilt(connection)) if is_from_nothing else None
    which = "everything" if is_from_nothing else "queued"
    for name in ("touched/taken", f"touched/{which}", BASES[0], f"play_change/{which}", *BASES[1:], *MARTS):
        started = time.monotonic()
        _run(connection, name, aside)
        seconds[name] = time.monotonic() - started
        log.info("%s: %.1f s.", name, seconds[name])
    if aside is not None:
        aside.put_in_place()
    started = time.monotonic()
    connection.execute(text("select audit.publish_artists()"))
    seconds["publish_artists"] = time.monotonic() - started
    _note_exclusions(connection)
    written = {name: count - before.get(name, 0) for name, count in _written(connection).items()}
    return Built(is_from_nothing, {name: count for name, count in written.items() if count}, seconds)


def build_as_defined(connection: Connection) -> None:
    """Bring the marts up to date by the definition that they have; nothing where they were never built.

    Only for who holds the lock, and commits.
    """
    found = rows(connection, "select play_min_ms, session_gap_minutes from mart.definition")
    for row in found:
        build(connection, Definition(int(str(row["play_min_ms"])), int(str(row["session_gap_minutes"]))))


def touch_since(connection: Connection, first_day: date) -> None:
    """Queue all days of users from a day on; part of the transaction of the build that follows."""
    connection.execute(text(_TOUCH_SINCE), {"first_day": first_day})


def is_touched(connection: Connection, definition: Definition) -> bool:
    """Whether there is anything to build."""
    queues = " or ".join(f"exists (select from audit.{name})" for name in _QUEUES)
    changed = " or ".join(f"exists ({it})" for it in (_CHANGED_EXCLUSIONS, _CHANGED_CATALOGUE, _NEW_ARTISTS))
    statement = f"select {queues} or {changed} as it"
    return not _is_built_by(connection, definition) or bool(rows(connection, statement)[0]["it"])


_LEFT_OUT = """
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
    with left_out as ({_LEFT_OUT})

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

_TOUCH_SINCE = """
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


def _is_built_by(connection: Connection, definition: Definition) -> bool:
    statement = "select play_min_ms, session_gap_minutes, marts from mart.definition"
    return rows(connection, statement) == [_row(definition)]


def _is_mostly_touched(connection: Connection) -> bool:
    """Whether more days are touched than are known; looks at no more than are touched."""
    touched = int(str(rows(connection, "select count(*) as size from audit.touched_day")[0]["size"]))
    more = "select exists (select from mart.listener_day offset :touched) as it"
    return touched > _FEW_DAYS and not rows(connection, more, touched=touched)[0]["it"]


def _row(definition: Definition) -> dict[str, object]:
    return {
        "play_min_ms": definition.play_min_ms,
        "session_gap_minutes": definition.session_gap_minutes,
        "marts": [*BASES, *MARTS],
    }


def _define(connection: Connection, definition: Definition) -> None:
    connection.execute(text("delete from mart.definition"))
    statement = "insert into mart.definition values (:play_min_ms, :session_gap_minutes, :marts)"
    connection.execute(text(statement), _row(definition))


def _rebuilt(connection: Connection) -> list[str]:
    tables = rows(
        connection,
        "select tablename as name from pg_tables where schemaname = 'mart' and not tablename = any(:kept)",
        kept=list(_KEPT),
    )
    return [str(table["name"]) for table in tables]


def _note_exclusions(connection: Connection) -> None:
    connection.execute(text("delete from mart.applied_exclusion"))
    connection.execute(text(f"insert into mart.applied_exclusion {_LEFT_OUT}"))


def _run(connection: Connection, name: str, aside: Aside | None) -> None:
    of_all_rows = _FOLDER / "anew" / f"{name}.sql"
    if aside is not None and of_all_rows.exists():
        aside.run(of_all_rows.read_text(encoding="utf-8"), is_of_all_rows=True)
        return
    statements = (_FOLDER / f"{name}.sql").read_text(encoding="utf-8")
    if aside is not None:
        aside.run(statements, is_of_all_rows=False)
    else:
        connection.exec_driver_sql(statements, execution_options={"no_parameters": True})


def _written(connection: Connection) -> dict[str, int]:
    return {str(row["table_name"]): int(str(row["row_count"])) for row in rows(connection, _WRITTEN)}
