"""The newness score of a track, from 0 (the catalogue's oldest month) to 1 (its newest month).

In: tracks as ``STAGED["dim_track"]``. Out: the same tracks with ``newness_score``. Ages are whole months; a date known
to the year counts as January, as everywhere.
"""

from dataclasses import dataclass
from datetime import date

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

_EARLIEST_RELEASE = date(1900, 1, 1)
"""Earlier dates are errors of the sources, not old music."""


@dataclass(frozen=True)
class ReleaseBounds:
    """The first days of the catalogue's oldest and newest month of release."""

    oldest_month: date
    newest_month: date


def compute_release_bounds(tracks: DataFrame, reference_date: date) -> ReleaseBounds | None:
    """Return the oldest and newest release month from 1900 to the reference date; None if no date lies between."""
    row = select_release_bounds(tracks, reference_date).first()
    return make_release_bounds(row["oldest"], row["newest"]) if row else None


def select_release_bounds(tracks: DataFrame, reference_date: date) -> DataFrame:
    """Return one row: oldest and newest, the first and last release date from 1900 to the reference date, or NULL."""
    is_plausible = F.col("release_date").between(F.lit(_EARLIEST_RELEASE), F.lit(reference_date))
    return tracks.where(is_plausible).agg(F.min("release_date").alias("oldest"), F.max("release_date").alias("newest"))


def make_release_bounds(oldest: date | None, newest: date | None) -> ReleaseBounds | None:
    """Return the months of dates; None without any."""
    return ReleaseBounds(oldest.replace(day=1), newest.replace(day=1)) if oldest and newest else None


def add_newness_score(tracks: DataFrame, bounds: ReleaseBounds | None) -> DataFrame:
    """Fill ``newness_score``: 1 − (age − least age) / (greatest age − least age), with ages in months.

    The reference date cancels out, so a track's score changes only with the bounds. Dates outside the bounds get 0 or
    1. Without a date or without bounds the score is NULL. If all dates within the bounds are of one month, that month
    gets 1, and earlier dates get 0.
    """
    return tracks.withColumn("newness_score", F.lit(None).cast("double") if bounds is None else _newness_score(bounds))


def _newness_score(bounds: ReleaseBounds) -> Column:
    oldest, newest = _count_months(bounds.oldest_month), _count_months(bounds.newest_month)
    month = F.year("release_date") * 12 + F.month("release_date")
    interpolated = (month - oldest).cast("double") / F.lit(float(newest - oldest or 1))
    return F.when(month >= newest, 1.0).when(month <= oldest, 0.0).otherwise(interpolated)


def _count_months(day: date) -> int:
    return day.year * 12 + day.month
