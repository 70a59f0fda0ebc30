"""Simulated listeners and events in the shapes of other contracts: SpotifyWrappedData, and the four entities.

In: records of the contracts ``user_activity_2`` and ``user`` as Spark frames, and the catalogue's tracks. Out: frames
of records of ``spotify_wrapped_data``, ``entity_user``, ``entity_track``, ``entity_artist`` and ``entity_event``.
"""

import pandas as pd
from pyspark.sql import Column, DataFrame, SparkSession, Window
from pyspark.sql import functions as F

_MEASURES = ("valence", "tempo", "acousticness", "energy", "danceability")
_TRACK_FIELDS = {
    "trackId string": "track_id",
    "name string": "name",
    "artistId string": "artist_id",
    "genre string": "genre",
    "duration int": "duration_ms",
    "release_day int": "release_date",
    **{f"{name} float": name for name in _MEASURES},
    "audioFeaturesType int": "audio_features_type",
    "newnessScore double": "newness_score",
}
_ARTIST_FIELDS = {
    "artistId string": "artist_id",
    "name string": "artist",
    "popularity int": "artist_popularity",
    "followers bigint": "artist_followers",
}
"""Fields with their Spark types, and the columns of the library's frame that supply their values."""


def make_wrapped_records(events: DataFrame, users: DataFrame) -> DataFrame:
    """Return a record of SpotifyWrappedData for each event, with its user as of that time and its song."""
    by_time = Window.partitionBy("userId").orderBy("updatedAt")
    # The first record of a user also applies before its own time.
    is_first = F.lag("updatedAt").over(by_time).isNull()
    versions = users.select(
        F.col("userId").alias("version_of"),
        F.struct(*(name for name in users.columns if name != "userId")).alias("user"),
        F.when(~is_first, F.col("updatedAt")).alias("valid_from"),
        F.lead("updatedAt").over(by_time).alias("valid_to"),
    )
    is_current = (F.col("valid_from").isNull() | (F.col("eventTime") >= F.col("valid_from"))) & (
        F.col("valid_to").isNull() | (F.col("eventTime") < F.col("valid_to"))
    )
    # An event with an injected error in its user id has no user.
    joined = events.join(versions, (F.col("userId") == F.col("version_of")) & is_current, "left")
    return joined.select(
        _make_profile().alias("userProfile"),
        F.when(F.col("songId").isNotNull(), _make_song()).alias("songMetadata"),
        _make_interaction().alias("userSongInteraction"),
    )


def make_user_entities(users: DataFrame) -> DataFrame:
    """Return a record of UserEntity for each user, from their latest record."""
    names = ("username", "birthdate", "gender", "favouriteGenre")
    latest = users.groupBy("userId").agg(F.max_by(F.struct(*users.columns), "updatedAt").alias("user"))
    return latest.select(
        "userId", *(F.col(f"user.{name}").alias(name) for name in names), F.col("user.country").alias("location")
    )


def make_track_entities(spark: SparkSession, tracks: pd.DataFrame) -> DataFrame:
    """Return a record of TrackEntity for each track.

    :param tracks: ``track_library.TRACK_COLUMNS``, and optionally ``audio_features_type`` and ``newness_score``.
    """
    frame = _to_spark_frame(spark, tracks, _TRACK_FIELDS)
    return frame.withColumn("releaseDate", F.date_add(F.lit("1970-01-01").cast("date"), F.col("release_day"))).drop(
        "release_day"
    )


def make_artist_entities(spark: SparkSession, tracks: pd.DataFrame) -> DataFrame:
    """Return a record of ArtistEntity for each artist.

    :param tracks: ``track_library.TRACK_COLUMNS``, and optionally ``artist_followers``.
    """
    return _to_spark_frame(spark, tracks.drop_duplicates("artist_id"), _ARTIST_FIELDS)


def make_event_entities(events: DataFrame) -> DataFrame:
    """Return a record of EventEntity for each event."""
    return events.select(
        *("eventId", "userId", "artistId", "activityType", "msPlayed", "deviceType"),
        F.col("songId").alias("trackId"),
        F.col("eventTime").alias("timestamp"),
    )


def _make_profile() -> Column:
    names = ("username", "birthdate", "gender", "country", "timezone", "subscriptionType", "favouriteGenre")
    born = F.col("user.birthdate")
    is_before_birthday = F.date_format("eventTime", "MMdd") < F.date_format(born, "MMdd")
    age = F.year("eventTime") - F.year(born) - is_before_birthday.cast("int")
    return F.struct("userId", *(F.col(f"user.{name}").alias(name) for name in names), age.alias("age"))


def _make_song() -> Column:
    names = ("songId", "artistId", "artist", "genre", "duration", *_MEASURES)
    return F.struct(*names, F.col("song").alias("title"))


def _make_interaction() -> Column:
    return F.struct(
        *("eventId", "activityType", "msPlayed", "deviceType", "playlistId"),
        F.col("eventTime").alias("timestamp"),
        _format_local_time(F.col("eventTime"), F.col("timezone")).alias("localTimestamp"),
        F.col("context.isShuffle").alias("isShuffle"),
    )


def _format_local_time(timestamp: Column, timezone: Column) -> Column:
    """Return ISO 8601 with the offset of a timezone, such as 2026-10-01T09:30:00.000+02:00."""
    local = F.from_utc_timestamp(timestamp, timezone)
    # Spark formats offsets of the session's timezone only, so the offset is computed as a difference.
    offset_minutes = ((F.unix_millis(local) - F.unix_millis(timestamp)) / 60_000).cast("int")
    minutes = F.abs(offset_minutes)
    return F.format_string(
        "%s%s%02d:%02d",
        F.date_format(local, "yyyy-MM-dd'T'HH:mm:ss.SSS"),
        F.when(offset_minutes < 0, "-").otherwise("+"),
        (minutes / 60).cast("int"),
        minutes % 60,
    )


def _to_spark_frame(spark: SparkSession, frame: pd.DataFrame, fields: dict[str, str]) -> DataFrame:
    """Return columns of a pandas frame as Spark columns; missing columns are NULL."""
    columns = frame.reindex(columns=list(fields.values()))
    rows = [
        tuple(None if pd.isna(value) else _to_python(value, field) for value, field in zip(row, fields, strict=True))
        for row in columns.itertuples(index=False)
    ]
    return spark.createDataFrame(rows, ", ".join(fields))


def _to_python(value: object, field: str) -> object:
    """Return a value in the Python type that Spark expects: pandas stores integers with gaps as floats."""
    kind = field.split()[1]
    return str(value) if kind == "string" else (float if kind in ("float", "double") else int)(float(str(value)))
