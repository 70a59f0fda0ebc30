"""The load of a catalogue beside COPY, an upsert, pandas.to_sql, ADBC and dlt; its staging beside Spark's JDBC writer.

    python -m benchmarks.load [--tracks N] [--rounds N] [--only NAME ...]

The load is the product's own: staging by COPY from Spark's executors, all checks, keys, the publishing transaction. It
fills tracks, artists, albums, genres, aliases and both bridges of an empty star from frames in Parquet. The others
(benchmarks/_load_peers.py) get the same rows of the same tables with the keys that our load gave, from files or memory
(against us). Their tables have the same keys, foreign keys, checks and indexes; dlt makes its own, without them. Row
counts of all sides are compared in each round. Each measurement has a fresh warehouse and a checkpoint before it.
Our staging does not wait for the disk at its commits, our publication does; the others wait (for us, little).
"""

import argparse
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime
from functools import partial
from importlib.metadata import version
from pathlib import Path
from statistics import median
from unittest.mock import patch

from pyspark.sql import SparkSession

from benchmarks._catalogue_frames import read_catalogue, write_catalogue
from benchmarks._fresh_warehouses import FreshWarehouses, start_benchmark_server
from benchmarks._load_peers import LoadPeers, compute_checksums, count_rows, write_published_rows
from benchmarks._rounds import Times, compare_times, measure_rounds, time_call
from etl.database import lock_warehouse, make_engine
from etl.database.run_records import record_start
from etl.engines.spark import open_session
from etl.load import Run, frame_load, load_frames, publish, staging
from etl.settings import read_settings

JDBC_PACKAGE = "org.postgresql:postgresql:42.7.7"
_GOALS = {"COPY": " goal >= 0.8", "pandas.to_sql, COPY": " goal >= 1.3", "dlt, merge": " goal >= 1.3"}
_make_run = partial(Run, job="benchmark", started_at=datetime(2026, 1, 1, tzinfo=UTC), reference_date=date(2026, 1, 1))


class OwnLoad:
    """Our side."""

    def __init__(self, warehouses: FreshWarehouses, spark: SparkSession, folder: Path) -> None:
        self.warehouses, self.spark, self.folder = warehouses, spark, folder
        self.step_seconds: dict[str, list[float]] = {}

    def publish_catalogue(self, url: str) -> None:
        load_frames(read_catalogue(self.spark, self.folder), _make_run("benchmark", inputs=()), url)

    def measure(self) -> float:
        with self.warehouses.create_warehouse() as url, self._time_steps():
            return time_call(lambda: self.publish_catalogue(url))

    def measure_staging(self) -> float:
        frames, run = read_catalogue(self.spark, self.folder), _make_run("benchmark", inputs=())
        with self.warehouses.create_warehouse() as url:
            with lock_warehouse(url) as connection:
                record_start(connection, run)
                staging.prepare_load(connection, "load", run, list(frames))
            return time_call(lambda: staging.stage_frames(frames, "load", url))

    def measure_jdbc(self) -> float:
        """Write the same frames into the same staging tables by Spark's own writer."""
        with self.warehouses.create_warehouse() as url:
            database = make_engine(url).url
            address = f"jdbc:postgresql://{database.host}:{database.port}/{database.database}"
            options = {"user": str(database.username), "password": str(database.password), "batchsize": "10000"}
            options |= {"url": f"{address}?reWriteBatchedInserts=true", "driver": "org.postgresql.Driver"}

            def write_frames() -> None:
                for table, frame in read_catalogue(self.spark, self.folder).items():
                    writer = frame.write.format("jdbc").mode("append").options(**options)
                    writer.option("dbtable", f"staging.{table}").save()

            return time_call(write_frames)

    @contextmanager
    def _time_steps(self) -> Iterator[None]:
        """Note the seconds of each step of the load."""

        def time_step(name: str, work: Callable[..., object]) -> Callable[..., object]:
            def call_timed(*arguments: object) -> object:
                started = time.perf_counter()
                try:
                    return work(*arguments)
                finally:
                    self.step_seconds.setdefault(name, []).append(time.perf_counter() - started)

            return call_timed

        with (
            patch.object(staging, "stage_frames", time_step("staging", staging.stage_frames)),
            patch.object(staging, "update_statistics", time_step("analyse", staging.update_statistics)),
            patch.object(frame_load.checks, "run_checks", time_step("checks", frame_load.checks.run_checks)),
            patch.object(publish, "publish_staged_rows", time_step("publish", publish.publish_staged_rows)),
        ):
            yield


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--tracks", type=int, default=300_000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--only", nargs="+", help="names of measurements beside the load, such as COPY")
    options = parser.parse_args()
    with start_benchmark_server() as (server, folder):
        environ = {**os.environ, "STATE_DIR": str(folder), "WAREHOUSE_URL": server.build_url("loader", "warehouse")}
        with open_session(read_settings(environ), "benchmark load", {"spark.jars.packages": JDBC_PACKAGE}) as spark:
            _compare_sides(FreshWarehouses(server), spark, folder, options)


def _compare_sides(warehouses: FreshWarehouses, spark: SparkSession, folder: Path, options: argparse.Namespace) -> None:
    write_catalogue(folder / "frames", options.tracks)
    own_load = OwnLoad(warehouses, spark, folder / "frames")
    with warehouses.create_warehouse() as url:
        own_load.publish_catalogue(url)
        row_counts = count_rows(url)
        write_published_rows(url, folder / "published")
        checksums = compute_checksums(url)
    peers = LoadPeers(warehouses, folder / "published", row_counts)
    with warehouses.create_warehouse() as url:
        peers.copy_tables(url)
        assert compute_checksums(url) == checksums, "COPY wrote other rows than our load"
    measurements = {
        "load": own_load.measure,
        "COPY": peers.measure_copy,
        "COPY and upsert": peers.measure_upsert,
        "COPY into bare tables": peers.measure_bare_copy,
        "pandas.to_sql, COPY": peers.measure_pandas,
        "ADBC": peers.measure_adbc,
        "dlt, merge": peers.measure_dlt,
        "staging": own_load.measure_staging,
        "JDBC": own_load.measure_jdbc,
    }
    chosen = {name for name in measurements if not options.only or name in (*options.only, "load")}
    times = measure_rounds({name: measurements[name] for name in measurements if name in chosen}, options.rounds)
    _print_figures(times, row_counts, own_load.step_seconds, options.rounds)


def _print_figures(
    times: dict[str, Times], row_counts: dict[str, int], step_seconds: dict[str, list[float]], rounds: int
) -> None:
    packages = ("pyspark", "pgpq", "psycopg2-binary", "pandas", "adbc-driver-postgresql", "dlt")
    counts = ", ".join(f"{table} {number:,}" for table, number in row_counts.items())
    print(f"{sum(row_counts.values()):,} rows into an empty star ({counts})")
    print(f"medians (shortest to longest) of {rounds} rounds, order alternating; {os.cpu_count()} cores; PostgreSQL 18")
    print(", ".join(f"{name} {version(name)}" for name in packages) + f", JDBC {JDBC_PACKAGE}")
    print("steps of the load: " + ", ".join(f"{name} {median(each):.2f} s" for name, each in step_seconds.items()))
    for name, theirs in times.items():
        own_name = "staging" if name == "JDBC" else "load"
        if name not in ("load", "staging") and own_name in times:
            ours = times[own_name]
            print(f"{own_name} {ours}, {name} {theirs}, {compare_times(ours, theirs)}{_GOALS.get(name, '')}")


if __name__ == "__main__":
    main()
