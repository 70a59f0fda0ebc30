"""Playlists of the account data: which there are, and which tracks stand on them.

An item belongs to the playlist of its file with its number. The export gives a playlist no id: where it has no URI it
gets an id made of its listener, its name, and its number among those of the same name.
"""

from dataclasses import dataclass

from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F

from etl.schemas import EVENTS
from etl.transform.account_export.values import (
    FIRST_PLAY,
    LOCAL_URI,
    SPOKEN_URI,
    TRACK_URI,
    Faults,
    flag,
    said,
    text_faults,
    whole,
)
from etl.transform.names import made_id

SOURCE = "playlist_export"
_TEXTS = ("name", "playlistUri", "trackName", "artistName", "albumName", "episodeName", "showName", "trackUri")
FIELDS = ("kind", "playlist", "lastModifiedDate", "is_alone", "addedDate", *_TEXTS)
_PLAYLIST_URI = "^spotify:(?:user:[^:]+:)?playlist:([0-9A-Za-z]{1,255})$"
_COPY = r" ?\(([0-9]+)\)(?=\.json)"
"""What a browser writes into the name of a file that it downloads again."""


@dataclass(frozen=True)
class Playlists:
    """Frames of ``EVENTS``: the playlists, their tracks, and how many lines of each input became them or were told
    twice; and the rejected lines."""

    playlists: DataFrame
    tracks: DataFrame
    counts: DataFrame
    rejected: DataFrame


def reads() -> dict[str, Column]:
    """Return columns that the others refer to by name."""
    added_at = F.try_to_timestamp(F.substring(said("addedDate"), 1, 10), F.lit("yyyy-MM-dd"))
    is_possible = (added_at >= F.lit(FIRST_PLAY).cast("timestamp")) & (added_at <= F.col("received_at"))
    return {
        "playlist_number": whole("playlist"),
        "uri_id": F.nullif(F.regexp_extract(said("playlistUri"), _PLAYLIST_URI, 1), F.lit("")),
        "track_id": F.nullif(F.regexp_extract(said("trackUri"), TRACK_URI, 1), F.lit("")),
        "added_at": F.when(is_possible, added_at),
    }


def faults() -> Faults:
    """Return what rejects a line, the first that holds."""
    kind, uri = said("kind"), said("trackUri")
    is_track = kind == "track"
    return [
        *text_faults(_TEXTS),
        ((kind == "episode") | (is_track & uri.rlike(SPOKEN_URI)), "item is an episode"),
        (kind == "audiobook", "item is an audiobook"),
        ((kind == "local track") | (is_track & uri.rlike(LOCAL_URI)), "item is a local file"),
        (kind == "nothing", "item is no longer available"),
        (is_track & uri.isNotNull() & F.col("track_id").isNull(), "trackUri is no track"),
        (is_track & uri.isNull() & said("trackName").isNull(), "trackName is missing"),
        (is_track & uri.isNull() & said("artistName").isNull(), "artistName is missing"),
    ]


def split(lines: DataFrame) -> Playlists:
    """Split lines into playlists, their tracks and rejected lines.

    :param lines: the lines with their fields, ``reads()``, and the ``reason`` why a line is rejected.
    """
    is_head = F.coalesce(said("kind") == "playlist", F.lit(False))
    heads = _heads(lines.where(is_head & F.col("reason").isNull()))
    items = lines.where(~is_head).drop("uri_id")
    key = ["input_id", "file", "playlist_number"]
    own = heads.select(*key, "playlist_id", "is_repeated")
    items = items.join(own, on=key, how="left").withColumn(
        "reason", F.coalesce("reason", F.when(F.col("playlist_id").isNull(), F.lit("its playlist was rejected")))
    )
    tracks = items.where("reason IS NULL")
    told = heads.select("input_id", "is_repeated").unionByName(tracks.select("input_id", "is_repeated"))
    counts = told.groupBy("input_id").agg(
        F.count(F.lit(1)).alias("rows_accepted"), F.count_if("is_repeated").alias("rows_repeated")
    )
    return Playlists(
        playlists=_as(heads.where("NOT is_repeated"), "exported_playlist"),
        tracks=_as(
            tracks.where("NOT is_repeated").select(
                "*", said("trackName").alias("track_name"), said("artistName").alias("artist_name")
            ),
            "exported_playlist_track",
        ),
        counts=_as(counts, "event_count"),
        rejected=_as_rejected(lines.where(is_head)).unionByName(_as_rejected(items)),
    )


def _heads(lines: DataFrame) -> DataFrame:
    """Return the playlists. Of one that several exports within the import tell, the one that was modified last holds;
    the others are repeated."""
    copy = F.concat(F.regexp_extract("file", "^(.*/)?[^/]*$", 1), F.regexp_extract("file", _COPY, 1))
    alike = Window.partitionBy("input_id", "user_id", "export", "name").orderBy("number")
    name = F.coalesce(said("name"), F.lit(""))
    named = lines.select("*", name.alias("name"), copy.alias("export")).withColumn(
        "occurrence", F.row_number().over(alike)
    )
    number = F.col("occurrence").cast("string")
    made = made_id(F.lit("playlist"), F.col("user_id"), F.col("name"), number)
    known = named.withColumn("playlist_id", F.coalesce("uri_id", made))
    newest = Window.partitionBy("input_id", "playlist_id").orderBy(
        said("lastModifiedDate").desc_nulls_last(), "export", "number"
    )
    return known.select(
        *("input_id", "user_id", "file", "playlist_number", "playlist_id", "name", "occurrence"),
        F.col("received_at").alias("seen_at"),
        _file_name().alias("file_name"),
        F.coalesce(flag("is_alone"), F.lit(False)).alias("is_alone"),
        (F.row_number().over(newest) > 1).alias("is_repeated"),
    )


def _file_name() -> Column:
    """The name of a file as Spotify gives it, without folder, copy and compression."""
    name = F.regexp_extract("file", "([^/]*)$", 1)
    return F.regexp_replace(F.regexp_replace(name, _COPY, ""), r"\.gz$", "")


def _as(frame: DataFrame, table: str) -> DataFrame:
    names = frame.columns
    given = {"seen_at": "received_at", "place": "number"}
    return frame.select(
        *(
            F.col(field.name if field.name in names else given[field.name]).cast(field.dataType).alias(field.name)
            for field in EVENTS[table].fields
        )
    )


def _as_rejected(lines: DataFrame) -> DataFrame:
    return lines.where("reason IS NOT NULL").select(
        "input_id", F.col("number").alias("row_number"), "reason", F.col("body").alias("row")
    )
