"""Simulated feeds in the formats of other contracts: fastavro and Spark read them."""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import fastavro
import pytest
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from etl.formats.contracts.avro import load_contract, write_avro
from etl.settings import CHECKOUT
from simulator.listeners import activity_records, contract_projections, feed
from tests.simulator.listeners.small_library import PLAYLIST_IDS, TRACKS, make_simulation


@dataclass(frozen=True)
class _Feed:
    """A feed in the contracts of the lake, and its frames."""

    events: list[Any]
    users: list[Any]
    event_frame: DataFrame
    user_frame: DataFrame


@pytest.fixture(scope="module")
def simulated(spark: SparkSession, tmp_path_factory: pytest.TempPathFactory) -> _Feed:
    folder, listeners = tmp_path_factory.mktemp("projections"), make_simulation(30, 2)
    lookup_tables = activity_records.make_lookup_tables(spark, TRACKS, PLAYLIST_IDS)
    feed.write_events(spark, listeners, lookup_tables, (folder / "events").as_uri())
    write_avro(feed.make_user_records(spark, listeners), "user", (folder / "users").as_uri())
    frames = (spark.read.format("avro").load((folder / name).as_uri()) for name in ("events", "users"))
    return _Feed(_read_records(folder / "events"), _read_records(folder / "users"), *frames)


def _read_records(folder: Path) -> list[Any]:
    records: list[Any] = []
    for path in sorted(folder.glob("*.avro")):
        with path.open("rb") as source:
            records += list(fastavro.reader(source))
    return records


def _round_trip(spark: SparkSession, frame: DataFrame, contract_name: str, folder: Path) -> list[Any]:
    """Write a frame and read it with fastavro; Spark reads the same number of records and the same fields."""
    write_avro(frame, contract_name, folder.as_uri())
    records = _read_records(folder)
    schema = json.dumps(load_contract(contract_name))
    by_spark = spark.read.format("avro").option("avroSchema", schema).load(folder.as_uri())
    assert by_spark.count() == len(records)
    assert by_spark.columns == [field["name"] for field in load_contract(contract_name)["fields"]]
    return records


def test_wrapped_data(spark: SparkSession, simulated: _Feed, tmp_path: Path) -> None:
    frame = contract_projections.make_wrapped_records(simulated.event_frame, simulated.user_frame)
    records = _round_trip(spark, frame, "spotify_wrapped_data", tmp_path)
    by_id = {record["userSongInteraction"]["eventId"]: record for record in records}
    assert len(by_id) == len(records) == len(simulated.events)
    for event in simulated.events:
        record = by_id[event["eventId"]]
        profile, song, interaction = (record[name] for name in ("userProfile", "songMetadata", "userSongInteraction"))
        versions = sorted(
            (user for user in simulated.users if user["userId"] == event["userId"]), key=lambda user: user["updatedAt"]
        )
        user = [versions[0], *(user for user in versions if user["updatedAt"] <= event["eventTime"])][-1]
        assert {name: profile[name] for name in profile if name != "age"} == {
            name: user[name] for name in profile if name != "age"
        }
        born, day = user["birthdate"], event["eventTime"].date()
        assert profile["age"] == day.year - born.year - ((day.month, day.day) < (born.month, born.day))
        assert (song is None) == (event["activityType"] == "FOLLOW")
        assert song is None or (song["title"], song["duration"]) == (event["song"], event["duration"])
        local_time = datetime.fromisoformat(interaction["localTimestamp"])
        assert local_time == event["eventTime"] == interaction["timestamp"]
        assert local_time.utcoffset() == event["eventTime"].astimezone(ZoneInfo(event["timezone"])).utcoffset()
        assert interaction["isShuffle"] == (event["context"] and event["context"]["isShuffle"])


def test_a_user_is_as_of_the_event(spark: SparkSession, simulated: _Feed) -> None:
    event = simulated.events[0]
    middle = event["eventTime"]
    schema = simulated.user_frame.schema
    values = dict.fromkeys(schema.names) | {"userId": event["userId"], "birthdate": date(2000, 2, 29)}
    users = spark.createDataFrame(
        [
            {**values, "username": "before", "updatedAt": middle - timedelta(days=1)},
            {**values, "username": "from then on", "updatedAt": middle},
            {**values, "username": "after", "updatedAt": middle + timedelta(milliseconds=1)},
        ],
        schema,
    )
    events = simulated.event_frame.where(F.col("eventId") == event["eventId"])
    for first, expected in (("before", "from then on"), ("after", "after")):
        left = users.where(F.col("username") >= first) if first == "before" else users.where("username = 'after'")
        records = contract_projections.make_wrapped_records(events, left).collect()
        assert [record.userProfile.username for record in records] == [expected]
    nobody = contract_projections.make_wrapped_records(events, users.where("false")).collect()
    assert [(record.userProfile.userId, record.userProfile.age) for record in nobody] == [(event["userId"], None)]


def test_entities(spark: SparkSession, simulated: _Feed, tmp_path: Path) -> None:
    tracks = TRACKS.assign(artist_followers=5_000_000_000, audio_features_type=3, newness_score=0.25)
    records = {
        name: _round_trip(spark, frame, f"entity_{name}", tmp_path / name)
        for name, frame in (
            ("user", contract_projections.make_user_entities(simulated.user_frame)),
            ("track", contract_projections.make_track_entities(spark, tracks)),
            ("artist", contract_projections.make_artist_entities(spark, tracks)),
            ("event", contract_projections.make_event_entities(simulated.event_frame)),
        )
    }
    ids = {name: {record[f"{name}Id"] for record in records[name]} for name in records}
    assert all(len(ids[name]) == len(records[name]) for name in records)
    assert (
        {record["userId"] for record in records["event"]} <= ids["user"] == {user["userId"] for user in simulated.users}
    )
    assert {record["trackId"] for record in records["event"]} - {None} <= ids["track"] == set(TRACKS["track_id"])
    assert {record["artistId"] for record in records["event"]} <= ids["artist"] == set(TRACKS["artist_id"])
    assert len(records["event"]) == len(simulated.events)
    row = TRACKS[TRACKS["release_date"].notna()].iloc[0]
    track = next(record for record in records["track"] if record["trackId"] == row["track_id"])
    assert track["releaseDate"] == date(1970, 1, 1) + timedelta(days=int(row["release_date"]))
    assert (track["audioFeaturesType"], track["newnessScore"]) == (3, 0.25)
    assert track["valence"] == pytest.approx(row["valence"]) and track["duration"] == row["duration_ms"]
    assert {record["followers"] for record in records["artist"]} == {5_000_000_000}
    assert any(record["popularity"] for record in records["artist"])


def test_a_catalogue_without_optional_columns_has_nulls(spark: SparkSession) -> None:
    track = contract_projections.make_track_entities(spark, TRACKS[:1]).collect()[0]
    assert track.audioFeaturesType is None and track.newnessScore is None and track.name == TRACKS["name"][0]


def test_the_first_version_is_the_record_that_others_know() -> None:
    schema = load_contract("user_activity_1")
    assert (schema["namespace"], schema["name"]) == ("com.spotify.wrapped", "UserActivity")
    types = {field["name"]: field["type"] for field in schema["fields"]}
    texts = ("song", "songId", "artist", "artistId", "playlistId", "userLocation")
    measures = ("valence", "tempo", "acousticness", "energy", "danceability")
    timestamp_type = {"type": "long", "logicalType": "timestamp-millis"}
    kinds = {name: types.pop(name)["symbols"] for name in ("activityType", "deviceType")}
    assert kinds == {
        "activityType": ["PLAY", "PAUSE", "SKIP", "LIKE", "FOLLOW"],
        "deviceType": ["MOBILE", "DESKTOP", "TABLET", "SMART_SPEAKER"],
    }
    assert types == {
        **dict.fromkeys(("userId", "genre"), "string"),
        **{name: ["null", "string"] for name in texts},
        **{name: ["null", "float"] for name in measures},
        **dict.fromkeys(("eventTime", "startTime", "endTime"), timestamp_type),
        "duration": ["null", "int"],
    }


def test_the_next_version_has_all_of_the_first_and_a_default_for_what_is_new() -> None:
    first, second = (load_contract(f"user_activity_{version}")["fields"] for version in (1, 2))
    assert [(field["name"], field["type"]) for field in second[: len(first)]] == [
        (field["name"], field["type"]) for field in first
    ]
    new = second[len(first) :]
    names = {"eventId", "subscriptionType", "country", "continent", "timezone", "msPlayed", "context"}
    assert {field["name"] for field in new} == names
    assert all("default" in field for field in new)


@pytest.mark.parametrize(
    "name", sorted(path.stem for path in (CHECKOUT / "etl" / "formats" / "contracts").glob("*.avsc"))
)
def test_every_field_is_explained(name: str) -> None:
    def records_of(schema: Any) -> Iterable[dict[str, Any]]:
        if isinstance(schema, list):
            for part_schema in schema:
                yield from records_of(part_schema)
        elif isinstance(schema, dict) and schema["type"] == "record":
            yield schema
            for field in schema["fields"]:
                yield from records_of(field["type"])

    for record in records_of(load_contract(name)):
        assert record["doc"] and all(field["doc"] for field in record["fields"])
