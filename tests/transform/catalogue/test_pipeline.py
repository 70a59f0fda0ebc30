"""Many files, one catalogue: the precedence of values is independent of the order."""

import random
from datetime import date, datetime
from typing import Any

import pytest
from pyspark.sql import DataFrame, SparkSession

from benchmarks._shared_session import changed_options
from etl.formats.contracts import STAGED
from etl.formats.kaggle.file_formats import SOURCE_RANK
from etl.transform.catalogue.pipeline import build_catalogue
from tests.conftest import LARGE_INPUT_OPTIONS
from tests.transform.catalogue.catalogue_rows import (
    FEATURES,
    date_as_year,
    get_snapshots,
    make_artist_rows,
    make_playlist_rows,
    make_track_rows,
)

SONGS = {"source": "playlist_songs"}
TOP = {"source": "top_2000s"}
OLD = {"source": "tracks_1921_2020"}

TRACKS: list[dict[str, Any]] = [
    # One id in two files, in one of them under two genres.
    {"track_id": "t1", "name": "Song", "artist_names": ["The Nova", "Lux"], "album_name": "First", "popularity": 40}
    | {"genres": ["pop"], "explicit": True, **FEATURES, "tempo": None},
    {"track_id": "t1", "name": "Song", "artist_names": ["The Nova", "Lux"], "album_name": "First", "popularity": 60}
    | {"genres": ["Rock"], "explicit": True, **FEATURES, "tempo": None},
    {**SONGS, "track_id": "t1", "name": "Song!", "album_id": "a1", "album_name": "First", "popularity": 90}
    | {"release_date": date(2001, 5, 6), "release_date_precision": "day", "genres": ["pop"], "energy": 0.9}
    | {"playlist_id": "p1", "playlist_name": "Mix", "playlist_genre": "pop", "playlist_subgenre": "dance"}
    | {key: value for key, value in FEATURES.items() if key != "energy"},
    # The same row under another subgenre, and a real duplicate within one.
    {**SONGS, "track_id": "t1", "name": "Song!", "album_id": "a1", "album_name": "First", "popularity": 90}
    | {"release_date": date(2001, 5, 6), "release_date_precision": "day", "genres": ["pop"], **FEATURES}
    | {"playlist_id": "p1", "playlist_name": "Mix", "playlist_genre": "pop", "playlist_subgenre": "electro"},
    *[
        {**SONGS, "track_id": "t3", "name": "Twice", "artist_names": ["Lux"], "playlist_id": "p1", "genres": ["pop"]}
        | {"playlist_name": "Mix", "playlist_genre": "pop", "playlist_subgenre": "electro"}
    ]
    * 2,
    # A further id of the recording, without a date; it shares the album's name and first artist with an album id.
    {"track_id": "t2", "name": "Song - Remastered", "duration_ms": 201_000, "album_name": "FIRST", "popularity": 10},
    # Rows without an id: one is t4, one matches no track.
    {"track_id": "t4", "name": "Undated", "popularity": None},
    {**TOP, "name": "Undated", "popularity": 77, "genres": ["pop"], **FEATURES, **date_as_year(1999)},
    {**TOP, "name": "Lost", "artist_names": ["Lux"], "popularity": 5, **date_as_year(1980)},
    # Artists with ids, and an ISRC on two ids.
    {**OLD, "track_id": "t5", "name": "Ids", "artist_ids": ["r1", "r2"], "artist_names": ["Nova", "Vega"]}
    | {"isrc": "XX1", "popularity": 20, **date_as_year(1950)},
    {**OLD, "track_id": "t6", "name": "Ids Again", "artist_ids": ["r2"], "artist_names": ["Vega"]}
    | {"isrc": "XX1", "popularity": 31},
]
ARTISTS: list[dict[str, Any]] = [
    {"artist_id": "r1", "name": "Nova", "popularity": 50, "followers": 1_000},
    {"artist_id": "r9", "name": "NOVA", "popularity": 1, "followers": 2},
]


@pytest.fixture(scope="module")
def star(spark: SparkSession) -> dict[str, list[dict[str, Any]]]:
    return _collect_rows(_build_rows(make_track_rows(spark, *TRACKS).repartition(1), make_artist_rows(spark, *ARTISTS)))


def _build_rows(tracks: DataFrame, artists: DataFrame, *read: dict[str, Any]) -> dict[str, DataFrame]:
    playlists = make_playlist_rows(tracks.sparkSession, *read)
    return build_catalogue(tracks, artists, playlists, get_snapshots(playlists))


def test_frames_have_the_staged_schemas(spark: SparkSession) -> None:
    frames = _build_rows(make_track_rows(spark), make_artist_rows(spark))
    for name, frame in frames.items():
        expected = [(field.name, field.dataType) for field in STAGED[name].fields]
        assert [(field.name, field.dataType) for field in frame.schema.fields] == expected, name
        assert frame.isEmpty()


def test_a_playlist_has_the_name_that_some_row_says(spark: SparkSession) -> None:
    song = {**SONGS, "track_id": "t1", "name": "Song", "artist_names": ["Nova"]}
    listed = [("p1", None), ("p1", None), ("p1", "Mix"), ("p2", None)]
    rows = [song | {"playlist_id": id_, "playlist_name": name} for id_, name in listed]
    actual = _build_rows(make_track_rows(spark, *rows), make_artist_rows(spark))["dim_playlist"].collect()
    assert sorted((row["playlist_id"], row["name"]) for row in actual) == [("p1", "Mix"), ("p2", "")]


def test_best_source_names_the_track_and_an_album_with_an_id_wins(star: dict[str, list[dict[str, Any]]]) -> None:
    track = _get_tracks(star)["t1"]
    assert (track["name"], track["source"], track["explicit"]) == ("Song", "tracks_by_genre", True)
    assert (track["popularity"], track["popularity_source"]) == (60, "tracks_by_genre")
    assert track["album_id"] == "a1"


def test_features_come_whole_from_one_source(star: dict[str, list[dict[str, Any]]]) -> None:
    tracks = _get_tracks(star)
    assert tracks["t1"]["audio_features_source"] == "playlist_songs"  # the better source lacks the tempo
    assert tracks["t1"]["tempo"] == 0.5
    assert tracks["t4"]["audio_features_source"] == "top_2000s"
    assert (tracks["t5"]["audio_features_source"], tracks["t5"]["energy"]) == (None, None)
    # They belong to the recording: a further id has them, too, with their original source.
    assert (tracks["t2"]["audio_features_source"], tracks["t2"]["tempo"]) == ("playlist_songs", 0.5)


def test_dates_and_popularity_say_where_they_come_from(star: dict[str, list[dict[str, Any]]]) -> None:
    dated = {
        name: (track["release_date"], track["release_date_precision"], track["release_date_source"])
        for name, track in _get_tracks(star).items()
    }
    assert dated["t1"] == (date(2001, 5, 6), "day", "playlist_songs")
    assert dated["t2"] == (date(2001, 5, 6), "day", "recording")
    assert dated["t3"] == (None, None, None)
    assert dated["t4"] == (date(1999, 1, 1), "year", "name_match")
    popular = {name: (track["popularity"], track["popularity_source"]) for name, track in _get_tracks(star).items()}
    assert popular["t2"] == (10, "tracks_by_genre")
    assert popular["t3"] == (None, None)
    assert popular["t4"] == (77, "name_match")


def test_ids_are_kept_and_grouped(star: dict[str, list[dict[str, Any]]]) -> None:
    grouped = {name: track["recording_id"] for name, track in _get_tracks(star).items() if not name.startswith("name:")}
    assert grouped == {"t1": "t1", "t2": "t1", "t3": "t3", "t4": "t4", "t5": "t5", "t6": "t5"}
    (made,) = [track for name, track in _get_tracks(star).items() if name.startswith("name:")]
    assert (made["name"], made["source"], made["recording_id"]) == ("Lost", "top_2000s", made["track_id"])


def test_reconciliation_says_what_was_recognised_as_what(star: dict[str, list[dict[str, Any]]]) -> None:
    lines = {(line["from_id"], line["to_id"], line["method"], line["score"]) for line in star["reconciliation"]}
    by_name = {line for line in lines if line[0].startswith("name:")}
    assert {line[1:] for line in by_name} == {("t4", "name", 1.0)}
    assert lines - by_name == {("t2", "t1", "name", 0.875), ("t6", "t5", "isrc", 1.0)}


def test_aliases_lead_to_one_track_each_but_isrcs(star: dict[str, list[dict[str, Any]]]) -> None:
    aliases = [(a["alias_kind"], a["alias_value"], a["track_id"]) for a in star["track_alias"]]
    assert {a for a in aliases if a[0] == "isrc"} == {("isrc", "XX1", "t5"), ("isrc", "XX1", "t6")}
    unique = [a[:2] for a in aliases if a[0] != "isrc"]
    assert len(unique) == len(set(unique))
    assert {a[1:] for a in aliases if a[0] == "spotify_id"} == {(f"t{n}", f"t{n}") for n in range(1, 7)}
    recognised = [line["from_id"] for line in star["reconciliation"] if line["from_id"].startswith("name:")]
    assert [a[2] for a in aliases if a[1] in recognised] == ["t4"]
    keys = {line["key"] for line in star["input_key"] if line["key_kind"] == "track"}
    assert keys <= {a[1] for a in aliases}
    # Of the ids of "Song" by Nova, the most popular is the alias.
    assert ("t1" in [a[2] for a in aliases if a[0] == "name"], "t2" in [a[2] for a in aliases if a[0] == "name"]) == (
        True,
        False,
    )


def test_genres_are_weighted_by_mentions(star: dict[str, list[dict[str, Any]]]) -> None:
    weights = {(g["track_id"], g["genre"]): (g["weight"], g["source"]) for g in star["bridge_track_genre"]}
    assert weights["t1", "pop"] == (0.75, "tracks_by_genre")
    assert weights["t1", "rock"] == (0.25, "tracks_by_genre")
    assert weights["t4", "pop"] == (1.0, "top_2000s")
    assert (_get_tracks(star)["t1"]["primary_genre"], _get_tracks(star)["t2"]["primary_genre"]) == ("pop", "unknown")


def test_artists_keep_ids_and_names_find_them(star: dict[str, list[dict[str, Any]]]) -> None:
    artists = {artist["artist_id"]: artist for artist in star["dim_artist"]}
    assert {name for name in artists if not name.startswith("name:")} == {"r1", "r2", "r9"}
    assert (artists["r1"]["popularity"], artists["r1"]["popularity_source"]) == (50, "kaggle")
    assert artists["r1"]["followers"] == 1_000
    # The median of 20 and 31, rounded half up.
    assert (artists["r2"]["popularity"], artists["r2"]["popularity_source"]) == (26, "derived")
    assert artists["r2"]["followers"] is None
    played = {(c["track_id"], c["artist_id"], c["position"]) for c in star["bridge_track_artist"]}
    assert ("t1", "r1", 1) in played  # "The Nova" is the Nova with the most followers
    assert ("t5", "r2", 2) in played


def test_albums_by_name_are_those_with_an_id(star: dict[str, list[dict[str, Any]]]) -> None:
    assert _get_tracks(star)["t2"]["album_id"] == "a1"
    (album,) = star["dim_album"]
    assert (album["name"], album["release_date"], album["source"]) == ("First", date(2001, 5, 6), "tracks_by_genre")


def test_a_membership_told_under_two_subgenres_is_one(star: dict[str, list[dict[str, Any]]]) -> None:
    (playlist,) = star["dim_playlist"]
    assert (playlist["name"], playlist["genre"], playlist["subgenre"]) == ("Mix", "pop", "electro")
    on_list = sorted((m["track_id"], m["occurrence"]) for m in star["fact_playlist_track"])
    assert on_list == [("t1", 1), ("t3", 1), ("t3", 2)]


def test_every_row_is_in_an_input_key(star: dict[str, list[dict[str, Any]]]) -> None:
    counted = sum(line["row_count"] for line in star["input_key"])
    assert counted == len(TRACKS) + len(ARTISTS)


def test_order_partitions_and_options_do_not_matter(spark: SparkSession, star: dict[str, list[dict[str, Any]]]) -> None:
    shuffled = random.Random(7).sample(TRACKS, len(TRACKS))
    artists = make_artist_rows(spark, *reversed(ARTISTS)).repartition(7)
    with changed_options(spark, LARGE_INPUT_OPTIONS):
        again = _build_rows(make_track_rows(spark, *shuffled).repartition(7), artists)
        assert _collect_rows(again) == star


def test_sources_are_ranked_once() -> None:
    assert len(SOURCE_RANK) == len(set(SOURCE_RANK))


# Rows of the latest API state have no input and no genres.
API: dict[str, Any] = {"source": "api", "input_id": None, "row_number": None, "genres": None, "artist_ids": ["r1"]}
ASKED = datetime(2026, 11, 21)
TOLD = {"asked_at": ASKED, "name": "Mine", "owner_id": "ada"}


def make_entries(*pairs: tuple[str, datetime | None]) -> dict[str, Any]:
    entry_rows = [{"track_id": track_id, "added_at": added_at} for track_id, added_at in pairs]
    return {"asked_at": ASKED, "snapshot_id": "s1", "entries": entry_rows}


@pytest.fixture(scope="module")
def with_api(spark: SparkSession) -> dict[str, list[dict[str, Any]]]:
    """Return playlists of a file; the API has read some: p1 complete, p2 without its name, p3 and p5 without items."""
    listed = [("p1", "t1"), ("p1", "t2"), ("p2", "t1"), ("p3", "t2")]
    of_files = [
        {**SONGS, "track_id": track_id, "name": f"Song {track_id}", "popularity": 80, **FEATURES}
        | {"playlist_id": id_, "playlist_name": "Mix", "playlist_genre": "pop", "playlist_subgenre": "dance"}
        for id_, track_id in listed
    ]
    of_api = [
        {**API, "track_id": "t1", "name": "New name", "popularity": 0, "isrc": "XX1", **FEATURES, "energy": 0.9},
        {**API, "track_id": "t2", "name": "Song t2", "popularity": None},
        {**API, "track_id": "t3", "name": "Only here"},
    ]
    early, late = datetime(2020, 1, 1), datetime(2020, 2, 1)
    read = [
        {
            "playlist_id": "p1",
            "told": TOLD,
            "items": make_entries(("t3", late), ("t1", early), ("t3", early), ("t1", None)),
        },
        {"playlist_id": "p2", "told": None, "items": make_entries(("t3", early))},
        {"playlist_id": "p3", "told": TOLD, "items": None},
        {"playlist_id": "p4", "told": TOLD, "items": make_entries()},
        {"playlist_id": "p5", "told": TOLD, "items": None},
    ]
    told_artists = [{"input_id": None, "row_number": None, "source": "api", "genres": None, "artist_id": "r1"}]
    artists = make_artist_rows(spark, {**told_artists[0], "name": "Nova", "popularity": 0, "followers": 0})
    return _collect_rows(_build_rows(make_track_rows(spark, *of_files, *of_api), artists, *read))


def test_the_api_wins_where_it_says_something(with_api: dict[str, list[dict[str, Any]]]) -> None:
    tracks = _get_tracks(with_api)
    assert (tracks["t1"]["name"], tracks["t1"]["source"], tracks["t1"]["isrc"]) == ("New name", "api", "XX1")
    assert (tracks["t1"]["popularity"], tracks["t1"]["popularity_source"]) == (0, "api")
    assert (tracks["t1"]["audio_features_source"], tracks["t1"]["energy"]) == ("api", 0.9)
    assert (tracks["t2"]["popularity"], tracks["t2"]["popularity_source"]) == (80, "playlist_songs")
    assert (tracks["t2"]["audio_features_source"], tracks["t2"]["source"]) == ("playlist_songs", "api")
    assert (tracks["t3"]["popularity"], tracks["t3"]["energy"], tracks["t3"]["audio_features_source"]) == (None,) * 3
    (artist,) = (row for row in with_api["dim_artist"] if row["artist_id"] == "r1")
    assert (artist["popularity"], artist["popularity_source"], artist["followers"]) == (0, "api", 0)


def test_a_playlist_that_the_api_read_is_as_it_says(with_api: dict[str, list[dict[str, Any]]]) -> None:
    columns = ("playlist_id", "name", "owner_id", "snapshot_id", "genre", "source")
    assert [tuple(row[name] for name in columns) for row in with_api["dim_playlist"]] == [
        ("p1", "Mine", "ada", "s1", "pop", "api"),
        ("p2", "Mix", None, None, "pop", "playlist_songs"),
        ("p3", "Mine", "ada", None, "pop", "api"),
        ("p4", "Mine", "ada", "s1", None, "api"),
        ("p5", "Mine", "ada", None, None, "api"),
    ]
    early, late = datetime(2020, 1, 1), datetime(2020, 2, 1)
    columns = ("playlist_id", "seen_at", "track_id", "occurrence", "added_at")
    members = [tuple(row[name] for name in columns) for row in with_api["fact_playlist_track"]]
    assert sorted(members, key=lambda first: (first[0], first[2:4])) == [
        ("p1", ASKED, "t1", 1, early),
        ("p1", ASKED, "t1", 2, None),
        ("p1", ASKED, "t3", 1, early),
        ("p1", ASKED, "t3", 2, late),
        ("p2", None, "t1", 1, None),
        ("p3", None, "t2", 1, None),
    ]


def test_a_time_at_which_nobody_can_have_added_anything_is_unknown(spark: SparkSession) -> None:
    times = {
        "t1": (datetime(1970, 1, 1), None),
        "t2": (datetime(2006, 4, 22, 23, 59, 59), None),
        "t3": (datetime(2006, 4, 23), datetime(2006, 4, 23)),
        "t4": (ASKED, ASKED),
        "t5": (datetime(2026, 11, 22), datetime(2026, 11, 22)),
        "t6": (datetime(2026, 11, 22, 0, 0, 1), None),
    }
    items = make_entries(*((track_id, reported_at) for track_id, (reported_at, _) in times.items()))
    of_api = [{**API, "track_id": track_id, "name": f"Song {track_id}"} for track_id in times]
    read = {"playlist_id": "p1", "told": TOLD, "items": items}
    actual = _build_rows(make_track_rows(spark, *of_api), make_artist_rows(spark), read)[
        "fact_playlist_track"
    ].collect()
    assert {row["track_id"]: row["added_at"] for row in actual} == {name: added for name, (_, added) in times.items()}


def test_what_has_no_input_is_counted_for_none(with_api: dict[str, list[dict[str, Any]]]) -> None:
    counted = [(row["input_id"], row["key"], row["row_count"]) for row in with_api["input_key"]]
    assert counted == [("playlist_songs", "t1", 2), ("playlist_songs", "t2", 2)]


def _get_tracks(star: dict[str, list[dict[str, Any]]]) -> dict[str, dict[str, Any]]:
    return {track["track_id"]: track for track in star["dim_track"]}


def _collect_rows(frames: dict[str, DataFrame]) -> dict[str, list[dict[str, Any]]]:
    return {name: sorted((row.asDict() for row in frame.collect()), key=str) for name, frame in frames.items()}
