"""Rows of forecasts as their runs leave them: series with a weekly rhythm, and a forecast of each of many days."""

from collections.abc import Iterable, Iterator
from datetime import UTC, date, datetime, time, timedelta
from io import StringIO
from math import sin, sqrt, tau
from random import Random

from sqlalchemy import Connection

AS_OF_DATE = date(2026, 2, 4)
"""The last complete day, a Wednesday."""
HISTORY_DAYS, RUNS, HORIZONS, WEEKS = 210, 70, 28, 8
ANOMALOUS_DATE = AS_OF_DATE - timedelta(days=48)
DRIFT_DATE = AS_OF_DATE - timedelta(days=24)
"""From this day on a third of the sessions of Asia are missing."""
REASON = (
    "The average of the neural network and the Theta method is published: over 12 past windows its error is 24 % lower"
    " than that of repeating last week (MASE 0.77 instead of 1.03). It was better in 11 of them; in eight of"
    " ten, its error is between 35 % lower and 8 % lower."
)
REFUSAL = "Nothing is published: only 2 past windows can be judged, and 6 are needed."
ANOMALY = (
    "1,192 sessions on Thursday 18 December 2025, 50 % less than the median of the last eight Thursdays (2,384): 8.1"
    " times the usual deviation."
)

_WEEKDAYS = (0.9, 0.92, 0.95, 1.0, 1.15, 1.2, 0.98)
_NOISE = 0.06
_Z80, _Z95 = 1.28, 1.96
_LEVELS = {
    ("sessions", "total", ""): 2400.0,
    ("sessions", "continent", "Europe"): 1300.0,
    ("sessions", "continent", "Asia"): 800.0,
    ("sessions", "plan", "premium"): 1500.0,
    ("sessions", "continent_plan", "Europe/premium"): 700.0,
    ("sessions", "artist", "1"): 400.0,
    ("sessions", "listener", "u1"): 6.0,
    ("minutes", "total", ""): 61000.0,
    ("minutes", "listener", "u1"): 140.0,
    ("active_users", "total", ""): 900.0,
}
_WEEKLY = {("sessions", "total", ""): 16800.0, ("active_users", "published_artist", "1"): 120.0}
_MODEL = "network+theta"
_RUN = (
    "insert into audit.run (run_id, job, started_at, finished_at, result) values (%s, 'forecast', %s, %s, 'published')"
)
_FORECAST_RUN = """
insert into audit.forecast_run (
    run_id, made_at, as_of_date, processor_seconds, seed, series_count, refused_count, horizon_days, horizon_weeks,
    is_training, data_hash, code_version, levels, versions, settings, seconds
) values (
    %s, %s, %s, 4, 7, 12, 1, 28, 8, false, 'hash', 'code',
    array['total', 'continent', 'plan', 'continent_plan', 'artist', 'published_artist', 'listener'], '{}', '{}', '{}'
)
"""

Key = tuple[str, str, str, str]
"""Metric, grain, level and segment."""


def fill_forecasts(connection: Connection, seed: int = 7) -> None:
    """Insert seventy days of forecasts, a halved day, a continent whose level falls, and a group without a model."""
    series = {key: dict(_make_values(key, seed)) for key in _list_keys()}
    runs = [AS_OF_DATE - timedelta(days=days) for days in range(RUNS)]
    for day in runs:
        run_id, made_at = f"forecast-{day}", _get_made_at(day)
        connection.exec_driver_sql(_RUN, (run_id, made_at, made_at))
        connection.exec_driver_sql(_FORECAST_RUN, (run_id, made_at, day))
    _copy(
        connection,
        "mart.forecast_series (metric, grain, level, segment, target_date, value)",
        ((*key, day, value) for key, values in series.items() for day, value in values.items() if day <= AS_OF_DATE),
    )
    _copy(
        connection,
        "mart.forecast (metric, grain, level, segment, as_of_date, target_date, horizon, model, naive, q025, q10, q50,"
        " q90, q975, run_id, made_at)",
        (row for key, values in series.items() for day in runs for row in _make_forecast(key, values, day, seed)),
    )
    _insert_training(connection, series, _get_made_at(AS_OF_DATE - timedelta(days=3)))


def _list_keys() -> list[Key]:
    daily = [(metric, "day", level, segment) for metric, level, segment in _LEVELS]
    return [*daily, *((metric, "week", level, segment) for metric, level, segment in _WEEKLY)]


def _get_made_at(day: date) -> datetime:
    return datetime.combine(day + timedelta(days=1), time(14, 5), UTC)


def _get_expected(key: Key, day: date) -> float:
    metric, grain, level, segment = key
    age = (day - AS_OF_DATE).days
    year = 1 + 0.08 * sin(tau * day.timetuple().tm_yday / 365)
    if grain == "week":
        return _WEEKLY[metric, level, segment] * (1 + age / 1500) * year
    return _LEVELS[metric, level, segment] * (1 + age / 1500) * year * _WEEKDAYS[day.weekday()]


def _make_values(key: Key, seed: int) -> Iterator[tuple[date, float]]:
    chance = Random(f"{key} {seed}")
    noise = _NOISE if key[2] != "listener" else 0.4
    if key[1] == "week":
        monday = AS_OF_DATE - timedelta(days=AS_OF_DATE.weekday() + 7)
        days = [monday - timedelta(weeks=weeks) for weeks in range(HISTORY_DAYS // 7)]
    else:
        days = [AS_OF_DATE - timedelta(days=number) for number in range(HISTORY_DAYS)]
    for day in sorted(days):
        value = _get_expected(key, day) * chance.lognormvariate(0, noise)
        if day == ANOMALOUS_DATE and key[1:] == ("day", "total", ""):
            value /= 2
        if day >= DRIFT_DATE and key[3] == "Asia":
            value *= 2 / 3
        yield day, round(value)


def _make_forecast(key: Key, values: dict[date, float], as_of_date: date, seed: int) -> Iterator[tuple[object, ...]]:
    error = Random(f"{key} {as_of_date} {seed}").gauss(0, 0.015)
    noise = _NOISE if key[2] != "listener" else 0.4
    if key[1] == "week":
        first = as_of_date - timedelta(days=as_of_date.weekday() + (0 if as_of_date.weekday() == 6 else 7))
        targets = [first + timedelta(weeks=week) for week in range(1, WEEKS + 1)]
        naive = [values.get(first)] * WEEKS
    else:
        targets = [as_of_date + timedelta(days=day) for day in range(1, HORIZONS + 1)]
        naive = [values.get(as_of_date - timedelta(days=6 - day % 7)) for day in range(HORIZONS)]
    for horizon, (target, repeated) in enumerate(zip(targets, naive, strict=True), 1):
        median = _get_expected(key, target) * (1 + error)
        spread = median * noise * sqrt(1 + horizon / 40)
        quantiles = [max(0.0, median + z * spread) for z in (-_Z95, -_Z80, 0, _Z80, _Z95)]
        yield (
            *key,
            as_of_date,
            target,
            horizon,
            _MODEL,
            repeated,
            *quantiles,
            f"forecast-{as_of_date}",
            _get_made_at(as_of_date),
        )


def _insert_training(connection: Connection, series: Iterable[Key], made_at: datetime) -> None:
    run_id = f"forecast-{AS_OF_DATE - timedelta(days=3)}"
    groups = sorted({key[:3] for key in series})
    _copy(
        connection,
        "mart.forecast_champion (metric, grain, level, made_at, relative_to_naive, mase, coverage_80, coverage_95,"
        " origin_count, better_origin_count, model, previous_model, reason, run_id)",
        [
            *((*group, made_at, 0.76, 0.75, 0.79, 0.94, 12, 11, _MODEL, None, REASON, run_id) for group in groups),
            ("active_users", "week", "plan", made_at, 1.03, 1.03, 0.8, 0.95, 12, 5, None, None, REFUSAL, run_id),
        ],
    )
    _copy(
        connection,
        "mart.forecast_score (metric, grain, level, segment, made_at, origin_date, model, mase, naive_mase, wql,"
        " coverage_80, coverage_95, run_id)",
        (
            (
                *key,
                made_at,
                AS_OF_DATE - timedelta(days=31 + 7 * origin),
                model,
                mase + origin / 200,
                1.0 + origin / 200,
                mase / 12,
                0.79,
                0.94,
                run_id,
            )
            for key in series
            if key[2] not in ("artist", "published_artist", "listener")
            for origin in range(12)
            for model, mase in ((_MODEL, 0.74), ("theta", 0.81), ("mean_8_weeks", 0.86), ("seasonal_naive", 1.0))
        ),
    )
    _copy(
        connection,
        "mart.anomalous_day (metric, grain, level, segment, target_date, value, expected, score, reason, run_id)",
        [
            (
                "sessions",
                "day",
                "total",
                "",
                ANOMALOUS_DATE,
                1192,
                2384,
                -8.1,
                ANOMALY,
                run_id,
            )
        ],
    )


def _copy(connection: Connection, target: str, rows: Iterable[tuple[object, ...]]) -> None:
    lines = ("\t".join("\\N" if value is None else str(value) for value in row) for row in rows)
    with connection.connection.cursor() as cursor:
        cursor.copy_expert(f"copy {target} from stdin", StringIO("\n".join(lines) + "\n"))
