"""Playlists and their tracks. API responses about a playlist take precedence over files."""

from pyspark.sql import DataFrame, Window
from pyspark.sql import functions as F

from etl.transform.catalogue.source_precedence import source_at_rank, source_rank
from etl.transform.times import plausible_time


def exclude_file_playlists(
    api_playlists: DataFrame, snapshots: DataFrame, rows: DataFrame
) -> tuple[DataFrame, DataFrame]:
    """Return the mock API's playlists and snapshots without those that files have: for these, the files count.

    :param api_playlists: as ``LATEST_STATE["api_playlist"]``.
    :param snapshots: the result of ``spotify.latest_state.merge_snapshots``.
    :param rows: the result of ``reconciliation.add_track_identity``.
    """
    file_playlists = rows.where("playlist_id IS NOT NULL").select("playlist_id").distinct()
    remaining_playlists, remaining_snapshots = (
        frame.join(file_playlists, on="playlist_id", how="left_anti").select(*frame.columns)
        for frame in (api_playlists, snapshots)
    )
    return remaining_playlists, remaining_snapshots


def build_dim_playlist(rows: DataFrame, api_playlists: DataFrame, api_source: str = "api") -> DataFrame:
    """Return the staged frame dim_playlist.

    A playlist with several genres in files gets the pair of genre and subgenre with most named rows. A playlist without
    a name has the name ''.

    :param rows: the result of ``reconciliation.add_track_identity``.
    :param api_playlists: as ``LATEST_STATE["api_playlist"]``.
    :param api_source: the source of API responses.
    """
    name_columns = ("playlist_name", "playlist_genre", "playlist_subgenre")
    file_playlists = (
        rows.where("playlist_id IS NOT NULL")
        .groupBy("playlist_id", source_rank(F.col("source")).alias("rank"), *name_columns)
        .agg(F.count(F.lit(1)).alias("row_count"))
    )
    is_unnamed = F.col("playlist_name").isNull().alias("is_unnamed")
    order = F.struct(
        "rank", is_unnamed, -F.col("row_count"), *(F.coalesce(column, F.lit("")) for column in name_columns)
    )
    preferred_names = file_playlists.groupBy("playlist_id").agg(
        F.min_by(F.struct(*name_columns, "rank"), order).alias("best")
    )
    named_api_playlists = api_playlists.where("told IS NOT NULL").select("playlist_id", "told", "items.snapshot_id")
    source = F.when(F.col("told").isNotNull(), F.lit(api_source)).otherwise(source_at_rank(F.col("best.rank")))
    return preferred_names.join(named_api_playlists, on="playlist_id", how="full").select(
        "playlist_id",
        F.coalesce("told.name", "best.playlist_name", F.lit("")).alias("name"),
        F.col("told.owner_id").alias("owner_id"),
        "snapshot_id",
        F.col("best.playlist_genre").alias("genre"),
        F.col("best.playlist_subgenre").alias("subgenre"),
        source.alias("source"),
    )


def build_playlist_snapshot(api_playlists: DataFrame, snapshots: DataFrame) -> DataFrame:
    """Return the staged frame playlist_snapshot: the snapshots to load, with the time of their first reading.

    :param api_playlists: as ``LATEST_STATE["api_playlist"]``.
    :param snapshots: the result of ``spotify.latest_state.merge_snapshots``.
    """
    return _select_snapshots(api_playlists, snapshots).select("playlist_id", F.col("items.asked_at").alias("seen_at"))


def build_fact_playlist_track(rows: DataFrame, api_playlists: DataFrame, snapshots: DataFrame) -> DataFrame:
    """Return the staged frame fact_playlist_track.

    A file that lists a playlist under two genres has each membership twice; a track is twice on a playlist only if it
    is twice in one listing. An implausible time of addition, such as the 1970-01-01 in Spotify's own charts, is NULL.

    :param rows: rows with ``track_id`` filled.
    :param api_playlists: as ``LATEST_STATE["api_playlist"]``.
    :param snapshots: the result of ``spotify.latest_state.merge_snapshots``.
    """
    read_playlist_ids = api_playlists.where("told IS NOT NULL AND items IS NOT NULL").select("playlist_id")
    membership_counts = (
        rows.where("playlist_id IS NOT NULL")
        .join(read_playlist_ids, on="playlist_id", how="left_anti")
        .groupBy("playlist_id", "track_id", "input_id", "playlist_genre", "playlist_subgenre")
        .agg(F.count(F.lit(1)).alias("times"))
        .groupBy("playlist_id", "track_id")
        .agg(F.max("times").cast("int").alias("times"))
    )
    file_memberships = membership_counts.select(
        "playlist_id",
        F.lit(None).cast("timestamp").alias("seen_at"),
        "track_id",
        F.explode(F.sequence(F.lit(1), F.col("times"))).alias("occurrence"),
        F.lit(None).cast("timestamp").alias("added_at"),
    )
    track_window = Window.partitionBy("playlist_id", "seen_at", "track_id")
    occurrence_order = track_window.orderBy(F.col("added_at").asc_nulls_last(), "position")
    entries = _select_snapshots(api_playlists, snapshots).select(
        "playlist_id",
        F.col("items.asked_at").alias("seen_at"),
        F.posexplode("items.entries").alias("position", "entry"),
    )
    added_at = plausible_time(F.col("entry.added_at"), F.col("seen_at")).alias("added_at")
    api_memberships = entries.select("playlist_id", "seen_at", "position", "entry.track_id", added_at).withColumn(
        "occurrence", F.row_number().over(occurrence_order)
    )
    return file_memberships.unionByName(api_memberships.select(*file_memberships.columns))


def _select_snapshots(api_playlists: DataFrame, snapshots: DataFrame) -> DataFrame:
    """Return one snapshot for each time of reading, of playlists with a description (name and owner)."""
    named_playlists = api_playlists.where("told IS NOT NULL").select("playlist_id")
    snapshot_by_time = snapshots.groupBy("playlist_id", "items.asked_at").agg(F.max("items").alias("items"))
    return snapshot_by_time.drop("asked_at").join(named_playlists, on="playlist_id", how="left_semi")
