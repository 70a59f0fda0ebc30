"""Albums: with the id that a source gives, else recognised by name and first artist, else with a made id."""

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from etl.transform.catalogue.source_precedence import (
    is_mock_rank,
    pick_first,
    pick_value,
    precision_rank,
    source_at_rank,
)


def build_album_variants(variants: DataFrame) -> DataFrame:
    """What each source says of each album, under the album's id.

    :param variants: what ``tracks.variants`` returns.
    :returns: album_id, given_id and name as a source has them, made_id, rank, row_count, album_type, dated.
    """
    order = (precision_rank(F.col("dated.precision")), F.col("dated.release_date"))
    variant_groups = (
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
            pick_first(F.when(F.col("album_id").isNotNull(), F.col("dated")), *order).alias("dated"),
        )
    )
    album_id = F.coalesce("given_id", "known_id", "made_id")
    return variant_groups.join(_find_known_ids(variant_groups), on="made_id", how="left").withColumn(
        "album_id", album_id
    )


def build_album_ids(tracks: DataFrame, album_variants: DataFrame) -> DataFrame:
    """The album of each track.

    :param tracks: track_id, album (struct of id, name, made_id; NULL where a track has none).
    :returns: track_id, album_id; a track without album is absent.
    """
    id_by_name = (
        album_variants.where("given_id IS NULL").select("made_id", F.col("album_id").alias("found_id")).distinct()
    )
    return (
        tracks.where("album IS NOT NULL")
        .select("track_id", F.col("album.id").alias("given_id"), F.col("album.made_id").alias("made_id"))
        .join(id_by_name, on="made_id", how="left")
        .select("track_id", F.coalesce("given_id", "found_id").alias("album_id"))
    )


def build_dim_album(album_variants: DataFrame, album_ids: DataFrame) -> DataFrame:
    """The staged frame: albums that some track is on. A release date is given only where a source dates the id."""
    rank, most_rows_first, release = F.col("rank"), -F.col("row_count"), F.col("dated")
    order = (is_mock_rank(rank), precision_rank(release.precision), rank, release.release_date)
    album_type = F.when(F.col("album_type").isNotNull(), F.struct(rank, F.col("album_type").alias("value")))
    albums = (
        album_variants.groupBy("album_id")
        .agg(
            pick_value(F.col("name"), is_mock_rank(rank), F.col("given_id").isNull(), rank, most_rows_first).alias(
                "name"
            ),
            pick_first(F.when(release.isNotNull(), F.struct(rank, release)), *order).alias("date"),
            pick_value(album_type, rank, most_rows_first).alias("typed"),
            F.min("rank").alias("rank"),
        )
        # The mock API says nothing about an album that another source tells of.
        .withColumn("date", F.when(is_mock_rank(rank) | ~is_mock_rank(F.col("date.rank")), F.col("date")))
        .withColumn("typed", F.when(is_mock_rank(rank) | ~is_mock_rank(F.col("typed.rank")), F.col("typed")))
    )
    return albums.join(album_ids.select("album_id").distinct(), on="album_id", how="left_semi").select(
        "album_id",
        "name",
        F.col("typed.value").alias("album_type"),
        F.col("date.dated.release_date").alias("release_date"),
        F.col("date.dated.precision").alias("release_date_precision"),
        source_at_rank(F.col("rank")).alias("source"),
    )


def _find_known_ids(variants: DataFrame) -> DataFrame:
    """The album id of a name and first artist: the one on most rows, then the smallest; none that the mock API has
    made up."""
    has_known_id = F.col("given_id").isNotNull() & F.col("name").isNotNull() & ~is_mock_rank(F.col("rank"))
    id_groups = variants.where(has_known_id).groupBy("made_id", "given_id")
    row_counts = id_groups.agg(F.sum("row_count").alias("row_count"))
    return row_counts.groupBy("made_id").agg(
        F.min_by("given_id", F.struct(-F.col("row_count"), "given_id")).alias("known_id")
    )
