"""Audio clusters: StandardScaler and K-means over the nine audio features, and the nearest centroid of a track.

In: tracks as ``schemas.STAGED["dim_track"]``. Out: a ``ClusterModel``, and the same tracks with
``audio_features_type`` filled. A model depends on the tracks, the seed and the settings, never on the order or the
partitions in which the tracks come.
"""

import hashlib
import json
import logging
import math
import random
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import datetime
from functools import reduce
from operator import add, and_

import numpy as np
from numpy.typing import NDArray
from pyspark.ml.clustering import KMeans
from pyspark.ml.feature import StandardScaler, VectorAssembler
from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from etl.errors import ActionNeededError
from etl.formats.contracts import AUDIO_FEATURES
from etl.transform.clusters.model import Cluster, ClusterModel, standardize_points
from etl.transform.clusters.naming import name_clusters
from etl.transform.clusters.numbering import assign_initial_numbers, match_previous_numbers

log = logging.getLogger(__name__)

# K-means ends in a local optimum that its start decides: many short seeded runs find a better one than a few long ones.
_START_COUNT = 6
_MAX_ITERATIONS = 12
_PARALLEL_STARTS = 4
_TOLERANCE = 1e-3

_MAX_MISSING_FEATURES = 1
"""How many of the nine features a track in a cluster may lack. Nothing is fitted to one that lacks any."""


def fit_model(
    tracks: DataFrame,
    cluster_count: int,
    seed: int,
    sample_size: int,
    fitted_at: datetime,
    previous: ClusterModel | None = None,
    feature_origin: str = "all",
) -> ClusterModel | None:
    """Clusters of the catalogue, from a sample of its recordings; None where no track has all nine features.

    Reads ``tracks`` twice: hand over a frame that is stored, not one still to be computed.

    :param cluster_count: how many clusters; fewer are made, and logged, where the sample has fewer distinct points.
    :param seed: decides the sample and where K-means starts.
    :param sample_size: the most recordings that are fitted.
    :param fitted_at: the time to note; aware.
    :param previous: the model whose cluster numbers keep their meaning.
    :param features_from: whose audio features ``tracks`` have, all or files; kept with the fit.
    :raises ActionNeededError: where ``cluster_count`` is below 2 or ``sample_size`` below 1.
    """
    if cluster_count < 2 or sample_size < 1:
        raise ActionNeededError(
            f"Clusters need a count of at least 2 and a sample of at least 1, not {cluster_count} and {sample_size}."
        )
    recording_count = count_recordings(tracks)
    if recording_count == 0:
        log.info("No track has all audio features: no clusters are fitted.")
        return None
    # Recordings that are equal in all nine measures are one that was not recognised: they count once.
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


def assign_clusters(tracks: DataFrame, model: ClusterModel) -> DataFrame:
    """The tracks with ``audio_features_type``: the cluster whose centroid is nearest, NULL where more than one of the
    nine features is missing.

    Where one is missing, as the tempo is where the analysis found no beat, the other eight decide. Of equally near
    clusters the one with the smallest number wins. All other columns stay as they are.
    """
    columns = [column for column in tracks.columns if column != "audio_features_type"]
    values = {f"_value_{index}": F.coalesce(F.col(feature), F.lit(0.0)) for index, feature in enumerate(AUDIO_FEATURES)}
    distances = {
        f"_distance_{candidate.audio_features_type}": _compute_distance(
            list(values), candidate.centroid, model.feature_deviations
        )
        for candidate in model.clusters
    }
    number = F.when(~_has_enough_features(), F.lit(None))
    for cluster in model.clusters:
        is_nearest = F.col(f"_distance_{cluster.audio_features_type}") == F.col("_nearest")
        number = number.when(is_nearest, F.lit(cluster.audio_features_type))
    nearest = F.least(*distances) if len(distances) > 1 else F.col(*distances)
    # One projection a step: Spark then computes each distance once instead of writing it out wherever it is used.
    return (
        tracks.withColumns(values)
        .withColumns(distances)
        .withColumn("_nearest", nearest)
        .withColumn("audio_features_type", number)
        .select(*(tracks.columns if "audio_features_type" in tracks.columns else [*columns, "audio_features_type"]))
    )


def exclude_feature_sources(tracks: DataFrame, *sources: str) -> DataFrame:
    """The tracks without those whose audio features one of some sources gave: nothing is fitted to them."""
    return tracks.where(~_has_feature_source(*sources))


def clear_clusters(tracks: DataFrame, *sources: str) -> DataFrame:
    """The tracks, those whose audio features one of some sources gave in no cluster."""
    number = F.when(~_has_feature_source(*sources), F.col("audio_features_type"))
    return tracks.withColumn("audio_features_type", number)


def count_recordings(tracks: DataFrame) -> int:
    """How many recordings have a track with all nine features. The track that names a recording must be among them."""
    is_naming_track = F.col("track_id") == F.col("recording_id")
    is_complete_naming_track = is_naming_track & _has_all_features()
    # Most recordings are settled by their own track, and those need no grouping: they share one group.
    groups = tracks.groupBy(F.when(~is_complete_naming_track, F.col("recording_id")).alias("recording")).agg(
        F.count_if(is_complete_naming_track).alias("settled"),
        F.bool_or(is_naming_track).alias("has_own"),
        F.bool_or(_has_all_features()).alias("has_features"),
    )
    has_other_complete_track = F.col("recording").isNotNull() & F.col("has_own") & F.col("has_features")
    row = groups.agg((F.sum("settled") + F.count_if(has_other_complete_track)).alias("size")).first()
    return int(row["size"] or 0) if row else 0


def should_refit(
    model: ClusterModel | None,
    current_size: int,
    cluster_count: int,
    seed: int,
    refit_fraction: float,
    feature_origin: str = "all",
) -> bool:
    """Whether the stored model no longer fits: none is there, it was asked for otherwise, or the catalogue has changed.

    :param current_size: ``catalogue_size`` of today's tracks.
    :param refit_share: by which share of its size the catalogue may grow or shrink before it is fitted again.
    """
    if model is None:
        return current_size > 0
    if (model.cluster_count, model.seed, model.feature_origin) != (cluster_count, seed, feature_origin):
        return True
    return abs(current_size - model.catalogue_size) > refit_fraction * model.catalogue_size


def _has_feature_source(*sources: str) -> Column:
    return F.coalesce(F.col("audio_features_source").isin(*sources), F.lit(False))


def _has_all_features() -> Column:
    return reduce(and_, (F.col(feature).isNotNull() for feature in AUDIO_FEATURES))


def _has_enough_features() -> Column:
    feature_flags = (F.col(feature).isNotNull().cast("int") for feature in AUDIO_FEATURES)
    return reduce(add, feature_flags) >= len(AUDIO_FEATURES) - _MAX_MISSING_FEATURES


def _compute_distance(values: Sequence[str], centroid: Sequence[float], deviations: Sequence[float]) -> Column:
    """The squared distance in deviations, without the term that is the same for all centroids: Σ c²/σ² − 2 Σ x·c/σ²,
    over the features that the track has."""
    weights = [
        coordinate / (deviation * deviation) if deviation > 0 else 0.0
        for coordinate, deviation in zip(centroid, deviations, strict=True)
    ]
    squares = [centroid_weight * coordinate for centroid_weight, coordinate in zip(weights, centroid, strict=True)]
    products = (F.col(value) * F.lit(-2.0 * weight) for value, weight in zip(values, weights, strict=True))
    missing = (
        F.when(F.col(feature).isNull(), F.lit(-square)).otherwise(0.0)
        for feature, square in zip(AUDIO_FEATURES, squares, strict=True)
    )
    return reduce(add, [*products, *missing], F.lit(sum(squares)))


def _sample_recordings(tracks: DataFrame, seed: int, sample_size: int, recording_count: int) -> DataFrame:
    """The features of the recordings with the smallest hashes, in the order of their hashes, in one partition.

    A recording is represented by the track that gives it its id, else by its smallest track id.
    """
    is_other_track = F.col("track_id") != F.col("recording_id")
    hashed_tracks = tracks.where(_has_all_features()).withColumn("hash", F.xxhash64(F.lit(seed), "recording_id"))
    # Hashes are spread evenly: five deviations more than needed are kept, and the rest never reaches the sort.
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
    """Means and deviations of the features, and the points in deviations from the mean, as vectors.

    :param points: distinct ones, and few: they go into one partition, in their own order.
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
    """The centroids of the cheapest of several runs.

    The block solver is the fast one. It breaks on equal starting points, or fewer than clusters: the points are to be
    distinct, and more than the clusters.
    """

    def fit_once(start_seed: int) -> tuple[float, NDArray[np.float64]]:
        k_means = KMeans(featuresCol="scaled", k=cluster_count, initMode="random", seed=start_seed, solver="block")
        model = k_means.setMaxIter(_MAX_ITERATIONS).setTol(_TOLERANCE).fit(scaled)
        return model.summary.trainingCost, np.array(model.clusterCenters())

    generator = random.Random(seed)
    seeds = [generator.getrandbits(31) for _ in range(_START_COUNT)]
    with ThreadPoolExecutor(_PARALLEL_STARTS) as pool:
        return min(pool.map(fit_once, seeds), key=lambda result: result[0])[1]


def _build_clusters(
    model: ClusterModel, points: NDArray[np.float64], centroids: NDArray[np.float64], previous: ClusterModel | None
) -> ClusterModel:
    """The model with its clusters numbered, measured and named; centroids that are nobody's nearest are left out."""
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
