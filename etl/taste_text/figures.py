"""The figures of a taste."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from etl.formats.contracts import AUDIO_FEATURES

MIN_FEATURED_PLAYS = 10
"""With fewer plays that have audio features, their means say little."""


@dataclass(frozen=True)
class TasteFigures:
    """A row of ``mart.taste_figures`` for a year; shares are fractions, distances standard deviations by feature."""

    year: int
    plays: int
    minutes_played: int
    tracks: int
    artists: int
    new_artists: int
    earlier_plays: int
    top_artist: str | None
    top_artist_plays: int
    artists_at_top: int
    top_genre: str | None
    top_genre_share: float | None
    genres_at_top: int
    earlier_top_genre_share: float | None
    top_cluster: str | None
    top_cluster_share: float | None
    clusters_at_top: int
    catalogue_cluster_share: float | None
    plays_by_hour: tuple[int, ...]
    distances: Mapping[str, float]
    earlier_distances: Mapping[str, float]


_COUNTS = (
    *("plays", "minutes_played", "tracks", "artists", "new_artists", "earlier_plays"),
    *("top_artist_plays", "artists_at_top", "genres_at_top", "clusters_at_top"),
)
_FRACTIONS = ("top_genre_share", "earlier_top_genre_share", "top_cluster_share", "catalogue_cluster_share")
_NAMES = ("top_artist", "top_genre", "top_cluster")


def parse_figures(row: Mapping[Any, Any], year: int) -> TasteFigures:
    """Return the figures of a row; distances that few plays have are left out."""
    values: dict[str, Any] = {name: int(row[name]) if _is_known(row[name]) else 0 for name in _COUNTS}
    values |= {name: float(row[name]) if _is_known(row[name]) else None for name in _FRACTIONS}
    values |= {name: str(row[name]) if _is_known(row[name]) else None for name in _NAMES}
    return TasteFigures(
        year=year,
        plays_by_hour=tuple(int(plays) for plays in row["plays_by_hour"]),
        distances=_parse_distances(row["distances"], row["featured_plays"]),
        earlier_distances=_parse_distances(row["earlier_distances"], row["earlier_featured_plays"]),
        **values,
    )


def _is_known(value: Any) -> bool:
    return value is not None and not (isinstance(value, float) and math.isnan(value))


def _parse_distances(distances: list[float | None] | None, featured_plays: int) -> dict[str, float]:
    if distances is None or featured_plays < MIN_FEATURED_PLAYS:
        return {}
    return {
        feature: float(distance)
        for feature, distance in zip(AUDIO_FEATURES, distances, strict=True)
        if distance is not None
    }
