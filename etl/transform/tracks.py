"""The fields of a track, each from the source that wins it (docs/rules.md)."""

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from etl.schemas import AUDIO_FEATURES
from etl.schemas.columns import MEASURES
from etl.transform.names import made_id
from etl.transform.winners import first_of, is_mock, precision_rank, source_named, source_rank, winner

FROM_RECORDING = "recording"
"""The source of a value that another id of the same recording has."""

FROM_NAME_MATCH = "name_match"
"""The source of a value that a row without an id has, which was recognised by name."""


def variants(rows: DataFrame) -> DataFrame:
    """What each source says of each track, one row for every way of saying it.

    :param rows: what ``reconcile.identified`` returns, with ``track_id`` filled and ``is_by_name`` true where the row
        itself had no id and was recognised.
    :returns: track_id, is_by_name, rank (of the source), the fields that name the track, row_count, what the names
        are compared by (title, version, edition, credit, artist_keys, album_made_id), and of the fields that may
        differ between such rows: popularity (the largest), dated and measured (structs).
    """
    said = (
        "name",
        "artist_names",
        "artist_ids",
        "album_id",
        "album_name",
        "album_type",
        "duration_ms",
        "explicit",
        "isrc",
    )
    has_album = F.coalesce("album_id", "album_name").isNotNull()
    album_made_id = F.when(has_album, made_id(F.col("album_title"), F.col("artist_keys")[0]))
    compared = F.struct("title", "version", "edition", "credit", "artist_keys", album_made_id.alias("album_made_id"))
    dated = F.struct("release_date", F.col("release_date_precision").alias("precision"))
    order = (precision_rank(F.col("release_date_precision")), F.col("release_date"))
    measured = F.when(F.coalesce(*MEASURES).isNotNull(), F.struct(*MEASURES))
    return (
        rows.repartition("track_id")
        .groupBy("track_id", "is_by_name", source_rank(F.col("source")).alias("rank"), *said)
        .agg(
            F.count(F.lit(1)).alias("row_count"),
            F.max("popularity").alias("popularity"),
            first_of(F.when(F.col("release_date").isNotNull(), dated), *order).alias("dated"),
            F.min(measured).alias("measured"),
            F.min(compared).alias("compared"),
        )
        .select("*", "compared.*")
        .drop("compared")
    )


def won_fields(variants: DataFrame) -> DataFrame:
    """Each track with the values that its own rows give it, and aside what rows recognised by name would.

    :returns: track_id, rank (of the best source that carries it), name, duration_ms, explicit, isrc; the structs titles
        (title, version, edition, credit), artists (names, ids, keys), album (id, name, made_id) and measures (rank,
        values); own_dated and named_dated (rank, date), own_popular and named_popular (rank, value).
    """
    is_own = ~F.col("is_by_name")
    rank, most = F.col("rank"), -F.col("row_count")
    best = (rank, most, F.col("told.name"), F.col("told.duration_ms"), F.col("told.artists"))
    no_album_id = F.col("album_id").isNull()
    measures = F.struct("rank", F.col("measured").alias("values"))
    incomplete = F.exists(F.array(*(F.col(f"measured.{name}").isNull() for name in AUDIO_FEATURES)), lambda c: c)
    fullest = (F.col("is_by_name"), incomplete, rank, most, F.col("measured"))
    won = (
        variants.withColumn("told", _told())
        .groupBy("track_id")
        .agg(
            F.min(F.when(is_own, rank)).alias("rank"),
            first_of(F.when(is_own, F.col("told")), *best).alias("told"),
            winner(F.when(is_own, F.col("explicit")), rank, most).alias("explicit"),
            winner(F.when(is_own, F.col("isrc")), rank, most).alias("isrc"),
            winner(F.when(is_own, _album()), no_album_id, rank, most).alias("album"),
            first_of(F.when(F.col("measured").isNotNull(), measures), *fullest).alias("measures"),
            *(_dated(is_own, "own"), _dated(~is_own, "named")),
            *(_popular(is_own, "own"), _popular(~is_own, "named")),
        )
    )
    return won.select("*", "told.*").drop("told")


def _told() -> Column:
    artists = F.struct(
        F.col("artist_names").alias("names"), F.col("artist_ids").alias("ids"), F.col("artist_keys").alias("keys")
    )
    titles = F.struct("title", "version", "edition", "credit")
    return F.struct("name", "duration_ms", artists.alias("artists"), titles.alias("titles"))


def _album() -> Column:
    album = F.struct(
        F.col("album_id").alias("id"), F.col("album_name").alias("name"), F.col("album_made_id").alias("made_id")
    )
    return F.when(F.col("album_made_id").isNotNull(), album)


def with_recording(won: DataFrame, recordings: DataFrame) -> DataFrame:
    """Add the recording, and take from it, or else from a match by name, a date or popularity that is missing.

    Audio features that are missing are taken from the recording, too: they belong to the sound, and keep the name of
    the source that measured it.

    :param won: what ``won_fields`` returns.
    :param recordings: track_id, recording_id of the recordings of more than one id.
    :returns: the columns of ``won`` and recording_id, release_date, release_date_precision, release_date_source,
        popularity, popularity_source.
    """
    own_date, other_date, named_date = F.col("own_dated.date"), F.col("other_date"), F.col("named_dated.date")
    own, other, named = F.col("own_popular.value"), F.col("other_popularity"), F.col("named_popular.value")
    return (
        won.join(_of_recordings(won, recordings), on="track_id", how="left")
        .withColumn("recording_id", F.coalesce("recording_id", "track_id"))
        .withColumn("measures", F.coalesce("measures", "other_measures"))
        .withColumn("date", F.coalesce(own_date, other_date, named_date))
        .withColumn("release_date", F.col("date.release_date"))
        .withColumn("release_date_precision", F.col("date.precision"))
        .withColumn("release_date_source", _whence(own_date, F.col("own_dated.rank"), other_date, named_date))
        .withColumn("popularity", F.coalesce(own, other, named))
        .withColumn("popularity_source", _whence(own, F.col("own_popular.rank"), other, named))
    )


def _of_recordings(won: DataFrame, recordings: DataFrame) -> DataFrame:
    """Each id of a recording of several, with the earliest date, the largest popularity and the best measured features
    among those ids that not the mock API alone tells of."""
    date = F.col("own_dated.date")
    told = won.where(~is_mock(F.col("rank")))
    earliest = (F.year(date["release_date"]), precision_rank(date["precision"]), date["release_date"])
    known = (
        told.select("track_id", "own_dated", "own_popular", "measures")
        .join(recordings, on="track_id", how="inner")
        .groupBy("recording_id")
        .agg(
            first_of(date, *earliest).alias("other_date"),
            F.max("own_popular.value").alias("other_popularity"),
            F.min("measures").alias("other_measures"),
        )
    )
    return recordings.join(known, on="recording_id", how="left")


def dim_track(tracks: DataFrame, album_ids: DataFrame, primary_genres: DataFrame) -> DataFrame:
    """The staged frame; cluster and newness stay NULL.

    :param tracks: what ``with_recording`` returns.
    :param album_ids: track_id, album_id.
    :param primary_genres: track_id, primary_genre.
    """
    return (
        tracks.join(album_ids, on="track_id", how="left")
        .join(primary_genres, on="track_id", how="left")
        .select(
            "*",
            F.col("measures.values.*"),
            source_named(F.col("measures.rank")).alias("audio_features_source"),
            F.lit(None).cast("int").alias("audio_features_type"),
            F.lit(None).cast("double").alias("newness_score"),
            source_named(F.col("rank")).alias("source"),
        )
        .withColumn("primary_genre", F.coalesce("primary_genre", F.lit("unknown")))
    )


def _dated(condition: Column, name: str) -> Column:
    order = (precision_rank(F.col("dated.precision")), F.col("rank"), F.col("dated.release_date"))
    dated = F.struct(F.col("rank"), F.col("dated").alias("date"))
    return first_of(F.when(condition & F.col("dated").isNotNull(), dated), *order).alias(f"{name}_dated")


def _popular(condition: Column, name: str) -> Column:
    popular = F.struct(F.col("rank"), F.col("popularity").alias("value"))
    order = (F.col("rank"), -F.col("popularity"))
    return first_of(F.when(condition & F.col("popularity").isNotNull(), popular), *order).alias(f"{name}_popular")


def _whence(own: Column, own_rank: Column, other: Column, named: Column) -> Column:
    return (
        F.when(own.isNotNull(), source_named(own_rank))
        .when(other.isNotNull(), F.lit(FROM_RECORDING))
        .when(named.isNotNull(), F.lit(FROM_NAME_MATCH))
    )
