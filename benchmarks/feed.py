"""A synthetic feed generated and written by Spark, beside Polars and fastavro writing ready records.

    python -m benchmarks.feed [--users N] [--hours H] [--rounds N] [--version 1|2] [--codecs snappy deflate]

The product's side begins with a seed and ends with compressed Avro files, in a session that has made a small feed
before. Polars has the feed's records in memory as columns and writes them with the same codec, one file a core; each
fastavro process has 60,000 of them as objects and writes them uncompressed. Neither generates anything (against us).
The sides take turns. The catalogue is synthetic, of the size of dataset.csv.
"""

import argparse
import multiprocessing
import os
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from importlib.metadata import version
from pathlib import Path
from statistics import median

import fastavro
import numpy as np
import pandas as pd
import psutil
from pyspark.sql import SparkSession

from etl.engines.spark import open_session
from etl.formats.contracts.avro import load_contract
from etl.settings import Settings, read_settings
from simulator.listeners import activity_records, feed, track_library
from simulator.listeners.parameters import Parameters
from simulator.listeners.simulation import Simulation

_TRACK_COUNT, _ARTIST_COUNT, _GENRE_COUNT = 90_000, 17_000, 114
_RECORDS_PER_PROCESS = 60_000
_FEED_START = datetime(2026, 10, 1, tzinfo=UTC)
_GOAL_RATIO = 2


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--users", type=int, default=60_000)
    parser.add_argument("--hours", type=int, default=72)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--version", type=int, default=2, choices=(1, 2))
    parser.add_argument("--codecs", nargs="+", default=["snappy", "deflate"])
    options = parser.parse_args()
    spark_settings = read_settings({**os.environ, "WAREHOUSE_URL": "postgresql://unused@127.0.0.1/none"})
    with tempfile.TemporaryDirectory(dir=spark_settings.state_dir) as folder:
        _run_rounds(spark_settings, Path(folder), options)


def _run_rounds(spark_settings: Settings, folder: Path, options: argparse.Namespace) -> None:
    tracks = make_synthetic_tracks()
    no_playlists = pd.DataFrame({"playlist": [], "track": []}, dtype="int64")
    sorted_library = track_library.build_library(tracks, no_playlists)
    end = _FEED_START + timedelta(hours=options.hours)
    simulation = Simulation(Parameters(options.users, _FEED_START, end, schema_version=options.version), sorted_library)
    warm_up_simulation = Simulation(Parameters(200, _FEED_START, end, schema_version=options.version), sorted_library)
    rates: dict[str, list[float]] = {}
    with open_session(spark_settings, "benchmark feed", feed.SPARK_OPTIONS) as spark:
        lookup_tables = activity_records.make_lookup_tables(spark, tracks, [])
        feed.write_events(spark, warm_up_simulation, lookup_tables, (folder / "warm").as_uri())
        for _ in range(options.rounds):
            for codec in options.codecs:
                spark.conf.set("spark.sql.avro.compression.codec", codec)
                rates.setdefault(codec, []).append(_measure_spark(spark, simulation, lookup_tables, folder / codec))
            rates.setdefault("polars", []).append(
                _measure_polars(folder / options.codecs[0], folder, options.codecs[0])
            )
            rates.setdefault("fastavro", []).append(
                _measure_fastavro(folder / options.codecs[0], folder, options.version)
            )
        peak = _measure_memory_gib()
    print(
        f"UserActivity version {options.version}, {options.users:,} users, {options.hours} h, {len(tracks):,} tracks; "
        f"medians of {options.rounds} rounds, {os.cpu_count()} cores; pyspark {version('pyspark')}, "
        f"fastavro {version('fastavro')}; driver and workers {peak:.2f} GiB at the end"
    )
    peers = {
        "fastavro": f"uncompressed, {_RECORDS_PER_PROCESS:,} on each of {os.cpu_count()} processes",
        "polars": f"{options.codecs[0]}, on {os.cpu_count()} threads",
    }
    for peer, remark in peers.items():
        theirs = rates.pop(peer)
        for codec, ours in rates.items():
            if codec in peers:
                continue
            print(
                f"generated and written ({codec}) {_format_rates(ours)}, {peer} {version(peer)} writing ready records"
                f" ({remark}) {_format_rates(theirs)}, ratio {median(ours) / median(theirs):.2f}"
                f"{f' goal >= {_GOAL_RATIO}' if peer == 'fastavro' else ''}"
            )


def _format_rates(rates: list[float]) -> str:
    return f"{median(rates):,.0f} records/s ({min(rates):,.0f} to {max(rates):,.0f})"


def _measure_spark(
    spark: SparkSession, simulation: Simulation, lookup_tables: activity_records.LookupTables, folder: Path
) -> float:
    started = time.monotonic()
    written = feed.write_events(spark, simulation, lookup_tables, folder.as_uri())
    return written.record_count / (time.monotonic() - started)


def _measure_polars(source: Path, folder: Path, codec: str) -> float:
    """Return the records a second at which Polars writes the feed's files again, one at a time on each core.

    It writes neither timestamps with a time zone nor enums: they are numbers and texts before.
    """
    import polars as pl
    import polars.selectors as cs

    frames = [
        pl.read_avro(path).with_columns(cs.datetime().dt.epoch("ms"), (cs.enum() | cs.categorical()).cast(pl.String))
        for path in sorted(source.glob("*.avro"))
    ]
    compression = "snappy" if codec == "snappy" else "deflate"

    def write_frame(number: int) -> None:
        frames[number].write_avro(folder / f"polars-{number}.avro", compression=compression, name="UserActivity")

    started = time.monotonic()
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        list(pool.map(write_frame, range(len(frames))))
    return sum(map(len, frames)) / (time.monotonic() - started)


def _measure_fastavro(source: Path, folder: Path, schema_version: int) -> float:
    """Return the records a second of one process a core, from the time when all processes have their records."""
    size = os.cpu_count() or 1
    context = multiprocessing.get_context("spawn")
    ready = context.Barrier(size)
    with context.Manager() as manager:
        times = manager.list()
        arguments = [
            (sorted(source.glob("*.avro")), folder / f"{n}.avro", schema_version, ready, times) for n in range(size)
        ]
        processes = [
            context.Process(target=_write_with_fastavro, args=process_arguments) for process_arguments in arguments
        ]
        for process in processes:
            process.start()
        for process in processes:
            process.join()
        return size * _RECORDS_PER_PROCESS / max(times)


def _write_with_fastavro(files: list[Path], target: Path, schema_version: int, ready: object, times: object) -> None:
    schema = fastavro.parse_schema(load_contract(f"user_activity_{schema_version}"))
    ready_records: list[object] = []
    for path in files:
        with path.open("rb") as source:
            for record in fastavro.reader(source):
                ready_records.append(record)
                if len(ready_records) == _RECORDS_PER_PROCESS:
                    break
        if len(ready_records) == _RECORDS_PER_PROCESS:
            break
    ready.wait()  # type: ignore[attr-defined]
    started = time.monotonic()
    with target.open("wb") as written:
        fastavro.writer(written, schema, ready_records)
    seconds = time.monotonic() - started
    times.append(seconds * _RECORDS_PER_PROCESS / len(ready_records))  # type: ignore[attr-defined]


def _measure_memory_gib() -> float:
    own_process = psutil.Process()
    return sum(process.memory_info().rss for process in (own_process, *own_process.children(recursive=True))) / (
        1 << 30
    )


def make_synthetic_tracks() -> pd.DataFrame:
    """Return a catalogue of the size of dataset.csv, as ``track_library.build_library`` expects it."""
    rng = np.random.default_rng(1)
    artist = rng.integers(0, _ARTIST_COUNT, _TRACK_COUNT)
    frame = pd.DataFrame(
        {
            "track_id": [f"bench{number:017d}" for number in range(_TRACK_COUNT)],
            "name": [f"A song called {number}" for number in range(_TRACK_COUNT)],
            "genre": [f"genre {number % _GENRE_COUNT}" for number in artist],
            "artist_id": [f"artist{number:016d}" for number in artist],
            "artist": [f"Artist {number}" for number in artist],
            "artist_popularity": artist * 37 % 101,
            "duration_ms": rng.integers(90_000, 330_000, _TRACK_COUNT),
            "release_date": pd.Series(rng.integers(0, 20_000, _TRACK_COUNT)).where(rng.random(_TRACK_COUNT) < 0.25),
        }
    )
    for name in ("valence", "tempo", "acousticness", "energy", "danceability"):
        frame[name] = rng.random(_TRACK_COUNT).round(3)
    return track_library.append_unknown_tracks(frame, track_library.make_unknown_tracks(0))


if __name__ == "__main__":
    main()
