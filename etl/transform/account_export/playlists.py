"""Playlists of the account data, and the tracks on them.

In: lines of the format playlist_export. Out: frames of ``EVENTS`` and rejected rows. An item belongs to the playlist
that has its number in its file. A playlist without URI gets an id derived from its user, its name, and its number among
the user's playlists of that name.
"""

from dataclasses import dataclass

from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F

from etl.formats.contracts import EVENTS
from etl.transform.account_export.fields import (
    EARLIEST_PLAY,
    build_text_rules,
    get_text,
    parse_boolean,
    parse_integer,
)
from etl.transform.names import name_derived_id
from etl.transform.uris import LOCAL_URI, PLAYLIST_URI, SPOKEN_URI, TRACK_URI
from etl.transform.validation import Rule, split_rows

SOURCE = "playlist_export"
_TEXT_FIELDS = ("name", "playlistUri", "trackName", "artistName", "albumName", "episodeName", "showName", "trackUri")
FIELDS = ("kind", "playlist", "lastModifiedDate", "is_alone", "addedDate", *_TEXT_FIELDS)
_COPY_SUFFIX = r" ?\(([0-9]+)\)(?=\.json)"
"""The number that a browser adds to the name of a file that it downloads again."""


@dataclass(frozen=True)
class ParsedPlaylists:
    """Frames of ``EVENTS`` (the playlists, their tracks, and the accepted and repeated lines of each input), and the
    rejected lines."""

    playlists: DataFrame
    tracks: DataFrame
    counts: DataFrame
    rejected: DataFrame


def build_derived_columns() -> dict[str, Column]:
    """Return the columns that rules and ``split_playlists`` refer to by name."""
    added_at = F.try_to_timestamp(F.substring(get_text("addedDate"), 1, 10), F.lit("yyyy-MM-dd"))
    is_possible = (added_at >= F.lit(EARLIEST_PLAY).cast("timestamp")) & (added_at <= F.col("received_at"))
    return {
        "playlist_number": parse_integer("playlist"),
        "uri_id": F.nullif(F.regexp_extract(get_text("playlistUri"), PLAYLIST_URI, 1), F.lit("")),
        "track_id": F.nullif(F.regexp_extract(get_text("trackUri"), TRACK_URI, 1), F.lit("")),
        "added_at": F.when(is_possible, added_at),
    }


def build_validation_rules() -> list[Rule[Column]]:
    """Return the rules that reject a line, in the order in which they are checked."""
    kind, uri = get_text("kind"), get_text("trackUri")
    is_track = kind == "track"
    return [
        *build_text_rules(_TEXT_FIELDS),
        Rule((kind == "episode") | (is_track & uri.rlike(SPOKEN_URI)), "item is an episode"),
        Rule(kind == "audiobook", "item is an audiobook"),
        Rule((kind == "local track") | (is_track & uri.rlike(LOCAL_URI)), "item is a local file"),
        Rule(kind == "nothing", "item is no longer available"),
        Rule(is_track & uri.isNotNull() & F.col("track_id").isNull(), "trackUri is no track"),
        Rule(is_track & uri.isNull() & get_text("trackName").isNull(), "trackName is missing"),
        Rule(is_track & uri.isNull() & get_text("artistName").isNull(), "artistName is missing"),
    ]


def split_playlists(lines: DataFrame) -> ParsedPlaylists:
    """Split lines into playlists, their tracks and rejected lines.

    :param lines: the lines with their fields, the derived columns, and the ``reason`` why a line is rejected.
    """
    is_playlist_line = F.coalesce(get_text("kind") == "playlist", F.lit(False))
    playlist_lines = split_rows(lines.where(is_playlist_line), ("*",), F.col("body"), "number")
    playlist_rows = _build_playlists(playlist_lines.accepted)
    items = lines.where(~is_playlist_line).drop("uri_id")
    key = ["input_id", "file", "playlist_number"]
    playlist_ids = playlist_rows.select(*key, "playlist_id", "is_repeated")
    items = items.join(playlist_ids, on=key, how="left").withColumn(
        "reason", F.coalesce("reason", F.when(F.col("playlist_id").isNull(), F.lit("its playlist was rejected")))
    )
    track_lines = split_rows(items, ("*",), F.col("body"), "number")
    tracks = track_lines.accepted
    accepted_lines = playlist_rows.select("input_id", "is_repeated").unionByName(
        tracks.select("input_id", "is_repeated")
    )
    counts = accepted_lines.groupBy("input_id").agg(
        F.count(F.lit(1)).alias("rows_accepted"), F.count_if("is_repeated").alias("rows_repeated")
    )
    return ParsedPlaylists(
        playlists=_select_columns(playlist_rows.where("NOT is_repeated"), "exported_playlist"),
        tracks=_select_columns(
            tracks.where("NOT is_repeated").select(
                "*", get_text("trackName").alias("track_name"), get_text("artistName").alias("artist_name")
            ),
            "exported_playlist_track",
        ),
        counts=_select_columns(counts, "event_count"),
        rejected=playlist_lines.rejected.unionByName(track_lines.rejected),
    )


def _build_playlists(lines: DataFrame) -> DataFrame:
    """Return the playlists. If several exports of the import contain one, the version modified last is used, and the
    others are marked ``is_repeated``."""
    export_name = F.concat(F.regexp_extract("file", "^(.*/)?[^/]*$", 1), F.regexp_extract("file", _COPY_SUFFIX, 1))
    same_name_window = Window.partitionBy("input_id", "user_id", "export", "name").orderBy("number")
    name = F.coalesce(get_text("name"), F.lit(""))
    named_lines = lines.select("*", name.alias("name"), export_name.alias("export")).withColumn(
        "occurrence", F.row_number().over(same_name_window)
    )
    number = F.col("occurrence").cast("string")
    derived_id = name_derived_id(F.lit("playlist"), F.col("user_id"), F.col("name"), number)
    identified_lines = named_lines.withColumn("playlist_id", F.coalesce("uri_id", derived_id))
    newest_first = Window.partitionBy("input_id", "playlist_id").orderBy(
        get_text("lastModifiedDate").desc_nulls_last(), "export", "number"
    )
    return identified_lines.select(
        *("input_id", "user_id", "file", "playlist_number", "playlist_id", "name", "occurrence"),
        F.col("received_at").alias("seen_at"),
        _extract_file_name().alias("file_name"),
        F.coalesce(parse_boolean("is_alone"), F.lit(False)).alias("is_alone"),
        (F.row_number().over(newest_first) > 1).alias("is_repeated"),
    )


def _extract_file_name() -> Column:
    """Return a file's name as Spotify gives it, without folder, copy number and compression."""
    name = F.regexp_extract("file", "([^/]*)$", 1)
    return F.regexp_replace(F.regexp_replace(name, _COPY_SUFFIX, ""), r"\.gz$", "")


def _select_columns(frame: DataFrame, table: str) -> DataFrame:
    column_names = frame.columns
    source_columns = {"seen_at": "received_at", "place": "number"}
    return frame.select(
        *(
            F.col(field.name if field.name in column_names else source_columns[field.name])
            .cast(field.dataType)
            .alias(field.name)
            for field in EVENTS[table].fields
        )
    )
