"""The latest state of each track, artist and playlist, by all API responses so far.

In: the state of the last published run and the accepted resources of new responses. Out: frames of ``LATEST_STATE``.
The update is idempotent, and does not depend on the order or the partitions of the responses. A value wins by the time
of its response: the structs begin with ``asked_at``, so that ``max`` picks the newest one.
"""

from functools import reduce

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from etl.formats.contracts import LATEST_STATE
from etl.formats.contracts.columns import MEASURES

_DESCRIPTION_COLUMNS = (
    "name",
    "artist_ids",
    "artist_names",
    "album_id",
    "album_name",
    "album_type",
    "release_date",
    "release_date_precision",
    "duration_ms",
    "explicit",
)
_ENTRIES = "array<struct<track_id: string, added_at: timestamp>>"


def update_latest_state(
    previous: dict[str, DataFrame],
    tracks: DataFrame,
    artists: DataFrame,
    playlists: DataFrame,
    features: DataFrame,
    snapshots: DataFrame,
) -> dict[str, DataFrame]:
    """Return the latest state after new responses: the frames of ``LATEST_STATE`` about the API's own resources.

    :param previous: the state so far, by the names of ``LATEST_STATE``; empty frames at first.
    :param tracks: accepted resources, as are ``artists``, ``playlists`` and ``features``.
    :param snapshots: the result of ``merge_snapshots`` for the same responses.
    """
    frames = {
        "api_track": _update_tracks(previous["api_track"], tracks, features),
        "api_artist": _update_artists(previous["api_artist"], artists, tracks),
        "api_playlist": _update_playlists(previous["api_playlist"], playlists, snapshots),
    }
    return {name: frame.select(*LATEST_STATE[name].fieldNames()) for name, frame in frames.items()}


def _update_tracks(previous: DataFrame, tracks: DataFrame, features: DataFrame) -> DataFrame:
    measures = F.struct(*(F.col(name) for name in MEASURES))
    track_descriptions = tracks.select(
        "track_id",
        F.struct("asked_at", *_DESCRIPTION_COLUMNS).alias("told"),
        _with_response_time("isrc"),
        _with_response_time("popularity"),
        _with_response_time("linked_id"),
    )
    track_measures = features.select("track_id", F.struct("asked_at", measures.alias("value")).alias("measures"))
    updates = [previous, track_descriptions, track_measures]
    all_states = reduce(lambda left, right: left.unionByName(right, allowMissingColumns=True), updates)
    newest_states = all_states.groupBy("track_id").agg(
        F.max("told").alias("told"),
        *(F.max(name).alias(name) for name in ("isrc", "popularity", "linked_id", "measures")),
    )
    # Features are requested for known tracks only; a track without a description has no name and is dropped.
    return newest_states.where("told IS NOT NULL")


def _with_response_time(name: str) -> Column:
    """Return the struct of a field's value and its response's time; NULL if this response lacks the field."""
    return F.when(F.col(name).isNotNull(), F.struct("asked_at", F.col(name).alias("value"))).alias(name)


def _update_artists(previous: DataFrame, artists: DataFrame, tracks: DataFrame) -> DataFrame:
    listed_artists = artists.select(
        "artist_id",
        F.struct("asked_at", "name").alias("told"),
        _with_response_time("popularity"),
        _with_response_time("followers"),
    )
    id_name_pairs = F.arrays_zip(F.col("artist_ids").alias("id"), F.col("artist_names").alias("name"))
    credited_artists = (
        tracks.where("artist_ids IS NOT NULL")
        .select("asked_at", F.explode(id_name_pairs).alias("artist"))
        .select(F.col("artist.id").alias("artist_id"), F.struct("asked_at", "artist.name").alias("told"))
    )
    all_states = previous.unionByName(listed_artists).unionByName(credited_artists, allowMissingColumns=True)
    return all_states.groupBy("artist_id").agg(
        *(F.max(name).alias(name) for name in ("told", "popularity", "followers"))
    )


def _update_playlists(previous: DataFrame, playlists: DataFrame, snapshots: DataFrame) -> DataFrame:
    """Update playlists; each has the items of the newest snapshot that was read completely."""
    playlist_descriptions = playlists.select("playlist_id", F.struct("asked_at", "name", "owner_id").alias("told"))
    updates = [previous.select("playlist_id", "told"), playlist_descriptions, snapshots]
    all_states = reduce(lambda left, right: left.unionByName(right, allowMissingColumns=True), updates)
    return all_states.groupBy("playlist_id").agg(F.max("told").alias("told"), F.max("items").alias("items"))


def merge_snapshots(previous: DataFrame, tracks: DataFrame, complete_snapshots: DataFrame) -> DataFrame:
    """Return the completely read snapshots of playlists: those of the latest state and those of new responses.

    A snapshot has the items of its first reading. Further readings of it, by other accounts, change nothing.

    :param previous: the state so far, ``LATEST_STATE["api_playlist"]``.
    :param tracks: accepted resources.
    :param complete_snapshots: the result of ``resources.select_complete_snapshots`` for the same responses.
    :returns: playlist_id and items, as in ``LATEST_STATE["api_playlist"]``; one row a snapshot.
    """
    snapshot_key = ["input_id", "playlist_id", "snapshot_id"]
    # NULL would not join with itself, and a playlist without a snapshot id would seem empty.
    snapshots = complete_snapshots.fillna("", ["snapshot_id"])
    entry = F.struct("row_number", "track_id", "added_at")
    entries = (
        tracks.where("endpoint = 'playlist_items'")
        .fillna("", ["snapshot_id"])
        .groupBy(*snapshot_key)
        .agg(F.array_sort(F.collect_list(entry)).alias("entries"))
        .withColumn("entries", F.transform("entries", _drop_row_number))
    )
    items = F.struct(
        "asked_at",
        F.nullif("snapshot_id", F.lit("")).alias("snapshot_id"),
        F.coalesce("entries", F.array().cast(_ENTRIES)).alias("entries"),
    )
    new_snapshots = snapshots.join(entries, on=snapshot_key, how="left").select("playlist_id", items.alias("items"))
    all_snapshots = previous.where("items IS NOT NULL").select("playlist_id", "items").unionByName(new_snapshots)
    snapshot = F.coalesce("items.snapshot_id", F.col("items.asked_at").cast("string"))
    # Structs compare field by field, and asked_at is the first field: the minimum is the earliest reading.
    return (
        all_snapshots.groupBy("playlist_id", snapshot.alias("snapshot"))
        .agg(F.min("items").alias("items"))
        .drop("snapshot")
    )


def _drop_row_number(entry: Column) -> Column:
    return F.struct(entry["track_id"].alias("track_id"), entry["added_at"].alias("added_at"))
