"""Random reads of the marts by 1, 10 and 100 clients at once, warm and with cold files, beside queries on fact_event.

    python -m benchmarks.reads [--events N] [--users N] [--clients N ...] [--reads N] [--cold N] [--facts-reads N]

Each read draws its user, artist or continent at random. Each client has a connection of its own and reads again at
once (a closed loop). Cold: one client; before each read the server has been stopped, and its data files dropped from
the file cache of the system, which works on this server's files alone. The clients are threads of one process, whose
own time is part of each read (against us). The queries on fact_event answer less: the marts' rows have names and
several columns.
"""

import argparse
import os
import random
import statistics
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from sqlalchemy import Connection, text

from benchmarks._fresh_warehouses import start_benchmark_server
from benchmarks._synthetic_star import compute_day_count, create_star
from etl.database import connect
from etl.load.marts import MartDefinition, build_marts
from launch import postgres

_CONTINENTS = ("Africa", "Asia", "Europe", "North America", "Oceania", "South America")
_ARTIST_COUNT = 5_000
_READS = {
    "wrapped of a user": (
        (
            "select * from mart.wrapped where user_id = :user_id and year = 2026",
            "select * from mart.wrapped_track where user_id = :user_id and year = 2026 and rank <= 100",
            "select * from mart.wrapped_artist where user_id = :user_id and year = 2026 and rank <= 5",
            "select * from mart.wrapped_genre where user_id = :user_id and year = 2026 and rank <= 5",
        ),
        "select track_key, count(*) from warehouse.fact_event where user_key = :user_key and ms_played >= 30000"
        " and date_key >= 20260101 group by 1 order by 2 desc limit 100",
    ),
    "top 50 of a continent in a year": (
        (
            "select * from mart.top_by_continent where place = :continent and place_kind = 'continent'"
            " and period = 'year' and period_start = '2026-01-01' and kind = 'recording' and rank <= 50",
        ),
        "select track_key, count(*) from warehouse.fact_event as e inner join warehouse.dim_user as u using (user_key)"
        " where u.continent = :continent and ms_played >= 30000 and date_key >= 20260101"
        " group by 1 order by 2 desc limit 50",
    ),
    "an artist's audience": (
        (
            "select * from mart.artist_audience where artist_id = :artist_id order by week_start",
            "select * from mart.artist_audience_country where artist_id = :artist_id",
            "select * from mart.artist_audience_track where artist_id = :artist_id order by plays desc",
        ),
        "select date_trunc('week', local_time), count(*), count(distinct user_key) from warehouse.fact_event"
        " where artist_key = :artist_key and ms_played >= 30000 group by 1",
    ),
}


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--events", type=int, default=1_000_000)
    parser.add_argument("--users", type=int, default=2_000)
    parser.add_argument("--clients", type=int, nargs="+", default=[1, 10, 100])
    parser.add_argument("--reads", type=int, default=2_000, help="of each kind and number of clients")
    parser.add_argument("--facts-reads", type=int, default=50, help="on fact_event, by one client")
    parser.add_argument("--cold", type=int, default=10, help="cold reads of each kind")
    options = parser.parse_args()
    with start_benchmark_server() as (server, _):
        days = compute_day_count(options.events, options.users)
        with create_star(server, "reads", options.users, days) as url:
            with connect(url) as connection:
                build_marts(connection, MartDefinition(30_000, 30), is_full_refresh=True)
            with connect(url) as connection:
                connection.execute(text("analyze"))
            print(f"{options.users:,} users, {days:,} days; {os.cpu_count()} cores", flush=True)
            for name, (marts_statements, facts_statement) in _READS.items():
                for clients in options.clients:
                    seconds, rate = _read_at_once(url, marts_statements, options.users, clients, options.reads)
                    _print_figures(f"{name}, {clients} clients", seconds, f"; {rate:,.0f} reads a second")
                seconds, _ = _read_at_once(url, (facts_statement,), options.users, 1, options.facts_reads)
                _print_figures(f"{name}, a query on fact_event, 1 client", seconds)
                if options.cold:
                    for label, statements in (("cold", marts_statements), ("cold, fact_event", (facts_statement,))):
                        seconds = [_read_cold(server, url, statements, options.users, n) for n in range(options.cold)]
                        _print_figures(f"{name}, {label}", seconds)


def _read_at_once(
    url: str, statements: Sequence[str], users: int, clients: int, reads: int
) -> tuple[list[float], float]:
    """Return the seconds of each read of all clients, and the reads a second."""
    count = max(reads // clients, 1)

    def read_again(client: int) -> tuple[float, float, list[float]]:
        draws = random.Random(client)
        with connect(url) as connection:
            _read(connection, statements, draws, users)
            began = time.perf_counter()
            seconds = [_time(lambda: _read(connection, statements, draws, users)) for _ in range(count)]
            return began, time.perf_counter(), seconds

    with ThreadPoolExecutor(clients) as pool:
        results = list(pool.map(read_again, range(clients)))
    spent = max(end for _, end, _ in results) - min(began for began, _, _ in results)
    return [second for _, _, seconds in results for second in seconds], count * clients / spent


def _read(connection: Connection, statements: Sequence[str], draws: random.Random, users: int) -> int:
    """Read for a random user, artist and continent; return the number of rows."""
    user, artist = draws.randint(1, users), draws.randint(1, _ARTIST_COUNT)
    parameters = {
        "user_key": user,
        "user_id": f"u{user}",
        "artist_key": artist,
        "artist_id": f"a{artist}",
        "continent": draws.choice(_CONTINENTS),
    }
    return sum(len(connection.execute(text(statement), parameters).fetchall()) for statement in statements)


def _read_cold(server: postgres.Server, url: str, statements: Sequence[str], users: int, seed: int) -> float:
    """Restart the server with none of its files in the file cache, and return the seconds of the first read."""
    postgres.stop_server(server)
    for path in (server.state_dir / "postgres").rglob("*"):
        if path.is_file():
            _drop_from_file_cache(path)
    postgres.start_server(server.state_dir)  # on the same port
    with connect(url) as connection:
        connection.execute(text("select 1"))
        return _time(lambda: _read(connection, statements, random.Random(seed), users))


def _drop_from_file_cache(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
        os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_DONTNEED)
    finally:
        os.close(descriptor)


def _time(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def _print_figures(label: str, seconds: Sequence[float], end: str = "") -> None:
    milliseconds = sorted(second * 1000 for second in seconds)
    p50, p95, p99 = (
        (statistics.quantiles(milliseconds, n=100)[percent - 1] if len(milliseconds) > 1 else milliseconds[0])
        for percent in (50, 95, 99)
    )
    print(
        f"{label}, {len(milliseconds):,} reads: p50 {p50:.1f} ms, p95 {p95:.1f}, p99 {p99:.1f} (longest"
        f" {milliseconds[-1]:.1f}){end}",
        flush=True,
    )


if __name__ == "__main__":
    main()
