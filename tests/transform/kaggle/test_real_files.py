"""The real files from disk to rows, against counts of the files."""

from datetime import UTC, datetime
from pathlib import Path

import pytest
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from etl.extract.kaggle import receive_file
from etl.formats.kaggle.file_formats import FORMATS
from etl.formats.tabular import read_rows
from etl.storage.lake import Lake
from etl.transform.kaggle import parse_rows

pytestmark = [pytest.mark.real_data, pytest.mark.usefixtures("large_input_options")]

NAMES = ("dataset.csv", "spotify_songs.csv", "Spotify-2000.csv", "Spotify-2000_bom_crlf.csv", "Spotify_data.xlsx")
REJECTED: dict[str, dict[int, str]] = {
    "dataset.csv": {65901: "track_name is missing"},
    "spotify_songs.csv": dict.fromkeys((8152, 9283, 9284, 19569, 19812), "track_name is missing"),
    "Spotify-2000.csv": {},
    "Spotify-2000_bom_crlf.csv": {1573: "Artist is missing"},
    "Spotify_data.xlsx": {},
}
ROWS = {
    "dataset.csv": 114_000,
    "spotify_songs.csv": 32_833,
    "Spotify-2000.csv": 1_994,
    "Spotify-2000_bom_crlf.csv": 1_994,
    "Spotify_data.xlsx": 520,
}


@pytest.fixture(scope="module")
def parsed_files(
    spark: SparkSession, real_kaggle: Path, tmp_path_factory: pytest.TempPathFactory
) -> dict[str, tuple[int, DataFrame, DataFrame]]:
    """Return, for each file, the number of rows in its manifest, its accepted and its rejected rows."""
    lake = Lake(tmp_path_factory.mktemp("lake").as_uri())
    result = {}
    for name in NAMES:
        received = receive_file(str(real_kaggle / name), None, lake, datetime(2026, 1, 1, tzinfo=UTC))
        known = FORMATS[received.format]
        parsed = parse_rows(read_rows(spark, [received], known), known)
        result[name] = (received.row_count, parsed.accepted.cache(), parsed.rejected)
    return result


Files = dict[str, tuple[int, DataFrame, DataFrame]]


@pytest.mark.parametrize("name", NAMES)
def test_every_row_is_accounted_for(parsed_files: Files, name: str) -> None:
    row_count, accepted, rejected = parsed_files[name]
    reasons = {row.row_number: row.reason for row in rejected.collect()}
    assert row_count == ROWS[name]
    assert reasons == REJECTED[name]
    assert accepted.count() + len(reasons) == row_count


def test_tracks_by_genre(parsed_files: Files) -> None:
    tracks = parsed_files["dataset.csv"][1]
    actual = tracks.agg(
        F.count_distinct("track_id").alias("ids"),
        F.count_if(F.size("artist_names") > 1).alias("several_artists"),
        F.max(F.size("artist_names")).alias("most_artists"),
        F.count_if(F.col("tempo").isNull()).alias("no_tempo"),
        F.count_if(F.col("time_signature").isNull()).alias("no_time_signature"),
        F.count_if(F.col("popularity") == 0).alias("not_popular"),
        F.count_if(F.col("loudness") > 0).alias("loud"),
        F.count_if(F.col("name").rlike("^[0-9]+$")).alias("all_digit_titles"),
        F.count_if(F.col("release_date").isNotNull()).alias("dated"),
    ).first()
    assert actual is not None and actual.asDict() == {
        "ids": 89_740,
        "several_artists": 30_075,
        "most_artists": 38,
        "no_tempo": 157,
        "no_time_signature": 163,
        "not_popular": 16_019,
        "loud": 90,
        "all_digit_titles": 148,
        "dated": 0,
    }


def test_playlist_songs(parsed_files: Files) -> None:
    songs = parsed_files["spotify_songs.csv"][1]
    precisions = {
        row.release_date_precision: row["count"] for row in songs.groupBy("release_date_precision").count().collect()
    }
    assert sum(precisions.values()) == 32_828 and precisions["month"] == 31
    assert songs.select("playlist_id").distinct().count() == 471
    assert songs.agg(F.min("duration_ms")).first()[0] == 4_000  # type: ignore[index]


def test_top_2000s_are_the_same_in_both_copies_but_for_one_broken_row(parsed_files: Files) -> None:
    first_copy, second_copy = (parsed_files[name][1].drop("input_id", "row_number") for name in NAMES[2:4])
    assert [row.name for row in first_copy.exceptAll(second_copy).collect()] == ["Layla"]
    assert second_copy.exceptAll(first_copy).count() == 0
    assert first_copy.agg(F.max("duration_ms"), F.max("energy")).first() == (1_412_000, 1.0)


def test_survey(parsed_files: Files) -> None:
    survey_rows = parsed_files["Spotify_data.xlsx"][1]
    assert survey_rows.select("response_id").distinct().count() == 519
    assert survey_rows.where(F.col("preferred_premium_plan") == "None").count() == 208
    devices = survey_rows.select(F.explode("listening_devices").alias("device")).distinct()
    assert {row.device for row in devices.collect()} == {
        *("Smartphone", "Computer or laptop", "Smart speakers or voice assistants", "Wearable devices"),
    }
