"""Times that sources give, and whether anything can have happened then."""

from pyspark.sql import Column
from pyspark.sql import functions as F

from etl.formats.time_limits import CLOCK_TOLERANCE, SPOTIFY_FOUNDED


def is_before_spotify(time: Column) -> Column:
    """Whether a time lies before Spotify was founded, as 1970-01-01 does, which its own charts give."""
    return time < F.lit(SPOTIFY_FOUNDED)


def is_after_receipt(time: Column, received_at: Column) -> Column:
    """Whether a time lies further after its receipt than clocks differ."""
    return time > received_at + F.lit(CLOCK_TOLERANCE)


def plausible_time(time: Column, received_at: Column) -> Column:
    """Return the time, NULL where nothing can have happened then."""
    return F.when(~is_before_spotify(time) & ~is_after_receipt(time, received_at), time)
