"""Reads of the marts, the build after a day, and a full build beside DuckDB on parts of six of 16 queries.

    python -m benchmarks.marts [--events N] [--small N] [--users N] [--only reads delta nothing]

``reads``: a user's wrapped, the top 50 of a continent, an artist's audience, and a simpler query on fact_event beside
each. ``delta``: a day of events into a star with ``--events`` events, grown by days, then by users, beside one with
``--small``; the order is days, small, users. ``nothing``: a full build of all marts, then parts of six of the 16
queries of tests/marts/by_duckdb.py in DuckDB, from Parquet into memory, without indexes. All but the reads are single
measurements. The star has no audio features, playlists, release dates or popularity, so some marts have almost no rows
to compute.
"""

import argparse
import os
import shutil
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from importlib.metadata import version
from pathlib import Path

import duckdb
import pandas as pd
import psutil
from sqlalchemy import Connection, text

from etl.database import connect, fetch_rows, make_engine
from etl.load.marts import MartDefinition, build_marts
from etl.load.migrate import migrate_warehouse
from launch import postgres

_DEFINITION = MartDefinition(30_000, 30)
_TRACK_COUNT, _GENRE_COUNT, _MEAN_EVENTS_PER_DAY = 40_000, 100, 10
_FIRST_DAY, _DELTA_DAY = "2026-06-01", "2026-06-02"

# ruff: noqa: S608 (numbers of ours)
_INSERT_CATALOGUE = f"""
insert into warehouse.dim_artist (artist_key, artist_id, name, source)
select n, 'a' || n, 'a' || n, 'made_up' from generate_series(1, {_TRACK_COUNT // 8}) as n;
insert into warehouse.dim_genre select n, 'g' || n from generate_series(1, {_GENRE_COUNT}) as n;
insert into warehouse.dim_track (track_key, recording_key, album_key, track_id, name, source, audio_features_type)
select n, n, -1, 't' || n, 't' || n, 'made_up', n % 8 from generate_series(1, {_TRACK_COUNT}) as n;
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
    t.track_key, (t.track_key - 1) / 8 + 1, 0, 0, to_char(t.at, 'yyyymmdd')::integer,
    to_char(t.at, 'yyyymmdd')::integer,
    case when t.chance < 0.8 then 180000 else 5000 end, 1, extract(hour from t.at), t.chance >= 0.9, true,
    case when t.chance < 0.9 then 'PLAY' else 'SKIP' end, 'MOBILE', 'feed'
from (
    select
        u as user_key,
        d + interval '7 hours' + n * interval '4 minutes' + (u % 600) * interval '1 minute' as at,
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

_READ_QUERIES = {
    "wrapped of a user": (
        """
        select * from mart.wrapped where user_id = 'u8' and year = 2026;
        select * from mart.wrapped_track where user_id = 'u8' and year = 2026 and rank <= 100;
        select * from mart.wrapped_artist where user_id = 'u8' and year = 2026 and rank <= 5;
        select * from mart.wrapped_genre where user_id = 'u8' and year = 2026 and rank <= 5
        """,
        "select track_key, count(*) from warehouse.fact_event where user_key = 8 and ms_played >= 30000"
        " and date_key >= 20260101 group by 1 order by 2 desc limit 100",
    ),
    "top 50 of a continent in a year": (
        "select * from mart.top_by_continent where place = 'Europe' and place_kind = 'continent' and period = 'year'"
        " and period_start = '2026-01-01' and kind = 'recording' and rank <= 50",
        "select track_key, count(*) from warehouse.fact_event as e inner join warehouse.dim_user as u using (user_key)"
        " where u.continent = 'Europe' and ms_played >= 30000 and date_key >= 20260101"
        " group by 1 order by 2 desc limit 50",
    ),
    "an artist's audience": (
        """
        select * from mart.artist_audience where artist_id = 'a3' order by week_start;
        select * from mart.artist_audience_country where artist_id = 'a3';
        select * from mart.artist_audience_track where artist_id = 'a3' order by plays desc
        """,
        "select date_trunc('week', local_time), count(*), count(distinct user_key) from warehouse.fact_event"
        " where artist_key = 3 and ms_played >= 30000 group by 1",
    ),
}

_DUCKDB_QUERIES = """
create table day_play as
select user_key, cast(local_time as date) as day, year(local_time) as y, track_key, artist_key, continent, country,
    ms_played
from event inner join dim_user using (user_key) where activity_type = 'PLAY' and ms_played >= 30000;
create table a as select user_key, y, count(*), sum(ms_played) from day_play group by 1, 2;
create table b as
select * from (
    select user_key, y, track_key, count(*) as plays,
        row_number() over (partition by user_key, y order by count(*) desc, track_key) as place
    from (select * from day_play union all select * replace (0 as y) from day_play) group by 1, 2, 3
) where place <= 100;
create table c as
select * from (
    select period, date_trunc(period, day) as start, where_, track_key, count(*) as plays,
        row_number() over (partition by period, date_trunc(period, day), where_ order by count(*) desc) as place
    from (select *, unnest([continent, country]) as where_ from day_play)
    cross join (select unnest(['day', 'week', 'month', 'year']) as period)
    group by 1, 2, 3, 4
) where place <= 100;
create table d as
select artist_key, date_trunc('week', day), count(*), count(distinct user_key) from day_play group by 1, 2;
create table e as
select user_key, number, min(event_time), max(ended_at), count(*) from (
    select *, sum(is_later) over (partition by user_key order by event_time) as number from (
        select *, cast(coalesce(event_time > lag(ended_at) over (
            partition by user_key order by event_time
        ) + interval 30 minutes, true) as integer) as is_later from event
    )
) group by 1, 2;
create table f as
select cast(local_time as date), subscription_plan, continent, device_type, count(distinct user_key), count(*)
from event inner join dim_user using (user_key) group by 1, 2, 3, 4
"""
"""Parts of the six queries in tests/marts/by_duckdb.py that are likely to cost most, of 16."""


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--events", type=int, default=1_000_000)
    parser.add_argument("--small", type=int, default=100_000)
    parser.add_argument("--users", type=int, default=2_000, help="of the small star, and of the one grown by days")
    parser.add_argument(
        "--only", nargs="+", default=["reads", "delta", "nothing"], choices=["reads", "delta", "nothing"]
    )
    options = parser.parse_args()
    print(f"duckdb {version('duckdb')}, {os.cpu_count()} cores")
    folder = Path(tempfile.mkdtemp())
    server = postgres.start_server(folder)
    try:
        _measure_stars(server, options, folder)
    finally:
        postgres.remove_servers(folder)
        shutil.rmtree(folder, ignore_errors=True)


def _measure_stars(server: postgres.Server, options: argparse.Namespace, folder: Path) -> None:
    """Measure one star after another, only one on the disk at a time; the star with a long history serves two parts."""
    few_days, many_days = (
        _compute_day_count(options.small, options.users),
        _compute_day_count(options.events, options.users),
    )
    shapes = {"days": (options.users, many_days)}
    if "delta" in options.only:
        shapes |= {"small": (options.users, few_days), "users": (options.users * many_days // few_days, few_days)}
    build_seconds = {}
    for name, (users, days) in shapes.items():
        with create_star(server, name, users, days) as url:
            if name == "days" and "nothing" in options.only:
                _measure_full_build(server, url, folder)
            else:
                print(f"{name}: built in {_time_call(lambda url=url: _build_marts(url)):.0f} s", flush=True)  # type: ignore[misc]
            if name == "days" and "reads" in options.only:
                _measure_reads(url)
            if "delta" in options.only:
                build_seconds[name] = _measure_delta(url, options.users)
    if build_seconds:
        _print_deltas(build_seconds, options)


def _measure_full_build(server: postgres.Server, url: str, folder: Path) -> None:
    began = _measure_processor_seconds(server)
    ours = _time_call(lambda: _build_marts(url, is_full_refresh=True))
    processor_seconds = _measure_processor_seconds(server) - began
    with duckdb.connect() as duckdb_connection:
        for name, query in _DUCKDB_SOURCES.items():
            _export_to_parquet(url, query, folder / name)
            duckdb_connection.execute(f"create view {name} as select * from '{folder / name}.parquet'")
        began = time.process_time()
        theirs = _time_call(lambda: duckdb_connection.execute(_DUCKDB_QUERIES))
        duckdb_processor_seconds = time.process_time() - began
    with connect(url) as connection:
        count = fetch_rows(connection, "select count(*) as n from warehouse.fact_event")[0]["n"]
        size = fetch_rows(connection, _SIZE_QUERY)[0]
    print(
        f"marts of {count:,} events from nothing: all of ours {ours:.1f} s, stored and indexed; parts of six of 16"
        f" queries in DuckDB from Parquet {theirs:.1f} s, ratio {ours / theirs:.1f} aim <= 3, single, ours first;"
        f" processor {processor_seconds:.1f} s to {duckdb_processor_seconds:.1f} s, ratio"
        f" {processor_seconds / duckdb_processor_seconds:.1f}; marts {size['marts']}, facts {size['facts']}",
        flush=True,
    )


_DUCKDB_SOURCES = {
    "event": "select event_time, ended_at, local_time, user_key, track_key, artist_key, ms_played, activity_type,"
    " device_type from warehouse.fact_event",
    "dim_user": "select user_key, continent, country, subscription_plan from warehouse.dim_user where user_key > 0",
}


def _export_to_parquet(url: str, query: str, path: Path) -> None:
    csv_file = path.with_suffix(".csv")
    with connect(url) as connection, csv_file.open("w") as file:
        connection.connection.cursor().copy_expert(  # type: ignore[attr-defined]
            f"copy ({query}) to stdout (format csv, header)", file
        )
    with duckdb.connect() as duckdb_connection:
        duckdb_connection.execute("set timezone = 'UTC'")
        duckdb_connection.execute(f"copy (select * from read_csv('{csv_file}')) to '{path}.parquet' (format parquet)")
    csv_file.unlink()


def _measure_processor_seconds(server: postgres.Server) -> float:
    """Return the processor seconds of the server: wall clocks are unreliable when other work runs on the machine."""
    main = psutil.Process(postgres.find_running_pid(server.installation) or 0)
    own_times = main.cpu_times()
    spent = own_times.user + own_times.system + own_times.children_user + own_times.children_system
    for child in main.children():
        with suppress(psutil.NoSuchProcess):
            spent += child.cpu_times().user + child.cpu_times().system
    return spent


_SIZE_QUERY = """
    select
        pg_size_pretty(sum(pg_total_relation_size(oid)) filter (where relnamespace = 'mart'::regnamespace)) as marts,
        pg_size_pretty(sum(pg_total_relation_size(oid)) filter (where relname like 'fact\\_event\\_%')) as facts
    from pg_class where relkind = 'r'
"""


def _measure_reads(url: str) -> None:
    with connect(url) as connection:
        connection.execute(text("analyze"))
    for name, (mart, facts) in _READ_QUERIES.items():
        with connect(url) as connection:
            ours, theirs = _time_statements(connection, mart), _time_statements(connection, facts)
        print(
            f"{name}: {statistics.median(ours):.1f} ms goal <= 20 (shortest {min(ours):.1f}), a simpler query on"
            f" fact_event {statistics.median(theirs):.0f} ms",
            flush=True,
        )


def _time_statements(connection: Connection, statements: str) -> list[float]:
    """Return the shortest warm time of the statements: on a busy machine it is more reliable than the median."""

    def run_statements() -> None:
        for statement in statements.split(";"):
            connection.execute(text(statement)).fetchall()

    run_statements()
    return [_time_call(run_statements) * 1000 for _ in range(9)]


def _measure_delta(url: str, users: int) -> tuple[float, float]:
    """Return the seconds and the processor seconds of the build after a day with ``users`` users arrives."""
    with connect(url) as connection:
        connection.execute(
            text(_INSERT_EVENTS.format(target="warehouse.fact_event")),
            {"users": users, "first": _DELTA_DAY, "last": _DELTA_DAY},
        )
    with connect(url) as connection:
        connection.execute(text("analyze"))
    processor_seconds: list[float] = []
    return _time_call(lambda: processor_seconds.append(_build_marts(url))), processor_seconds[0]


def _print_deltas(build_seconds: dict[str, tuple[float, float]], options: argparse.Namespace) -> None:
    small_seconds, small_processor_seconds = build_seconds["small"]
    for name in ("days", "users"):
        large_seconds, large_processor_seconds = build_seconds[name]
        print(
            f"a day of {options.users:,} users with {options.events:,} events loaded, grown by {name}, beside"
            f" {options.small:,} (single, in the order days, small, users):"
            f" {large_seconds:.1f} s to {small_seconds:.1f} s, ratio {large_seconds / small_seconds:.2f} goal <= 1.5;"
            f" processor {large_processor_seconds:.1f} s to {small_processor_seconds:.1f} s, ratio"
            f" {large_processor_seconds / small_processor_seconds:.2f}",
            flush=True,
        )


def _compute_day_count(events: int, users: int) -> int:
    return max(events // (users * _MEAN_EVENTS_PER_DAY), 1)


def _build_marts(url: str, is_full_refresh: bool = False) -> float:
    """Build the marts, and return the processor seconds of the build's own connection."""
    with connect(url) as connection:
        backend = psutil.Process(int(str(fetch_rows(connection, "select pg_backend_pid() as pid")[0]["pid"])))
        began = backend.cpu_times()
        build_result = build_marts(connection, _DEFINITION, is_full_refresh)
        ended = backend.cpu_times()
    if os.environ.get("SHOW_STEPS"):
        print({name: round(seconds, 2) for name, seconds in build_result.seconds.items()})
    return ended.user + ended.system - began.user - began.system


@contextmanager
def create_star(server: postgres.Server, name: str, users: int, days: int) -> Iterator[str]:
    """Open a star with the given users and days, all marked as changed; dropped at the end."""
    _run_as_superuser(server, f"create database {name} owner loader")
    url = server.build_url("loader", name)
    migrate_warehouse(url)
    last_day = pd.Timestamp(_FIRST_DAY)
    first_day = last_day - pd.Timedelta(days=days - 1)
    with connect(url) as connection:
        connection.exec_driver_sql(_INSERT_CATALOGUE, execution_options={"no_parameters": True})
        connection.execute(text(_INSERT_USERS), {"users": users})
        connection.execute(text("select setseed(0.5)"))
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


def _time_call(work: Callable[[], object]) -> float:
    started = time.monotonic()
    work()
    return time.monotonic() - started


if __name__ == "__main__":
    main()
