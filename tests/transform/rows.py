"""Track and artist rows for tests: a name and what the test is about, the rest by default."""

from datetime import date
from typing import Any

from pyspark.sql import DataFrame, SparkSession

from etl.formats.contracts import ARTIST_ROW, AUDIO_FEATURES, LATEST_STATE, TRACK_ROW

FEATURES: dict[str, Any] = {**dict.fromkeys(AUDIO_FEATURES, 0.5), "key": 5, "mode": 1, "time_signature": 4}


def track_rows(spark: SparkSession, *rows: dict[str, Any]) -> DataFrame:
    """A frame of ``TRACK_ROW``; ``source`` is tracks_by_genre, ``duration_ms`` 200,000 where a row does not say."""
    return _frame(spark, [_track_row(number, row) for number, row in enumerate(rows, 1)], TRACK_ROW)


def artist_rows(spark: SparkSession, *rows: dict[str, Any]) -> DataFrame:
    """A frame of ``ARTIST_ROW``; ``source`` is artists_1921_2020 where a row does not say."""
    default = {"input_id": "artists", "source": "artists_1921_2020", "genres": []}
    return _frame(spark, [{**default, "row_number": n, **row} for n, row in enumerate(rows, 1)], ARTIST_ROW)


def read_playlists(spark: SparkSession, *rows: dict[str, Any]) -> DataFrame:
    """What the API said of playlists; none where there is no row."""
    return _frame(spark, list(rows), LATEST_STATE["api_playlist"])


def snapshots(read: DataFrame) -> DataFrame:
    """The snapshots that ``read_playlists`` gives."""
    return read.where("items IS NOT NULL").select("playlist_id", "items")


def year(number: int) -> dict[str, Any]:
    """The columns of a date known to the year."""
    return {"release_date": date(number, 1, 1), "release_date_precision": "year"}


def _track_row(number: int, row: dict[str, Any]) -> dict[str, Any]:
    source = row.get("source", "tracks_by_genre")
    default = {"source": source, "input_id": source, "row_number": number, "artist_names": ["Nova"], "genres": []}
    return {**default, "duration_ms": 200_000, **row}


def _frame(spark: SparkSession, rows: list[dict[str, Any]], schema: Any) -> DataFrame:
    return spark.createDataFrame([tuple(row.get(name) for name in schema.names) for row in rows], schema)
