"""Forecasts: the series that they are made from, and the publication of a run's results."""

import json
from collections.abc import Collection, Mapping
from contextlib import closing
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import pyarrow as pa
from psycopg2 import sql
from sqlalchemy import Connection, text

from etl.database import fetch_rows, read_sql, run_sql, run_statements
from etl.formats.service_exports import SERVICE_FORMATS
from etl.load.staging_copy import copy_batches

SEGMENT_LEVELS = ("total", "continent", "plan", "continent_plan")
LEVELS = (*SEGMENT_LEVELS, "artist", "published_artist", "listener")
"""What a series is about, as docs/forecasts.md explains."""

SERIES_SCHEMA = pa.schema(
    [
        *((name, pa.string()) for name in ("metric", "grain", "level", "segment")),
        ("target_date", pa.date32()),
        ("value", pa.float64()),
    ]
)
_QUERIES = {"segment": SEGMENT_LEVELS, **{level: (level,) for level in ("artist", "published_artist", "listener")}}
"""The files of sql/queries/forecast with observed values, and their levels."""

_EXPORT_SOURCES = ("extended_export", "basic_export", *SERVICE_FORMATS)
"""Sources that bring all plays of a user up to the day of the export."""

_WORK_TABLES = """
    create temporary table known_day (local_date date not null) on commit drop;
    create temporary table known_week (week_start date not null) on commit drop;
    create temporary table observed_value (
        metric text not null,
        grain text not null,
        level text not null,
        segment text collate "C" not null,
        target_date date not null,
        value double precision not null
    ) on commit drop
"""
_RESULT_TABLES = """
    create temporary table new_run (like audit.forecast_run) on commit drop;
    create temporary table new_series (like mart.forecast_series) on commit drop;
    create temporary table new_forecast (like mart.forecast) on commit drop;
    alter table new_forecast drop column run_id, drop column made_at;
    create temporary table new_score (like mart.forecast_score) on commit drop;
    alter table new_score drop column run_id, drop column made_at;
    create temporary table new_champion (like mart.forecast_champion) on commit drop;
    alter table new_champion drop column run_id, drop column made_at;
    create temporary table new_anomaly (like mart.anomalous_day) on commit drop;
    alter table new_anomaly drop column run_id;
    create temporary table new_refusal (like mart.forecast_refusal) on commit drop;
    alter table new_refusal drop column as_of_date
"""
_INSERT_RUN = """
    insert into new_run (
        made_at, processor_seconds, as_of_date, seed, series_count, refused_count, horizon_days, horizon_weeks,
        is_training, run_id, data_hash, code_version, model_path, levels, versions, settings, seconds
    )
    values (
        clock_timestamp(), :processor_seconds, :as_of_date, :seed, :series_count, :refused_count, :horizon_days,
        :horizon_weeks, :is_training, :run_id, :data_hash, :code_version, :model_path, :levels,
        cast(:versions as jsonb), cast(:settings as jsonb), cast(:seconds as jsonb)
    )
"""
_CHAMPIONS = """
    select distinct on (metric, grain, level)
        metric, grain, level, model, previous_model, relative_to_naive, origin_count, better_origin_count, mase,
        coverage_80, coverage_95, reason
    from mart.forecast_champion
    where run_id = coalesce(:run_id, run_id)
    order by metric, grain, level, made_at desc
"""
_LAST_TRAINING = """
    select run_id, as_of_date, model_path
    from audit.forecast_run
    where is_training
        and levels @> :levels
        and horizon_days between :horizon_days and :most_days
        and horizon_weeks between :horizon_weeks and :most_weeks
    order by made_at desc
    limit 1
"""
_MODEL_PATHS = """
    select distinct on (levels, horizon_days, horizon_weeks) model_path
    from audit.forecast_run
    where is_training
    order by levels, horizon_days, horizon_weeks, made_at desc
"""
_LAST_DATE = "select max(as_of_date) as as_of_date from audit.forecast_run"
_LAST_CLOSED_DATE = """
    select
        cast(least(max(last_event_time), :known_at) at time zone 'UTC' - interval '12 hours' as date) - 1 as closed_date
    from audit.arrival
    where source in ('feed', 'recently_played') or source = any(:export_sources)
"""
_FIRST_START = "select min(started_at) as started_at from audit.run where job = :job"
_STARTED_ON_DAY = "select from audit.run where job = :job and started_at >= :day limit 1"

_RESULT_TABLE_NAMES = ("series", "forecast", "score", "champion", "anomaly", "refusal")


@dataclass(frozen=True)
class KnownDays:
    """How much history is known: ``first_date`` and ``last_date`` are None without a day."""

    count: int
    first_date: date | None
    last_date: date | None


@dataclass(frozen=True)
class Scope:
    """What a run forecasts."""

    levels: Collection[str] = LEVELS
    horizon_days: int = 28
    horizon_weeks: int = 8


@dataclass(frozen=True)
class Training:
    """A training that was published."""

    run_id: str
    as_of_date: date
    model_path: str | None


def find_known_days(connection: Connection, known_at: datetime) -> KnownDays:
    """Return the days that are known, and store them for ``read_series`` in the same transaction.

    :param known_at: events after it do not make a day complete.
    """
    run_statements(connection, _WORK_TABLES)
    known_days = read_sql("queries/forecast/known_day")
    connection.execute(text(f"insert into known_day {known_days}"), _name_sources(known_at))
    run_statements(connection, f"insert into known_week {read_sql('queries/forecast/known_week')}")
    statement = 'select count(*) as count, min(local_date) as "from", max(local_date) as "to" from known_day'
    row = fetch_rows(connection, statement)[0]
    first_date, last_date = row["from"], row["to"]
    return KnownDays(
        int(str(row["count"])),
        first_date if isinstance(first_date, date) else None,
        last_date if isinstance(last_date, date) else None,
    )


def read_series(connection: Connection, levels: Collection[str], series_limit: int) -> pa.Table:
    """Return the series of some levels, sorted by key; ``find_known_days`` was called in the same transaction.

    :param series_limit: the number of artists, and of listeners.
    """
    run_statements(connection, "set local work_mem = '256MB'; set local jit = off")
    for name, query_levels in _QUERIES.items():
        if not set(query_levels) & set(levels):
            continue
        query = read_sql(f"queries/forecast/{name}")
        statement = f"insert into observed_value {query}"
        connection.execute(text(statement), {"series_limit": series_limit} if ":series_limit" in query else {})
    run_statements(connection, "analyze known_day; analyze known_week; analyze observed_value")
    result = connection.execute(text(read_sql("queries/forecast/series")), {"levels": list(levels)})
    columns = list(zip(*result, strict=True)) or [()] * len(SERIES_SCHEMA)
    return pa.table(columns, schema=SERIES_SCHEMA)


def find_last_training(connection: Connection, scope: Scope) -> Training | None:
    """Return the last published training whose models can forecast a scope, or None.

    Shorter horizons than usual use the models of the usual ones. Models of longer ones serve only runs that ask for
    them: they need a longer history, so there may be fewer.
    """
    rows = fetch_rows(
        connection,
        _LAST_TRAINING,
        levels=list(scope.levels),
        horizon_days=scope.horizon_days,
        horizon_weeks=scope.horizon_weeks,
        most_days=max(scope.horizon_days, Scope.horizon_days),
        most_weeks=max(scope.horizon_weeks, Scope.horizon_weeks),
    )
    return Training(**rows[0]) if rows else None  # type: ignore[arg-type]


def list_model_paths(connection: Connection) -> list[str]:
    """Return the paths of all models that no later training of the same levels and horizons has replaced."""
    return [str(row["model_path"]) for row in fetch_rows(connection, _MODEL_PATHS)]


def list_champions(connection: Connection, training: Training | None) -> list[dict[str, object]]:
    """Return the champion of each group of series: that of a training, or else the newest one."""
    return fetch_rows(connection, _CHAMPIONS, run_id=training and training.run_id)


def find_last_date(connection: Connection) -> date | None:
    """Return the newest ``as_of_date`` of all published runs, or None."""
    last_date = fetch_rows(connection, _LAST_DATE)[0]["as_of_date"]
    return last_date if isinstance(last_date, date) else None


def find_last_closed_date(connection: Connection, known_at: datetime) -> date | None:
    """Return the last day that is over in all timezones and after which an event has come; None without events."""
    closed_date = fetch_rows(connection, _LAST_CLOSED_DATE, **_name_sources(known_at))[0]["closed_date"]
    return closed_date if isinstance(closed_date, date) else None


def find_first_start(connection: Connection, job: str) -> datetime | None:
    """Return when a job first started, or None before that."""
    started_at = fetch_rows(connection, _FIRST_START, job=job)[0]["started_at"]
    return started_at if isinstance(started_at, datetime) else None


def has_started_since(connection: Connection, job: str, day: date) -> bool:
    """Return whether a run of a job has started on a day (UTC) or later, however it ended."""
    return bool(fetch_rows(connection, _STARTED_ON_DAY, job=job, day=day))


def publish_forecasts(
    connection: Connection,
    run_id: str,
    metadata: Mapping[str, Any],
    model_path: str | None,
    scope: Scope,
    tables: Mapping[str, pa.Table],
) -> dict[str, int]:
    """Write the results of a run; the caller has the lock of the warehouse and commits.

    :param metadata: the fields of run.json, and ``as_of_date``.
    :param scope: what the run forecast; other levels keep their series and anomalous days.
    :param tables: ``series``, ``forecast``, ``score``, ``champion``, ``anomaly`` and ``refusal``.
    :returns: the number of rows, by table.
    """
    run_statements(connection, _RESULT_TABLES)
    fields = ("processor_seconds", "as_of_date", "seed", "series_count", "refused_count", "is_training", "data_hash")
    connection.execute(
        text(_INSERT_RUN),
        {
            **{name: metadata[name] for name in (*fields, "code_version")},
            **{name: json.dumps(metadata[name]) for name in ("versions", "settings", "seconds")},
            **{"run_id": run_id, "model_path": model_path, "levels": list(scope.levels)},
            **{"horizon_days": scope.horizon_days, "horizon_weeks": scope.horizon_weeks},
        },
    )
    for name in _RESULT_TABLE_NAMES:
        _copy_table(connection, f"new_{name}", tables[name])
    run_sql(connection, "merge/forecast")
    return {name: tables[name].num_rows for name in _RESULT_TABLE_NAMES}


def _name_sources(known_at: datetime) -> dict[str, object]:
    return {"known_at": known_at, "export_sources": list(_EXPORT_SOURCES)}


def _copy_table(connection: Connection, name: str, table: pa.Table) -> None:
    if table.num_rows:
        with closing(connection.connection.cursor()) as cursor:
            copy_batches(cursor, sql.Identifier(name), table.schema, iter(table.to_batches()))  # type: ignore[arg-type]
