"""Audio clusters: an assignment and a refit beside scikit-learn's predict and fit of the same sample.

    python -m benchmarks.clusters [--tracks N] [--rounds N]

Each side reads one Parquet file. An assignment gives each track a cluster number; scikit-learn's equal is predict with
the centroids of our fit. A refit takes a sample of one track a recording, scales it and fits K-means from several
starts; scikit-learn does the same with as many starts of k-means++ on a sample of the same size. Ours samples so that
the same tracks always give the same sample, and is not limited by memory (against us). Order alternates. The inertia is
that of all rows under the centroids of each side, in scikit-learn's scale, over as many seeds as there are rounds.
"""

import argparse
import os
import tempfile
from collections.abc import Callable
from datetime import UTC, datetime
from importlib.metadata import version
from itertools import count
from pathlib import Path
from statistics import median

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
from pyspark.sql import DataFrame, SparkSession
from sklearn.cluster import KMeans
from sklearn.preprocessing import StandardScaler

from benchmarks._rounds import Times, compare_times, measure_rounds, time_call
from etl.engines.spark import open_session
from etl.formats.contracts import AUDIO_FEATURES
from etl.settings import Settings, read_settings
from etl.transform.clusters.assignment import assign_clusters
from etl.transform.clusters.kmeans import START_COUNT, fit_model
from etl.transform.clusters.model import ClusterModel

_CLUSTER_COUNT = 8
_GROUP_COUNT = 12
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


def _make_synthetic_tracks(size: int) -> pd.DataFrame:
    """Make a seeded mixture of overlapping groups; every twentieth track is a second id of the recording before it."""
    rng = np.random.default_rng(1)
    means, deviations = rng.uniform(0.1, 0.9, (_GROUP_COUNT, 9)), rng.uniform(0.08, 0.2, (_GROUP_COUNT, 9))
    group = rng.choice(_GROUP_COUNT, size, p=rng.dirichlet(np.full(_GROUP_COUNT, 3.0)))
    values = np.clip(means[group] + deviations[group] * rng.standard_normal((size, 9)), 0, 1)
    tracks = pd.DataFrame(values, columns=[*AUDIO_FEATURES])
    tracks["loudness"] = tracks.loudness * 60 - 60
    tracks["tempo"] = tracks.tempo * 200 + 40
    scattered = pd.Series(np.arange(size, dtype=np.uint64) * np.uint64(0x9E3779B97F4A7C15))
    tracks.insert(0, "track_id", scattered.map("{:022x}".format))
    is_further = np.arange(size) % 20 == 1
    tracks.insert(1, "recording_id", tracks.track_id.where(~is_further, tracks.track_id.shift()))
    return tracks


def _run_rounds(spark: SparkSession, file: Path, spark_settings: Settings, rounds: int) -> None:
    points = pd.read_parquet(file, columns=[*AUDIO_FEATURES]).to_numpy()
    scaler = StandardScaler().fit(points)
    size = min(spark_settings.cluster_sample_size, len(points))
    model = _fit_spark_model(spark, file, 0, size)
    seeds = {"refit": count(), "fit": count()}
    centroids: dict[str, list[np.ndarray]] = {"refit": [], "fit": []}

    def time_fit(name: str, fit: Callable[[int], np.ndarray]) -> float:
        seed = next(seeds[name])
        return time_call(lambda: centroids[name].append(fit(seed)))

    times = measure_rounds(
        {
            "assignment": lambda: time_call(
                lambda: _evaluate_frame(assign_clusters(spark.read.parquet(str(file)), model))
            ),
            "predict": lambda: time_call(lambda: _predict_scikit_learn(file, model, scaler)),
            "refit": lambda: time_fit(
                "refit", lambda seed: np.array(_fit_spark_model(spark, file, seed, size).centroids)
            ),
            "fit": lambda: time_fit("fit", lambda seed: _fit_scikit_learn(file, seed, size)),
        },
        rounds,
    )
    scaled_points = scaler.transform(points)
    inertias = {
        name: [_compute_inertia(scaled_points, scaler.transform(each)) for each in fitted]
        for name, fitted in centroids.items()
    }
    _print_figures(times, inertias, len(points), size, rounds)


def _fit_scikit_learn(file: Path, seed: int, sample_size: int) -> np.ndarray:
    """Return the centroids of a fit on a sample, in the units of the features."""
    tracks = pq.read_table(file, columns=["recording_id", *AUDIO_FEATURES]).to_pandas()
    sample = tracks.drop_duplicates("recording_id")[[*AUDIO_FEATURES]]
    sample = sample.sample(min(sample_size, len(sample)), random_state=seed)
    scaler = StandardScaler()
    fitted = KMeans(_CLUSTER_COUNT, n_init=START_COUNT, random_state=seed).fit(scaler.fit_transform(sample.to_numpy()))
    return scaler.inverse_transform(fitted.cluster_centers_)


def _predict_scikit_learn(file: Path, model: ClusterModel, scaler: StandardScaler) -> np.ndarray:
    features = pq.read_table(file, columns=[*AUDIO_FEATURES]).to_pandas().to_numpy()
    predictor = KMeans(_CLUSTER_COUNT, init=scaler.transform(np.array(model.centroids)), n_init=1, max_iter=1)
    predictor.cluster_centers_ = predictor.init
    predictor._n_threads = os.cpu_count()  # set by a fit, which is not wanted here
    return predictor.predict(scaler.transform(features))


def _fit_spark_model(spark: SparkSession, file: Path, seed: int, sample_size: int) -> ClusterModel:
    model = fit_model(spark.read.parquet(str(file)), _CLUSTER_COUNT, seed, sample_size, _FITTED_AT)
    assert model is not None
    return model


def _evaluate_frame(tracks: DataFrame) -> None:
    tracks.write.format("noop").mode("overwrite").save()


def _compute_inertia(points: np.ndarray, centroids: np.ndarray) -> float:
    nearest = np.full(len(points), np.inf)
    for centroid in centroids:
        np.minimum(nearest, ((points - centroid) ** 2).sum(axis=1), out=nearest)
    return float(nearest.sum())


def _print_figures(
    times: dict[str, Times], inertias: dict[str, list[float]], tracks: int, sample: int, rounds: int
) -> None:
    print(
        f"{tracks:,} tracks x {len(AUDIO_FEATURES)} features, k = {_CLUSTER_COUNT}, sample {sample:,}, {rounds} rounds,"
        f" {os.cpu_count()} cores; pyspark {version('pyspark')}, scikit-learn {version('scikit-learn')}"
    )
    for ours, theirs, goal in (("assignment", "predict", 2.0), ("refit", "fit", 5.0)):
        print(
            f"{ours} {times[ours]}, scikit-learn's {theirs} {times[theirs]}, ours / theirs"
            f" {times[ours].median / times[theirs].median:.2f} goal <= {goal};"
            f" {compare_times(times[ours], times[theirs])}"
        )
    ours, theirs = median(inertias["refit"]), median(inertias["fit"])
    print(f"inertia on all rows: ours {ours:.0f}, scikit-learn {theirs:.0f}, ratio {ours / theirs:.4f} goal <= 1.01")


if __name__ == "__main__":
    main()
