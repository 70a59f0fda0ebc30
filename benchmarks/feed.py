"""A synthetic feed generated and written by Spark, beside fastavro writing ready records on as many processes.

    python -m benchmarks.feed [--users N] [--hours H] [--rounds N] [--version 1|2] [--codecs snappy deflate]

Ours begins with a seed and ends with compressed Avro files, in a session that has made a small feed before; fastavro
gets the first 60,000 records of that feed in the memory of each process and only writes them, uncompressed. The two
take turns, ours first. The catalogue is synthetic, of the size of dataset.csv.
"""

import argparse
import multiprocessing
import os
import tempfile
import time
from datetime import UTC, datetime, timedelta
from importlib.metadata import version
from pathlib import Path
from statistics import median

import fastavro
import numpy as np
import pandas as pd
import psutil
from pyspark.sql import SparkSession

from etl.config import Settings, settings
from etl.schemas.avro import contract
from etl.simulate.listeners import feed, library, records
from etl.simulate.listeners.parameters import Parameters
from etl.spark import session

_TRACKS, _ARTISTS, _GENRES = 90_000, 17_000, 114
_RECORDS_A_PROCESS = 60_000
_START = datetime(2026, 10, 1, tzinfo=UTC)
_GOAL = 2


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--users", type=int, default=60_000)
    parser.add_argument("--hours", type=int, default=72)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--version", type=int, default=2, choices=(1, 2))
    parser.add_argument("--codecs", nargs="+", default=["snappy", "deflate"])
    options = parser.parse_args()
    chosen = settings({**os.environ, "WAREHOUSE_URL": "postgresql://unused@127.0.0.1/none"})
    with tempfile.TemporaryDirectory(dir=chosen.state_dir) as folder:
        _compare(chosen, Path(folder), options)


def _compare(chosen: Settings, folder: Path, options: argparse.Namespace) -> None:
    tracks = made_up_tracks()
    no_playlists = pd.DataFrame({"playlist": [], "track": []}, dtype="int64")
    sorted_library = library.library(tracks, no_playlists)
    end = _START + timedelta(hours=options.hours)
    made = feed.Simulation(Parameters(options.users, _START, end, schema_version=options.version), sorted_library)
    small = feed.Simulation(Parameters(200, _START, end, schema_version=options.version), sorted_library)
    rates: dict[str, list[float]] = {}
    with session(chosen, "benchmark feed", feed.SPARK_OPTIONS) as spark:
        words = records.words(spark, tracks, [])
        feed.write_events(spark, small, words, (folder / "warm").as_uri())
        for _ in range(options.rounds):
            for codec in options.codecs:
                spark.conf.set("spark.sql.avro.compression.codec", codec)
                rates.setdefault(codec, []).append(_ours(spark, made, words, folder / codec))
            rates.setdefault("fastavro", []).append(_theirs(folder / options.codecs[0], folder, options.version))
        peak = _memory_gib()
    print(
        f"UserActivity version {options.version}, {options.users:,} users, {options.hours} h, {len(tracks):,} tracks; "
        f"medians of {options.rounds} rounds, {os.cpu_count()} cores; pyspark {version('pyspark')}, "
        f"fastavro {version('fastavro')}; driver and workers {peak:.2f} GiB at the end"
    )
    theirs = median(rates.pop("fastavro"))
    for codec, found in rates.items():
        ours = median(found)
        print(
            f"generated and written ({codec}) {ours:,.0f} records/s, fastavro writing ready records uncompressed, "
            f"{_RECORDS_A_PROCESS:,} on each of {os.cpu_count()} processes, {theirs:,.0f} records/s, "
            f"ratio {ours / theirs:.2f} goal >= {_GOAL}"
        )


def _ours(spark: SparkSession, made: feed.Simulation, words: records.Words, folder: Path) -> float:
    started = time.monotonic()
    written = feed.write_events(spark, made, words, folder.as_uri())
    return written.records / (time.monotonic() - started)


def _theirs(source: Path, folder: Path, schema_version: int) -> float:
    """Records a second of as many processes as there are cores, from when all of them have their records."""
    size = os.cpu_count() or 1
    context = multiprocessing.get_context("spawn")
    ready = context.Barrier(size)
    with context.Manager() as manager:
        times = manager.list()
        arguments = [
            (sorted(source.glob("*.avro")), folder / f"{n}.avro", schema_version, ready, times) for n in range(size)
        ]
        processes = [context.Process(target=_write, args=one) for one in arguments]
        for process in processes:
            process.start()
        for process in processes:
            process.join()
        return size * _RECORDS_A_PROCESS / max(times)


def _write(files: list[Path], target: Path, schema_version: int, ready: object, times: object) -> None:
    schema = fastavro.parse_schema(contract(f"user_activity_{schema_version}"))
    kept: list[object] = []
    for path in files:
        with path.open("rb") as source:
            for record in fastavro.reader(source):
                kept.append(record)
                if len(kept) == _RECORDS_A_PROCESS:
                    break
        if len(kept) == _RECORDS_A_PROCESS:
            break
    ready.wait()  # type: ignore[attr-defined]
    started = time.monotonic()
    with target.open("wb") as written:
        fastavro.writer(written, schema, kept)
    seconds = time.monotonic() - started
    times.append(seconds * _RECORDS_A_PROCESS / len(kept))  # type: ignore[attr-defined]


def _memory_gib() -> float:
    own = psutil.Process()
    return sum(one.memory_info().rss for one in (own, *own.children(recursive=True))) / (1 << 30)


def made_up_tracks() -> pd.DataFrame:
    """A catalogue of the size of dataset.csv, as ``library.library`` takes it."""
    chance = np.random.default_rng(1)
    artist = chance.integers(0, _ARTISTS, _TRACKS)
    frame = pd.DataFrame(
        {
            "track_id": [f"bench{number:017d}" for number in range(_TRACKS)],
            "name": [f"A song called {number}" for number in range(_TRACKS)],
            "genre": [f"genre {number % _GENRES}" for number in artist],
            "artist_id": [f"artist{number:016d}" for number in artist],
            "artist": [f"Artist {number}" for number in artist],
            "artist_popularity": artist * 37 % 101,
            "duration_ms": chance.integers(90_000, 330_000, _TRACKS),
            "release_date": pd.Series(chance.integers(0, 20_000, _TRACKS)).where(chance.random(_TRACKS) < 0.25),
        }
    )
    for name in ("valence", "tempo", "acousticness", "energy", "danceability"):
        frame[name] = chance.random(_TRACKS).round(3)
    return library.together(frame, library.unknown(0))


if __name__ == "__main__":
    main()
