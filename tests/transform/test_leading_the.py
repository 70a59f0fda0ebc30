"""Artists with and without a leading "the" are two, until a recording that both are credited on makes them one."""

from typing import Any

import pytest
from pyspark.sql import SparkSession

from etl.transform.catalogue.pipeline import build_catalogue
from tests.transform.rows import artist_rows, read_playlists, snapshots, track_rows

OLD, TOP = {"source": "tracks_1921_2020"}, {"source": "top_2000s"}
ROWS: list[dict[str, Any]] = [
    # Two artists with ids, and two of nearly their names without.
    {**OLD, "track_id": "t1", "name": "One", "artist_names": ["Dream"], "artist_ids": ["dream"]},
    {**OLD, "track_id": "t2", "name": "Two", "artist_names": ["The Change"], "artist_ids": ["thechange"]},
    {"track_id": "t3", "name": "Three", "artist_names": ["The-Dream"], "album_name": "Best Of"},
    {"track_id": "t4", "name": "Four", "artist_names": ["Change"], "album_name": "Best Of"},
    {"track_id": "t5", "name": "Five", "artist_names": ["the change"], "album_name": "Best Of"},
    # The same title is no evidence where its lengths are those of two recordings.
    {"track_id": "t6", "name": "One", "artist_names": ["The-Dream"], "duration_ms": 150_000},
    # A common recording: told of one id, or by a row without an id that is as long.
    {**OLD, "track_id": "b1", "name": "Help", "artist_names": ["The Beat"], "artist_ids": ["beat"]},
    {"track_id": "b1", "name": "Help!", "artist_names": ["Beat"]},
    {"track_id": "b2", "name": "Other", "artist_names": ["Beat"]},
    {**OLD, "track_id": "w1", "name": "Who", "artist_names": ["Who"], "artist_ids": ["who"]},
    {**TOP, "name": "Who", "artist_names": ["The Who"], "duration_ms": 201_000},
    {**TOP, "name": "Unknown", "artist_names": ["The Who"], "duration_ms": 90_000},
]


@pytest.fixture(scope="module")
def star(spark: SparkSession) -> dict[str, list[dict[str, Any]]]:
    unread = read_playlists(spark)
    frames = build_catalogue(track_rows(spark, *ROWS), artist_rows(spark), unread, snapshots(unread))
    names = ("dim_artist", "dim_album", "dim_track", "bridge_track_artist", "track_alias")
    return {name: [row.asDict() for row in frames[name].collect()] for name in names}


def test_names_are_two_artists_until_a_recording_is_common(star: dict[str, list[dict[str, Any]]]) -> None:
    names = {one["artist_id"]: one["name"] for one in star["dim_artist"]}
    tracks = {one["track_id"]: one["name"] for one in star["dim_track"]}
    played = {tracks[one["track_id"]]: names[one["artist_id"]] for one in star["bridge_track_artist"]}
    ids = {tracks[one["track_id"]]: one["artist_id"] for one in star["bridge_track_artist"]}
    assert (played["Three"], played["Four"]) == ("The-Dream", "Change")
    assert ids["Three"].startswith("name:") and ids["Four"].startswith("name:")
    assert (ids["Five"], ids["Other"], ids["Who"], ids["Unknown"]) == ("thechange", "beat", "who", "who")
    by_id = {one["track_id"]: one["artist_id"] for one in star["bridge_track_artist"]}
    assert (by_id["t1"], by_id["t6"]) == ("dream", ids["Three"])


def test_both_spellings_find_an_artist_who_is_one(star: dict[str, list[dict[str, Any]]]) -> None:
    artists = {one["artist_id"]: one for one in star["dim_artist"]}
    made = {one["name"]: one["made_id"] for one in star["dim_artist"]}
    assert len(set(made.values())) == len(star["dim_artist"])
    assert {name for name, one in artists.items() if one["variant_made_id"]} == {"beat", "who"}
    assert artists["who"]["variant_made_id"] != artists["who"]["made_id"]
    found = [one["track_id"] for one in star["track_alias"] if one["alias_kind"] == "name"]
    assert {name: found.count(name) for name in ("b2", "t3", "t5")} == {"b2": 2, "t3": 1, "t5": 1}


def test_albums_of_nearly_one_name_are_two(star: dict[str, list[dict[str, Any]]]) -> None:
    albums = {one["track_id"]: one["album_id"] for one in star["dim_track"]}
    assert len({albums["t3"], albums["t4"], albums["t5"]}) == 3
