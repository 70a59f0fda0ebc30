"""Responses of several days merged into one latest state, and the rows that are built from it."""

import random
from datetime import date, datetime
from typing import Any

import pytest
from pyspark.sql import SparkSession

from etl.formats.api_responses import ApiResponse
from etl.formats.contracts import ARTIST_ROW, AUDIO_FEATURES, OTHER_AUDIO_MEASURES, STAGED, TRACK_ROW
from etl.storage.inputs import ReceivedInput
from etl.storage.lake import Lake
from etl.transform.spotify import resources, staged_frames
from tests.transform.spotify.payloads import (
    Json,
    LatestState,
    collect_rows,
    fold_inputs,
    make_artist,
    make_asked_at,
    make_empty_state,
    make_features,
    make_items_page,
    make_playlist,
    make_response,
    make_track,
    parse_kinds,
    store_responses,
)

ADDED = datetime(2020, 1, 2, 3, 4, 5)


def make_entry(resource: Any, added_at: str | None = "2020-01-02T03:04:05Z") -> Json:
    return {"added_at": added_at, "item": resource}


NEW = make_artist("r1", name="New artist")
RICH = {"popularity": 50, "external_ids": {"isrc": "GBAYE0601498"}, "linked_from": {"id": "t0"}}


def make_first_day() -> list[ApiResponse]:
    """Return responses in extended mode, which contain all data; the quota truncates the items of p3."""
    when = {"asked_at": make_asked_at(3, day=1)}
    episode, local = make_track("e1", type="episode"), make_track(None, is_local=True)
    return [
        make_response(
            "my_playlists",
            {"items": [make_playlist("p1"), make_playlist("p2"), make_playlist("p3")], "next": None},
            **when,
        ),
        make_items_page(
            "p1",
            "s1",
            make_entry(make_track("t1", **RICH)),
            make_entry(local),
            make_entry(make_track("t2")),
            has_next=True,
            **when,
        ),
        make_items_page(
            "p1", "s1", make_entry(episode), make_entry(None), make_entry(make_track("t1", **RICH), None), **when
        ),
        make_items_page(
            "p2", "s1", make_entry(make_track("t3", artists=[make_artist("r1"), make_artist("r2")])), **when
        ),
        make_items_page("p3", "s1", make_entry(make_track("t4")), has_next=True, **when),
        make_items_page("p4", "s1", status=403, **when),
        make_response(
            "audio_features", {"audio_features": [make_features(), make_features(), None]}, "t1", "unseen", "t2", **when
        ),
        make_response(
            "artists", {"artists": [make_artist("r1", popularity=0, followers={"total": 0}), None]}, "r1", "r9", **when
        ),
        make_response("me", {"id": "ada", "account_id": "a-1", "country": "DE", "product": "free"}, **when),
    ]


def make_second_day() -> list[ApiResponse]:
    """Return responses in development mode: fields are missing, a track and an artist have other names."""
    when = {"asked_at": make_asked_at(3, day=2)}
    renamed = make_track("t1", name="New name", artists=[NEW], explicit=None)
    return [
        make_response(
            "my_playlists", {"items": [make_playlist("p1", name="New list", snapshot_id="s2")], "next": None}, **when
        ),
        make_items_page(
            "p1", "s2", make_entry(renamed), make_entry(make_track("t5", artists=[NEW])), has_next=True, **when
        ),
        make_response("track", renamed, "t1", **when),
        make_response("track", {"error": {"status": 404}}, "gone", status=404, **when),
        make_response("artist", make_artist("r3"), "r3", **when),
        make_response("me", {"id": "ada", "account_id": "a-1", "display_name": "Ada"}, **when),
    ]


def make_same_day() -> list[ApiResponse]:
    """Return another account's responses: one playlist is empty now, and no other fields of tracks change."""
    when = {"asked_at": make_asked_at(4, day=2)}
    return [
        make_items_page("p2", "s2", make_entry(None), **when),
        make_items_page("p5", None, make_entry(make_track("t6", artists=[NEW])), **when),
    ]


def make_late_responses() -> list[ApiResponse]:
    """Return responses that are older than all others and arrive last."""
    when = {"asked_at": "2026-10-31T03:00:00+00:00"}
    old = make_track(
        "t1",
        name="Old name",
        popularity=1,
        external_ids={"isrc": "OLD"},
        artists=[make_artist("r1", name="Old artist")],
    )
    return [
        make_response(
            "my_playlists", {"items": [make_playlist("p1", name="Old list"), make_playlist("p5")], "next": None}, **when
        ),
        make_items_page("p1", "s0", **when),
        make_response("track", old, "t1", **when),
        make_response(
            "artist", make_artist("r1", name="Old artist", popularity=99, followers={"total": 99}), "r1", **when
        ),
        make_response("audio_features", {"audio_features": [make_features(energy=0.1)]}, "t1", **when),
    ]


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Lake:
    return Lake((tmp_path_factory.mktemp("memory") / "lake").as_uri())


@pytest.fixture(scope="module")
def inputs(place: Lake) -> list[ReceivedInput]:
    return [
        store_responses(place, *day)
        for day in (make_first_day(), make_second_day(), make_same_day(), make_late_responses())
    ]


@pytest.fixture(scope="module")
def first(spark: SparkSession, place: Lake, inputs: list[ReceivedInput]) -> LatestState:
    return fold_inputs(make_empty_state(spark), spark, place, inputs[0])


@pytest.fixture(scope="module")
def last(spark: SparkSession, place: Lake, inputs: list[ReceivedInput], first: LatestState) -> LatestState:
    return fold_inputs(fold_inputs(first, spark, place, *inputs[1:3]), spark, place, inputs[3])


def index_by_id(state: LatestState, kind: str) -> dict[str, Json]:
    return {row[f"{kind}_id"]: row for row in collect_rows({"x": state[f"api_{kind}"]})["x"]}


def test_what_was_told_of_a_track_is_remembered(first: LatestState) -> None:
    known = index_by_id(first, "track")
    assert known.keys() == {"t1", "t2", "t3", "t4"}, "features of a track that nobody told of are none"
    asked_at = datetime(2026, 11, 1, 3)
    assert known["t1"]["told"]["name"] == "Name of t1" and known["t1"]["told"]["asked_at"] == asked_at
    assert known["t1"]["popularity"] == {"asked_at": asked_at, "value": 50}
    assert known["t1"]["measures"]["value"] == make_features()
    assert [known["t2"][name] for name in ("isrc", "popularity", "linked_id", "measures")] == [None] * 4


def test_the_newest_word_wins_and_a_field_that_is_gone_keeps_its_value(last: LatestState) -> None:
    known = index_by_id(last, "track")["t1"]
    assert (known["told"]["name"], known["told"]["artist_names"]) == ("New name", ["New artist"])
    actual = {name: known[name]["value"] for name in ("isrc", "popularity", "linked_id")}
    assert actual == {"isrc": "GBAYE0601498", "popularity": 50, "linked_id": "t0"}
    assert known["measures"]["value"]["energy"] == 0.5
    artists = index_by_id(last, "artist")
    assert artists["r1"]["told"]["name"] == "New artist"
    assert (artists["r1"]["popularity"]["value"], artists["r1"]["followers"]["value"]) == (0, 0)
    assert {id_ for id_, artist in artists.items() if artist["popularity"] is None} == {"r2", "r3"}


def test_a_playlist_keeps_its_items_in_order_with_repeats(first: LatestState) -> None:
    lists = index_by_id(first, "playlist")
    assert lists.keys() == {"p1", "p2", "p3"}
    entries = [(entry_row["track_id"], entry_row["added_at"]) for entry_row in lists["p1"]["items"]["entries"]]
    assert entries == [("t1", ADDED), ("t2", ADDED), ("t1", None)]
    assert lists["p3"]["items"] is None and lists["p3"]["told"]["name"] == "Name of p3"


def test_a_snapshot_that_was_cut_changes_no_items(last: LatestState, first: LatestState) -> None:
    after, before = index_by_id(last, "playlist")["p1"], index_by_id(first, "playlist")["p1"]
    assert after["told"]["name"] == "New list"
    assert after["items"] == before["items"] and after["items"]["snapshot_id"] == "s1"


def test_an_emptied_playlist_is_empty_whatever_else_was_told(last: LatestState) -> None:
    items = index_by_id(last, "playlist")["p2"]["items"]
    assert items == {"asked_at": datetime(2026, 11, 2, 4), "snapshot_id": "s2", "entries": []}


def test_a_playlist_without_a_snapshot_is_not_empty(last: LatestState) -> None:
    items = index_by_id(last, "playlist")["p5"]["items"]
    assert [entry_row["track_id"] for entry_row in items["entries"]] == ["t6"] and items["snapshot_id"] is None


def test_order_and_partitions_do_not_matter(
    spark: SparkSession, place: Lake, inputs: list[ReceivedInput], last: LatestState
) -> None:
    shuffled = random.Random(3).sample(inputs, len(inputs))
    at_once = fold_inputs(make_empty_state(spark), spark, place, *shuffled, partitions=5)
    assert collect_rows(at_once) == collect_rows(last)


def test_the_same_answers_again_change_nothing(
    spark: SparkSession, place: Lake, inputs: list[ReceivedInput], last: LatestState
) -> None:
    assert collect_rows(fold_inputs(last, spark, place, *inputs)) == collect_rows(last)


def test_rows_of_tracks(last: LatestState) -> None:
    frame = staged_frames.build_track_rows(last)
    assert [(f.name, f.dataType) for f in frame.schema.fields] == [(f.name, f.dataType) for f in TRACK_ROW.fields]
    actual = {row.track_id: row.asDict(recursive=True) for row in frame.collect()}
    assert actual.keys() == {f"t{n}" for n in range(1, 7)}
    renamed = {"name": "New name", "artist_ids": ["r1"], "artist_names": ["New artist"], "source": "api"}
    retained = {"isrc": "GBAYE0601498", "popularity": 50, "release_date": date(2001, 1, 1), **make_features()}
    absent = dict.fromkeys(("input_id", "row_number", "genres", "playlist_id", "explicit"))
    expected = {**renamed, **retained, **absent, "release_date_precision": "year", "duration_ms": 180_000}
    assert {name: actual["t1"][name] for name in expected} == expected
    # An artist has one name, the newest, on all tracks.
    assert actual["t3"]["artist_names"] == ["New artist", "Name of r2"]
    missing = (*AUDIO_FEATURES, *OTHER_AUDIO_MEASURES, "popularity", "isrc")
    assert {actual["t3"][name] for name in missing} == {None}, "what the API does not say is NULL and never 0"


def test_rows_of_artists(last: LatestState) -> None:
    frame = staged_frames.build_artist_rows(last)
    assert [(f.name, f.dataType) for f in frame.schema.fields] == [(f.name, f.dataType) for f in ARTIST_ROW.fields]
    actual = {(row.artist_id, row.name, row.popularity, row.followers, row.source) for row in frame.collect()}
    assert actual == {
        ("r1", "New artist", 0, 0, "api"),
        ("r2", "Name of r2", None, None, "api"),
        ("r3", "Name of r3", None, None, "api"),
    }


def test_relinked_ids_lead_to_the_track(last: LatestState) -> None:
    (actual,) = (row.asDict() for row in staged_frames.build_linked_aliases(last).collect())
    assert actual == {
        "alias_kind": "linked_id",
        "alias_value": "t0",
        "track_id": "t1",
        "method": "linked",
        "score": 1.0,
    }


TOLD = ("user_id", "username", "country", "subscription_plan", "source", "valid_from")


def test_what_a_night_adds_beside_the_catalogue(spark: SparkSession, place: Lake, inputs: list[ReceivedInput]) -> None:
    lines = place.inputs.read_responses(spark, inputs)
    asked = {(row.kind, row.id): row.asked_at for row in staged_frames.build_refresh_state(lines).collect()}
    newer, older = datetime(2026, 11, 2, 3), datetime(2026, 11, 1, 3)
    assert asked == {
        **{("track", id_): newer for id_ in ("t1", "gone")},
        **{("artist", id_): older for id_ in ("r1", "r9")},
        ("artist", "r3"): newer,
        **{("audio_features", id_): older for id_ in ("t1", "unseen", "t2")},
    }
    actual = parse_kinds(
        resources.explode_resources(lines), [response for day in (make_first_day(),) for response in day]
    )
    first, row = staged_frames.build_user_record(actual["profiles"].accepted).orderBy("valid_from").collect()
    assert (first["subscription_plan"], first["valid_from"]) == ("free", older)
    user = {name: value for name, value in row.asDict().items() if name in TOLD}
    # The newest profile is unchanged: the load keeps values that it does not contain.
    assert user == {"user_id": "a-1", "username": "Ada", "country": None, "subscription_plan": None} | {
        "source": "api",
        "valid_from": newer,
    }
    owners = staged_frames.build_account_owner(actual["profiles"].accepted)
    assert [tuple(row) for row in owners.collect()] == [("a-1", "ada")]
    keys = staged_frames.build_input_keys(list(actual.values())).collect()
    rejected = sum(parsed_kind.rejected.count() for parsed_kind in actual.values())
    assert sum(row.row_count for row in keys) + rejected == sum(received_input.row_count for received_input in inputs)
    assert {row.key_kind for row in keys} == {"track", "artist", "playlist", "user"}
    of_tracks = staged_frames.build_fact_track_popularity(actual["tracks"].accepted)
    assert {tuple(row) for row in of_tracks.collect()} == {
        ("t1", date(2026, 10, 31), 1),
        ("t1", date(2026, 11, 1), 50),
    }
    of_artists = staged_frames.build_fact_artist_popularity(actual["artists"].accepted)
    assert {tuple(row) for row in of_artists.collect()} == {
        ("r1", date(2026, 10, 31), 99, 99),
        ("r1", date(2026, 11, 1), 0, 0),
    }
    for name, frame in (
        ("fact_track_popularity", of_tracks),
        ("fact_artist_popularity", of_artists),
        ("refresh_state", staged_frames.build_refresh_state(lines)),
        ("user_record", staged_frames.build_user_record(actual["profiles"].accepted)),
        ("account_owner", owners),
    ):
        assert [(f.name, f.dataType) for f in frame.schema] == [(f.name, f.dataType) for f in STAGED[name]]
