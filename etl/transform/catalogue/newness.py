"""How new a track is, on the scale from the catalogue's oldest month (0) to its newest (1).

In: tracks as ``schemas.STAGED["dim_track"]``. Out: the same tracks with ``newness_score`` filled. Counted in whole
months; a date known to its year stands in January, as everywhere.
"""

from dataclasses import dataclass
from datetime import date

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

_EARLIEST_RELEASE = date(1900, 1, 1)
"""Dates before this one are mistakes of the sources, not old music."""


@dataclass(frozen=True)
class ReleaseBounds:
    """First day of the oldest and of the newest month of release that the catalogue has."""

    oldest_month: date
    newest_month: date


def compute_release_bounds(tracks: DataFrame, reference_date: date) -> ReleaseBounds | None:
    """The span of release months from 1900 to the reference date; None where no date lies in it."""
    is_plausible = F.col("release_date").between(F.lit(_EARLIEST_RELEASE), F.lit(reference_date))
    row = (
        tracks.where(is_plausible)
        .agg(F.min("release_date").alias("oldest"), F.max("release_date").alias("newest"))
        .first()
    )
    if row is None or row["oldest"] is None:
        return None
    return ReleaseBounds(row["oldest"].replace(day=1), row["newest"].replace(day=1))


def add_newness_score(tracks: DataFrame, bounds: ReleaseBounds | None) -> DataFrame:
    """The tracks with ``newness_score``: 1 − (age − least age) / (greatest age − least age), ages in months.

    The reference date cancels out, what is left is one division of whole numbers: a track's score changes only with
    the bounds. Dates outside the bounds get 0 or 1; no date, or no bounds, gives NULL. Where all the catalogue is
    of one month that month is its newest: 1, and 0 for what is dated before it.
    """
    return tracks.withColumn("newness_score", F.lit(None).cast("double") if bounds is None else _newness_score(bounds))


def _newness_score(bounds: ReleaseBounds) -> Column:
    oldest, newest = _count_months(bounds.oldest_month), _count_months(bounds.newest_month)
    month = F.year("release_date") * 12 + F.month("release_date")
    interpolated = (month - oldest).cast("double") / F.lit(float(newest - oldest or 1))
    return F.when(month >= newest, 1.0).when(month <= oldest, 0.0).otherwise(interpolated)


def _count_months(day: date) -> int:
    return day.year * 12 + day.month
