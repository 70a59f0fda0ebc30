"""Albums: with the id that a source gives, else recognised by name and first artist, else with a made id."""

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from etl.transform.winners import first_of, precision_rank, source_named, winner


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
    most = -F.col("row_count")
    dated = F.col("dated")
    order = (precision_rank(dated.precision), F.col("rank"), dated.release_date)
    won = album_variants.groupBy("album_id").agg(
        winner(F.col("name"), F.col("given_id").isNull(), F.col("rank"), most).alias("name"),
        first_of(dated, *order).alias("dated"),
        F.min("rank").alias("rank"),
        winner(F.col("album_type"), F.col("rank"), most).alias("album_type"),
    )
    return won.join(album_ids.select("album_id").distinct(), on="album_id", how="left_semi").select(
        "album_id",
        "name",
        "album_type",
        F.col("dated.release_date").alias("release_date"),
        F.col("dated.precision").alias("release_date_precision"),
        source_named(F.col("rank")).alias("source"),
    )


def _known(said: DataFrame) -> DataFrame:
    """The album id of a name and first artist: the one on most rows, then the smallest."""
    counted = said.where("given_id IS NOT NULL AND name IS NOT NULL").groupBy("made_id", "given_id")
    rows = counted.agg(F.sum("row_count").alias("row_count"))
    return rows.groupBy("made_id").agg(
        F.min_by("given_id", F.struct(-F.col("row_count"), "given_id")).alias("known_id")
    )
