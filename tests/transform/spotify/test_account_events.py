"""Events from API responses: likes, follows and recent plays."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from pyspark.sql import DataFrame, Row, SparkSession
from pyspark.sql import functions as F

from etl.formats.api_responses import ApiResponse
from etl.formats.contracts import REJECTED_ROW
from etl.formats.contracts.events import EVENT_ROW
from etl.storage.lake import Lake
from etl.transform.spotify import account_events, resources
from etl.transform.validation import ValidationResult
from tests.transform.spotify.payloads import (
    Json,
    make_artist,
    make_asked_at,
    make_response,
    make_track,
    store_responses,
)

KNOWN = "user_id string, artist_id string, event_time timestamp"
KEY = ("event_time", "source", "user_id", "identity")


def explode_responses(spark: SparkSession, lake: Lake, *responses: ApiResponse) -> DataFrame:
    return resources.explode_resources(
        lake.inputs.read_responses(spark, [store_responses(lake, *responses)])
    ).localCheckpoint(eager=True)


def parse_responses(
    spark: SparkSession, lake: Lake, *responses: ApiResponse, follow: str = "", is_mock: bool = False
) -> ValidationResult:
    """Return the outcome for ada, who is account-1; ``follow``: the loaded follower of r1 since October."""
    users = spark.createDataFrame([("ada", "account-1")], "account string, user_id string")
    follows = spark.createDataFrame([(follow, "r1", datetime(2026, 10, 1, tzinfo=UTC))], KNOWN)
    return account_events.parse_events(explode_responses(spark, lake, *responses), users, follows, is_mock)


def collect_rows(result: ValidationResult) -> list[Row]:
    """Return the events of responses without rejected resources, ``event_time`` as text in UTC."""
    assert result.rejected.collect() == []
    return result.accepted.withColumn("event_time", F.col("event_time").cast("string")).orderBy(*KEY).collect()


def make_known_follow(row: Row) -> Json:
    return {name: value for name, value in row.asDict().items() if value is not None and name != "input_id"}


def make_saved_tracks(*entries: Any, **more: Any) -> ApiResponse:
    return make_response("saved_tracks", {"items": list(entries), "total": len(entries), "next": None}, **more)


def make_recently_played(*entries: Any, **more: Any) -> ApiResponse:
    return make_response("recently_played", {"items": list(entries), "next": None}, **more)


def make_followed_artists(*entries: Any, **more: Any) -> ApiResponse:
    return make_response(
        "followed_artists", {"artists": {"items": list(entries), "total": len(entries), "next": None}}, **more
    )


def test_tracks_of_the_mock_api_are_by_whom_the_catalogue_knows(spark: SparkSession, lake: Lake) -> None:
    saved_track = {"added_at": "2026-11-20T10:00:00Z", "track": make_track()}
    play = {"played_at": "2026-11-20T10:00:00Z", "track": make_track()}
    responses = (make_saved_tracks(saved_track), make_recently_played(play), make_followed_artists(make_artist("r1")))
    ids = [
        {
            row["source"]: row["artist_id"]
            for row in collect_rows(parse_responses(spark, lake, *responses, is_mock=is_mock))
        }
        for is_mock in (False, True)
    ]
    assert ids[0]["saved_tracks"] and ids[0]["recently_played"]
    assert ids[1] == {**ids[0], "saved_tracks": None, "recently_played": None}


def test_a_saved_track_is_a_like_when_it_was_added(spark: SparkSession, lake: Lake) -> None:
    actual = parse_responses(
        spark, lake, make_saved_tracks({"added_at": "2026-11-20T10:00:00Z", "track": make_track()})
    )
    (row,) = collect_rows(actual)
    assert [(f.name, f.dataType) for f in actual.accepted.schema] == [(f.name, f.dataType) for f in EVENT_ROW]
    assert actual.rejected.schema.fieldNames() == REJECTED_ROW.fieldNames()
    assert row.event_time == "2026-11-20 10:00:00"
    assert {name: value for name, value in make_known_follow(row).items() if name != "event_time"} == {
        "source": "saved_tracks",
        "identity": "t1",
        "user_id": "account-1",
        "activity_type": "LIKE",
        "track_id": "t1",
        "track_name": "Name of t1",
        "artist_id": "r1",
        "artist_name": "Name of r1",
    }


def test_a_recent_play_claims_neither_start_nor_end(spark: SparkSession, lake: Lake) -> None:
    entries = [
        {
            "played_at": "2026-11-20T10:00:00.123Z",
            "track": make_track(),
            "context": {"uri": "spotify:playlist:37i9dQZF1DXcBWIGoYBM5M"},
        },
        {"played_at": "2026-11-20T10:03:00Z", "track": make_track(artists=[]), "context": {"uri": "spotify:album:a1"}},
        {"played_at": "2026-11-20T10:06:00Z", "track": make_track("t2"), "context": None},
    ]
    first, second, last = collect_rows(parse_responses(spark, lake, make_recently_played(*entries)))
    assert first.event_time == "2026-11-20 10:00:00.123" and first.identity == "1795168800123 t1"
    assert (first.source, first.activity_type, first.playlist_id) == (
        "recently_played",
        "PLAY",
        "37i9dQZF1DXcBWIGoYBM5M",
    )
    assert [first[name] for name in ("started_at", "ended_at", "ms_played", "is_skipped")] == [None] * 4
    assert (second.playlist_id, second.artist_name, last.playlist_id) == (None, None, None)


def test_the_same_play_asked_twice_is_one_event(spark: SparkSession, lake: Lake) -> None:
    entry = {"played_at": "2026-11-20T10:00:00.123Z", "track": make_track()}
    first, second = collect_rows(
        parse_responses(
            spark, lake, make_recently_played(entry), make_recently_played(entry, asked_at=make_asked_at(5))
        )
    )
    assert [first[name] for name in KEY] == [second[name] for name in KEY]


def test_a_followed_artist_is_an_event_at_first_sight(spark: SparkSession, lake: Lake) -> None:
    responses = [
        make_followed_artists(make_artist("r1"), make_artist("r2"), asked_at=make_asked_at(3)),
        make_followed_artists(make_artist("r1"), asked_at=make_asked_at(1)),
    ]
    actual = collect_rows(parse_responses(spark, lake, *responses, follow="account-2"))
    assert [(row.artist_id, row.event_time) for row in actual] == [
        ("r1", "2026-11-21 01:00:00"),
        ("r1", "2026-11-21 01:00:00"),
        ("r2", "2026-11-21 03:00:00"),
    ]
    assert make_known_follow(actual[2]).keys() == {*KEY, "activity_type", "artist_id", "artist_name"}
    assert (actual[2].activity_type, actual[2].track_id, actual[2].artist_name) == ("FOLLOW", None, "Name of r2")


def test_a_follow_that_is_loaded_keeps_its_time(spark: SparkSession, lake: Lake) -> None:
    actual = collect_rows(
        parse_responses(spark, lake, make_followed_artists(make_artist("r1"), make_artist("r2")), follow="account-1")
    )
    assert [(row.artist_id, row.event_time) for row in actual] == [
        ("r1", "2026-10-01 00:00:00"),
        ("r2", "2026-11-21 00:00:00"),
    ]


def test_what_is_refused_says_why(spark: SparkSession, lake: Lake) -> None:
    good, late = {"played_at": "2026-11-20T10:00:00Z"}, "2026-11-23T00:00:01Z"
    cases: list[tuple[str, Any]] = [
        ("item is no longer available", None),
        ("item is no longer available", {**good, "track": None}),
        ("item is an episode", {**good, "track": make_track(type="episode")}),
        ("item is a local file", {**good, "track": make_track(id=None, is_local=True)}),
        ("id is missing", {**good, "track": make_track(id=None)}),
        ("id is no Spotify id", {**good, "track": make_track(id="t 1")}),
        ("id is no Spotify id", {**good, "track": make_track(id="t" * 256)}),
        ("played_at is missing", {"track": make_track()}),
        ("played_at is no date and time", {"played_at": "soon", "track": make_track()}),
        ("played_at lies before Spotify's beginning", {"played_at": "1970-01-01T00:00:00Z", "track": make_track()}),
        ("played_at lies after the answer", {"played_at": late, "track": make_track()}),
    ]
    responses = [
        make_recently_played(*(entry for _, entry in cases)),
        make_saved_tracks({"added_at": None, "track": make_track()}),
        make_followed_artists(None, make_artist("r1", id=None)),
    ]
    rejected_rows = parse_responses(spark, lake, *responses).rejected.orderBy("row_number").collect()
    expected = [reason for reason, _ in cases]
    expected += ["added_at is missing", "item is no longer available", "id is missing"]
    assert [row.reason for row in rejected_rows] == expected
    assert rejected_rows[0].row == "null" and '"played_at"' in rejected_rows[1].row


def test_what_is_no_object_is_refused_as_json_all_the_same(spark: SparkSession, lake: Lake) -> None:
    payloads = ["text", "{", '{"id": "r', "{}", 7, {}, None]
    rejected_rows = (
        parse_responses(spark, lake, make_followed_artists(*payloads), make_recently_played("{"))
        .rejected.orderBy("row_number")
        .collect()
    )
    assert [json.loads(row.row) for row in rejected_rows] == [
        ["text"],
        ["{"],
        ['{"id": "r'],
        {},
        ["7"],
        {},
        None,
        ["{"],
    ]


def test_an_account_that_nobody_knows_has_no_events(spark: SparkSession, lake: Lake) -> None:
    nobody = spark.createDataFrame([], "account string, user_id string")
    entry = {"added_at": "2026-11-20T10:00:00Z", "track": make_track()}
    actual = account_events.parse_events(
        explode_responses(spark, lake, make_saved_tracks(entry)), nobody, spark.createDataFrame([], KNOWN)
    )
    assert actual.accepted.count() == 0
    assert [row.reason for row in actual.rejected.collect()] == ["account has not said who it is"]


@pytest.mark.parametrize("profile", [{"id": "u1", "account_id": "account-1"}, {"id": "account-1"}])
def test_users_are_who_their_newest_profile_says(spark: SparkSession, lake: Lake, profile: Json) -> None:
    responses = [
        make_response("me", {"id": "old"}, asked_at=make_asked_at(0)),
        make_response("me", profile, asked_at=make_asked_at(1)),
    ]
    assert [
        tuple(row) for row in account_events.resolve_users(explode_responses(spark, lake, *responses)).collect()
    ] == [("ada", "account-1")]
