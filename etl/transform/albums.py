"""Albums: with the id that a source gives, else recognised by name and first artist, else with a made id."""

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from etl.transform.winners import first_of, is_mock, precision_rank, source_named, winner


def album_variants(variants: DataFrame) -> DataFrame:
    """What each source says of each album, under the album's id.

    :param variants: what ``tracks.variants`` returns.
    :returns: album_id, given_id and name as a source has them, made_id, rank, row_count, album_type, dated.
    """
    order = (precision_rank(F.col("dated.precision")), F.col("dated.release_date"))
    said = (
        variants.where("NOT is_by_name AND album_made_id IS NOT NULL")
        .groupBy(
            F.col("album_id").alias("given_id"),
            F.col("album_name").alias("name"),
            F.col("album_made_id").alias("made_id"),
            "rank",
        )
        .agg(
            F.sum("row_count").alias("row_count"),
            F.max("album_type").alias("album_type"),
            first_of(F.when(F.col("album_id").isNotNull(), F.col("dated")), *order).alias("dated"),
        )
    )
    album_id = F.coalesce("given_id", "known_id", "made_id")
    return said.join(_known(said), on="made_id", how="left").withColumn("album_id", album_id)


def album_ids(tracks: DataFrame, album_variants: DataFrame) -> DataFrame:
    """The album of each track.

    :param tracks: track_id, album (struct of id, name, made_id; NULL where a track has none).
    :returns: track_id, album_id; a track without album is absent.
    """
    known = album_variants.where("given_id IS NULL").select("made_id", F.col("album_id").alias("found_id")).distinct()
    return (
        tracks.where("album IS NOT NULL")
        .select("track_id", F.col("album.id").alias("given_id"), F.col("album.made_id").alias("made_id"))
        .join(known, on="made_id", how="left")
        .select("track_id", F.coalesce("given_id", "found_id").alias("album_id"))
    )


def dim_album(album_variants: DataFrame, album_ids: DataFrame) -> DataFrame:
    """The staged frame: albums that some track is on. A release date is given only where a source dates the id."""
    rank, most, dated = F.col("rank"), -F.col("row_count"), F.col("dated")
    order = (is_mock(rank), precision_rank(dated.precision), rank, dated.release_date)
    typed = F.when(F.col("album_type").isNotNull(), F.struct(rank, F.col("album_type").alias("value")))
    won = (
        album_variants.groupBy("album_id")
        .agg(
            winner(F.col("name"), is_mock(rank), F.col("given_id").isNull(), rank, most).alias("name"),
            first_of(F.when(dated.isNotNull(), F.struct(rank, dated)), *order).alias("date"),
            winner(typed, rank, most).alias("typed"),
            F.min("rank").alias("rank"),
        )
        # The mock API says nothing about an album that another source tells of.
        .withColumn("date", F.when(is_mock(rank) | ~is_mock(F.col("date.rank")), F.col("date")))
        .withColumn("typed", F.when(is_mock(rank) | ~is_mock(F.col("typed.rank")), F.col("typed")))
    )
    return won.join(album_ids.select("album_id").distinct(), on="album_id", how="left_semi").select(
        "album_id",
        "name",
        F.col("typed.value").alias("album_type"),
        F.col("date.dated.release_date").alias("release_date"),
        F.col("date.dated.precision").alias("release_date_precision"),
        source_named(F.col("rank")).alias("source"),
    )


def _known(said: DataFrame) -> DataFrame:
    """The album id of a name and first artist: the one on most rows, then the smallest; none that the mock API has
    made up."""
    is_known = F.col("given_id").isNotNull() & F.col("name").isNotNull() & ~is_mock(F.col("rank"))
    counted = said.where(is_known).groupBy("made_id", "given_id")
    rows = counted.agg(F.sum("row_count").alias("row_count"))
    return rows.groupBy("made_id").agg(
        F.min_by("given_id", F.struct(-F.col("row_count"), "given_id")).alias("known_id")
    )
