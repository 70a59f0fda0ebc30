"""Audio clusters: an assignment of all tracks, and a refit on a sample, each beside a whole fit of scikit-learn.

    python -m benchmarks.clusters [--tracks N] [--rounds N]

An assignment reads the tracks and gives each a cluster number; a refit counts the tracks, samples, scales and fits from
several starts. scikit-learn reads the nine features, scales them and fits K-means on all rows (k-means++, one start:
its default). Neither comparison is between equals: the equal of an assignment would be scikit-learn's predict, that of
a refit on a sample a fit of the same sample. All read one Parquet file and take turns, so that other load on the
machine affects them alike; medians are compared. The inertia is that of all rows under the centroids of each side (the
best of several starts, and one start), in scikit-learn's own scale, over as many seeds as there are rounds.
"""

import argparse
import os
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from statistics import median
from typing import TypeVar

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
from pyspark.sql import DataFrame, SparkSession
from sklearn.cluster import KMeans
from sklearn.preprocessing import StandardScaler

from etl.engines.spark import open_session
from etl.formats.contracts import AUDIO_FEATURES
from etl.settings import Settings, read_settings
from etl.transform.clusters.assignment import assign_clusters
from etl.transform.clusters.kmeans import fit_model
from etl.transform.clusters.model import ClusterModel

Result = TypeVar("Result")

_CLUSTER_COUNT = 8
_GROUP_COUNT = 12
_WARM_UP_ROUNDS = 2
_FITTED_AT = datetime(2026, 1, 1, tzinfo=UTC)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--tracks", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    spark_settings = read_settings({**os.environ, "WAREHOUSE_URL": "postgresql://unused@127.0.0.1/none"})
    spark_settings.state_dir.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=spark_settings.state_dir) as folder:
        file = Path(folder) / "tracks.parquet"
        _make_synthetic_tracks(options.tracks).to_parquet(file, index=False)
        with open_session(spark_settings, "benchmark clusters") as spark:
            _run_rounds(spark, file, spark_settings, options.rounds)


def _make_synthetic_tracks(count: int) -> pd.DataFrame:
    """Make a seeded mixture of overlapping groups; every twentieth track is a second id of the recording before it."""
    rng = np.random.default_rng(1)
    means, deviations = rng.uniform(0.1, 0.9, (_GROUP_COUNT, 9)), rng.uniform(0.08, 0.2, (_GROUP_COUNT, 9))
    group = rng.choice(_GROUP_COUNT, count, p=rng.dirichlet(np.full(_GROUP_COUNT, 3.0)))
    values = np.clip(means[group] + deviations[group] * rng.standard_normal((count, 9)), 0, 1)
    tracks = pd.DataFrame(values, columns=[*AUDIO_FEATURES])
    tracks["loudness"] = tracks.loudness * 60 - 60
    tracks["tempo"] = tracks.tempo * 200 + 40
    scattered = pd.Series(np.arange(count, dtype=np.uint64) * np.uint64(0x9E3779B97F4A7C15))
    tracks.insert(0, "track_id", scattered.map("{:022x}".format))
    is_further = np.arange(count) % 20 == 1
    tracks.insert(1, "recording_id", tracks.track_id.where(~is_further, tracks.track_id.shift()))
    return tracks


def _run_rounds(spark: SparkSession, file: Path, spark_settings: Settings, rounds: int) -> None:
    points = pd.read_parquet(file, columns=[*AUDIO_FEATURES]).to_numpy()
    size = min(spark_settings.cluster_sample_size, len(points))
    times: dict[str, list[float]] = {"theirs": [], "assignment": [], "refit": []}
    inertias: dict[str, list[float]] = {"theirs": [], "ours": []}
    for number in range(-_WARM_UP_ROUNDS, rounds):
        seed = number + _WARM_UP_ROUNDS
        theirs, their_seconds = _time_call(lambda seed=seed: _fit_scikit_learn(file, seed))
        ours, refit_seconds = _time_call(lambda seed=seed: _fit_spark_model(spark, file, seed, size))
        _, assignment_seconds = _time_call(
            lambda model=ours: _evaluate_frame(assign_clusters(_read_tracks(spark, file), model))
        )
        if number < 0:
            continue
        for name, seconds in zip(times, (their_seconds, assignment_seconds, refit_seconds), strict=True):
            times[name].append(seconds)
        scaler = StandardScaler().fit(points)
        inertias["theirs"].append(_compute_inertia(scaler.transform(points), theirs.cluster_centers_))
        inertias["ours"].append(_compute_inertia(scaler.transform(points), scaler.transform(ours.centroids)))
    _print_figures(times, inertias, len(points), size, rounds)


def _read_tracks(spark: SparkSession, file: Path) -> DataFrame:
    return spark.read.parquet(str(file))


def _fit_scikit_learn(file: Path, seed: int) -> KMeans:
    features = pq.read_table(file, columns=[*AUDIO_FEATURES]).to_pandas().to_numpy()
    return KMeans(_CLUSTER_COUNT, random_state=seed).fit(StandardScaler().fit_transform(features))


def _fit_spark_model(spark: SparkSession, file: Path, seed: int, sample_size: int) -> ClusterModel:
    model = fit_model(_read_tracks(spark, file), _CLUSTER_COUNT, seed, sample_size, _FITTED_AT)
    assert model is not None
    return model


def _evaluate_frame(tracks: DataFrame) -> None:
    tracks.write.format("noop").mode("overwrite").save()


def _time_call(work: Callable[[], Result]) -> tuple[Result, float]:
    started = time.perf_counter()
    result = work()
    return result, time.perf_counter() - started


def _compute_inertia(points: np.ndarray, centroids: np.ndarray) -> float:
    nearest = np.full(len(points), np.inf)
    for centroid in centroids:
        np.minimum(nearest, ((points - centroid) ** 2).sum(axis=1), out=nearest)
    return float(nearest.sum())


def _print_figures(
    times: dict[str, list[float]], inertias: dict[str, list[float]], tracks: int, sample: int, rounds: int
) -> None:
    print(
        f"{tracks:,} tracks x {len(AUDIO_FEATURES)} features, k = {_CLUSTER_COUNT}, sample {sample:,}, medians of "
        f"{rounds} rounds; pyspark {version('pyspark')}, scikit-learn {version('scikit-learn')}"
    )
    theirs = median(times["theirs"])
    for name, label, goal in (
        ("assignment", "assignment of all tracks, no fit", 2.0),
        ("refit", f"refit on at most {sample:,} recordings from several starts", 5.0),
    ):
        ours = median(times[name])
        print(
            f"{label}: ours {ours:.2f} s, scikit-learn's fit of all tracks from one start {theirs:.2f} s, "
            f"ratio {ours / theirs:.2f}, goal <= {goal}"
        )
    ours, theirs = median(inertias["ours"]), median(inertias["theirs"])
    print(
        f"inertia on all rows: best of our starts {ours:.0f}, one start of scikit-learn {theirs:.0f}, "
        f"ratio {ours / theirs:.4f}, goal <= 1.01"
    )


if __name__ == "__main__":
    main()
