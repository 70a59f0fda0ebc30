"""Albums: with the id of a source, else the id of the album of that name and artist, else a name-derived id."""

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from etl.transform.catalogue.source_precedence import (
    exclude_mock_value,
    is_mock_rank,
    pick_first,
    pick_value,
    precision_rank,
    source_at_rank,
)


def build_album_variants(variants: DataFrame) -> DataFrame:
    """Return the variants of each album: one row for each combination of source, id and name.

    :param variants: the result of ``tracks.build_track_variants``.
    :returns: album_id, source_id and name as a source has them, name_derived_id, rank (of the source), row_count,
        album_type, release (a struct of release_date and precision).
    """
    order = (precision_rank(F.col("release.precision")), F.col("release.release_date"))
    variant_groups = (
        variants.where("NOT is_by_name AND album_name_derived_id IS NOT NULL")
        .groupBy(
            F.col("album_id").alias("source_id"),
            F.col("album_name").alias("name"),
            F.col("album_name_derived_id").alias("name_derived_id"),
            "rank",
        )
        .agg(
            F.sum("row_count").alias("row_count"),
            F.max("album_type").alias("album_type"),
            pick_first(F.when(F.col("album_id").isNotNull(), F.col("release")), *order).alias("release"),
        )
    )
    album_id = F.coalesce("source_id", "id_by_name", "name_derived_id")
    return variant_groups.join(_find_known_ids(variant_groups), on="name_derived_id", how="left").withColumn(
        "album_id", album_id
    )


def build_album_ids(tracks: DataFrame, album_variants: DataFrame) -> DataFrame:
    """Return the album of each track: track_id, album_id; a track without album is absent.

    :param tracks: track_id, album (struct of id, name, name_derived_id; NULL for a track without album).
    """
    id_by_name = (
        album_variants.where("source_id IS NULL")
        .select("name_derived_id", F.col("album_id").alias("matched_id"))
        .distinct()
    )
    return (
        tracks.where("album IS NOT NULL")
        .select(
            "track_id", F.col("album.id").alias("source_id"), F.col("album.name_derived_id").alias("name_derived_id")
        )
        .join(id_by_name, on="name_derived_id", how="left")
        .select("track_id", F.coalesce("source_id", "matched_id").alias("album_id"))
    )


def build_dim_album(album_variants: DataFrame, album_ids: DataFrame) -> DataFrame:
    """Return the staged frame dim_album: the albums of all tracks. Rows without the album's id give no release date."""
    rank, most_rows_first, release = F.col("rank"), -F.col("row_count"), F.col("release")
    order = (is_mock_rank(rank), precision_rank(release.precision), rank, release.release_date)
    album_type = F.when(F.col("album_type").isNotNull(), F.struct(rank, F.col("album_type").alias("value")))
    albums = (
        album_variants.groupBy("album_id")
        .agg(
            pick_value(F.col("name"), is_mock_rank(rank), F.col("source_id").isNull(), rank, most_rows_first).alias(
                "name"
            ),
            pick_first(F.when(release.isNotNull(), F.struct(rank, release)), *order).alias("date"),
            pick_value(album_type, rank, most_rows_first).alias("best_type"),
            F.min("rank").alias("rank"),
        )
        # The mock API's values do not count for an album that another source has.
        .withColumn("date", exclude_mock_value("date", rank))
        .withColumn("best_type", exclude_mock_value("best_type", rank))
    )
    return albums.join(album_ids.select("album_id").distinct(), on="album_id", how="left_semi").select(
        "album_id",
        "name",
        F.col("best_type.value").alias("album_type"),
        F.col("date.release.release_date").alias("release_date"),
        F.col("date.release.precision").alias("release_date_precision"),
        source_at_rank(F.col("rank")).alias("source"),
    )


def _find_known_ids(variants: DataFrame) -> DataFrame:
    """Return the album id of each name and first artist: the one with most rows, then the smallest.

    Ids of the mock API do not count, because it invents them.
    """
    has_known_id = F.col("source_id").isNotNull() & F.col("name").isNotNull() & ~is_mock_rank(F.col("rank"))
    id_groups = variants.where(has_known_id).groupBy("name_derived_id", "source_id")
    row_counts = id_groups.agg(F.sum("row_count").alias("row_count"))
    return row_counts.groupBy("name_derived_id").agg(
        F.min_by("source_id", F.struct(-F.col("row_count"), "source_id")).alias("id_by_name")
    )
