"""Genres of a track, weighted by the number of rows that mention them."""

from pyspark.sql import DataFrame, Window
from pyspark.sql import functions as F

from etl.transform.catalogue.source_precedence import source_at_rank, source_rank


def compute_genre_weights(rows: DataFrame) -> DataFrame:
    """Return the genres of each track with their weights: every accepted row mentions each of its genres once.

    :param rows: track_id, source, genres.
    :returns: track_id, genre, mentions, rank (of the best source that mentions it), weight (the weights of a track sum
        to 1).
    """
    track_window = Window.partitionBy("track_id")
    return (
        rows.select(
            "track_id", source_rank(F.col("source")).alias("rank"), F.explode(F.array_distinct("genres")).alias("genre")
        )
        .withColumn("genre", F.lower(F.trim("genre")))
        .where("genre <> ''")
        .repartition("track_id")
        .groupBy("track_id", "genre")
        .agg(F.count(F.lit(1)).alias("mentions"), F.min("rank").alias("rank"))
        .withColumn("weight", F.col("mentions") / F.sum("mentions").over(track_window))
    )


def build_bridge_track_genre(genre_weights: DataFrame) -> DataFrame:
    """Return the staged frame bridge_track_genre, from the result of ``compute_genre_weights``."""
    return genre_weights.select("track_id", "genre", source_at_rank(F.col("rank")).alias("source"), "weight")


def select_primary_genres(genre_weights: DataFrame) -> DataFrame:
    """Return track_id, primary_genre: the genre of the largest weight, then of the best source, then by alphabet."""
    order = F.struct(-F.col("mentions"), "rank", "genre")
    return genre_weights.groupBy("track_id").agg(F.min_by("genre", order).alias("primary_genre"))
