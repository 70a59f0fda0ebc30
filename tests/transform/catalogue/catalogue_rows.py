"""Track and artist rows for tests, with defaults for all fields that a test does not set."""

from datetime import date
from typing import Any

from pyspark.sql import DataFrame, SparkSession

from etl.formats.contracts import ARTIST_ROW, AUDIO_FEATURES, LATEST_STATE, TRACK_ROW

FEATURES: dict[str, Any] = {**dict.fromkeys(AUDIO_FEATURES, 0.5), "key": 5, "mode": 1, "time_signature": 4}


def make_track_rows(spark: SparkSession, *rows: dict[str, Any]) -> DataFrame:
    """Return a frame of ``TRACK_ROW``; by default ``source`` is tracks_by_genre and ``duration_ms`` 200,000."""
    return _create_frame(spark, [_make_track_row(number, row) for number, row in enumerate(rows, 1)], TRACK_ROW)


def make_artist_rows(spark: SparkSession, *rows: dict[str, Any]) -> DataFrame:
    """Return a frame of ``ARTIST_ROW``; by default ``source`` is artists_1921_2020."""
    default = {"input_id": "artists", "source": "artists_1921_2020", "genres": []}
    return _create_frame(spark, [{**default, "row_number": n, **row} for n, row in enumerate(rows, 1)], ARTIST_ROW)


def make_playlist_rows(spark: SparkSession, *rows: dict[str, Any]) -> DataFrame:
    """Return playlists as the API returned them."""
    return _create_frame(spark, list(rows), LATEST_STATE["api_playlist"])


def get_snapshots(read: DataFrame) -> DataFrame:
    """Return the snapshots of a frame of ``read_playlists``."""
    return read.where("items IS NOT NULL").select("playlist_id", "items")


def date_as_year(number: int) -> dict[str, Any]:
    """Return the columns of a date with the precision of a year."""
    return {"release_date": date(number, 1, 1), "release_date_precision": "year"}


def _make_track_row(number: int, row: dict[str, Any]) -> dict[str, Any]:
    source = row.get("source", "tracks_by_genre")
    default = {"source": source, "input_id": source, "row_number": number, "artist_names": ["Nova"], "genres": []}
    return {**default, "duration_ms": 200_000, **row}


def _create_frame(spark: SparkSession, rows: list[dict[str, Any]], schema: Any) -> DataFrame:
    return spark.createDataFrame([tuple(row.get(name) for name in schema.names) for row in rows], schema)
