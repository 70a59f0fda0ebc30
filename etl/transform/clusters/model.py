"""One fit of the audio clusters, and its staged frames."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pyspark.sql import DataFrame, SparkSession

from etl.feature_settings import FEATURE_PROVIDERS
from etl.formats.contracts import AUDIO_FEATURES, STAGED


@dataclass(frozen=True)
class Cluster:
    """One cluster: its stable number, readable name, centroid in the units of the features, and inertia.

    ``inertia`` is the sum, over the sampled recordings of the cluster, of the squared distances to the centroid in
    standard deviations.
    """

    audio_features_type: int
    name: str
    centroid: tuple[float, ...]
    inertia: float


@dataclass(frozen=True)
class ClusterModel:
    """A fit. ``cluster_count`` is the requested number; ``clusters``, ordered by number, may be fewer.

    ``sample_size`` counts the recordings of the sample, ``catalogue_size`` all recordings with audio features.
    """

    fit_id: str
    fitted_at: datetime
    cluster_count: int
    seed: int
    sample_size: int
    catalogue_size: int
    inertia: float
    feature_means: tuple[float, ...]
    feature_deviations: tuple[float, ...]
    clusters: tuple[Cluster, ...]

    @property
    def feature_origin(self) -> str:
        """Return the providers of the fitted audio features, with which the fit's id begins; "all" without them."""
        origin, separator, _ = self.fit_id.partition("-")
        is_origin = separator and set(origin.split("+")) <= {"files", *FEATURE_PROVIDERS}
        return origin if is_origin else "all"

    @property
    def centroids(self) -> NDArray[np.float64]:
        """Return the centroids: one row a cluster, one column a feature, in the units of the features."""
        return np.array([cluster.centroid for cluster in self.clusters])

    def standardize_points(self, points: NDArray[np.float64]) -> NDArray[np.float64]:
        """Convert points to standard deviations from the mean; 0 for a feature that does not vary."""
        return standardize_points(points, self.feature_means, self.feature_deviations)

    def to_staged_frames(self, spark: SparkSession) -> dict[str, DataFrame]:
        """Return the model as the frames ``dim_audio_cluster`` and ``cluster_fit`` of ``STAGED``."""
        clusters = [
            (cluster.audio_features_type, cluster.name, *cluster.centroid, cluster.inertia, self.fitted_at)
            for cluster in self.clusters
        ]
        fit = [
            (
                self.fit_id,
                self.fitted_at,
                self.cluster_count,
                self.seed,
                self.sample_size,
                self.catalogue_size,
                self.inertia,
                list(self.feature_means),
                list(self.feature_deviations),
            )
        ]
        return {
            "dim_audio_cluster": spark.createDataFrame(clusters, STAGED["dim_audio_cluster"]),
            "cluster_fit": spark.createDataFrame(fit, STAGED["cluster_fit"]),
        }


def restore_model(fit: dict[str, Any], clusters: Sequence[dict[str, Any]]) -> ClusterModel:
    """Restore a model from rows of ``cluster_fit`` and ``dim_audio_cluster``; further columns are ignored."""
    rows_by_number = sorted(clusters, key=lambda row: int(row["audio_features_type"]))
    return ClusterModel(
        fit_id=fit["fit_id"],
        fitted_at=fit["fitted_at"],
        cluster_count=fit["cluster_count"],
        seed=fit["seed"],
        sample_size=fit["sample_size"],
        catalogue_size=fit["catalogue_size"],
        inertia=fit["inertia"],
        feature_means=tuple(fit["feature_means"]),
        feature_deviations=tuple(fit["feature_deviations"]),
        clusters=tuple(
            Cluster(
                audio_features_type=row["audio_features_type"],
                name=row["name"],
                centroid=tuple(row[feature] for feature in AUDIO_FEATURES),
                inertia=row["inertia"],
            )
            for row in rows_by_number
        ),
    )


def standardize_points(
    points: NDArray[np.float64], means: Sequence[float], deviations: Sequence[float]
) -> NDArray[np.float64]:
    """Convert points to standard deviations from the mean; 0 for a feature that does not vary."""
    deviation_array = np.array(deviations)
    varies = deviation_array > 0
    return np.where(varies, (points - np.array(means)) / np.where(varies, deviation_array, 1.0), 0.0)
