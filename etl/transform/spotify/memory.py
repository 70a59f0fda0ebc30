"""What all answers so far say: the newest word on each track, artist and playlist.

The memory of a night is that of the last published night with the night's answers folded in; folding the same answers
in again changes nothing, and neither do their order or partitions. Frames as ``schemas.MEMORY`` has them.
"""

from functools import reduce

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from etl.schemas import MEMORY
from etl.schemas.columns import MEASURES

_TOLD = (
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


def remembered(
    before: dict[str, DataFrame],
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
        "api_track": _tracks(before["api_track"], tracks, features),
        "api_artist": _artists(before["api_artist"], artists, tracks),
        "api_playlist": _playlists(before["api_playlist"], playlists, snapshots),
    }
    return {name: frame.select(*MEMORY[name].fieldNames()) for name, frame in frames.items()}


def _tracks(before: DataFrame, tracks: DataFrame, features: DataFrame) -> DataFrame:
    measures = F.struct(*(F.col(name) for name in MEASURES))
    told = tracks.select(
        "track_id",
        F.struct("asked_at", *_TOLD).alias("told"),
        _dated("isrc"),
        _dated("popularity"),
        _dated("linked_id"),
    )
    measured = features.select("track_id", F.struct("asked_at", measures.alias("value")).alias("measures"))
    said = [before, told, measured]
    united = reduce(lambda left, right: left.unionByName(right, allowMissingColumns=True), said)
    newest = united.groupBy("track_id").agg(
        F.max("told").alias("told"),
        *(F.max(name).alias(name) for name in ("isrc", "popularity", "linked_id", "measures")),
    )
    # Features are asked of tracks that are known; without its name a track is none.
    return newest.where("told IS NOT NULL")


def _dated(name: str) -> Column:
    """A field that some answers lack: its value with the time of the answer that gave it, else NULL."""
    return F.when(F.col(name).isNotNull(), F.struct("asked_at", F.col(name).alias("value"))).alias(name)


def _artists(before: DataFrame, artists: DataFrame, tracks: DataFrame) -> DataFrame:
    listed = artists.select(
        "artist_id", F.struct("asked_at", "name").alias("told"), _dated("popularity"), _dated("followers")
    )
    pairs = F.arrays_zip(F.col("artist_ids").alias("id"), F.col("artist_names").alias("name"))
    named = (
        tracks.where("artist_ids IS NOT NULL")
        .select("asked_at", F.explode(pairs).alias("artist"))
        .select(F.col("artist.id").alias("artist_id"), F.struct("asked_at", "artist.name").alias("told"))
    )
    united = before.unionByName(listed).unionByName(named, allowMissingColumns=True)
    return united.groupBy("artist_id").agg(*(F.max(name).alias(name) for name in ("told", "popularity", "followers")))


def _playlists(before: DataFrame, playlists: DataFrame, snapshots: DataFrame) -> DataFrame:
    """A playlist keeps the items of its last snapshot that was read to the end."""
    told = playlists.select("playlist_id", F.struct("asked_at", "name", "owner_id").alias("told"))
    said = [before.select("playlist_id", "told"), told, snapshots]
    united = reduce(lambda left, right: left.unionByName(right, allowMissingColumns=True), said)
    return united.groupBy("playlist_id").agg(F.max("told").alias("told"), F.max("items").alias("items"))


def known_snapshots(before: DataFrame, tracks: DataFrame, complete: DataFrame) -> DataFrame:
    """The snapshots of playlists that were read to the end: the one remembered, and those of some answers.

    A snapshot is what its first reading found: to read it again, as several accounts do, is no news.

    :param before: the memory so far, as ``MEMORY["api_playlist"]``.
    :param tracks: accepted things.
    :param complete: what ``things.complete_snapshots`` gives of the same answers.
    :returns: playlist_id and items, as in ``MEMORY["api_playlist"]``; a row a snapshot.
    """
    place = ["input_id", "playlist_id", "snapshot_id"]
    # An unknown snapshot is one, too: NULL would meet nothing, and the playlist seem empty.
    whole = complete.fillna("", ["snapshot_id"])
    entry = F.struct("row_number", "track_id", "added_at")
    entries = (
        tracks.where("endpoint = 'playlist_items'")
        .fillna("", ["snapshot_id"])
        .groupBy(*place)
        .agg(F.array_sort(F.collect_list(entry)).alias("entries"))
        .withColumn("entries", F.transform("entries", _without_place))
    )
    items = F.struct(
        "asked_at",
        F.nullif("snapshot_id", F.lit("")).alias("snapshot_id"),
        F.coalesce("entries", F.array().cast(_ENTRIES)).alias("entries"),
    )
    read = whole.join(entries, on=place, how="left").select("playlist_id", items.alias("items"))
    known = before.where("items IS NOT NULL").select("playlist_id", "items").unionByName(read)
    snapshot = F.coalesce("items.snapshot_id", F.col("items.asked_at").cast("string"))
    return known.groupBy("playlist_id", snapshot.alias("snapshot")).agg(F.min("items").alias("items")).drop("snapshot")


def _without_place(entry: Column) -> Column:
    return F.struct(entry["track_id"].alias("track_id"), entry["added_at"].alias("added_at"))
