"""Readable names for clusters, from what sets each one apart."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from etl.schemas import AUDIO_FEATURES

_WORDS = {
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
"""What a centroid far below and far above the mean is called."""

_NOTHING_STANDS_OUT = "middle of the road"
_LEAST_DEVIATION = 0.5
_LEAST_SHARE_OF_STRONGEST = 0.3
_MOST_WORDS = 3


def cluster_names(centroids: NDArray[np.float64]) -> list[str]:
    """A name for each centroid, no two alike, such as "quiet, instrumental, calm": the strongest trait comes first.

    A trait is named where it stands half a deviation from the mean and is not dwarfed by the strongest one. Clusters
    that would share a name are told apart by their next traits, and by a count where even those are equal.

    :param centroids: one row a cluster, in deviations from the mean, ordered by cluster number.
    """
    names: list[str] = []
    for centroid in centroids:
        names.append(_unique(_traits(centroid), _telling(centroid), names))
    return names


def _traits(centroid: NDArray[np.float64]) -> list[str]:
    """All nine words, the strongest trait first."""
    words = [_WORDS[feature][int(value > 0)] for feature, value in zip(AUDIO_FEATURES, centroid, strict=True)]
    return [words[i] for i in np.argsort(-np.abs(centroid), kind="stable")]


def _telling(centroid: NDArray[np.float64]) -> int:
    """How many of the traits are worth naming."""
    strength = np.abs(centroid)
    least = max(_LEAST_DEVIATION, _LEAST_SHARE_OF_STRONGEST * float(strength.max()))
    return min(_MOST_WORDS, int((strength >= least).sum()))


def _unique(traits: Sequence[str], telling: int, taken: Sequence[str]) -> str:
    name = ", ".join(traits[:telling]) or _NOTHING_STANDS_OUT
    for count in range(telling + 1, len(traits) + 1):
        if name not in taken:
            return name
        name = ", ".join(traits[:count])
    if name not in taken:
        return name
    return next(numbered for n in range(2, len(taken) + 3) if (numbered := f"{name} ({n})") not in taken)
