"""The load of a feed beside a Polars script and beside COPY; a day's load on a large star beside a small one.

    python -m benchmarks.events [--users N] [--hours H] [--rounds N] [--only whole copy delta] [--history N]
        [--grown-by days users]

``whole``: feed files to published star, in alternating rounds, beside a script with Polars and ADBC, which validates
but leaves out other parts of the load (benchmarks/_polars_event_load.py lists them). ``copy``: the load's step from
rows with keys (in Arrow files) to published partitions, beside COPY of the same rows, as binary files sorted by time,
into a bare table, then the same indexes and constraints; COPY checks and counts nothing, but waits for the disk.
``delta``: the next day of a feed into a star with ``--history`` events, grown by days (before it), then by users (on
the day before it, in the same month), beside a million grown by days; single, the small star first, with cold caches.
"""

import argparse
import os
from datetime import timedelta
from importlib.metadata import version
from pathlib import Path

from benchmarks._event_history import MILLION, grow_history
from benchmarks._event_load_environment import FEED_START, LoadEnvironment, load_feed, sum_events
from benchmarks._event_load_step import time_bare_copy, time_load_step
from benchmarks._fresh_warehouses import start_benchmark_server
from benchmarks._polars_event_load import load_with_polars
from benchmarks._rounds import compare_times, measure_rounds, time_call
from launch.spark_jars import link_jars


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--users", type=int, default=20_000)
    parser.add_argument("--hours", type=int, default=72)
    parser.add_argument("--rounds", type=int, default=5, help="of whole and copy")
    parser.add_argument("--only", nargs="+", default=["whole", "copy"], choices=["whole", "copy", "delta"])
    parser.add_argument("--history", type=int, default=20 * MILLION, help="events that the larger star has before")
    parser.add_argument("--grown-by", nargs="+", default=["days", "users"], choices=["days", "users"])
    options = parser.parse_args()
    versions = ", ".join(
        f"{name} {version(name)}" for name in ("datafusion", "pgpq", "polars", "adbc-driver-postgresql")
    )
    print(f"{versions}, {os.cpu_count()} cores")
    with start_benchmark_server() as (server, folder):
        link_jars(folder)
        environment = LoadEnvironment(folder, server)
        if {"whole", "copy"} & set(options.only):
            size = environment.make_feed("whole", options.users, FEED_START, options.hours).row_count
            print(f"a feed of {options.users:,} users, {options.hours} hours: {size:,} events")
            if "whole" in options.only:
                _compare_whole_loads(environment, size, options.rounds)
            if "copy" in options.only:
                _compare_load_steps(environment, size, options.rounds)
        if "delta" in options.only:
            _measure_delta(environment, options.users, options.history, options.grown_by)


def _compare_whole_loads(environment: LoadEnvironment, size: int, rounds: int) -> None:
    totals: list[dict[str, object]] = []
    files = sorted((Path(environment.folder) / "lake/feed/whole").glob("*.avro"))

    def measure_ours() -> float:
        with environment.create_warehouse() as url:
            seconds = time_call(lambda: load_feed(environment, url, "r"))
            totals.append(sum_events(url))
        return seconds

    def measure_theirs() -> float:
        with environment.create_warehouse() as url:
            seconds = time_call(lambda: load_with_polars(files, url))
            totals.append(sum_events(url))
        return seconds

    times = measure_rounds({"ours": measure_ours, "theirs": measure_theirs}, rounds)
    assert all(each == totals[0] for each in totals) and totals[0]["events"] == size, f"the sides differ: {totals}"
    ours, theirs = times["ours"], times["theirs"]
    print(
        f"{size:,} events, feed files to published star, {rounds} rounds: ours {size / ours.median:,.0f}/s, {ours};"
        f" a script with Polars and ADBC {size / theirs.median:,.0f}/s, {theirs}; {compare_times(ours, theirs)}"
        " goal >= 1.0",
        flush=True,
    )


def _compare_load_steps(environment: LoadEnvironment, size: int, rounds: int) -> None:
    with environment.create_warehouse() as loaded_url:
        load_feed(environment, loaded_url, "r")

        def measure_step() -> float:
            with environment.create_warehouse() as url, time_load_step(environment.folder / "ready") as step_seconds:
                load_feed(environment, url, "r")
            return sum(step_seconds)

        times = measure_rounds({"ours": measure_step, "theirs": lambda: time_bare_copy(loaded_url)}, rounds)
    ours, theirs = times["ours"], times["theirs"]
    print(
        f"load step of {size:,} rows with keys, {rounds} rounds: {size / ours.median:,.0f}/s, {ours}; COPY into a bare"
        f" table, indexes, constraints {size / theirs.median:,.0f}/s, {theirs}; {compare_times(ours, theirs)}"
        " goal >= 0.9",
        flush=True,
    )


def _measure_delta(environment: LoadEnvironment, users: int, history: int, grown_by: list[str]) -> None:
    environment.make_feed("first", users, FEED_START, 24)
    environment.make_feed("second", users, FEED_START + timedelta(days=1), 24)
    small_seconds = _time_next_day(environment, MILLION, by_days=True)
    for name in grown_by:
        large_seconds = _time_next_day(environment, history, by_days=name == "days")
        print(
            f"a day's feed with {history:,} events loaded, grown by {name}, beside {MILLION:,}, which ran first "
            f"and cold: {large_seconds:.1f} s to {small_seconds:.1f} s, ratio {large_seconds / small_seconds:.2f} "
            "goal <= 1.2, single",
            flush=True,
        )


def _time_next_day(environment: LoadEnvironment, history: int, by_days: bool) -> float:
    with environment.create_warehouse() as url:
        load_feed(environment, url, "first", "first")
        grow_history(url, history, by_days)
        return time_call(lambda: load_feed(environment, url, "second", "second"))


if __name__ == "__main__":
    main()
