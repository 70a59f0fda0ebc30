"""A history of listening in the marts, and the results of a program that repeats the last week."""

import json
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any

import pyarrow as pa
from sqlalchemy import text

from etl.database import connect
from etl.storage.arrow_files import read_table, write_table
from forecasting.files import ANOMALIES, CHAMPIONS, FORECASTS, REFUSALS, SCORES
from tests.marts.listening import StarEvent, fill_dimensions, insert_events, rebuild

FIRST_DAY = date(2025, 12, 1)
AS_OF = date(2026, 3, 31)
KNOWN_AT = datetime(2026, 4, 2, 6, tzinfo=UTC)
_KEY = ("metric", "grain", "level", "segment")
_REFUSED_LEVELS = ("continent_plan", "artist", "listener")
_ARRIVAL = """
    insert into audit.arrival (
        run_id, input_id, source, rows_added, rows_late, first_event_time, last_event_time, known_until, covered_days
    )
    values (
        :run_id, :input_id, :source, 1, 0, :first, :last, :known_until,
        datemultirange(
            daterange(cast(timezone('UTC', :first) as date), cast(timezone('UTC', :last) as date), '[]')
        )
    )
"""
_BUILD = """
    insert into audit.run (run_id, job, started_at, finished_at, result)
    values ('build', 'build_marts', :at, :at, 'published')
    on conflict (run_id) do update set finished_at = greatest(run.finished_at, excluded.finished_at)
"""


def list_days(first: date, last: date) -> Iterator[date]:
    for number in range((last - first).days + 1):
        yield first + timedelta(days=number)


def make_listening(first: date, last: date, users: int = 6, silent_days: tuple[date, ...] = ()) -> list[StarEvent]:
    """Return some plays of each user on each day, more of them at weekends."""
    chance, events = Random(7), []
    for day in list_days(first, last):
        for user in range(1, users + 1):
            if day in silent_days:
                continue
            for _ in range(chance.randrange(1, 4) + 2 * (day.weekday() > 4)):
                at = datetime(day.year, day.month, day.day, tzinfo=UTC) + timedelta(minutes=chance.randrange(1440))
                events.append(StarEvent(len(events), user, at, chance.randrange(1, 11), 180_000))
    return events


def record_build(url: str, at: datetime) -> None:
    """Record that the marts have all that was loaded before."""
    with connect(url) as connection:
        connection.execute(text(_BUILD), {"at": at + timedelta(seconds=1)})


def record_arrival(
    url: str,
    source: str,
    first: datetime,
    last: datetime,
    known_until: datetime | None = None,
    is_built: bool = True,
) -> None:
    """Record that a load brought the events of a range, and that the marts have them."""
    run_id = f"load.{source}.{first:%Y%m%d%H%M}"
    with connect(url) as connection:
        connection.execute(
            text(
                "insert into audit.run (run_id, job, started_at, finished_at, result)"
                " values (:run_id, 'load_events', :at, :at, 'published') on conflict do nothing"
            ),
            {"run_id": run_id, "at": last},
        )
        connection.execute(
            text(_ARRIVAL),
            {
                **{"run_id": run_id, "input_id": run_id, "source": source, "first": first, "last": last},
                "known_until": known_until,
            },
        )
    if is_built:
        record_build(url, last)


def record_daily_feeds(url: str, first: date, last: date, missing: tuple[date, ...] = ()) -> None:
    """Record a feed for each day (UTC)."""
    for day in list_days(first, last):
        if day not in missing:
            begin = datetime(day.year, day.month, day.day, 0, 1, tzinfo=UTC)
            record_arrival(url, "feed", begin, begin + timedelta(hours=23, minutes=50))


def fill_warehouse(url: str, users: int = 6, last: date = AS_OF + timedelta(days=1)) -> None:
    """Fill a warehouse with plays of four months, as brought by a feed a day."""
    with connect(url) as connection:
        fill_dimensions(connection, users)
        connection.exec_driver_sql(
            "create table warehouse.fact_event_2026_04 partition of warehouse.fact_event"
            " for values from ('2026-04-01') to ('2026-05-01')"
        )
        insert_events(connection, make_listening(FIRST_DAY, last, users))
    rebuild(url)
    record_daily_feeds(url, FIRST_DAY, last)


def write_results(folder: Path, **changes: Any) -> None:
    """Write what the program writes: each series forecast by its last value, by one champion for all groups.

    Minutes by week of single users, of artists and of the smallest segments are refused.
    """
    request = json.loads((folder / "request.json").read_text())
    rows = read_table(str(folder / "series.arrow")).to_pylist()
    last_values: dict[tuple[str, ...], float] = {tuple(row[name] for name in _KEY): row["value"] for row in rows}
    as_of = date.fromisoformat(request["as_of_date"])
    monday = as_of - timedelta(days=(as_of.weekday() + 1) % 7 + 6)
    forecasts = []
    refused = [key for key in last_values if key[:2] == ("minutes", "week") and key[2] in _REFUSED_LEVELS]
    for key, value in last_values.items():
        if key in refused:
            continue
        named = dict(zip(_KEY, key, strict=True))
        for step in range(1, request["horizons"][named["grain"]] + 1):
            target = as_of + timedelta(days=step) if named["grain"] == "day" else monday + timedelta(weeks=step)
            bounds = {"q025": value - 2, "q10": value - 1, "q50": value, "q90": value + 1, "q975": value + 2}
            forecasts.append(
                {
                    **{**named, "as_of_date": as_of, "target_date": target, "horizon": step, "model": "last"},
                    **{"naive": float("nan") if step > 1 else value, **bounds},
                }
            )
    groups = sorted({key[:3] for key in last_values})
    is_training = request["is_training_due"]
    champions = [
        {
            **dict(zip(_KEY, group, strict=False)),
            **{"model": "last", "previous_model": None, "relative_to_naive": 0.8, "origin_count": 4},
            **{"better_origin_count": 4, "mase": 0.8, "coverage_80": 0.8, "coverage_95": 0.95, "reason": "In words."},
        }
        for group in groups
        if is_training
    ]
    scores = [
        {
            **dict(zip(_KEY, (*group, ""), strict=True)),
            **{"model": "last", "origin_date": as_of - timedelta(days=28), "mase": 0.8, "naive_mase": 1.0},
            **{"wql": float("nan"), "coverage_80": 0.8, "coverage_95": 0.95},
        }
        for group in groups
        if is_training
    ]
    anomalies = [
        {
            **dict(zip(_KEY, key, strict=True)),
            **{"target_date": as_of, "value": 1.0, "expected": 2.0, "score": -4.0, "reason": "Half of it."},
        }
        for key in last_values
        if key[0] == "sessions" and key[1] == "day" and key[2] in ("total", "listener")
    ]
    for name, content, schema in (
        ("forecasts", changes.get("forecasts", forecasts), FORECASTS),
        ("scores", scores, SCORES),
        ("champions", champions, CHAMPIONS),
        ("anomalies", anomalies, ANOMALIES),
        ("refusals", [dict(zip((*_KEY, "reason"), (*key, "too little"), strict=True)) for key in refused], REFUSALS),
    ):
        write_table(str(folder / f"{name}.arrow"), pa.Table.from_pylist(content, schema))
    (folder / "models").mkdir(exist_ok=True)
    if is_training:
        (folder / "models" / "day.weights").write_bytes(b"weights")
    outcome = {
        **{"data_hash": str(len(rows)), "seed": request["seed"], "versions": {"numpy": "2"}, "code_version": "c"},
        **{"settings": {}, "series_count": len(last_values), "refused_count": len(refused), "is_training": is_training},
        **{"seconds": {"all": 1.5}, "processor_seconds": 1.0, "model_files": ["day.weights"] if is_training else []},
    }
    (folder / "run.json").write_text(json.dumps(outcome))
