"""Facts of other sources are the same with and without the mock API."""

import random
from datetime import date, datetime
from typing import Any

from pyspark.sql import SparkSession

from etl.formats.contracts import MOCK_SOURCE
from etl.transform.catalogue.pipeline import build_catalogue
from tests.transform.catalogue.catalogue_rows import (
    FEATURES,
    date_as_year,
    get_snapshots,
    make_artist_rows,
    make_playlist_rows,
    make_track_rows,
)

_TITLES = ("Song", "Home", "Intro", "Song - Live")
_NAMES = ("Nova", "The Nova", "Lux", "Vega")
_ALBUMS = ("First", "Best Of")
_SOURCES = ("tracks_1921_2020", "tracks_by_genre", "playlist_songs", "top_2000s", "made_up")
_ASKED = datetime(2026, 11, 21)


def _make_file_row(chance: random.Random, place: int) -> dict[str, Any]:
    """Return a row of a file with random fields."""
    source, name = chance.choice(_SOURCES), chance.choice(_NAMES)
    row: dict[str, Any] = {"source": source, "name": chance.choice(_TITLES), "artist_names": [name]}
    row |= {"duration_ms": 200_000 + 1_900 * chance.randrange(4), "popularity": chance.choice((None, 10, 60))}
    row |= {"track_id": None if source == "top_2000s" else f"t{place % 30:02}"}
    row |= {"artist_ids": [f"id {name}"]} if chance.random() < 0.3 else {}
    row |= {"album_name": chance.choice(_ALBUMS)} if chance.random() < 0.6 else {}
    row |= {"album_id": f"album {place % 5}"} if chance.random() < 0.2 else {}
    row |= date_as_year(1950 + place) if chance.random() < 0.4 else {}
    row |= {**FEATURES, "tempo": chance.choice((None, 90.0))} if chance.random() < 0.4 else {}
    row |= {"genres": ["pop"]} if chance.random() < 0.5 else {}
    listed = {"playlist_id": f"p{place % 3}", "playlist_name": "Mix", "playlist_genre": "pop"}
    return row | (listed if source == "playlist_songs" else {})


def _make_mock_row(chance: random.Random, place: int) -> dict[str, Any]:
    """Return values that no file has, of a track in a file, or of one with an id before or after all of theirs."""
    name = chance.choice(_NAMES)
    track_id = f"t{place % 30:02}" if place % 3 == 0 else f"{chance.choice('sz')}{place}"
    row: dict[str, Any] = {"source": MOCK_SOURCE, "input_id": None, "row_number": None, "genres": None}
    row |= {"track_id": track_id, "name": chance.choice(_TITLES), "artist_names": [name]}
    row |= {"artist_ids": [chance.choice((f"id {name}", f"mock {name}"))], "isrc": f"ZZ{place % 2}", "explicit": True}
    row |= {"duration_ms": 200_000 + 950 * chance.randrange(8), "popularity": 99, **FEATURES, "energy": 0.9}
    row |= {"album_id": chance.choice(("album 1", "mock album")), "album_name": chance.choice(_ALBUMS)}
    return row | {"album_type": "single", "release_date": date(1901, 2, 3), "release_date_precision": "day"}


def test_facts_of_other_sources_are_the_same_with_and_without_the_mock(spark: SparkSession) -> None:
    chance = random.Random(11)
    files = [_make_file_row(chance, place) for place in range(90)]
    mock = [_make_mock_row(chance, place) for place in range(120)]
    listed = [{"artist_id": "id Lux", "name": "Lux", "followers": 7}]
    made = [
        {"source": MOCK_SOURCE, "input_id": None, "row_number": None, "genres": None, "artist_id": f"{kind} {name}"}
        | {"name": f"{name} II", "popularity": 98, "followers": 10**9}
        for kind in ("id", "mock")
        for name in _NAMES
    ]
    snapshot = {"asked_at": _ASKED, "name": "Mine", "owner_id": "ada"}
    items = {"asked_at": _ASKED, "snapshot_id": "s1", "entries": [{"track_id": "s1", "added_at": _ASKED}]}
    read = [{"playlist_id": playlist_id, "told": snapshot, "items": items} for playlist_id in ("p1", "p9")]
    stars = []
    for track_list, artist_list, read_list in ((files, listed, []), (files + mock, listed + made, read)):
        playlists = make_playlist_rows(spark, *read_list)
        frames = build_catalogue(
            make_track_rows(spark, *track_list).repartition(3),
            make_artist_rows(spark, *artist_list),
            playlists,
            get_snapshots(playlists),
            spark.createDataFrame([("mock Lux",)], "artist_id string"),
            MOCK_SOURCE,
        )
        stars.append({name: [row.asDict() for row in frame.collect()] for name, frame in frames.items()})
    without, mocked = stars
    keys = {
        "dim_track": "track_id",
        "bridge_track_artist": "track_id",
        "bridge_track_genre": "track_id",
        "dim_artist": "artist_id",
        "dim_album": "album_id",
        "dim_playlist": "playlist_id",
        "fact_playlist_track": "playlist_id",
        "reconciliation": "from_id",
        "track_alias": "alias_value",
        "input_key": "key",
    }
    for name, key in keys.items():
        known = {row[key] for row in without[name]}
        known_rows = [row for row in mocked[name] if row[key] in known]
        assert sorted(map(repr, known_rows)) == sorted(map(repr, without[name])), name
    # Check that the mock API's tracks are present, separate from the others and linked to similar ones.
    files_ids = {row["track_id"] for row in without["dim_track"]}
    added = [row for row in mocked["dim_track"] if row["track_id"] not in files_ids]
    assert {row["source"] for row in added} == {MOCK_SOURCE}
    assert any(row["recording_id"] in files_ids for row in added) and any(row["track_id"] < "t" for row in added)
    assert {row["artist_id"] for row in mocked["dim_artist"]} - {row["artist_id"] for row in without["dim_artist"]} == {
        "mock Lux"
    }, "its artists are those that the files name, but for the one that was asked for"
    assert {row["playlist_id"] for row in mocked["dim_playlist"]} == {"p0", "p1", "p2", "p9"}
