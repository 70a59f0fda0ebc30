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
from etl.schemas import AUDIO_FEATURES
from etl.transform.cluster_model import Cluster, ClusterModel, standardised
from etl.transform.cluster_names import cluster_names
from etl.transform.cluster_numbers import first_numbers, kept_numbers

log = logging.getLogger(__name__)

# K-means ends in a local optimum that its start decides: many short seeded runs find a better one than a few long ones.
_STARTS = 6
_MOST_STEPS = 12
_RUNS_AT_ONCE = 4
_TOLERANCE = 1e-3

_MOST_MISSING = 1
"""How many of the nine features a track in a cluster may lack. Nothing is fitted to one that lacks any."""


def fit(
    tracks: DataFrame,
    cluster_count: int,
    seed: int,
    sample_size: int,
    fitted_at: datetime,
    previous: ClusterModel | None = None,
    features_from: str = "all",
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
    size = catalogue_size(tracks)
    if size == 0:
        log.info("No track has all audio features: no clusters are fitted.")
        return None
    # Recordings that are equal in all nine measures are one that was not recognised: they count once.
    sample = _sample(tracks, seed, sample_size, size).toPandas().drop_duplicates()
    points = sample.to_numpy()
    means, deviations, scaled = _scaled(tracks.sparkSession.createDataFrame(sample))
    if len(points) > cluster_count:
        found = _best_run(scaled, cluster_count, seed) * np.array(deviations) + np.array(means)
    else:
        found = points
    model = ClusterModel(
        fit_id="" if features_from == "all" else f"{features_from}-",
        fitted_at=fitted_at,
        cluster_count=cluster_count,
        seed=seed,
        sample_size=len(points),
        catalogue_size=size,
        inertia=0.0,
        feature_means=means,
        feature_deviations=deviations,
        clusters=(),
    )
    return _with_clusters(model, points, found, previous)


def assign(tracks: DataFrame, model: ClusterModel) -> DataFrame:
    """The tracks with ``audio_features_type``: the cluster whose centroid is nearest, NULL where more than one of the
    nine features is missing.

    Where one is missing, as the tempo is where the analysis found no beat, the other eight decide. Of equally near
    clusters the one with the smallest number wins. All other columns stay as they are.
    """
    columns = [c for c in tracks.columns if c != "audio_features_type"]
    values = {f"_value_{i}": F.coalesce(F.col(feature), F.lit(0.0)) for i, feature in enumerate(AUDIO_FEATURES)}
    distances = {
        f"_distance_{c.audio_features_type}": _distance(list(values), c.centroid, model.feature_deviations)
        for c in model.clusters
    }
    number = F.when(~_has_enough(), F.lit(None))
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


def without_features_of(tracks: DataFrame, *sources: str) -> DataFrame:
    """The tracks without those whose audio features one of some sources gave: nothing is fitted to them."""
    return tracks.where(~_is_from(*sources))


def unassigned(tracks: DataFrame, *sources: str) -> DataFrame:
    """The tracks, those whose audio features one of some sources gave in no cluster."""
    number = F.when(~_is_from(*sources), F.col("audio_features_type"))
    return tracks.withColumn("audio_features_type", number)


def catalogue_size(tracks: DataFrame) -> int:
    """How many recordings have a track with all nine features. The track that names a recording must be among them."""
    is_own = F.col("track_id") == F.col("recording_id")
    is_settled = is_own & _is_complete()
    # Most recordings are settled by their own track, and those need no grouping: they share one group.
    groups = tracks.groupBy(F.when(~is_settled, F.col("recording_id")).alias("recording")).agg(
        F.count_if(is_settled).alias("settled"),
        F.bool_or(is_own).alias("has_own"),
        F.bool_or(_is_complete()).alias("has_features"),
    )
    is_by_other = F.col("recording").isNotNull() & F.col("has_own") & F.col("has_features")
    row = groups.agg((F.sum("settled") + F.count_if(is_by_other)).alias("size")).first()
    return int(row["size"] or 0) if row else 0


def needs_refit(
    model: ClusterModel | None,
    current_size: int,
    cluster_count: int,
    seed: int,
    refit_share: float,
    features_from: str = "all",
) -> bool:
    """Whether the stored model no longer fits: none is there, it was asked for otherwise, or the catalogue has changed.

    :param current_size: ``catalogue_size`` of today's tracks.
    :param refit_share: by which share of its size the catalogue may grow or shrink before it is fitted again.
    """
    if model is None:
        return current_size > 0
    if (model.cluster_count, model.seed, model.features_from) != (cluster_count, seed, features_from):
        return True
    return abs(current_size - model.catalogue_size) > refit_share * model.catalogue_size


def _is_from(*sources: str) -> Column:
    return F.coalesce(F.col("audio_features_source").isin(*sources), F.lit(False))


def _is_complete() -> Column:
    return reduce(and_, (F.col(feature).isNotNull() for feature in AUDIO_FEATURES))


def _has_enough() -> Column:
    known = (F.col(feature).isNotNull().cast("int") for feature in AUDIO_FEATURES)
    return reduce(add, known) >= len(AUDIO_FEATURES) - _MOST_MISSING


def _distance(values: Sequence[str], centroid: Sequence[float], deviations: Sequence[float]) -> Column:
    """The squared distance in deviations, without the term that is the same for all centroids: Σ c²/σ² − 2 Σ x·c/σ²,
    over the features that the track has."""
    weights = [c / (d * d) if d > 0 else 0.0 for c, d in zip(centroid, deviations, strict=True)]
    squares = [w * c for w, c in zip(weights, centroid, strict=True)]
    products = (F.col(value) * F.lit(-2.0 * weight) for value, weight in zip(values, weights, strict=True))
    missing = (
        F.when(F.col(feature).isNull(), F.lit(-square)).otherwise(0.0)
        for feature, square in zip(AUDIO_FEATURES, squares, strict=True)
    )
    return reduce(add, [*products, *missing], F.lit(sum(squares)))


def _sample(tracks: DataFrame, seed: int, sample_size: int, size: int) -> DataFrame:
    """The features of the recordings with the smallest hashes, in the order of their hashes, in one partition.

    A recording is represented by the track that gives it its id, else by its smallest track id.
    """
    is_other = F.col("track_id") != F.col("recording_id")
    hashed = tracks.where(_is_complete()).withColumn("hash", F.xxhash64(F.lit(seed), "recording_id"))
    # Hashes are spread evenly: five deviations more than needed are kept, and the rest never reaches the sort.
    share = (sample_size + 5 * math.sqrt(sample_size)) / size
    if share < 1:
        hashed = hashed.where(F.col("hash") < F.lit(int((share - 0.5) * 2**64)))
    return (
        hashed.groupBy("hash", "recording_id")
        .agg(F.min(F.struct(is_other.alias("is_other"), "track_id", *AUDIO_FEATURES)).alias("track"))
        .orderBy("hash", "recording_id")
        .limit(sample_size)
        .coalesce(1)
        .select(*(F.col(f"track.{feature}").alias(feature) for feature in AUDIO_FEATURES))
    )


def _scaled(points: DataFrame) -> tuple[tuple[float, ...], tuple[float, ...], DataFrame]:
    """Means and deviations of the features, and the points in deviations from the mean, as vectors.

    :param points: distinct ones, and few: they go into one partition, in their own order.
    """
    ordered = points.coalesce(1).sortWithinPartitions(*AUDIO_FEATURES)
    vectors = VectorAssembler(inputCols=list(AUDIO_FEATURES), outputCol="features").transform(ordered)
    scaler = StandardScaler(withMean=True, withStd=True, inputCol="features", outputCol="scaled").fit(vectors)
    return (
        tuple(scaler.mean.toArray().tolist()),
        tuple(scaler.std.toArray().tolist()),
        scaler.transform(vectors).select("scaled"),
    )


def _best_run(scaled: DataFrame, cluster_count: int, seed: int) -> NDArray[np.float64]:
    """The centroids of the cheapest of several runs.

    The block solver is the fast one. It breaks on equal starting points, or fewer than clusters: the points are to be
    distinct, and more than the clusters.
    """

    def run(start: int) -> tuple[float, NDArray[np.float64]]:
        k_means = KMeans(featuresCol="scaled", k=cluster_count, initMode="random", seed=start, solver="block")
        model = k_means.setMaxIter(_MOST_STEPS).setTol(_TOLERANCE).fit(scaled)
        return model.summary.trainingCost, np.array(model.clusterCenters())

    chance = random.Random(seed)
    starts = [chance.getrandbits(31) for _ in range(_STARTS)]
    with ThreadPoolExecutor(_RUNS_AT_ONCE) as pool:
        return min(pool.map(run, starts), key=lambda result: result[0])[1]


def _with_clusters(
    model: ClusterModel, points: NDArray[np.float64], found: NDArray[np.float64], previous: ClusterModel | None
) -> ClusterModel:
    """The model with its clusters numbered, measured and named; centroids that are nobody's nearest are left out."""
    scaled_points, scaled = model.standardised(points), model.standardised(found)
    squares = np.stack([((scaled_points - centroid) ** 2).sum(axis=1) for centroid in scaled], axis=1)
    label, square = squares.argmin(axis=1), squares.min(axis=1)
    used = np.unique(label)
    if len(used) < model.cluster_count:
        log.warning("Only %d of %d clusters: the sample has too few distinct points.", len(used), model.cluster_count)
    inertias = np.bincount(label, weights=square, minlength=len(found))
    if previous is None:
        numbers = first_numbers(scaled[used])
    else:
        old = standardised(previous.centroids, model.feature_means, model.feature_deviations)
        numbers = kept_numbers(scaled[used], old, [c.audio_features_type for c in previous.clusters])
    rows = [int(row) for _, row in sorted(zip(numbers, used, strict=True))]
    names = cluster_names(scaled[rows])
    clusters = tuple(
        Cluster(number, name, tuple(found[row].tolist()), float(inertias[row]))
        for number, name, row in zip(sorted(numbers), names, rows, strict=True)
    )
    whole = replace(model, clusters=clusters, inertia=sum(c.inertia for c in clusters))
    return replace(whole, fit_id=f"{model.fit_id}{_digest(whole)}")


def _digest(model: ClusterModel) -> str:
    what = [model.fitted_at.isoformat(), model.cluster_count, model.seed, model.sample_size, model.catalogue_size]
    text = json.dumps([*what, model.feature_means, model.centroids.tolist()])
    return hashlib.sha256(text.encode()).hexdigest()[:16]
