"""Playlists and what stands on them. Where the API has read a playlist, files that list it are not asked."""

from pyspark.sql import DataFrame, Window
from pyspark.sql import functions as F

from etl.transform.times import possible_time
from etl.transform.winners import source_named, source_rank


def not_listed(read_playlists: DataFrame, snapshots: DataFrame, rows: DataFrame) -> tuple[DataFrame, DataFrame]:
    """Return what the mock API says of playlists without those that files list: these are as the files say.

    :param read_playlists: as ``MEMORY["api_playlist"]``.
    :param snapshots: as ``spotify.memory.known_snapshots`` gives them.
    :param rows: what ``reconcile.identified`` returns.
    """
    listed = rows.where("playlist_id IS NOT NULL").select("playlist_id").distinct()
    kept, others = (
        frame.join(listed, on="playlist_id", how="left_anti").select(*frame.columns)
        for frame in (read_playlists, snapshots)
    )
    return kept, others


def dim_playlist(rows: DataFrame, read_playlists: DataFrame, api_source: str = "api") -> DataFrame:
    """The staged frame. A playlist filed under several genres stands under the pair that most of its named rows have;
    one that nothing names has the name ''.

    :param rows: what ``reconcile.identified`` returns.
    :param read_playlists: as ``MEMORY["api_playlist"]``.
    :param api_source: the source of what the API says.
    """
    named = ("playlist_name", "playlist_genre", "playlist_subgenre")
    filed = (
        rows.where("playlist_id IS NOT NULL")
        .groupBy("playlist_id", source_rank(F.col("source")).alias("rank"), *named)
        .agg(F.count(F.lit(1)).alias("row_count"))
    )
    is_unnamed = F.col("playlist_name").isNull().alias("is_unnamed")
    order = F.struct("rank", is_unnamed, -F.col("row_count"), *(F.coalesce(c, F.lit("")) for c in named))
    listed = filed.groupBy("playlist_id").agg(F.min_by(F.struct(*named, "rank"), order).alias("best"))
    read = read_playlists.where("told IS NOT NULL").select("playlist_id", "told", "items.snapshot_id")
    source = F.when(F.col("told").isNotNull(), F.lit(api_source)).otherwise(source_named(F.col("best.rank")))
    return listed.join(read, on="playlist_id", how="full").select(
        "playlist_id",
        F.coalesce("told.name", "best.playlist_name", F.lit("")).alias("name"),
        F.col("told.owner_id").alias("owner_id"),
        "snapshot_id",
        F.col("best.playlist_genre").alias("genre"),
        F.col("best.playlist_subgenre").alias("subgenre"),
        source.alias("source"),
    )


def playlist_snapshot(read_playlists: DataFrame, snapshots: DataFrame) -> DataFrame:
    """The staged frame: the snapshots to load of playlists that the API has read, by when each was first read.

    :param read_playlists: as ``MEMORY["api_playlist"]``.
    :param snapshots: as ``spotify.memory.known_snapshots`` gives them.
    """
    return _told(read_playlists, snapshots).select("playlist_id", F.col("items.asked_at").alias("seen_at"))


def fact_playlist_track(rows: DataFrame, read_playlists: DataFrame, snapshots: DataFrame) -> DataFrame:
    """The staged frame. A source that lists one playlist under two genres says each membership twice; only a track that
    stands twice within one listing stands twice on the playlist. A time at which nobody can have added anything, such
    as the 1970-01-01 of Spotify's own charts, is unknown.

    :param rows: rows with ``track_id`` filled.
    :param read_playlists: as ``MEMORY["api_playlist"]``.
    :param snapshots: as ``spotify.memory.known_snapshots`` gives them.
    """
    read = read_playlists.where("told IS NOT NULL AND items IS NOT NULL").select("playlist_id")
    times = (
        rows.where("playlist_id IS NOT NULL")
        .join(read, on="playlist_id", how="left_anti")
        .groupBy("playlist_id", "track_id", "input_id", "playlist_genre", "playlist_subgenre")
        .agg(F.count(F.lit(1)).alias("times"))
        .groupBy("playlist_id", "track_id")
        .agg(F.max("times").cast("int").alias("times"))
    )
    listed = times.select(
        "playlist_id",
        F.lit(None).cast("timestamp").alias("seen_at"),
        "track_id",
        F.explode(F.sequence(F.lit(1), F.col("times"))).alias("occurrence"),
        F.lit(None).cast("timestamp").alias("added_at"),
    )
    of_one = Window.partitionBy("playlist_id", "seen_at", "track_id")
    again = of_one.orderBy(F.col("added_at").asc_nulls_last(), "place")
    entries = _told(read_playlists, snapshots).select(
        "playlist_id", F.col("items.asked_at").alias("seen_at"), F.posexplode("items.entries").alias("place", "entry")
    )
    added_at = possible_time(F.col("entry.added_at"), F.col("seen_at")).alias("added_at")
    seen = entries.select("playlist_id", "seen_at", "place", "entry.track_id", added_at).withColumn(
        "occurrence", F.row_number().over(again)
    )
    return listed.unionByName(seen.select(*listed.columns))


def _told(read_playlists: DataFrame, snapshots: DataFrame) -> DataFrame:
    """One snapshot a moment, of playlists that have a name and an owner."""
    told = read_playlists.where("told IS NOT NULL").select("playlist_id")
    moment = snapshots.groupBy("playlist_id", "items.asked_at").agg(F.max("items").alias("items"))
    return moment.drop("asked_at").join(told, on="playlist_id", how="left_semi")
