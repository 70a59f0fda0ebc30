"""What all answers so far say: the newest word on each track, artist and playlist.

The memory of a night is that of the last published night with the night's answers folded in; folding the same answers
in again changes nothing, and neither do their order or partitions. Frames as ``schemas.MEMORY`` has them.
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
    """The memory after some answers.

    :param before: the memory so far, by the names of ``MEMORY``; empty frames at first.
    :param tracks: accepted things, as are ``artists``, ``playlists`` and ``features``.
    :param snapshots: what ``known_snapshots`` gives of the same answers.
    :returns: frames of ``MEMORY``.
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
    # Features are asked of tracks that are known; without its name a track is none.
    return newest_states.where("told IS NOT NULL")


def _with_response_time(name: str) -> Column:
    """A field that some answers lack: its value with the time of the answer that gave it, else NULL."""
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
    """A playlist keeps the items of its last snapshot that was read to the end."""
    playlist_descriptions = playlists.select("playlist_id", F.struct("asked_at", "name", "owner_id").alias("told"))
    updates = [previous.select("playlist_id", "told"), playlist_descriptions, snapshots]
    all_states = reduce(lambda left, right: left.unionByName(right, allowMissingColumns=True), updates)
    return all_states.groupBy("playlist_id").agg(F.max("told").alias("told"), F.max("items").alias("items"))


def merge_snapshots(previous: DataFrame, tracks: DataFrame, complete_snapshots: DataFrame) -> DataFrame:
    """The snapshots of playlists that were read to the end: the one remembered, and those of some answers.

    A snapshot is what its first reading found: to read it again, as several accounts do, is no news.

    :param before: the memory so far, as ``MEMORY["api_playlist"]``.
    :param tracks: accepted things.
    :param complete: what ``things.complete_snapshots`` gives of the same answers.
    :returns: playlist_id and items, as in ``MEMORY["api_playlist"]``; a row a snapshot.
    """
    snapshot_key = ["input_id", "playlist_id", "snapshot_id"]
    # An unknown snapshot is one, too: NULL would meet nothing, and the playlist seem empty.
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
    return (
        all_snapshots.groupBy("playlist_id", snapshot.alias("snapshot"))
        .agg(F.min("items").alias("items"))
        .drop("snapshot")
    )


def _drop_row_number(entry: Column) -> Column:
    return F.struct(entry["track_id"].alias("track_id"), entry["added_at"].alias("added_at"))
