"""Processor time of a listener's period on many plays, and the pages that it reads.

    python -m benchmarks.periods [--plays N] [--users N] [--rounds N]

The plays lie in the table in the order of their days, as builds write them: those of a listener are on pages of their
own. One listener has fifteen thousand plays a year. Measured on warm pages, in turns with a query without any table.
"""

import argparse
import sys
import tempfile
from datetime import date, timedelta
from pathlib import Path

import psutil
from sqlalchemy import Connection, text

from etl.database import connect, fetch_rows
from etl.database.connection import make_engine
from etl.load.migrate import migrate_warehouse
from launch import postgres

_YEARS = 2
_TRACKS = 200_000
_ARTISTS = 20_000
_HEAVY_PLAYS_PER_DAY = 41
_LAST_DAY = date(2026, 11, 30)
_DIMENSIONS = """
insert into mart.definition values (30000, 30, array[]::text []);
insert into warehouse.dim_user (user_key, user_id, source, valid_from)
select n, 'u' || n, 's', '-infinity' from generate_series(1, {users}) as n;
insert into warehouse.dim_artist (artist_key, artist_id, name, source)
select n, 'a' || n, 'Artist ' || n, 's' from generate_series(1, {artists}) as n;
insert into warehouse.dim_album (album_key, album_id, name, source)
select n, 'al' || n, 'Album ' || n, 's' from generate_series(1, {tracks} / 10) as n;
insert into warehouse.dim_genre (genre_key, genre) select n, 'genre ' || n from generate_series(1, 100) as n;
insert into warehouse.dim_track (track_key, recording_key, album_key, track_id, name, source)
select n, n, n / 10 + 1, 't' || n, 'Track ' || n, 's' from generate_series(1, {tracks} - 10) as n;
insert into warehouse.bridge_track_artist select n, n % {artists} + 1, 1 from generate_series(1, {tracks} - 10) as n;
insert into mart.counted_track (track_key, recording_key) select n, n from generate_series(1, {tracks} - 10) as n;
insert into mart.counted_track_genre (track_key, genre_key, weight_millionths)
select n, g.genre, 500000
from generate_series(1, {tracks} - 10) as n
cross join lateral (values (n % 100 + 1), ((n / 7) % 99 + 2)) as g (genre)
on conflict do nothing;
"""
_PLAYS = """
insert into mart.counted_play (
    event_time, listener_key, local_date, listening_context_key, track_key, artist_key, ms_played, local_hour,
    is_excluded, is_from_playlist
)
select
    p.day, p.listener_key, p.day, 1, t.track_key, t.track_key % {artists} + 1, 180000 + t.track_key % 60000,
    (p.chance * 23)::smallint, false, false
from (
    select
        c.day,
        case when c.n <= {heavy} then 1 else 2 + floor(c.listener * ({users} - 1))::integer end as listener_key,
        c.chance,
        c.position
    from (
        -- Each in a column of this subquery, because PostgreSQL takes an order by random() for the same number.
        select
            d.day::date as day, n, random() as listener, random() as chance, random() as position, random() as shuffle
        from generate_series(date '{first}', date '{last}', interval '1 day') as d (day)
        cross join generate_series(1, {by_day}) as n
        offset 0
    ) as c
    order by c.day, c.shuffle
) as p
-- Four of five plays are of three thousand tracks of the listener's own, some of them often.
cross join lateral (
    select
        case
            when p.chance < 0.8
                then (p.listener_key * 7919 + floor(power(p.position, 2) * 3000)::integer) % ({tracks} - 11)
            else floor(p.position * ({tracks} - 11))::integer
        end + 1 as track_key
) as t;
insert into mart.listener_count (listener_key, month_start, kind, item_keys, play_millionths, ms_millionths)
select
    listener_key, month_start, 'artist', array_agg(artist_key), array_agg(plays * 1000000), array_agg(ms * 1000000)
from (
    select
        listener_key, date_trunc('month', local_date)::date as month_start, artist_key, count(*) as plays,
        sum(ms_played) as ms
    from mart.counted_play
    group by 1, 2, 3
) as c
group by 1, 2;
insert into mart.listener_count (listener_key, month_start, kind, item_keys, play_millionths, ms_millionths)
select listener_key, month_start, 'genre', array_agg(genre_key), array_agg(plays), array_agg(ms)
from (
    select
        p.listener_key, date_trunc('month', p.local_date)::date as month_start, g.genre_key,
        sum(g.weight_millionths) as plays, sum(p.ms_played * g.weight_millionths::bigint) as ms
    from mart.counted_play as p
    inner join mart.counted_track_genre as g on g.track_key = p.track_key
    group by 1, 2, 3
) as c
group by 1, 2;
"""
_BASE_NAME = "the sum of a million numbers"
_BASE_QUERY = "select sum(n) as total from generate_series(1, 1000000) as n"
_PERIODS = {"4 weeks": 28, "1 quarter": 91, "1 year": 365}
_STATEMENTS = {
    "figures": "select * from mart.period_figures('u{user}', '{first}', '{last}')",
    "top lists, compared": "select * from mart.period_top('u{user}', '{first}', '{last}', '{earlier}', '{until}')",
}


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--plays", type=int, default=20_000_000)
    parser.add_argument("--users", type=int, default=20_000)
    parser.add_argument("--rounds", type=int, default=20)
    options = parser.parse_args()
    server = postgres.start_server(Path(tempfile.mkdtemp()))
    try:
        url = server.build_url("loader", "warehouse")
        migrate_warehouse(url)
        _fill_warehouse(url, options.plays, options.users)
        _measure_periods(url, options.rounds)
    finally:
        postgres.stop_server(server)


def _fill_warehouse(url: str, plays: int, users: int) -> None:
    days = _YEARS * 365
    values = {
        **{"users": users, "artists": _ARTISTS, "tracks": _TRACKS, "heavy": _HEAVY_PLAYS_PER_DAY},
        **{"first": _LAST_DAY - timedelta(days=days - 1), "last": _LAST_DAY, "by_day": plays // days},
    }
    with connect(url) as connection:
        for statement in (_DIMENSIONS + _PLAYS).format(**values).split(";\n"):
            if statement.strip():
                connection.execute(text(statement))
    with make_engine(url).connect() as connection:
        connection.execution_options(isolation_level="AUTOCOMMIT").execute(text("vacuum (analyze)"))
    with connect(url) as connection:
        (sizes,) = fetch_rows(
            connection,
            "select count(*) as plays, pg_table_size('mart.counted_play') / 1048576 as table_mib,"
            " pg_relation_size('mart.counted_play_listener_key_idx') / 1048576 as index_mib from mart.counted_play",
        )
    sys.stdout.write(
        f"{sizes['plays']:,} plays of {users:,} listeners: table {sizes['table_mib']:,} MiB,"
        f" index of periods {sizes['index_mib']:,} MiB\n"
    )


def _measure_periods(url: str, rounds: int) -> None:
    with connect(url) as connection:
        (row,) = fetch_rows(connection, "select pg_backend_pid() as pid")
        server_process = psutil.Process(int(str(row["pid"])))
        for user, whose in ((1, "15,000 plays a year"), (7, "an average listener")):
            for length, days in _PERIODS.items():
                for name, statement in _STATEMENTS.items():
                    query = _put_dates(statement, user, days)
                    pages = _count_pages(connection, query)
                    seconds = _measure_processor_seconds(connection, server_process, query, rounds)
                    base_seconds = _measure_processor_seconds(connection, server_process, _BASE_QUERY, 3)
                    sys.stdout.write(
                        f"{whose:<21}{length:<10}{name:<21}{seconds * 1000:7.1f} ms of processor time,"
                        f" {seconds / base_seconds:5.2f} × {_BASE_NAME}, {pages:,} pages\n"
                    )


def _count_pages(connection: Connection, query: str) -> int:
    """Return the pages that a query reads, and read them into memory."""
    plan = fetch_rows(connection, f"explain (analyze, buffers, timing off, format json) {query}")[0]["QUERY PLAN"]
    root = plan[0]["Plan"]  # type: ignore[index]
    return int(root["Shared Hit Blocks"]) + int(root["Shared Read Blocks"])


def _measure_processor_seconds(connection: Connection, process: psutil.Process, query: str, rounds: int) -> float:
    before = process.cpu_times()
    for _ in range(rounds):
        fetch_rows(connection, query)
    after = process.cpu_times()
    return (after.user + after.system - before.user - before.system) / rounds


def _put_dates(statement: str, user: int, days: int) -> str:
    first, span = _LAST_DAY - timedelta(days=days - 1), timedelta(days=days)
    return statement.format(user=user, first=first, last=_LAST_DAY, earlier=first - span, until=_LAST_DAY - span)


if __name__ == "__main__":
    main()
