"""Playlists and what stands on them."""

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from etl.transform.winners import source_named, source_rank


def dim_playlist(rows: DataFrame) -> DataFrame:
    """The staged frame. A playlist filed under several genres stands under the pair that most of its rows have."""
    named = ("playlist_name", "playlist_genre", "playlist_subgenre")
    filed = (
        rows.where("playlist_id IS NOT NULL")
        .groupBy("playlist_id", source_rank(F.col("source")).alias("rank"), *named)
        .agg(F.count(F.lit(1)).alias("row_count"))
    )
    order = F.struct("rank", -F.col("row_count"), *(F.coalesce(c, F.lit("")) for c in named))
    best = F.min_by(F.struct(*named, "rank"), order).alias("best")
    return (
        filed.groupBy("playlist_id")
        .agg(best)
        .select(
            "playlist_id",
            F.col("best.playlist_name").alias("name"),
            F.col("best.playlist_genre").alias("genre"),
            F.col("best.playlist_subgenre").alias("subgenre"),
            source_named(F.col("best.rank")).alias("source"),
        )
    )


def fact_playlist_track(rows: DataFrame) -> DataFrame:
    """The staged frame. A source that lists one playlist under two genres says each membership twice; only a track that
    stands twice within one listing stands twice on the playlist."""
    times = (
        rows.where("playlist_id IS NOT NULL")
        .groupBy("playlist_id", "track_id", "input_id", "playlist_genre", "playlist_subgenre")
        .agg(F.count(F.lit(1)).alias("times"))
        .groupBy("playlist_id", "track_id")
        .agg(F.max("times").cast("int").alias("times"))
    )
    return times.select("playlist_id", "track_id", F.explode(F.sequence(F.lit(1), F.col("times"))).alias("occurrence"))
