"""The limits of a plausible time, as column expressions."""

from pyspark.sql import Column
from pyspark.sql import functions as F

from etl.formats.time_limits import CLOCK_TOLERANCE, SPOTIFY_FOUNDED


def is_before_spotify(time: Column) -> Column:
    """Return whether a time lies before Spotify was founded, such as the 1970-01-01 in Spotify's own charts."""
    return time < F.lit(SPOTIFY_FOUNDED)


def is_after_receipt(time: Column, received_at: Column) -> Column:
    """Return whether a time lies further after its receipt than clocks may differ."""
    return time > received_at + F.lit(CLOCK_TOLERANCE)


def plausible_time(time: Column, received_at: Column) -> Column:
    """Return the time; NULL if it lies before Spotify was founded or after its receipt."""
    return F.when(~is_before_spotify(time) & ~is_after_receipt(time, received_at), time)
