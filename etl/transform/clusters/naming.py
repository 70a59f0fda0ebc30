"""Readable names of clusters, by their distinctive features."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from etl.formats.contracts import AUDIO_FEATURES

_TRAIT_WORDS = {
    "danceability": ("undanceable", "danceable"),
    "energy": ("calm", "energetic"),
    "loudness": ("quiet", "loud"),
    "speechiness": ("sung", "spoken"),
    "acousticness": ("electric", "acoustic"),
    "instrumentalness": ("vocal", "instrumental"),
    "liveness": ("studio", "live"),
    "valence": ("sombre", "cheerful"),
    "tempo": ("slow", "fast"),
}
"""The words for a centroid far below and far above the mean of a feature."""

_DEFAULT_NAME = "middle of the road"
_MIN_DEVIATION = 0.5
_MIN_FRACTION_OF_STRONGEST = 0.3
_MAX_WORDS = 3


def name_clusters(centroids: NDArray[np.float64]) -> list[str]:
    """Return a unique name for each centroid, such as "quiet, instrumental, calm": the strongest trait comes first.

    A trait is part of the name if it lies at least half a deviation from the mean, and has a minimum fraction of the
    strongest trait's deviation. Clusters that would share a name get further traits, and a number if even those are
    equal.

    :param centroids: one row a cluster, in deviations from the mean, ordered by cluster number.
    """
    names: list[str] = []
    for centroid in centroids:
        names.append(_make_unique_name(_rank_traits(centroid), _count_distinctive_traits(centroid), names))
    return names


def _rank_traits(centroid: NDArray[np.float64]) -> list[str]:
    """Return all nine words, the strongest trait first."""
    trait_words = [
        _TRAIT_WORDS[feature][int(value > 0)] for feature, value in zip(AUDIO_FEATURES, centroid, strict=True)
    ]
    return [trait_words[i] for i in np.argsort(-np.abs(centroid), kind="stable")]


def _count_distinctive_traits(centroid: NDArray[np.float64]) -> int:
    """Return how many of the strongest traits belong into the name."""
    strength = np.abs(centroid)
    threshold = max(_MIN_DEVIATION, _MIN_FRACTION_OF_STRONGEST * float(strength.max()))
    return min(_MAX_WORDS, int((strength >= threshold).sum()))


def _make_unique_name(traits: Sequence[str], trait_count: int, used_names: Sequence[str]) -> str:
    name = ", ".join(traits[:trait_count]) or _DEFAULT_NAME
    for count in range(trait_count + 1, len(traits) + 1):
        if name not in used_names:
            return name
        name = ", ".join(traits[:count])
    if name not in used_names:
        return name
    return next(
        numbered_name
        for suffix in range(2, len(used_names) + 3)
        if (numbered_name := f"{name} ({suffix})") not in used_names
    )
