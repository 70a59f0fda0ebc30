"""Peak memory of a whole refresh of many tracks: all processes of Airflow, Spark and PostgreSQL, added up.

    python -m benchmarks.memory [--tracks N]

bin/run imports and publishes a synthetic file in the format of dataset.csv; every half second the benchmark adds up the
proportional set sizes of all its processes.
"""

import argparse
import tempfile
import time
from importlib.metadata import version
from pathlib import Path

import numpy as np
import pandas as pd

from benchmarks._running_product import RunningProduct
from etl.formats.contracts import AUDIO_FEATURES

_GOAL_GIB = 6


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--tracks", type=int, default=1_000_000)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        state, folder = Path(name) / "state", Path(name) / "kaggle"
        state.mkdir()
        folder.mkdir()
        _write_tracks(folder / "dataset.csv", options.tracks)
        started = time.monotonic()
        with RunningProduct(state, folder) as product:
            peak = product.wait_until_published() / (1 << 30)
            seconds = time.monotonic() - started
            print(product.read_report())
    print(f"{options.tracks:,} tracks; Airflow {version('apache-airflow')}, pyspark {version('pyspark')}")
    print(f"peak of all processes {peak:.2f} GiB (goal: at most {_GOAL_GIB}) | from start to report {seconds:.0f} s")


def _write_tracks(path: Path, size: int) -> None:
    rng = np.random.default_rng(1)
    numbers = pd.Series(np.arange(size))
    frame = pd.DataFrame(
        {
            "track_id": numbers.map("bench{:017d}".format),
            "artists": "Artist " + pd.Series(rng.integers(0, size // 10, size)).astype(str),
            "album_name": "Album " + pd.Series(rng.integers(0, size // 8, size)).astype(str),
            "track_name": "A song called " + pd.Series(rng.integers(0, size, size)).astype(str),
            "popularity": rng.integers(0, 101, size),
            "duration_ms": rng.integers(60_000, 400_000, size),
            "explicit": "False",
            "key": rng.integers(0, 12, size),
            "mode": rng.integers(0, 2, size),
            "time_signature": 4,
            "track_genre": "genre " + pd.Series(rng.integers(0, 114, size)).astype(str),
        }
    )
    for feature in AUDIO_FEATURES:
        frame[feature] = rng.random(size).round(4)
    frame["tempo"] = (60 + 120 * rng.random(size)).round(3)
    frame.to_csv(path, index=False)


if __name__ == "__main__":
    main()
