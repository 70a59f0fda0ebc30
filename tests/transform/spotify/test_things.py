"""Every thing of an answer is accepted or refused, whatever it is."""

import json
from dataclasses import replace
from datetime import date, datetime
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pyspark.sql import SparkSession

from etl.formats.api_responses import ApiResponse
from etl.storage.lake import Lake
from etl.transform.spotify import resources
from tests.transform.spotify.said import (
    Json,
    Judged,
    answer,
    artist,
    features,
    items,
    judged,
    playlist,
    received,
    track,
)

ADDED = "2020-05-17T10:11:12Z"
BLANKS: list[Any] = [None, "", " "]

TRACK_REASONS: list[tuple[Any, str | None]] = [
    (track(), None),
    (None, "item is no longer available"),
    *((track(id=blank), "id is missing") for blank in BLANKS),
    *((track(name=blank), "name is missing") for blank in BLANKS),
    (track(artists=None), "artists is missing"),
    (track(artists=[]), "artists is missing"),
    (track(artists="Nova"), "artists is missing"),
    (track(artists=[artist(), artist("r2", name=None)]), "artists is missing"),
    (track(artists=[artist(), artist("r2", name=" ")]), "artists is missing"),
    (track(artists=[artist(), None]), "artists is missing"),
    (track(duration_ms=None), "duration_ms is missing"),
    (track(duration_ms=-1), "duration_ms is missing"),
    (track(duration_ms="long"), "duration_ms is missing"),
    (track(duration_ms=3_000_000_000), "duration_ms is missing"),
    (track(duration_ms=0), None),
    (track(is_local=True), "item is a local file"),
    (track(id=None, is_local=True), "item is a local file"),
    (track(type="episode", artists=None), "item is an episode"),
    (track(type=None, is_local=None), None),
    (track(artists=[artist(None)]), None),
    (track(album=None), None),
    (track(album="First"), None),
    (track(explicit="perhaps", popularity="much", external_ids=[], linked_from=7), None),
    ({}, "id is missing"),
    ([], "id is missing"),
    (7, "id is missing"),
    ("text", "id is missing"),
    (True, "id is missing"),
]

DATES: list[tuple[Any, Any, tuple[date | None, str | None]]] = [
    ("2001-05-06", "day", (date(2001, 5, 6), "day")),
    ("2001-05", "month", (date(2001, 5, 1), "month")),
    ("2001", "year", (date(2001, 1, 1), "year")),
    # The text itself shows what is known, whatever is said of it.
    ("2001-05", "day", (date(2001, 5, 1), "month")),
    ("2001", None, (date(2001, 1, 1), "year")),
    ("0001", "year", (date(1, 1, 1), "year")),
    ("0000", "year", (None, None)),
    ("0000-00-00", "day", (None, None)),
    ("2001-02-30", "day", (None, None)),
    ("2001-13", "month", (None, None)),
    ("01.02.2003", "day", (None, None)),
    ("", "year", (None, None)),
    (2001, "year", (date(2001, 1, 1), "year")),
    (None, None, (None, None)),
]


def entry(thing: Any, word: str = "item", **fields: Any) -> Json:
    return {"added_at": ADDED, "is_local": False, word: thing, **fields}


@pytest.fixture(scope="module")
def module_lake(tmp_path_factory: pytest.TempPathFactory) -> Lake:
    return Lake((tmp_path_factory.mktemp("things") / "lake").as_uri())


@pytest.fixture(scope="module")
def tracks(spark: SparkSession, module_lake: Lake) -> Judged:
    """All cases at once: on a playlist's page in each mode's words, in a batch, saved, and dates in a batch."""
    payloads = [thing for thing, _ in TRACK_REASONS]
    dated = [
        track(f"d{n}", album={"id": "a", "name": "A", "release_date": text}) for n, (text, _, _) in enumerate(DATES)
    ]
    for one, (_, precision, _) in zip(dated, DATES, strict=True):
        one["album"]["release_date_precision"] = precision
    return judged(
        spark,
        module_lake,
        items("p1", "s1", *(entry(thing) for thing in payloads)),
        items("p1", "s1", *(entry(thing, "track") for thing in payloads)),
        answer("saved_tracks", {"items": [{"added_at": ADDED, "track": thing} for thing in payloads]}),
        answer("recently_played", {"items": [{"played_at": ADDED, "track": thing} for thing in payloads]}),
        answer("tracks", {"tracks": payloads}, "x"),
        answer("tracks", {"tracks": dated}, "x"),
    )


@pytest.mark.parametrize("line", range(5))
@pytest.mark.parametrize(
    ("place", "reason"), list(enumerate(reason for _, reason in TRACK_REASONS)), ids=lambda value: str(value)
)
def test_a_track_is_accepted_or_refused_for_one_reason(
    tracks: Judged, line: int, place: int, reason: str | None
) -> None:
    row_number = line * 1_000 + place + 1
    found = tracks.reasons.get(row_number)
    is_entry, thing = line < 4, TRACK_REASONS[place][0]
    if is_entry and not isinstance(thing, dict):
        reason = "item is no longer available"  # of an entry only what is an object can be read
    assert found == reason
    assert (row_number in tracks.accepted["tracks"]) == (reason is None)


def test_refused_tracks_are_kept_as_received(tracks: Judged) -> None:
    assert {
        json.loads(row) is None or "added_at" in json.loads(row)
        for number, row in tracks.rows.items()
        if number < 2_000
    } == {True}
    assert tracks.rows[4_002] == "null"


@pytest.mark.parametrize(("place", "expected"), list(enumerate(expected for _, _, expected in DATES)))
def test_dates_are_as_fine_as_their_text(tracks: Judged, place: int, expected: tuple[date | None, str | None]) -> None:
    row = tracks.accepted["tracks"][5_000 + place + 1]
    assert (row["release_date"], row["release_date_precision"]) == expected


def test_all_things_are_accounted_for(tracks: Judged) -> None:
    assert len(tracks.accepted["tracks"]) + len(tracks.reasons) == tracks.received.row_count


def test_what_a_track_says_in_each_mode(spark: SparkSession, lake: Lake) -> None:
    rich = {"popularity": 0, "external_ids": {"isrc": "gb-aye-06 01498"}, "linked_from": {"id": "t0"}, "explicit": True}
    found = judged(
        spark,
        lake,
        items("p1", "s1", entry(track("t1", **rich), "track")),
        items("p1", "s2", entry(track("t2", artists=[artist("r1"), artist("r2")]))),
        answer(
            "track", track("t3", popularity=101, external_ids={"isrc": "-"}, artists=[artist("r1"), artist(None)]), "t3"
        ),
        answer("tracks", {"tracks": [track("t4", popularity=None, external_ids={})]}, "t4"),
    ).accepted["tracks"]
    common = {
        **{"artist_names": ["Name of r1"], "artist_ids": ["r1"], "album_id": "a1", "album_name": "Album"},
        **{"album_type": "album", "release_date": date(2001, 1, 1), "release_date_precision": "year"},
        **{"duration_ms": 180_000, "explicit": False, "isrc": None, "popularity": None, "linked_id": None},
        **{
            "asked_at": datetime(2026, 11, 21),
            "added_at": None,
            "playlist_id": None,
            "snapshot_id": None,
            "position": 0,
        },
    }
    added = datetime(2020, 5, 17, 10, 11, 12)
    expected = {
        1: {"track_id": "t1", "explicit": True, "isrc": "GBAYE0601498", "popularity": 0, "linked_id": "t0"}
        | {"endpoint": "playlist_items", "playlist_id": "p1", "snapshot_id": "s1", "added_at": added},
        1_001: {"track_id": "t2", "artist_names": ["Name of r1", "Name of r2"], "artist_ids": ["r1", "r2"]}
        | {"endpoint": "playlist_items", "playlist_id": "p1", "snapshot_id": "s2", "added_at": added},
        2_001: {
            "track_id": "t3",
            "endpoint": "track",
            "artist_names": ["Name of r1", "Name of None"],
            "artist_ids": None,
        },
        3_001: {"track_id": "t4", "endpoint": "tracks"},
    }
    for number, row in found.items():
        wanted = {**common, "name": f"Name of {row['track_id']}", "row_number": number, **expected[number]}
        assert {name: row[name] for name in wanted} == wanted
    assert found.keys() == expected.keys()


def test_a_moment_that_is_none_is_null(spark: SparkSession, lake: Lake) -> None:
    moments: list[Any] = [None, "", "yesterday", 7, "2020-13-01T00:00:00Z", {}]
    found = judged(spark, lake, items("p1", "s1", *({"added_at": moment, "item": track()} for moment in moments)))
    assert [row["added_at"] for row in found.accepted["tracks"].values()] == [None] * len(moments)


def test_local_files_are_known_by_their_entry_too(spark: SparkSession, lake: Lake) -> None:
    found = judged(
        spark, lake, items("p1", "s1", entry(track(is_local=None), is_local=True), entry(None, is_local=True), None)
    )
    gone = "item is no longer available"
    assert found.reasons == {1: "item is a local file", 2: gone, 3: gone}


def test_artists(spark: SparkSession, lake: Lake) -> None:
    found = judged(
        spark,
        lake,
        answer(
            "artists",
            {"artists": [artist("r1", popularity=100, followers={"href": None, "total": 5_000_000_000}), None]},
            "r1",
            "r2",
        ),
        answer("artist", artist("r3"), "r3"),
        answer("artist", {"error": {"status": 404}}, "r9", status=404),
        answer(
            "followed_artists",
            {
                "artists": {
                    "items": [artist("r4", popularity=101, followers={"total": -1}), artist("r5", name="")],
                    "next": None,
                }
            },
        ),
        answer(
            "followed_artists",
            {"artists": {"items": [artist("r6", popularity="x", followers=7), artist(""), {}, None]}},
        ),
    )
    told = [(r["artist_id"], r["name"], r["popularity"], r["followers"]) for r in found.accepted["artists"].values()]
    assert sorted(told) == [
        ("r1", "Name of r1", 100, 5_000_000_000),
        *((f"r{n}", f"Name of r{n}", None, None) for n in (3, 4, 6)),
    ]
    gone = "item is no longer available"
    assert found.reasons == {
        2: gone,
        3_002: "name is missing",
        4_002: "id is missing",
        4_003: "id is missing",
        4_004: gone,
    }


def test_playlists(spark: SparkSession, lake: Lake) -> None:
    listed = [playlist("p1"), playlist("p2", name=None, owner=None, snapshot_id=None), None, playlist(None), 7]
    found = judged(
        spark,
        lake,
        answer("my_playlists", {"items": listed, "total": 4, "next": None}),
        answer("playlist", playlist("p3", name="", items={"items": [], "total": 0}), "p3"),
    )
    told = [
        (r["playlist_id"], r["name"], r["snapshot_id"], r["owner_id"]) for r in found.accepted["playlists"].values()
    ]
    assert sorted(told) == [
        ("p1", "Name of p1", "s1", "user-ada"),
        ("p2", "", None, None),
        ("p3", "", "s1", "user-ada"),
    ]
    assert found.reasons == {3: "item is no longer available", 4: "id is missing", 5: "id is missing"}


def test_audio_features_stand_under_the_id_that_was_asked(spark: SparkSession, lake: Lake) -> None:
    said = [
        features(id="other"),
        None,
        features(tempo=0, time_signature=0, key=-1, instrumentalness=0),
        features(energy=None),
        {},
        features(loudness="loud"),
    ]
    found = judged(spark, lake, answer("audio_features", {"audio_features": said}, *(f"t{n}" for n in range(6))))
    rows = {row["track_id"]: row for row in found.accepted["audio_features"].values()}
    assert rows.keys() == {"t0", "t2", "t5"}
    assert {name: rows["t0"][name] for name in features()} == features()
    assert {rows["t2"][name] for name in ("tempo", "time_signature", "key")} == {None}
    assert rows["t2"]["instrumentalness"] == 0 and rows["t5"]["loudness"] is None
    assert found.reasons == dict.fromkeys((2, 4, 5), "item has no audio features")


def test_audio_features_of_a_track_that_nobody_names_are_refused(spark: SparkSession, lake: Lake) -> None:
    said = [answer("audio_features", {"audio_features": [features(), features(), None]}, "t1", "t2", "t3")]
    held = resources.explode_resources(lake.inputs.read_responses(spark, [received(lake, *said)]))
    told = spark.createDataFrame([("t1",), ("t1",)], "track_id string")
    found = resources.reject_unknown_tracks(resources.parse_audio_features(held), told)
    assert [row["track_id"] for row in found.accepted.collect()] == ["t1"]
    refused = {row["row_number"]: (row["reason"], json.loads(row["row"])) for row in found.rejected.collect()}
    assert refused == {2: ("track is not known", features()), 3: ("item has no audio features", None)}


def test_profiles(spark: SparkSession, lake: Lake) -> None:
    rich = {"id": "ada", "account_id": "a-1", "display_name": "Ada", "country": "DE", "product": "premium"}
    found = judged(
        spark,
        lake,
        answer("me", rich),
        answer("me", {"id": "ada", "display_name": None}),
        answer("me", {"account_id": "a-1"}),
        answer("me", {"display_name": "Ada"}),
    )
    columns = ("user_id", "username", "country", "subscription_plan")
    assert {n: tuple(row[name] for name in columns) for n, row in found.accepted["profiles"].items()} == {
        1: ("a-1", "Ada", "DE", "premium"),
        1_001: ("ada", "ada", None, None),
        2_001: ("a-1", None, None, None),
    }
    assert found.reasons == {3_001: "id is missing"}


def test_what_postgresql_cannot_store_is_replaced(spark: SparkSession, lake: Lake) -> None:
    odd = track("t\0", name="A\0B \ud800", artists=[artist("r1", name="\0")], album={"id": "a", "name": "\0"})
    found = judged(spark, lake, items("p1", "s1", entry(odd), entry(track(id=None, name="\0"))))
    row = found.one("tracks")
    assert (row["track_id"], row["artist_names"], row["album_name"]) == ("t\ufffd", ["\ufffd"], "\ufffd")
    assert row["name"] == "A\ufffdB ?"
    assert json.loads(found.rows[2])["item"]["name"] == "\ufffd"


def test_what_is_no_object_is_refused_as_json_all_the_same(spark: SparkSession, lake: Lake) -> None:
    said = ["text", 'a "b" \0', "", "{", "{}", 7, True, [], ["x"], {}, None, "null"]
    found = judged(spark, lake, items("p1", "s1", *said))
    read = [json.loads(found.rows[number]) for number in range(1, len(said) + 1)]
    assert read == [["text"], ['a "b" \0'], [""], ["{"], {}, ["7"], ["true"], ["[]"], ['["x"]'], {}, None, ["null"]]


def test_measures_that_cannot_be_are_none(spark: SparkSession, lake: Lake) -> None:
    wrong = {"danceability": 1.2, "valence": -0.1, "loudness": 21, "tempo": 2_000, "key": 12, "mode": 2}
    said = [features(**{name: value}) for name, value in {**wrong, "time_signature": 17}.items()]
    found = judged(spark, lake, answer("audio_features", {"audio_features": said}, *wrong, "time_signature"))
    assert len(found.accepted["audio_features"]) == len(said)
    for row in found.accepted["audio_features"].values():
        expected = {**features(), row["track_id"]: None}
        assert {name: row[name] for name in expected} == expected


def test_a_playlist_that_changed_between_two_pages_is_not_whole(spark: SparkSession, lake: Lake) -> None:
    pages = [items(name, "s1", has_next=has_next) for name in ("p1", "p2") for has_next in (True, False)]
    pages[3] = replace(pages[3], body={**pages[3].body, "total": 1})
    found = resources.select_complete_snapshots(lake.inputs.read_responses(spark, [received(lake, *pages)])).collect()
    assert [(row.playlist_id, row.snapshot_id) for row in found] == [("p1", "s1")]


def test_refusals_hold_no_things(spark: SparkSession, lake: Lake) -> None:
    found = judged(
        spark,
        lake,
        items("p1", "s1", status=403),
        answer("track", {"error": {"status": 404}}, "t1", status=404),
        answer("playlist", {"error": {"status": 404}}, "p1", status=404),
    )
    assert found.received.row_count == 0 and not found.reasons and not any(found.accepted.values())


texts = st.text(max_size=6) | st.sampled_from(["\ud800", "\0", "2001", "0000", "null", "{}", '"', "t1"])
values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(10**12), 10**12)
    | st.floats(allow_nan=False, allow_infinity=False)
    | texts,
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(texts, inner, max_size=2),
    max_leaves=5,
)
NAMES = """id name type is_local duration_ms explicit popularity external_ids linked_from artists album item track
added_at followers total owner snapshot_id account_id display_name country product energy tempo key isrc items
release_date release_date_precision"""
nearly = st.dictionaries(st.sampled_from(NAMES.split()), values, max_size=6)


def altered(thing: Json) -> st.SearchStrategy[Any]:
    """A thing as it should be but for some fields."""
    changes = st.dictionaries(st.sampled_from([*thing, *NAMES.split()]), values | nearly, max_size=2)
    return changes.map(lambda changed: {**thing, **changed})


any_track = altered(track()) | nearly
entries = st.builds(entry, any_track) | st.builds(entry, any_track, st.just("track")) | values | nearly
batched = st.none() | nearly
answers = st.one_of(
    st.lists(entries, max_size=3).map(lambda found: items("p1", "s1", *found)),
    st.lists(entries, max_size=3).map(lambda found: answer("saved_tracks", {"items": found})),
    st.lists(entries, max_size=3).map(lambda found: answer("recently_played", {"items": found})),
    st.lists(altered(playlist()) | values, max_size=3).map(lambda found: answer("my_playlists", {"items": found})),
    st.lists(altered(artist()) | values, max_size=3).map(
        lambda found: answer("followed_artists", {"artists": {"items": found}})
    ),
    st.lists(any_track | batched, max_size=3).map(lambda found: answer("tracks", {"tracks": found}, "t1", "t2", "t3")),
    st.lists(altered(artist()) | batched, max_size=3).map(
        lambda found: answer("artists", {"artists": found}, "r1", "r2", "r3")
    ),
    st.lists(altered(features()) | batched, max_size=3).map(
        lambda found: answer("audio_features", {"audio_features": found}, "t1", "t2", "t3")
    ),
    any_track.map(lambda found: answer("track", found, "t1")),
    altered(artist()).map(lambda found: answer("artist", found, "r1")),
    altered(playlist()).map(lambda found: answer("playlist", found, "p1")),
    altered({"id": "ada"}).map(lambda found: answer("me", found)),
)


@settings(max_examples=4, deadline=None, suppress_health_check=list(HealthCheck))
@given(said=st.lists(answers, min_size=50, max_size=80))
def test_whatever_comes_is_accepted_or_refused(spark: SparkSession, module_lake: Lake, said: list[ApiResponse]) -> None:
    found = judged(spark, module_lake, *said)
    numbers = [*found.reasons, *(number for rows in found.accepted.values() for number in rows)]
    assert len(numbers) == len(set(numbers)) == found.received.row_count
    for kind, key in (
        ("tracks", "track_id"),
        ("artists", "artist_id"),
        ("playlists", "playlist_id"),
        ("profiles", "user_id"),
    ):
        assert all(str(row[key]).strip() for row in found.accepted.get(kind, {}).values())
    for row in found.accepted.get("tracks", {}).values():
        assert row["name"].strip() and row["artist_names"] and row["duration_ms"] >= 0
        assert row["popularity"] is None or 0 <= row["popularity"] <= 100
        assert (row["release_date"] is None) == (row["release_date_precision"] is None)
        assert row["artist_ids"] is None or len(row["artist_ids"]) == len(row["artist_names"])
    stored = [row for rows in found.accepted.values() for row in rows.values()]
    assert not any("\0" in str(value) for row in stored for value in row.values() if isinstance(value, str))
