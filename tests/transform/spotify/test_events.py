"""Events out of the API's answers: likes, follows and recent plays."""

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
from tests.transform.spotify.said import Json, answer, artist, at, received, track

KNOWN = "user_id string, artist_id string, event_time timestamp"
KEY = ("event_time", "source", "user_id", "identity")


def held(spark: SparkSession, lake: Lake, *answers: ApiResponse) -> DataFrame:
    return resources.explode_resources(lake.inputs.read_responses(spark, [received(lake, *answers)])).localCheckpoint(
        eager=True
    )


def parsed(
    spark: SparkSession, lake: Lake, *answers: ApiResponse, follow: str = "", is_mock: bool = False
) -> ValidationResult:
    """The outcome for ada, who is account-1; ``follow``: who has followed r1 since October, as far as is loaded."""
    users = spark.createDataFrame([("ada", "account-1")], "account string, user_id string")
    follows = spark.createDataFrame([(follow, "r1", datetime(2026, 10, 1, tzinfo=UTC))], KNOWN)
    return account_events.parse_events(held(spark, lake, *answers), users, follows, is_mock)


def rows(found: ValidationResult) -> list[Row]:
    """The events of answers without a fault, ``event_time`` as text in UTC."""
    assert found.rejected.collect() == []
    return found.accepted.withColumn("event_time", F.col("event_time").cast("string")).orderBy(*KEY).collect()


def known(row: Row) -> Json:
    return {name: value for name, value in row.asDict().items() if value is not None and name != "input_id"}


def saved(*entries: Any, **more: Any) -> ApiResponse:
    return answer("saved_tracks", {"items": list(entries), "total": len(entries), "next": None}, **more)


def played(*entries: Any, **more: Any) -> ApiResponse:
    return answer("recently_played", {"items": list(entries), "next": None}, **more)


def followed(*entries: Any, **more: Any) -> ApiResponse:
    return answer(
        "followed_artists", {"artists": {"items": list(entries), "total": len(entries), "next": None}}, **more
    )


def test_tracks_of_the_mock_api_are_by_whom_the_catalogue_knows(spark: SparkSession, lake: Lake) -> None:
    saved_track = {"added_at": "2026-11-20T10:00:00Z", "track": track()}
    play = {"played_at": "2026-11-20T10:00:00Z", "track": track()}
    answers = (saved(saved_track), played(play), followed(artist("r1")))
    ids = [
        {row["source"]: row["artist_id"] for row in rows(parsed(spark, lake, *answers, is_mock=is_mock))}
        for is_mock in (False, True)
    ]
    assert ids[0]["saved_tracks"] and ids[0]["recently_played"]
    assert ids[1] == {**ids[0], "saved_tracks": None, "recently_played": None}


def test_a_saved_track_is_a_like_when_it_was_added(spark: SparkSession, lake: Lake) -> None:
    found = parsed(spark, lake, saved({"added_at": "2026-11-20T10:00:00Z", "track": track()}))
    (row,) = rows(found)
    assert [(f.name, f.dataType) for f in found.accepted.schema] == [(f.name, f.dataType) for f in EVENT_ROW]
    assert found.rejected.schema.fieldNames() == REJECTED_ROW.fieldNames()
    assert row.event_time == "2026-11-20 10:00:00"
    assert {name: value for name, value in known(row).items() if name != "event_time"} == {
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
            "track": track(),
            "context": {"uri": "spotify:playlist:37i9dQZF1DXcBWIGoYBM5M"},
        },
        {"played_at": "2026-11-20T10:03:00Z", "track": track(artists=[]), "context": {"uri": "spotify:album:a1"}},
        {"played_at": "2026-11-20T10:06:00Z", "track": track("t2"), "context": None},
    ]
    one, other, last = rows(parsed(spark, lake, played(*entries)))
    assert one.event_time == "2026-11-20 10:00:00.123" and one.identity == "1795168800123 t1"
    assert (one.source, one.activity_type, one.playlist_id) == ("recently_played", "PLAY", "37i9dQZF1DXcBWIGoYBM5M")
    assert [one[name] for name in ("started_at", "ended_at", "ms_played", "is_skipped")] == [None] * 4
    assert (other.playlist_id, other.artist_name, last.playlist_id) == (None, None, None)


def test_the_same_play_asked_twice_is_one_event(spark: SparkSession, lake: Lake) -> None:
    entry = {"played_at": "2026-11-20T10:00:00.123Z", "track": track()}
    one, other = rows(parsed(spark, lake, played(entry), played(entry, asked_at=at(5))))
    assert [one[name] for name in KEY] == [other[name] for name in KEY]


def test_a_followed_artist_is_an_event_at_first_sight(spark: SparkSession, lake: Lake) -> None:
    answers = [followed(artist("r1"), artist("r2"), asked_at=at(3)), followed(artist("r1"), asked_at=at(1))]
    found = rows(parsed(spark, lake, *answers, follow="account-2"))
    assert [(row.artist_id, row.event_time) for row in found] == [
        ("r1", "2026-11-21 01:00:00"),
        ("r1", "2026-11-21 01:00:00"),
        ("r2", "2026-11-21 03:00:00"),
    ]
    assert known(found[2]).keys() == {*KEY, "activity_type", "artist_id", "artist_name"}
    assert (found[2].activity_type, found[2].track_id, found[2].artist_name) == ("FOLLOW", None, "Name of r2")


def test_a_follow_that_is_loaded_keeps_its_time(spark: SparkSession, lake: Lake) -> None:
    found = rows(parsed(spark, lake, followed(artist("r1"), artist("r2")), follow="account-1"))
    assert [(row.artist_id, row.event_time) for row in found] == [
        ("r1", "2026-10-01 00:00:00"),
        ("r2", "2026-11-21 00:00:00"),
    ]


def test_what_is_refused_says_why(spark: SparkSession, lake: Lake) -> None:
    good, late = {"played_at": "2026-11-20T10:00:00Z"}, "2026-11-23T00:00:01Z"
    refused: list[tuple[str, Any]] = [
        ("item is no longer available", None),
        ("item is no longer available", {**good, "track": None}),
        ("item is an episode", {**good, "track": track(type="episode")}),
        ("item is a local file", {**good, "track": track(id=None, is_local=True)}),
        ("id is missing", {**good, "track": track(id=None)}),
        ("id is no Spotify id", {**good, "track": track(id="t 1")}),
        ("id is no Spotify id", {**good, "track": track(id="t" * 256)}),
        ("played_at is missing", {"track": track()}),
        ("played_at is no date and time", {"played_at": "soon", "track": track()}),
        ("played_at lies before Spotify's beginning", {"played_at": "1970-01-01T00:00:00Z", "track": track()}),
        ("played_at lies after the answer", {"played_at": late, "track": track()}),
    ]
    answers = [
        played(*(entry for _, entry in refused)),
        saved({"added_at": None, "track": track()}),
        followed(None, artist("r1", id=None)),
    ]
    told = parsed(spark, lake, *answers).rejected.orderBy("row_number").collect()
    expected = [reason for reason, _ in refused]
    expected += ["added_at is missing", "item is no longer available", "id is missing"]
    assert [row.reason for row in told] == expected
    assert told[0].row == "null" and '"played_at"' in told[1].row


def test_what_is_no_object_is_refused_as_json_all_the_same(spark: SparkSession, lake: Lake) -> None:
    said = ["text", "{", '{"id": "r', "{}", 7, {}, None]
    told = parsed(spark, lake, followed(*said), played("{")).rejected.orderBy("row_number").collect()
    assert [json.loads(row.row) for row in told] == [["text"], ["{"], ['{"id": "r'], {}, ["7"], {}, None, ["{"]]


def test_an_account_that_nobody_knows_has_no_events(spark: SparkSession, lake: Lake) -> None:
    nobody = spark.createDataFrame([], "account string, user_id string")
    entry = {"added_at": "2026-11-20T10:00:00Z", "track": track()}
    found = account_events.parse_events(held(spark, lake, saved(entry)), nobody, spark.createDataFrame([], KNOWN))
    assert found.accepted.count() == 0
    assert [row.reason for row in found.rejected.collect()] == ["account has not said who it is"]


@pytest.mark.parametrize("profile", [{"id": "u1", "account_id": "account-1"}, {"id": "account-1"}])
def test_users_are_who_their_newest_profile_says(spark: SparkSession, lake: Lake, profile: Json) -> None:
    answers = [answer("me", {"id": "old"}, asked_at=at(0)), answer("me", profile, asked_at=at(1))]
    assert [tuple(row) for row in account_events.resolve_users(held(spark, lake, *answers)).collect()] == [
        ("ada", "account-1")
    ]
