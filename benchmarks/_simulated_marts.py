"""Simulated listening, written straight into the tables of the marts that the nightly anomaly rules read."""

import io

import numpy as np
import pandas as pd
from sqlalchemy import Connection, text

from simulator.listeners import activities, profiles
from simulator.listeners.activities import ACTIVITIES
from simulator.listeners.habits import PLANS
from simulator.listeners.homes import HOMES
from simulator.listeners.simulation import Simulation
from simulator.listeners.track_library import Library

_PLAY_MIN_MS = 30_000


def fill_marts(connection: Connection, simulation: Simulation, first_play_ms: int = 0) -> int:
    """Fill dim_user, listening_context, listener_day, counted_track and counted_play; return the number of events.

    :param first_play_ms: plays before that time count in listener_day only. UTC, ms since 1970.
    """
    _insert_users(connection, simulation)
    _insert_tracks(connection, simulation.library)
    days: list[pd.DataFrame] = []
    event_count = 0
    for chunk in range(simulation.chunk_layout[0]):
        rows = activities.to_record_batch(simulation.generate_rows(chunk)).to_pandas()
        event_count += len(rows)
        rows = _add_columns(rows)
        days.append(_count_days(rows))
        plays = rows[rows["is_counted"] & (rows["at"] >= first_play_ms)]
        _copy_rows(connection, "counted_play", _list_plays(plays))
    _copy_rows(
        connection,
        "listener_day",
        pd.concat(days).groupby(["listener_key", "local_date", "listening_context_key"], as_index=False).sum(),
    )
    for table in ("listener_day", "counted_play", "counted_track"):
        connection.execute(text(f"analyze mart.{table}"))
    return event_count


def _insert_users(connection: Connection, simulation: Simulation) -> None:
    numbers = range(simulation.parameters.users)
    listeners = simulation.make_listeners(0, simulation.parameters.users)
    user_ids = profiles.make_user_ids(listeners, simulation.population_id)
    frame = pd.DataFrame({"user_key": [number + 1 for number in numbers], "user_id": user_ids})
    frame = frame.assign(source="feed", valid_from="-infinity")
    _copy_rows(connection, "dim_user", frame, "warehouse")
    contexts = [
        (plan * len(HOMES) + home + 1, residence.country, residence.continent, f"device of {home}", plan_name)
        for plan, plan_name in enumerate(PLANS)
        for home, residence in enumerate(HOMES)
    ]
    names = ["listening_context_key", "country", "continent", "device_type", "subscription_plan"]
    _copy_rows(connection, "listening_context", pd.DataFrame(contexts, columns=names))


def _insert_tracks(connection: Connection, library: Library) -> None:
    keys = np.arange(len(library.durations)) + 1
    _copy_rows(connection, "counted_track", pd.DataFrame({"track_key": keys, "recording_key": keys}))


def _add_columns(rows: pd.DataFrame) -> pd.DataFrame:
    """Return the plays and skips with their local day and context."""
    rows = rows[rows["activity"].isin([ACTIVITIES.index("PLAY"), ACTIVITIES.index("SKIP")])]
    times = pd.to_datetime(rows["at"], unit="ms", utc=True)
    local = pd.Series(pd.NaT, index=rows.index, dtype="datetime64[ns]")
    for home in rows["home"].unique():
        is_home = rows["home"] == home
        local[is_home] = times[is_home].dt.tz_convert(HOMES[home].timezone).dt.tz_localize(None)
    return rows.assign(
        listener_key=rows["number"] + 1,
        local_date=local.dt.date,
        local_hour=local.dt.hour,
        listening_context_key=rows["plan"] * len(HOMES) + rows["home"] + 1,
        is_counted=(rows["activity"] == ACTIVITIES.index("PLAY")) & (rows["ms_played"] >= _PLAY_MIN_MS),
        is_skip=rows["activity"] == ACTIVITIES.index("SKIP"),
    )


def _count_days(rows: pd.DataFrame) -> pd.DataFrame:
    counted = rows.assign(plays=rows["is_counted"].astype(int), skips=rows["is_skip"].astype(int))
    counted["ms_played"] = counted["ms_played"].where(counted["is_counted"], 0).astype("int64")
    keys = ["listener_key", "local_date", "listening_context_key"]
    return counted.groupby(keys, as_index=False)[["plays", "skips", "ms_played"]].sum()


def _list_plays(plays: pd.DataFrame) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "event_time": pd.to_datetime(plays["at"], unit="ms", utc=True),
            **{name: plays[name] for name in ("listener_key", "local_date", "listening_context_key")},
            "track_key": plays["track"] + 1,
            "artist_key": -1,
            **{name: plays[name] for name in ("ms_played", "local_hour")},
            "is_excluded": False,
            "is_from_playlist": plays["playlist"] >= 0,
        }
    )


def _copy_rows(connection: Connection, table: str, rows: pd.DataFrame, schema: str = "mart") -> None:
    lines = io.StringIO(rows.to_csv(header=False, index=False))
    with connection.connection.cursor() as cursor:
        cursor.copy_expert(  # type: ignore[attr-defined]
            f"copy {schema}.{table} ({', '.join(rows.columns)}) from stdin (format csv)", lines
        )
