"""Every resource of a response is accepted or rejected, whatever its content."""

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
from tests.transform.spotify.payloads import (
    Json,
    ValidatedResources,
    make_artist,
    make_features,
    make_items_page,
    make_playlist,
    make_response,
    make_track,
    store_responses,
    validate_responses,
)

ADDED = "2020-05-17T10:11:12Z"
BLANKS: list[Any] = [None, "", " "]

TRACK_REASONS: list[tuple[Any, str | None]] = [
    (make_track(), None),
    (None, "item is no longer available"),
    *((make_track(id=blank), "id is missing") for blank in BLANKS),
    *((make_track(name=blank), "name is missing") for blank in BLANKS),
    (make_track(artists=None), "artists is missing"),
    (make_track(artists=[]), "artists is missing"),
    (make_track(artists="Nova"), "artists is missing"),
    (make_track(artists=[make_artist(), make_artist("r2", name=None)]), "artists is missing"),
    (make_track(artists=[make_artist(), make_artist("r2", name=" ")]), "artists is missing"),
    (make_track(artists=[make_artist(), None]), "artists is missing"),
    (make_track(duration_ms=None), "duration_ms is missing"),
    (make_track(duration_ms=-1), "duration_ms is missing"),
    (make_track(duration_ms="long"), "duration_ms is missing"),
    (make_track(duration_ms=3_000_000_000), "duration_ms is missing"),
    (make_track(duration_ms=0), None),
    (make_track(is_local=True), "item is a local file"),
    (make_track(id=None, is_local=True), "item is a local file"),
    (make_track(type="episode", artists=None), "item is an episode"),
    (make_track(type=None, is_local=None), None),
    (make_track(artists=[make_artist(None)]), None),
    (make_track(album=None), None),
    (make_track(album="First"), None),
    (make_track(explicit="perhaps", popularity="much", external_ids=[], linked_from=7), None),
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
    # The text determines the precision, regardless of the precision in the response.
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


def make_entry(resource: Any, word: str = "item", **fields: Any) -> Json:
    return {"added_at": ADDED, "is_local": False, word: resource, **fields}


@pytest.fixture(scope="module")
def module_lake(tmp_path_factory: pytest.TempPathFactory) -> Lake:
    return Lake((tmp_path_factory.mktemp("things") / "lake").as_uri())


@pytest.fixture(scope="module")
def tracks(spark: SparkSession, module_lake: Lake) -> ValidatedResources:
    """Return all cases at once: on a playlist's page in each mode's format, in a batch, saved, and dates in a batch."""
    payloads = [payload for payload, _ in TRACK_REASONS]
    dated = [
        make_track(f"d{n}", album={"id": "a", "name": "A", "release_date": text})
        for n, (text, _, _) in enumerate(DATES)
    ]
    for dated_track, (_, precision, _) in zip(dated, DATES, strict=True):
        dated_track["album"]["release_date_precision"] = precision
    return validate_responses(
        spark,
        module_lake,
        make_items_page("p1", "s1", *(make_entry(payload) for payload in payloads)),
        make_items_page("p1", "s1", *(make_entry(payload, "track") for payload in payloads)),
        make_response("saved_tracks", {"items": [{"added_at": ADDED, "track": payload} for payload in payloads]}),
        make_response("recently_played", {"items": [{"played_at": ADDED, "track": payload} for payload in payloads]}),
        make_response("tracks", {"tracks": payloads}, "x"),
        make_response("tracks", {"tracks": dated}, "x"),
    )


@pytest.mark.parametrize("line", range(5))
@pytest.mark.parametrize(
    ("place", "reason"), list(enumerate(reason for _, reason in TRACK_REASONS)), ids=lambda value: str(value)
)
def test_a_track_is_accepted_or_refused_for_one_reason(
    tracks: ValidatedResources, line: int, place: int, reason: str | None
) -> None:
    row_number = line * 1_000 + place + 1
    actual = tracks.reasons.get(row_number)
    is_entry, payload = line < 4, TRACK_REASONS[place][0]
    if is_entry and not isinstance(payload, dict):
        reason = "item is no longer available"  # only an object can be read as an entry
    assert actual == reason
    assert (row_number in tracks.accepted["tracks"]) == (reason is None)


def test_refused_tracks_are_kept_as_received(tracks: ValidatedResources) -> None:
    assert {
        json.loads(row) is None or "added_at" in json.loads(row)
        for number, row in tracks.rows.items()
        if number < 2_000
    } == {True}
    assert tracks.rows[4_002] == "null"


@pytest.mark.parametrize(("place", "expected"), list(enumerate(expected for _, _, expected in DATES)))
def test_dates_are_as_fine_as_their_text(
    tracks: ValidatedResources, place: int, expected: tuple[date | None, str | None]
) -> None:
    row = tracks.accepted["tracks"][5_000 + place + 1]
    assert (row["release_date"], row["release_date_precision"]) == expected


def test_all_things_are_accounted_for(tracks: ValidatedResources) -> None:
    assert len(tracks.accepted["tracks"]) + len(tracks.reasons) == tracks.received.row_count


def test_what_a_track_says_in_each_mode(spark: SparkSession, lake: Lake) -> None:
    rich = {"popularity": 0, "external_ids": {"isrc": "gb-aye-06 01498"}, "linked_from": {"id": "t0"}, "explicit": True}
    actual = validate_responses(
        spark,
        lake,
        make_items_page("p1", "s1", make_entry(make_track("t1", **rich), "track")),
        make_items_page("p1", "s2", make_entry(make_track("t2", artists=[make_artist("r1"), make_artist("r2")]))),
        make_response(
            "track",
            make_track(
                "t3", popularity=101, external_ids={"isrc": "-"}, artists=[make_artist("r1"), make_artist(None)]
            ),
            "t3",
        ),
        make_response("tracks", {"tracks": [make_track("t4", popularity=None, external_ids={})]}, "t4"),
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
    for number, row in actual.items():
        expected_row = {**common, "name": f"Name of {row['track_id']}", "row_number": number, **expected[number]}
        assert {name: row[name] for name in expected_row} == expected_row
    assert actual.keys() == expected.keys()


def test_a_moment_that_is_none_is_null(spark: SparkSession, lake: Lake) -> None:
    timestamps: list[Any] = [None, "", "yesterday", 7, "2020-13-01T00:00:00Z", {}]
    actual = validate_responses(
        spark,
        lake,
        make_items_page("p1", "s1", *({"added_at": timestamp, "item": make_track()} for timestamp in timestamps)),
    )
    assert [row["added_at"] for row in actual.accepted["tracks"].values()] == [None] * len(timestamps)


def test_local_files_are_known_by_their_entry_too(spark: SparkSession, lake: Lake) -> None:
    actual = validate_responses(
        spark,
        lake,
        make_items_page(
            "p1", "s1", make_entry(make_track(is_local=None), is_local=True), make_entry(None, is_local=True), None
        ),
    )
    gone = "item is no longer available"
    assert actual.reasons == {1: "item is a local file", 2: gone, 3: gone}


def test_artists(spark: SparkSession, lake: Lake) -> None:
    actual = validate_responses(
        spark,
        lake,
        make_response(
            "artists",
            {"artists": [make_artist("r1", popularity=100, followers={"href": None, "total": 5_000_000_000}), None]},
            "r1",
            "r2",
        ),
        make_response("artist", make_artist("r3"), "r3"),
        make_response("artist", {"error": {"status": 404}}, "r9", status=404),
        make_response(
            "followed_artists",
            {
                "artists": {
                    "items": [make_artist("r4", popularity=101, followers={"total": -1}), make_artist("r5", name="")],
                    "next": None,
                }
            },
        ),
        make_response(
            "followed_artists",
            {"artists": {"items": [make_artist("r6", popularity="x", followers=7), make_artist(""), {}, None]}},
        ),
    )
    artists = [
        (r["artist_id"], r["name"], r["popularity"], r["followers"]) for r in actual.accepted["artists"].values()
    ]
    assert sorted(artists) == [
        ("r1", "Name of r1", 100, 5_000_000_000),
        *((f"r{n}", f"Name of r{n}", None, None) for n in (3, 4, 6)),
    ]
    gone = "item is no longer available"
    assert actual.reasons == {
        2: gone,
        3_002: "name is missing",
        4_002: "id is missing",
        4_003: "id is missing",
        4_004: gone,
    }


def test_playlists(spark: SparkSession, lake: Lake) -> None:
    listed = [
        make_playlist("p1"),
        make_playlist("p2", name=None, owner=None, snapshot_id=None),
        None,
        make_playlist(None),
        7,
    ]
    actual = validate_responses(
        spark,
        lake,
        make_response("my_playlists", {"items": listed, "total": 4, "next": None}),
        make_response("playlist", make_playlist("p3", name="", items={"items": [], "total": 0}), "p3"),
    )
    playlists = [
        (r["playlist_id"], r["name"], r["snapshot_id"], r["owner_id"]) for r in actual.accepted["playlists"].values()
    ]
    assert sorted(playlists) == [
        ("p1", "Name of p1", "s1", "user-ada"),
        ("p2", "", None, None),
        ("p3", "", "s1", "user-ada"),
    ]
    assert actual.reasons == {3: "item is no longer available", 4: "id is missing", 5: "id is missing"}


def test_audio_features_stand_under_the_id_that_was_asked(spark: SparkSession, lake: Lake) -> None:
    payloads = [
        make_features(id="other"),
        None,
        make_features(tempo=0, time_signature=0, key=-1, instrumentalness=0),
        make_features(energy=None),
        {},
        make_features(loudness="loud"),
    ]
    actual = validate_responses(
        spark, lake, make_response("audio_features", {"audio_features": payloads}, *(f"t{n}" for n in range(6)))
    )
    rows = {row["track_id"]: row for row in actual.accepted["audio_features"].values()}
    assert rows.keys() == {"t0", "t2", "t5"}
    assert {name: rows["t0"][name] for name in make_features()} == make_features()
    assert {rows["t2"][name] for name in ("tempo", "time_signature", "key")} == {None}
    assert rows["t2"]["instrumentalness"] == 0 and rows["t5"]["loudness"] is None
    assert actual.reasons == dict.fromkeys((2, 4, 5), "item has no audio features")


def test_audio_features_of_a_track_that_nobody_names_are_refused(spark: SparkSession, lake: Lake) -> None:
    responses = [
        make_response("audio_features", {"audio_features": [make_features(), make_features(), None]}, "t1", "t2", "t3")
    ]
    exploded = resources.explode_resources(lake.inputs.read_responses(spark, [store_responses(lake, *responses)]))
    known_tracks = spark.createDataFrame([("t1",), ("t1",)], "track_id string")
    actual = resources.reject_unknown_tracks(resources.parse_audio_features(exploded), known_tracks)
    assert [row["track_id"] for row in actual.accepted.collect()] == ["t1"]
    rejected = {row["row_number"]: (row["reason"], json.loads(row["row"])) for row in actual.rejected.collect()}
    assert rejected == {2: ("track is not known", make_features()), 3: ("item has no audio features", None)}


def test_profiles(spark: SparkSession, lake: Lake) -> None:
    rich = {"id": "ada", "account_id": "a-1", "display_name": "Ada", "country": "DE", "product": "premium"}
    actual = validate_responses(
        spark,
        lake,
        make_response("me", rich),
        make_response("me", {"id": "ada", "display_name": None}),
        make_response("me", {"account_id": "a-1"}),
        make_response("me", {"display_name": "Ada"}),
    )
    columns = ("user_id", "username", "country", "subscription_plan")
    assert {n: tuple(row[name] for name in columns) for n, row in actual.accepted["profiles"].items()} == {
        1: ("a-1", "Ada", "DE", "premium"),
        1_001: ("ada", "ada", None, None),
        2_001: ("a-1", None, None, None),
    }
    assert actual.reasons == {3_001: "id is missing"}


def test_what_postgresql_cannot_store_is_replaced(spark: SparkSession, lake: Lake) -> None:
    odd = make_track("t\0", name="A\0B \ud800", artists=[make_artist("r1", name="\0")], album={"id": "a", "name": "\0"})
    actual = validate_responses(
        spark, lake, make_items_page("p1", "s1", make_entry(odd), make_entry(make_track(id=None, name="\0")))
    )
    row = actual.one("tracks")
    assert (row["track_id"], row["artist_names"], row["album_name"]) == ("t\ufffd", ["\ufffd"], "\ufffd")
    assert row["name"] == "A\ufffdB ?"
    assert json.loads(actual.rows[2])["item"]["name"] == "\ufffd"


def test_what_is_no_object_is_refused_as_json_all_the_same(spark: SparkSession, lake: Lake) -> None:
    payloads = ["text", 'a "b" \0', "", "{", "{}", 7, True, [], ["x"], {}, None, "null"]
    actual = validate_responses(spark, lake, make_items_page("p1", "s1", *payloads))
    read = [json.loads(actual.rows[number]) for number in range(1, len(payloads) + 1)]
    assert read == [["text"], ['a "b" \0'], [""], ["{"], {}, ["7"], ["true"], ["[]"], ['["x"]'], {}, None, ["null"]]


def test_measures_that_cannot_be_are_none(spark: SparkSession, lake: Lake) -> None:
    wrong = {"danceability": 1.2, "valence": -0.1, "loudness": 21, "tempo": 2_000, "key": 12, "mode": 2}
    payloads = [make_features(**{name: value}) for name, value in {**wrong, "time_signature": 17}.items()]
    actual = validate_responses(
        spark, lake, make_response("audio_features", {"audio_features": payloads}, *wrong, "time_signature")
    )
    assert len(actual.accepted["audio_features"]) == len(payloads)
    for row in actual.accepted["audio_features"].values():
        expected = {**make_features(), row["track_id"]: None}
        assert {name: row[name] for name in expected} == expected


def test_a_playlist_that_changed_between_two_pages_is_not_whole(spark: SparkSession, lake: Lake) -> None:
    pages = [make_items_page(name, "s1", has_next=has_next) for name in ("p1", "p2") for has_next in (True, False)]
    pages[3] = replace(pages[3], body={**pages[3].body, "total": 1})
    actual = resources.select_complete_snapshots(
        lake.inputs.read_responses(spark, [store_responses(lake, *pages)])
    ).collect()
    assert [(row.playlist_id, row.snapshot_id) for row in actual] == [("p1", "s1")]


def test_refusals_hold_no_things(spark: SparkSession, lake: Lake) -> None:
    actual = validate_responses(
        spark,
        lake,
        make_items_page("p1", "s1", status=403),
        make_response("track", {"error": {"status": 404}}, "t1", status=404),
        make_response("playlist", {"error": {"status": 404}}, "p1", status=404),
    )
    assert actual.received.row_count == 0 and not actual.reasons and not any(actual.accepted.values())


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


def draw_altered(resource: Json) -> st.SearchStrategy[Any]:
    """Draw a valid resource with some fields changed."""
    changes = st.dictionaries(st.sampled_from([*resource, *NAMES.split()]), values | nearly, max_size=2)
    return changes.map(lambda changed: {**resource, **changed})


any_track = draw_altered(make_track()) | nearly
entries = st.builds(make_entry, any_track) | st.builds(make_entry, any_track, st.just("track")) | values | nearly
batched = st.none() | nearly
answers = st.one_of(
    st.lists(entries, max_size=3).map(lambda found: make_items_page("p1", "s1", *found)),
    st.lists(entries, max_size=3).map(lambda found: make_response("saved_tracks", {"items": found})),
    st.lists(entries, max_size=3).map(lambda found: make_response("recently_played", {"items": found})),
    st.lists(draw_altered(make_playlist()) | values, max_size=3).map(
        lambda found: make_response("my_playlists", {"items": found})
    ),
    st.lists(draw_altered(make_artist()) | values, max_size=3).map(
        lambda found: make_response("followed_artists", {"artists": {"items": found}})
    ),
    st.lists(any_track | batched, max_size=3).map(
        lambda found: make_response("tracks", {"tracks": found}, "t1", "t2", "t3")
    ),
    st.lists(draw_altered(make_artist()) | batched, max_size=3).map(
        lambda found: make_response("artists", {"artists": found}, "r1", "r2", "r3")
    ),
    st.lists(draw_altered(make_features()) | batched, max_size=3).map(
        lambda found: make_response("audio_features", {"audio_features": found}, "t1", "t2", "t3")
    ),
    any_track.map(lambda found: make_response("track", found, "t1")),
    draw_altered(make_artist()).map(lambda found: make_response("artist", found, "r1")),
    draw_altered(make_playlist()).map(lambda found: make_response("playlist", found, "p1")),
    draw_altered({"id": "ada"}).map(lambda found: make_response("me", found)),
)


@settings(max_examples=4, deadline=None, suppress_health_check=list(HealthCheck))
@given(responses=st.lists(answers, min_size=50, max_size=80))
def test_whatever_comes_is_accepted_or_refused(
    spark: SparkSession, module_lake: Lake, responses: list[ApiResponse]
) -> None:
    actual = validate_responses(spark, module_lake, *responses)
    numbers = [*actual.reasons, *(number for rows in actual.accepted.values() for number in rows)]
    assert len(numbers) == len(set(numbers)) == actual.received.row_count
    for kind, key in (
        ("tracks", "track_id"),
        ("artists", "artist_id"),
        ("playlists", "playlist_id"),
        ("profiles", "user_id"),
    ):
        assert all(str(row[key]).strip() for row in actual.accepted.get(kind, {}).values())
    for row in actual.accepted.get("tracks", {}).values():
        assert row["name"].strip() and row["artist_names"] and row["duration_ms"] >= 0
        assert row["popularity"] is None or 0 <= row["popularity"] <= 100
        assert (row["release_date"] is None) == (row["release_date_precision"] is None)
        assert row["artist_ids"] is None or len(row["artist_ids"]) == len(row["artist_names"])
    stored = [row for rows in actual.accepted.values() for row in rows.values()]
    assert not any("\0" in str(value) for row in stored for value in row.values() if isinstance(value, str))
