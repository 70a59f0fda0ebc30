"""Rows without an id are matched to their track."""

from typing import Any

from pyspark.sql import SparkSession

from etl.transform.catalogue.reconciliation import add_track_identity, match_rows_without_id
from tests.transform.catalogue.catalogue_rows import make_track_rows

TOP = {"source": "top_2000s"}


def test_a_row_is_recognised_by_name_artist_and_length(spark: SparkSession) -> None:
    actual = _match_row(
        spark,
        {"track_id": "t1", "name": "Söng (feat. Lux)", "artist_names": ["The Nova", "Lux"], "duration_ms": 200_000},
        {**TOP, "name": "SONG", "artist_names": ["Nova"], "duration_ms": 202_000},
    )
    assert actual == {"SONG": ("t1", 0.93)}  # other credits: 0.02 less; at the limit of the tolerance: 0.05 less


def test_what_differs_in_version_artist_or_length_is_not_recognised(spark: SparkSession) -> None:
    rows = [
        {"track_id": "t1", "name": "Song", "duration_ms": 200_000},
        {**TOP, "name": "Song - Live", "duration_ms": 200_000},
        {**TOP, "name": "Song", "artist_names": ["Other"], "duration_ms": 200_000},
        {**TOP, "name": "Song", "duration_ms": 202_001},
    ]
    assert _match_row(spark, *rows) == {}


def test_ties_go_to_edition_then_album_then_length_then_id(spark: SparkSession) -> None:
    asked = {**TOP, "name": "Song - 2011 Remaster", "album_name": "Best Of", "duration_ms": 200_000}
    # Each is better than the previous ones, though all but the last have the greater id.
    candidates: list[dict[str, Any]] = [
        {"track_id": "t1", "name": "Song", "album_name": "Best Of", "duration_ms": 200_000},
        {"track_id": "t2", "name": "Song - 2011 Remaster", "album_name": "Other", "duration_ms": 200_000},
        {"track_id": "t3", "name": "Song - 2011 Remaster", "album_name": "Best of", "duration_ms": 201_000},
        {"track_id": "t5", "name": "Song - 2011 Remaster", "album_name": "Best of", "duration_ms": 200_333},
        {"track_id": "t4", "name": "Song - 2011 Remaster", "album_name": "Best of", "duration_ms": 200_333},
    ]
    # Another edition: 0.10 less; a sixth of the tolerance: 0.0083 less.
    scores = [0.9, 1.0, 0.975, 0.9917, 0.9917]
    for count, (best, score) in enumerate(zip(candidates, scores, strict=True), 1):
        actual = _match_row(spark, asked, *candidates[:count])
        assert actual == {"Song - 2011 Remaster": (best["track_id"], score)}


def test_the_artist_of_the_very_name_wins_and_the_mock_api_is_never_recognised(spark: SparkSession) -> None:
    asked = {**TOP, "name": "Song", "artist_names": ["The Nova"], "duration_ms": 200_000}
    candidates: list[dict[str, Any]] = [
        {"source": "mock_api", "track_id": "t0", "name": "Song", "artist_names": ["The Nova"], "duration_ms": 200_000},
        {"track_id": "t1", "name": "Song", "artist_names": ["Nova"], "duration_ms": 200_000},
        {"track_id": "t2", "name": "Song", "artist_names": ["The Nova"], "duration_ms": 202_000},
    ]
    actual = [_match_row(spark, asked, *candidates[:count]) for count in (1, 2, 3)]
    assert actual == [{}, {"Song": ("t1", 1.0)}, {"Song": ("t2", 0.95)}]


def test_rows_of_one_made_id_are_one_thing(spark: SparkSession) -> None:
    rows = [
        {"track_id": "t1", "name": "Song", "duration_ms": 200_000},
        {**TOP, "name": "Song", "duration_ms": 300_000},
        {**TOP, "name": "song", "duration_ms": 200_000},
    ]
    frame = add_track_identity(make_track_rows(spark, *rows))
    assert [(row.track_id, row.score) for row in match_rows_without_id(frame).collect()] == [("t1", 1.0)]


def test_a_row_is_known_by_its_id_and_by_its_name_only_where_it_has_none(spark: SparkSession) -> None:
    frame = add_track_identity(make_track_rows(spark, {"track_id": "t1", "name": "Song"}, {**TOP, "name": "Song"}))
    (with_id, without) = (row.identity for row in frame.orderBy("row_number").collect())
    assert with_id == "t1"
    assert without.startswith("name:")


def _match_row(spark: SparkSession, *rows: dict[str, Any]) -> dict[str, tuple[str, float]]:
    frame = add_track_identity(make_track_rows(spark, *rows))
    names = {row.identity: row.name for row in frame.where("track_id IS NULL").collect()}
    return {names[row.identity]: (row.track_id, row.score) for row in match_rows_without_id(frame).collect()}
