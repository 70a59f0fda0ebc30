"""Events with the keys of what they name: rows of the fact tables."""

from collections.abc import Mapping

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from etl.schemas import STAGED
from etl.transform.events.members import CONTEXT
from etl.transform.events.rows import event_id

_NOT_APPLICABLE = 0
_UNKNOWN = -1


def facts(rows: DataFrame, keys: Mapping[str, DataFrame], continents: DataFrame) -> dict[str, DataFrame]:
    """The staged frames ``fact_event`` and ``fact_spoken_event``.

    :param rows: as ``rows.identified`` gives them, with ids for all that has a name.
    :param keys: the frames of sql/lookup, by name: user, artist, track, playlist, context, input.
    :param continents: country, continent.
    """
    keyed = _keyed(rows, keys).withColumns(_times()).join(continents, on="country", how="left")
    is_spoken = F.col("spoken_id").isNotNull()
    music, spoken = (keyed.where(~is_spoken), keyed.where(is_spoken))
    return {
        "fact_event": music.select(*STAGED["fact_event"].names),
        "fact_spoken_event": spoken.select(*STAGED["fact_spoken_event"].names),
    }


def _keyed(rows: DataFrame, keys: Mapping[str, DataFrame]) -> DataFrame:
    user, time = keys["user"].withColumnRenamed("user_id", "version_of"), F.col("event_time")
    is_version = (F.col("user_id") == F.col("version_of")) & (time >= F.col("valid_from")) & (time < F.col("valid_to"))
    context = keys["context"].select("context_key", _context_hash().alias("known_hash"))
    is_context = F.when(F.col("activity_type") == "PLAY", _context_hash()) == F.col("known_hash")
    return (
        rows.join(user, on=is_version, how="inner")
        .join(keys["input"], on="input_id", how="inner")
        .join(context, on=is_context, how="left")
        .join(keys["track"], on="track_id", how="left")
        .join(keys["artist"], on="artist_id", how="left")
        .join(keys["playlist"], on="playlist_id", how="left")
        .withColumns(_key_columns())
    )


def _context_hash() -> Column:
    # One number to compare instead of seven values, each of which can be NULL; no text of PostgreSQL holds U+0000.
    return F.xxhash64(*(F.coalesce(F.col(name).cast("string"), F.lit("\u0000")) for name in CONTEXT))


def _key_columns() -> dict[str, Column]:
    is_about_artist = F.col("activity_type") == "FOLLOW"
    no_track = F.when(is_about_artist, _NOT_APPLICABLE).otherwise(_UNKNOWN)
    no_artist = F.when(F.col("playlist_id").isNotNull() & is_about_artist, _NOT_APPLICABLE).otherwise(_UNKNOWN)
    no_context = F.when(F.col("activity_type") == "PLAY", _UNKNOWN).otherwise(_NOT_APPLICABLE)
    return {
        "event_id": event_id(),
        "track_key": F.coalesce("track_key", no_track),
        "artist_key": F.coalesce("artist_key", "first_artist_key", no_artist),
        "playlist_key": F.coalesce("playlist_key", F.lit(_NOT_APPLICABLE)),
        "context_key": F.coalesce("context_key", no_context),
        "is_skipped": F.coalesce("is_skipped", F.lit(False)),
    }


def _times() -> dict[str, Column]:
    zone = F.coalesce("timezone", "home_timezone", F.lit("UTC"))
    local = F.from_utc_timestamp("event_time", zone)
    return {
        "is_home_time": F.col("timezone").isNull(),
        "local_time": local.cast("timestamp_ntz"),
        "local_hour": F.hour(local).cast("short"),
        "date_key": _day_number(local),
        "utc_date_key": _day_number(F.col("event_time")),
    }


def _day_number(time: Column) -> Column:
    return (F.year(time) * 10_000 + F.month(time) * 100 + F.dayofmonth(time)).cast("int")
