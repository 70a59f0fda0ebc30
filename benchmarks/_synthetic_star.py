"""A star of plays that SQL makes: users, tracks with all fields, playlists, and events by month."""

from collections.abc import Iterator
from contextlib import contextmanager

import pandas as pd
from sqlalchemy import Connection, text

from etl.database import connect, make_engine
from etl.load.migrate import migrate_warehouse
from launch import postgres

FIRST_DAY, DELTA_DAY = "2026-06-01", "2026-06-02"
MEAN_EVENTS_PER_DAY = 10
_TRACK_COUNT, _GENRE_COUNT, _PLAYLIST_COUNT = 40_000, 100, 500

# ruff: noqa: S608 (numbers of ours)
_INSERT_CATALOGUE = f"""
insert into warehouse.dim_artist (artist_key, artist_id, name, source)
select n, 'a' || n, 'a' || n, 'made_up' from generate_series(1, {_TRACK_COUNT // 8}) as n;
insert into warehouse.dim_genre select n, 'g' || n from generate_series(1, {_GENRE_COUNT}) as n;
insert into warehouse.dim_track (
    track_key, recording_key, album_key, track_id, name, source, audio_features_type, audio_features_source,
    danceability, energy, loudness, speechiness, acousticness, instrumentalness, liveness, valence, tempo, release_date,
    release_date_precision, release_date_source, newness_score, popularity, popularity_source, duration_ms
)
select
    n, n, -1, 't' || n, 't' || n, 'made_up', n % 8, 'made_up', random(), random(), -60 * random(), random(), random(),
    random(), random(), random(), 60 + 120 * random(), date '1960-01-01' + (n * 7919) % 24000, 'day', 'made_up',
    ((n * 7919) % 24000) / 24000.0, n % 101, 'made_up', 180000
from generate_series(1, {_TRACK_COUNT}) as n;
insert into warehouse.dim_playlist (playlist_key, playlist_id, name, owner_id, source)
select n, 'p' || n, 'p' || n, 'u' || n, 'made_up' from generate_series(1, {_PLAYLIST_COUNT}) as n;
insert into warehouse.fact_playlist_track (playlist_key, track_key, occurrence, valid_from)
select p, (p * 613 + t * 17) % {_TRACK_COUNT} + 1, 1, timestamptz '2025-01-01'
from generate_series(1, {_PLAYLIST_COUNT}) as p, generate_series(1, 40) as t;
insert into warehouse.bridge_track_genre
select n, (n + g * 7) % {_GENRE_COUNT} + 1, 'made_up', g / 3.0
from generate_series(1, {_TRACK_COUNT}) as n, generate_series(1, 2) as g;
"""

_INSERT_USERS = """
insert into warehouse.dim_user (user_key, user_id, country, continent, subscription_plan, source, valid_from)
select
    n, 'u' || n, (array['DE', 'FR', 'US', 'CA', 'BR', 'JP', 'IN', 'NG', 'AU', 'GB'])[n % 10 + 1],
    (array['Europe', 'Europe', 'North America', 'North America', 'South America', 'Asia', 'Asia', 'Africa', 'Oceania',
        'Europe'])[n % 10 + 1],
    case when n % 3 = 0 then 'free' else 'premium' end, 'made_up', '-infinity'
from generate_series(1, :users) as n
"""

_INSERT_EVENTS = f"""
insert into {{target}} (
    event_id, event_time, ended_at, local_time, user_key, track_key, artist_key, playlist_key, context_key, date_key,
    utc_date_key, ms_played, input_key, local_hour, is_skipped, is_home_time, activity_type, device_type, source
)
select
    gen_random_uuid(), t.at at time zone 'UTC', t.at at time zone 'UTC' + interval '3 minutes', t.at, t.user_key,
    t.track_key, (t.track_key - 1) / 8 + 1,
    case when t.chance < 0.3 then t.user_key % {_PLAYLIST_COUNT} + 1 else 0 end, 0, to_char(t.at, 'yyyymmdd')::integer,
    to_char(t.at, 'yyyymmdd')::integer,
    case when t.chance < 0.8 then 180000 else 5000 end, 1, extract(hour from t.at), t.chance >= 0.9, true,
    case when t.chance < 0.9 then 'PLAY' else 'SKIP' end,
    (array['MOBILE', 'DESKTOP', 'SPEAKER', 'TV'])[1 + (t.track_key + t.user_key) % 4], 'feed'
from (
    select
        u as user_key,
        -- Up to five sessions, spread over the day.
        d + interval '6 hours' + (n % 5) * interval '200 minutes' + (n / 5) * interval '4 minutes'
        + (u % 180) * interval '1 minute' as at,
        -- Much of what a user hears is of some own hundred tracks, and small numbers are popular.
        1 + case
            when random() < 0.6 then (u::bigint * 7919 + floor(random() * 100)::bigint * 31) % {_TRACK_COUNT}
            else floor(power(random(), 3) * {_TRACK_COUNT})::bigint
        end::integer as track_key,
        random() as chance
    from generate_series(cast(:first as timestamp), cast(:last as timestamp), interval '1 day') as d
    cross join generate_series(1, :users) as u
    -- Few listen much: of four users one hears 25 a day, one 10, one 4, one 1.
    cross join generate_series(1, (array[25, 10, 4, 1])[u % 4 + 1]) as n
) as t
"""


@contextmanager
def create_star(server: postgres.Server, name: str, users: int, days: int) -> Iterator[str]:
    """Open a star with the given users and days, all marked as changed; dropped at the end."""
    _run_as_superuser(server, f"create database {name} owner loader")
    url = server.build_url("loader", name)
    migrate_warehouse(url)
    last_day = pd.Timestamp(FIRST_DAY)
    first_day = last_day - pd.Timedelta(days=days - 1)
    with connect(url) as connection:
        connection.execute(text("select setseed(0.5)"))
        connection.exec_driver_sql(_INSERT_CATALOGUE, execution_options={"no_parameters": True})
        connection.execute(text(_INSERT_USERS), {"users": users})
        for month in pd.date_range(first_day.replace(day=1), last_day, freq="MS"):
            _fill_month(connection, month, max(first_day, month), min(last_day, month + pd.offsets.MonthEnd()), users)
        connection.execute(text(_MARK_DAYS_CHANGED))
    with _connect_autocommit(url) as connection:
        connection.execute(text("vacuum (analyze)"))
    yield url
    _run_as_superuser(server, f"drop database {name} with (force)")


def _fill_month(
    connection: Connection, month: pd.Timestamp, first_day: pd.Timestamp, last_day: pd.Timestamp, users: int
) -> None:
    """Fill a month's shadow table and attach it: one pass over all rows then builds its indexes."""
    name = f"warehouse.fact_event_{month:%Y_%m}"
    connection.execute(
        text(f"create table {name} (like warehouse.fact_event including defaults including constraints)")
    )
    connection.execute(
        text(_INSERT_EVENTS.format(target=name)),
        {"users": users, "first": str(first_day.date()), "last": str(last_day.date())},
    )
    connection.execute(
        text(
            f"alter table warehouse.fact_event attach partition {name}"
            f" for values from ('{month:%Y-%m-%d}') to (date '{month:%Y-%m-%d}' + interval '1 month')"
        )
    )


_MARK_DAYS_CHANGED = """
insert into audit.changed_day (listener_key, local_date)
select distinct user_key, to_date(date_key::text, 'yyyymmdd') from warehouse.fact_event
"""


@contextmanager
def _connect_autocommit(url: str) -> Iterator[Connection]:
    with make_engine(url).execution_options(isolation_level="AUTOCOMMIT").connect() as connection:
        yield connection


def _run_as_superuser(server: postgres.Server, statement: str) -> None:
    admin_engine = make_engine(server.build_url("postgres", "postgres")).execution_options(isolation_level="AUTOCOMMIT")
    with admin_engine.connect() as connection:
        connection.execute(text(statement))


def compute_day_count(events: int, users: int) -> int:
    """Return for how many days that many users make that many events."""
    return max(events // (users * MEAN_EVENTS_PER_DAY), 1)


def insert_next_day(url: str, users: int) -> None:
    """Insert the events of one more day."""
    with connect(url) as connection:
        connection.execute(
            text(_INSERT_EVENTS.format(target="warehouse.fact_event")),
            {"users": users, "first": DELTA_DAY, "last": DELTA_DAY},
        )
    with connect(url) as connection:
        connection.execute(text("analyze"))
