"""Reads of the marts, the build after a day, and a full build beside DuckDB's answers to 16 questions.

    python -m benchmarks.marts [--events N] [--small N] [--users N] [--rounds N] [--only reads delta nothing]

``reads``: a user's wrapped, the top 50 of a continent, an artist's audience, and a simpler query on fact_event beside
each. ``delta``: a day of events into a star with ``--events`` events, grown by days, then by users, beside one with
``--small``; the order is days, small, users, single. ``nothing``: in turn, a full build of all marts, and the 16
queries of tests/marts/by_duckdb.py in DuckDB from Parquet, kept as tables with indexes in a file. The 16 questions are
part of what the marts answer (against us). The row counts of both sides' answers are compared. The star has audio
features, playlists, release dates and popularity.
"""

import argparse
import os
import statistics
import time
from collections.abc import Callable
from contextlib import suppress
from importlib.metadata import version
from pathlib import Path

import psutil
from sqlalchemy import Connection, text

from benchmarks._fresh_warehouses import start_benchmark_server
from benchmarks._marts_by_duckdb import answer_questions, count_answers, export_star
from benchmarks._rounds import Times, compare_times
from benchmarks._synthetic_star import compute_day_count, create_star, insert_next_day
from etl.database import connect, fetch_rows
from etl.load.marts import MartDefinition, build_marts
from launch import postgres
from tests.marts.by_duckdb import MART_QUERIES

_DEFINITION = MartDefinition(30_000, 30)

# ruff: noqa: S608 (no data in it)
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


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--events", type=int, default=1_000_000)
    parser.add_argument("--small", type=int, default=100_000)
    parser.add_argument("--users", type=int, default=2_000, help="of the small star, and of the one grown by days")
    parser.add_argument("--rounds", type=int, default=5, help="of the full build")
    parser.add_argument(
        "--only", nargs="+", default=["reads", "delta", "nothing"], choices=["reads", "delta", "nothing"]
    )
    options = parser.parse_args()
    print(f"duckdb {version('duckdb')}, {os.cpu_count()} cores")
    with start_benchmark_server() as (server, folder):
        _measure_stars(server, options, folder)


def _measure_stars(server: postgres.Server, options: argparse.Namespace, folder: Path) -> None:
    """Measure one star after another, only one on the disk at a time; the star with a long history serves two parts."""
    few_days, many_days = (
        compute_day_count(options.small, options.users),
        compute_day_count(options.events, options.users),
    )
    shapes = {"days": (options.users, many_days)}
    if "delta" in options.only:
        shapes |= {"small": (options.users, few_days), "users": (options.users * many_days // few_days, few_days)}
    build_seconds = {}
    for name, (users, days) in shapes.items():
        with create_star(server, name, users, days) as url:
            if name == "days" and "nothing" in options.only:
                _compare_full_builds(server, url, folder / "star", options.rounds)
            else:
                print(f"{name}: built in {_time_call(lambda url=url: _build_marts(url)):.0f} s", flush=True)  # type: ignore[misc]
            if name == "days" and "reads" in options.only:
                _measure_reads(url)
            if "delta" in options.only:
                insert_next_day(url, options.users)
                processor_seconds: list[float] = []
                seconds = _time_call(lambda url=url, spent=processor_seconds: spent.append(_build_marts(url)))  # type: ignore[misc]
                build_seconds[name] = (seconds, processor_seconds[0])
    if build_seconds:
        _print_deltas(build_seconds, options)


def _compare_full_builds(server: postgres.Server, url: str, folder: Path, rounds: int) -> None:
    """Build all marts and answer all questions in each round, in alternating order, after an uncounted first round."""
    export_star(url, folder)
    sides: dict[str, Callable[[], tuple[float, float]]] = {
        "marts": lambda: _build_all_marts(server, url),
        "duckdb": lambda: answer_questions(folder)[:2],
    }
    wall: dict[str, list[float]] = {name: [] for name in sides}
    processor: dict[str, list[float]] = {name: [] for name in sides}
    for number in range(rounds + 1):
        for name in list(sides)[:: 1 if number % 2 else -1]:
            seconds, processor_seconds = sides[name]()
            if number:
                wall[name].append(seconds)
                processor[name].append(processor_seconds)
    _compare_answers(url, folder)
    for unit, measured in (("seconds", wall), ("processor seconds", processor)):
        ours, theirs = (Times(tuple(measured[name])) for name in ("marts", "duckdb"))
        print(
            f"all marts from nothing, {unit}, {rounds} rounds: ours {ours}, DuckDB {theirs}, ours / theirs"
            f" {ours.median / theirs.median:.2f} goal <= 1.5; {compare_times(ours, theirs)}",
            flush=True,
        )
    with connect(url) as connection:
        size = fetch_rows(connection, _SIZE_QUERY)[0]
    answers_bytes = (folder / "answers.duckdb").stat().st_size
    events, marts, facts = (int(str(size[name])) for name in ("events", "marts", "facts"))
    print(
        f"{events:,} events: marts {marts / events:.0f} bytes an event, facts {facts / events:.0f},"
        f" ratio {marts / facts:.2f} goal <= 1.2;"
        f" DuckDB's answers {answers_bytes / events:.0f}",
        flush=True,
    )


def _build_all_marts(server: postgres.Server, url: str) -> tuple[float, float]:
    began = _measure_processor_seconds(server)
    seconds = _time_call(lambda: _build_marts(url, is_full_refresh=True))
    return seconds, _measure_processor_seconds(server) - began


def _compare_answers(url: str, folder: Path) -> None:
    """Compare the number of rows of each answer; tests/marts/test_by_duckdb.py compares their values.

    :raises AssertionError: if a question has more or fewer answers than in DuckDB.
    """
    counts = count_answers(folder)
    with connect(url) as connection:
        for name, query in MART_QUERIES.items():
            found = int(str(fetch_rows(connection, f"select count(*) as n from ({query}) as answer")[0]["n"]))
            assert found == counts[name], f"{name}: {found:,} rows, DuckDB has {counts[name]:,}"


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
        sum(pg_total_relation_size(oid)) filter (where relnamespace = 'mart'::regnamespace) as marts,
        sum(pg_total_relation_size(oid)) filter (where relname like 'fact\\_event\\_%') as facts,
        (select count(*) from warehouse.fact_event) as events
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


def _time_call(work: Callable[[], object]) -> float:
    started = time.monotonic()
    work()
    return time.monotonic() - started


if __name__ == "__main__":
    main()
