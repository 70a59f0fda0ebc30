"""What events of all sources have in common: an id, and a track that is known by an id."""

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

_ID_COLUMNS = ("id_high", "id_low")


def identified(rows: DataFrame) -> DataFrame:
    """Rows of EVENT_ROW with an id in place of their identity.

    The id's 128 bits are the milliseconds of event_time (48), the digit that marks a UUID of one's own making (4), and
    a hash of source, user, time and identity (76): the same event gets the same id whenever it comes.

    :returns: the rows with id_high and id_low.
    """
    whole = (F.col("source"), F.col("user_id"), F.col("event_time"), F.col("identity"))
    high = (
        F.shiftleft(F.unix_millis("event_time"), 16)
        .bitwiseOR(F.lit(0x8000).cast("long"))
        .bitwiseOR(F.xxhash64(F.lit("high"), *whole).bitwiseAND(F.lit(0x0FFF).cast("long")))
    )
    low = F.xxhash64(F.lit("low"), *whole)
    return rows.select(
        high.alias("id_high"), low.alias("id_low"), *(name for name in rows.columns if name != "identity")
    )


def event_id() -> Column:
    """The id as the 16 bytes of a UUID."""
    return F.concat(*(F.unhex(F.lpad(F.hex(F.col(name)), 16, "0")) for name in _ID_COLUMNS))


def with_made_ids(rows: DataFrame, made: DataFrame) -> DataFrame:
    """Rows whose track or artist has a name alone, with the ids that were made of it.

    :param made: track_name, artist_name, made_track, made_artist.
    """
    known = F.broadcast(made.withColumnsRenamed({"track_name": "named_track", "artist_name": "named_artist"}))
    is_named = (F.col("artist_name") == F.col("named_artist")) & F.col("track_name").eqNullSafe(F.col("named_track"))
    return (
        rows.join(known, on=F.col("track_id").isNull() & is_named, how="left")
        .withColumn("track_id", F.coalesce("track_id", "made_track"))
        .withColumn("artist_id", F.coalesce("artist_id", "made_artist"))
        .drop(*known.columns)
    )
