"""Artists with and without a leading "the" are two, until both are credited on one recording."""

from typing import Any

import pytest
from pyspark.sql import SparkSession

from etl.transform.catalogue.pipeline import build_catalogue
from tests.transform.catalogue.catalogue_rows import (
    get_snapshots,
    make_artist_rows,
    make_playlist_rows,
    make_track_rows,
)

OLD, TOP = {"source": "tracks_1921_2020"}, {"source": "top_2000s"}
ROWS: list[dict[str, Any]] = [
    # Two artists with ids, and two without ids whose names differ by "the".
    {**OLD, "track_id": "t1", "name": "One", "artist_names": ["Dream"], "artist_ids": ["dream"]},
    {**OLD, "track_id": "t2", "name": "Two", "artist_names": ["The Change"], "artist_ids": ["thechange"]},
    {"track_id": "t3", "name": "Three", "artist_names": ["The-Dream"], "album_name": "Best Of"},
    {"track_id": "t4", "name": "Four", "artist_names": ["Change"], "album_name": "Best Of"},
    {"track_id": "t5", "name": "Five", "artist_names": ["the change"], "album_name": "Best Of"},
    # An equal title is no evidence if the lengths are those of two recordings.
    {"track_id": "t6", "name": "One", "artist_names": ["The-Dream"], "duration_ms": 150_000},
    # A common recording: credited on the same id, or by a row without an id of equal length.
    {**OLD, "track_id": "b1", "name": "Help", "artist_names": ["The Beat"], "artist_ids": ["beat"]},
    {"track_id": "b1", "name": "Help!", "artist_names": ["Beat"]},
    {"track_id": "b2", "name": "Other", "artist_names": ["Beat"]},
    {**OLD, "track_id": "w1", "name": "Who", "artist_names": ["Who"], "artist_ids": ["who"]},
    {**TOP, "name": "Who", "artist_names": ["The Who"], "duration_ms": 201_000},
    {**TOP, "name": "Unknown", "artist_names": ["The Who"], "duration_ms": 90_000},
]


@pytest.fixture(scope="module")
def star(spark: SparkSession) -> dict[str, list[dict[str, Any]]]:
    unread = make_playlist_rows(spark)
    frames = build_catalogue(make_track_rows(spark, *ROWS), make_artist_rows(spark), unread, get_snapshots(unread))
    names = ("dim_artist", "dim_album", "dim_track", "bridge_track_artist", "track_alias")
    return {name: [row.asDict() for row in frames[name].collect()] for name in names}


def test_names_are_two_artists_until_a_recording_is_common(star: dict[str, list[dict[str, Any]]]) -> None:
    names = {row["artist_id"]: row["name"] for row in star["dim_artist"]}
    tracks = {row["track_id"]: row["name"] for row in star["dim_track"]}
    played = {tracks[row["track_id"]]: names[row["artist_id"]] for row in star["bridge_track_artist"]}
    ids = {tracks[row["track_id"]]: row["artist_id"] for row in star["bridge_track_artist"]}
    assert (played["Three"], played["Four"]) == ("The-Dream", "Change")
    assert ids["Three"].startswith("name:") and ids["Four"].startswith("name:")
    assert (ids["Five"], ids["Other"], ids["Who"], ids["Unknown"]) == ("thechange", "beat", "who", "who")
    by_id = {row["track_id"]: row["artist_id"] for row in star["bridge_track_artist"]}
    assert (by_id["t1"], by_id["t6"]) == ("dream", ids["Three"])


def test_both_spellings_find_an_artist_who_is_one(star: dict[str, list[dict[str, Any]]]) -> None:
    artists = {row["artist_id"]: row for row in star["dim_artist"]}
    made = {row["name"]: row["made_id"] for row in star["dim_artist"]}
    assert len(set(made.values())) == len(star["dim_artist"])
    assert {name for name, row in artists.items() if row["variant_made_id"]} == {"beat", "who"}
    assert artists["who"]["variant_made_id"] != artists["who"]["made_id"]
    actual = [row["track_id"] for row in star["track_alias"] if row["alias_kind"] == "name"]
    assert {name: actual.count(name) for name in ("b2", "t3", "t5")} == {"b2": 2, "t3": 1, "t5": 1}


def test_albums_of_nearly_one_name_are_two(star: dict[str, list[dict[str, Any]]]) -> None:
    albums = {row["track_id"]: row["album_id"] for row in star["dim_track"]}
    assert len({albums["t3"], albums["t4"], albums["t5"]}) == 3
