"""The fit of audio clusters: StandardScaler and K-means over the nine audio features.

In: tracks as ``STAGED["dim_track"]``. Out: a ``ClusterModel``. A model depends on the tracks, the seed and the
settings, never on the order or the partitions of the tracks.
"""

import hashlib
import json
import logging
import math
import random
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import datetime
from functools import reduce
from operator import and_

import numpy as np
from numpy.typing import NDArray
from pyspark.ml.clustering import KMeans
from pyspark.ml.feature import StandardScaler, VectorAssembler
from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from etl.errors import ActionNeededError
from etl.formats.contracts import AUDIO_FEATURES
from etl.transform.clusters.assignment import has_feature_source
from etl.transform.clusters.model import Cluster, ClusterModel, standardize_points
from etl.transform.clusters.naming import name_clusters
from etl.transform.clusters.numbering import assign_initial_numbers, match_previous_numbers

log = logging.getLogger(__name__)

# K-means ends in a local optimum that depends on its start: many short seeded runs find a better one than few long.
START_COUNT = 6
_MAX_ITERATIONS = 12
_PARALLEL_STARTS = 4
_TOLERANCE = 1e-3


def fit_model(
    tracks: DataFrame,
    cluster_count: int,
    seed: int,
    sample_size: int,
    fitted_at: datetime,
    previous: ClusterModel | None = None,
    feature_origin: str = "all",
) -> ClusterModel | None:
    """Fit clusters to a sample of the catalogue's recordings; return None if no track has all nine features.

    Reads ``tracks`` several times: pass a stored frame, not one still to be computed.

    :param cluster_count: the number of clusters; fewer are made, and logged, if the sample has fewer distinct points.
    :param seed: decides the sample and the starts of K-means.
    :param sample_size: the most recordings in the sample.
    :param fitted_at: the time of the fit, with a timezone.
    :param previous: the model whose cluster numbers keep their meaning.
    :param feature_origin: the providers of the tracks' audio features, as in the settings; stored with the fit.
    :raises ActionNeededError: if ``cluster_count`` is below 2 or ``sample_size`` below 1.
    """
    if cluster_count < 2 or sample_size < 1:
        raise ActionNeededError(
            f"Clusters need a count of at least 2 and a sample of at least 1, not {cluster_count} and {sample_size}."
        )
    recording_count = count_recordings(tracks)
    if recording_count == 0:
        log.info("No track has all audio features: no clusters are fitted.")
        return None
    # Recordings that are equal in all nine features are one that was not recognised as such: they count once.
    sample = _sample_recordings(tracks, seed, sample_size, recording_count).toPandas().drop_duplicates()
    points = sample.to_numpy()
    means, deviations, scaled_points = _scale_features(tracks.sparkSession.createDataFrame(sample))
    if len(points) > cluster_count:
        centroids = _fit_best_centroids(scaled_points, cluster_count, seed) * np.array(deviations) + np.array(means)
    else:
        centroids = points
    model = ClusterModel(
        fit_id="" if feature_origin == "all" else f"{feature_origin}-",
        fitted_at=fitted_at,
        cluster_count=cluster_count,
        seed=seed,
        sample_size=len(points),
        catalogue_size=recording_count,
        inertia=0.0,
        feature_means=means,
        feature_deviations=deviations,
        clusters=(),
    )
    return _build_clusters(model, points, centroids, previous)


def exclude_feature_sources(tracks: DataFrame, *sources: str) -> DataFrame:
    """Return the tracks without those whose audio features come from one of the sources."""
    return tracks.where(~has_feature_source(*sources))


def count_recordings(tracks: DataFrame) -> int:
    """Return how many recordings ``build_recording_count`` counts."""
    row = build_recording_count(tracks).first()
    return int(row["size"] or 0) if row else 0


def build_recording_count(tracks: DataFrame) -> DataFrame:
    """Return how many recordings have a track with all nine features, and their naming track among ``tracks``.

    The naming track is the one whose id is the recording's. The result is one row: size, which is NULL without tracks.
    """
    is_naming_track = F.col("track_id") == F.col("recording_id")
    is_complete_naming_track = is_naming_track & _has_all_features()
    # The naming track decides for most recordings. Those need no group of their own: they share the group NULL.
    groups = tracks.groupBy(F.when(~is_complete_naming_track, F.col("recording_id")).alias("recording")).agg(
        F.count_if(is_complete_naming_track).alias("complete_count"),
        F.bool_or(is_naming_track).alias("has_naming_track"),
        F.bool_or(_has_all_features()).alias("has_features"),
    )
    has_other_complete_track = F.col("recording").isNotNull() & F.col("has_naming_track") & F.col("has_features")
    return groups.agg((F.sum("complete_count") + F.count_if(has_other_complete_track)).alias("size"))


def should_refit(
    model: ClusterModel | None,
    current_size: int,
    cluster_count: int,
    seed: int,
    refit_fraction: float,
    feature_origin: str = "all",
) -> bool:
    """Return whether the stored model is missing, has other parameters, or the catalogue has changed too much.

    :param current_size: the recordings of today's tracks, as ``count_recordings`` counts them.
    :param refit_fraction: the fraction of its size by which the catalogue may grow or shrink without a refit.
    """
    if model is None:
        return current_size > 0
    if (model.cluster_count, model.seed, model.feature_origin) != (cluster_count, seed, feature_origin):
        return True
    return abs(current_size - model.catalogue_size) > refit_fraction * model.catalogue_size


def _has_all_features() -> Column:
    return reduce(and_, (F.col(feature).isNotNull() for feature in AUDIO_FEATURES))


def _sample_recordings(tracks: DataFrame, seed: int, sample_size: int, recording_count: int) -> DataFrame:
    """Return the features of the recordings with the smallest hashes, in the order of hashes, in one partition.

    A recording is represented by the track that gives it its id, else by its smallest track id.
    """
    is_other_track = F.col("track_id") != F.col("recording_id")
    hashed_tracks = tracks.where(_has_all_features()).withColumn("hash", F.xxhash64(F.lit(seed), "recording_id"))
    # Hashes are uniform, so the number of recordings below a bound has a deviation of at most √sample_size. A bound
    # with five deviations to spare leaves enough recordings, and spares the sort all others.
    sampled_fraction = (sample_size + 5 * math.sqrt(sample_size)) / recording_count
    if sampled_fraction < 1:
        hashed_tracks = hashed_tracks.where(F.col("hash") < F.lit(int((sampled_fraction - 0.5) * 2**64)))
    return (
        hashed_tracks.groupBy("hash", "recording_id")
        .agg(F.min(F.struct(is_other_track.alias("is_other"), "track_id", *AUDIO_FEATURES)).alias("track"))
        .orderBy("hash", "recording_id")
        .limit(sample_size)
        .coalesce(1)
        .select(*(F.col(f"track.{feature}").alias(feature) for feature in AUDIO_FEATURES))
    )


def _scale_features(points: DataFrame) -> tuple[tuple[float, ...], tuple[float, ...], DataFrame]:
    """Return means and deviations of the features, and the points in deviations from the mean, as vectors.

    :param points: distinct points, few enough for one partition; sorted, so that the result is reproducible.
    """
    ordered_points = points.coalesce(1).sortWithinPartitions(*AUDIO_FEATURES)
    vectors = VectorAssembler(inputCols=list(AUDIO_FEATURES), outputCol="features").transform(ordered_points)
    scaler = StandardScaler(withMean=True, withStd=True, inputCol="features", outputCol="scaled").fit(vectors)
    return (
        tuple(scaler.mean.toArray().tolist()),
        tuple(scaler.std.toArray().tolist()),
        scaler.transform(vectors).select("scaled"),
    )


def _fit_best_centroids(scaled: DataFrame, cluster_count: int, seed: int) -> NDArray[np.float64]:
    """Return the centroids of the run with the least cost, of several seeded runs.

    The block solver is the fastest one. It fails on equal starting points and on fewer points than clusters: ``scaled``
    must have distinct points, and more points than clusters.
    """

    def fit_once(start_seed: int) -> tuple[float, NDArray[np.float64]]:
        k_means = KMeans(featuresCol="scaled", k=cluster_count, initMode="random", seed=start_seed, solver="block")
        model = k_means.setMaxIter(_MAX_ITERATIONS).setTol(_TOLERANCE).fit(scaled)
        return model.summary.trainingCost, np.array(model.clusterCenters())

    generator = random.Random(seed)
    seeds = [generator.getrandbits(31) for _ in range(START_COUNT)]
    with ThreadPoolExecutor(_PARALLEL_STARTS) as pool:
        return min(pool.map(fit_once, seeds), key=lambda result: result[0])[1]


def _build_clusters(
    model: ClusterModel, points: NDArray[np.float64], centroids: NDArray[np.float64], previous: ClusterModel | None
) -> ClusterModel:
    """Return the model with numbered and named clusters; centroids that are nearest to no point are dropped."""
    scaled_points, scaled_centroids = model.standardize_points(points), model.standardize_points(centroids)
    squares = np.stack([((scaled_points - centroid) ** 2).sum(axis=1) for centroid in scaled_centroids], axis=1)
    nearest_centroids, nearest_squares = squares.argmin(axis=1), squares.min(axis=1)
    used_centroids = np.unique(nearest_centroids)
    if len(used_centroids) < model.cluster_count:
        log.warning(
            "Only %d of %d clusters: the sample has too few distinct points.", len(used_centroids), model.cluster_count
        )
    inertias = np.bincount(nearest_centroids, weights=nearest_squares, minlength=len(centroids))
    if previous is None:
        numbers = assign_initial_numbers(scaled_centroids[used_centroids])
    else:
        previous_centroids = standardize_points(previous.centroids, model.feature_means, model.feature_deviations)
        numbers = match_previous_numbers(
            scaled_centroids[used_centroids],
            previous_centroids,
            [cluster.audio_features_type for cluster in previous.clusters],
        )
    rows = [int(row) for _, row in sorted(zip(numbers, used_centroids, strict=True))]
    names = name_clusters(scaled_centroids[rows])
    clusters = tuple(
        Cluster(number, name, tuple(centroids[row].tolist()), float(inertias[row]))
        for number, name, row in zip(sorted(numbers), names, rows, strict=True)
    )
    complete_model = replace(model, clusters=clusters, inertia=sum(cluster.inertia for cluster in clusters))
    return replace(complete_model, fit_id=f"{model.fit_id}{_hash_model(complete_model)}")


def _hash_model(model: ClusterModel) -> str:
    parameters = [model.fitted_at.isoformat(), model.cluster_count, model.seed, model.sample_size, model.catalogue_size]
    text = json.dumps([*parameters, model.feature_means, model.centroids.tolist()])
    return hashlib.sha256(text.encode()).hexdigest()[:16]
