"""Bytes and processor time of an event in the warehouse, facts and marts, beside Parquet and DuckDB.

    python -m benchmarks.event_cost [--users N] [--hours H] [--rounds N]

All sides begin with the Avro files of one feed. Ours validates, gives keys, loads, indexes, audits and builds all
marts; a fresh warehouse with its catalogue is subtracted from its bytes. Polars writes the records as Parquet with
zstd. DuckDB makes a table of that Parquet, and answers and keeps the 16 questions of benchmarks/_marts_by_duckdb.py
from our star, whose export is not timed (against us). They validate, key and audit nothing (against us). Processor time
is that of all processes, in alternating rounds after an uncounted one.
"""

import argparse
import os
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path

import duckdb
import polars as pl

from benchmarks._event_load_environment import FEED_START, LoadEnvironment, load_feed
from benchmarks._fresh_warehouses import start_benchmark_server
from benchmarks._marts_by_duckdb import answer_questions, export_star
from benchmarks._processor_time import ProcessorClock, Spent, find_server_pid
from benchmarks._rounds import Times
from etl.database import connect, fetch_rows
from etl.jobs import marts
from launch.spark_jars import link_jars

_SIZES = """
    select
        sum(pg_total_relation_size(c.oid)) filter (where n.nspname = 'warehouse' and c.relname like 'fact\\_event\\_%')
            as facts,
        sum(pg_total_relation_size(c.oid)) filter (where n.nspname = 'mart') as marts,
        pg_database_size(current_database()) as all
    from pg_class as c
    inner join pg_namespace as n on n.oid = c.relnamespace
    where c.relkind = 'r'
"""

Measurement = tuple[Spent, int]
"""What a side took, and the bytes that it left."""


class EventCost:
    """The sides, on one feed in the lake."""

    def __init__(self, environment: LoadEnvironment, clock: ProcessorClock, folder: Path) -> None:
        self._environment, self._clock, self._folder = environment, clock, folder
        self._files = sorted((folder / "lake/feed/whole").glob("*.avro"))
        self.sizes: dict[str, int] = {}
        self.row_counts: set[int] = set()

    def load_and_build(self) -> Measurement:
        """Load the feed, build the marts, and export the star for DuckDB's questions once."""
        with self._environment.create_warehouse() as url:
            empty = self._read_sizes(url)
            settings = self._environment.make_settings(url)
            load = self._clock.measure(lambda: load_feed(self._environment, url, "load"))
            build = self._clock.measure(lambda: marts.build_marts("marts", marts.FULL_REFRESH, None, settings))
            filled = self._read_sizes(url)
            self.sizes = {name: filled[name] - empty[name] for name in filled}
            if not (self._folder / "star").exists():
                export_star(url, self._folder / "star")
            with connect(url) as connection:
                counts = fetch_rows(connection, "select count(*) as n from warehouse.fact_event")
            self.row_counts.add(int(str(counts[0]["n"])))
        processor_seconds = load.processor_seconds + build.processor_seconds
        return Spent(load.seconds + build.seconds, processor_seconds), self.sizes["all"]

    def write_parquet(self) -> Measurement:
        target = self._folder / "events.parquet"

        def write_file() -> None:
            pl.concat([pl.read_avro(file) for file in self._files]).write_parquet(target, compression="zstd")

        spent = self._clock.measure(write_file)
        self.row_counts.add(int(pl.scan_parquet(target).select(pl.len()).collect().item()))
        return spent, target.stat().st_size

    def fill_duckdb(self) -> Measurement:
        target = self._folder / "events.duckdb"
        target.unlink(missing_ok=True)
        source = str(self._folder / "events.parquet")

        def fill_table() -> None:
            with duckdb.connect(str(target)) as engine:
                engine.execute("create table event as select * from read_parquet(?)", [source])

        spent = self._clock.measure(fill_table)
        with duckdb.connect(str(target), read_only=True) as engine:
            row = engine.execute("select count(*) from event").fetchone()
        self.row_counts.add(int(row[0]) if row else 0)
        return spent, target.stat().st_size

    def answer_in_duckdb(self) -> Measurement:
        seconds, processor_seconds, size = answer_questions(self._folder / "star")
        return Spent(seconds, processor_seconds), size

    @staticmethod
    def _read_sizes(url: str) -> dict[str, int]:
        with connect(url) as connection:
            return {name: int(str(value or 0)) for name, value in fetch_rows(connection, _SIZES)[0].items()}


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--users", type=int, default=20_000)
    parser.add_argument("--hours", type=int, default=168)
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    versions = ", ".join(f"{name} {version(name)}" for name in ("datafusion", "polars", "duckdb"))
    print(f"{versions}, {os.cpu_count()} cores")
    with start_benchmark_server() as (server, folder):
        link_jars(folder)
        environment = LoadEnvironment(folder, server)
        events = environment.make_feed("whole", options.users, FEED_START, options.hours).row_count
        cost = EventCost(environment, ProcessorClock(find_server_pid(server)), folder)
        sides: dict[str, Callable[[], Measurement]] = {
            "warehouse with marts": cost.load_and_build,
            "Parquet": cost.write_parquet,
            "DuckDB's table, from that Parquet": cost.fill_duckdb,
            "DuckDB's 16 answers": cost.answer_in_duckdb,
        }
        measured: dict[str, list[Measurement]] = {name: [] for name in sides}
        for number in range(options.rounds + 1):
            # The first round makes what others read; its order is that of the sides.
            for name in list(sides)[:: -1 if number % 2 else 1]:
                measurement = sides[name]()
                if number:
                    measured[name].append(measurement)
    assert cost.row_counts == {events}, f"the sides have {cost.row_counts} events, the feed {events}"
    print(f"{events:,} events of {options.users:,} users, {options.rounds} rounds")
    facts, mart_bytes = cost.sizes["facts"] / events, cost.sizes["marts"] / events
    print(f"warehouse: facts {facts:.0f} bytes an event, marts {mart_bytes:.0f}, ratio {mart_bytes / facts:.2f}")
    for name, measurements in measured.items():
        times = Times(tuple(spent.processor_seconds / events * 1e6 for spent, _ in measurements))
        print(
            f"{name}: {measurements[-1][1] / events:.0f} bytes an event; processor {times.median:.2f} µs an event"
            f" ({min(times.seconds):.2f} to {max(times.seconds):.2f})",
            flush=True,
        )


if __name__ == "__main__":
    main()
