"""What events of all sources have in common: an id, the track they are about, and one row for what was told twice."""

from dataclasses import dataclass

from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F

from etl.transform.names import artist_key, made_id, made_track_id, title_parts

_ID_COLUMNS = ("id_high", "id_low")


def identified(rows: DataFrame) -> DataFrame:
    """Rows of EVENT_ROW with an id, and with made ids where they name a track or artist by name alone.

    The id's 128 bits are the milliseconds of event_time (48), the digit that marks a UUID of one's own making (4), and
    a hash of source, user, time and identity (76): the same event gets the same id whenever it comes.

    :returns: the rows with id_high and id_low, and with ``track_id`` and ``artist_id`` made where they were NULL.
    """
    whole = (F.col("source"), F.col("user_id"), F.col("event_time"), F.col("identity"))
    high = (
        F.shiftleft(F.unix_millis("event_time"), 16)
        .bitwiseOR(F.lit(0x8000).cast("long"))
        .bitwiseOR(F.xxhash64(F.lit("high"), *whole).bitwiseAND(F.lit(0x0FFF).cast("long")))
    )
    low = F.xxhash64(F.lit("low"), *whole)
    is_track_named = F.col("track_id").isNull() & F.col("track_name").isNotNull() & F.col("artist_name").isNotNull()
    title = title_parts(F.col("track_name"))
    made_track = made_track_id(title["title"], title["version"], artist_key(F.col("artist_name")))
    is_artist_named = F.col("artist_id").isNull() & F.col("track_id").isNull() & F.col("artist_name").isNotNull()
    return rows.select(
        high.alias("id_high"),
        low.alias("id_low"),
        *(name for name in rows.columns if name not in ("identity", "track_id", "artist_id")),
        F.when(is_track_named, made_track).otherwise(F.col("track_id")).alias("track_id"),
        F.when(is_artist_named, made_id(artist_key(F.col("artist_name"))))
        .otherwise(F.col("artist_id"))
        .alias("artist_id"),
    )


def event_id() -> Column:
    """The id as the 16 bytes of a UUID."""
    return F.concat(*(F.unhex(F.lpad(F.hex(F.col(name)), 16, "0")) for name in _ID_COLUMNS))


@dataclass(frozen=True)
class Distinct:
    """Rows of which each event is one, and how many rows of each input were told twice."""

    rows: DataFrame
    repeated: DataFrame


def distinct(rows: DataFrame) -> Distinct:
    """Keep one row of each event.

    Few events are told twice: only their halves of an id are known to all, and only their rows are sorted.

    :param rows: what ``identified`` returns; computed twice.
    :returns: rows, and (input_id, rows_repeated).
    """
    suspects = rows.groupBy("id_low").agg(F.count(F.lit(1)).alias("size")).where("size > 1").select("id_low")
    suspected = F.broadcast(suspects)
    single = rows.join(suspected, on="id_low", how="left_anti")
    columns = [name for name in rows.columns if name not in _ID_COLUMNS]
    first = Window.partitionBy(*_ID_COLUMNS).orderBy("input_id", F.xxhash64(*columns))
    told = (
        rows.join(suspected, on="id_low", how="left_semi").withColumn("telling", F.row_number().over(first)).persist()
    )
    again = told.where("telling > 1").groupBy("input_id").agg(F.count(F.lit(1)).alias("rows_repeated"))
    return Distinct(single.unionByName(told.where("telling = 1").drop("telling")), again)
