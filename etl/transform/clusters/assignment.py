"""The assignment of tracks to audio clusters: the nearest centroid.

In: tracks as ``STAGED["dim_track"]``, and a ``ClusterModel``. Out: the same tracks with ``audio_features_type``.
"""

from collections.abc import Sequence
from functools import reduce
from operator import add

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from etl.formats.contracts import AUDIO_FEATURES
from etl.transform.clusters.model import ClusterModel

_MAX_MISSING_FEATURES = 1
"""The most features, of the nine, that a track in a cluster may lack. Clusters are fitted to complete tracks only."""


def assign_clusters(tracks: DataFrame, model: ClusterModel) -> DataFrame:
    """Fill ``audio_features_type`` with the cluster of the nearest centroid; NULL if more than one feature is missing.

    If one is missing, such as the tempo of a track without a beat, the other eight decide. Of equally near clusters the
    one with the smallest number wins. All other columns stay.
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


def clear_clusters(tracks: DataFrame, *sources: str) -> DataFrame:
    """Return the tracks; those whose audio features come from one of the sources get no cluster."""
    if not sources:
        return tracks
    number = F.when(~has_feature_source(*sources), F.col("audio_features_type"))
    return tracks.withColumn("audio_features_type", number)


def has_feature_source(*sources: str) -> Column:
    """Return whether a track's audio features come from one of the sources."""
    return F.coalesce(F.col("audio_features_source").isin(*sources), F.lit(False))


def _has_enough_features() -> Column:
    feature_flags = (F.col(feature).isNotNull().cast("int") for feature in AUDIO_FEATURES)
    return reduce(add, feature_flags) >= len(AUDIO_FEATURES) - _MAX_MISSING_FEATURES


def _compute_distance(values: Sequence[str], centroid: Sequence[float], deviations: Sequence[float]) -> Column:
    """Return Σ c²/σ² − 2 Σ x·c/σ² over the features that the track has: its squared distance, less Σ x²/σ².

    The dropped term Σ x²/σ² is the same for all centroids of a track, so the order of distances stays.
    """
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
