"""The same things in the shapes of earlier feeds, there and back."""

import io
from collections.abc import Iterable
from datetime import datetime
from pathlib import Path
from typing import Any

import fastavro
import pytest
from pyspark.sql import SparkSession

from etl.formats.contracts.avro import load_contract
from etl.settings import CHECKOUT
from simulator.listeners import activity_records, contract_projections, feed
from tests.simulator.listeners.small_library import PLAYLIST_IDS, TRACKS, simulation


@pytest.fixture(scope="module")
def told(
    spark: SparkSession, tmp_path_factory: pytest.TempPathFactory
) -> tuple[list[Any], contract_projections.UserHistory]:
    """Events, and users."""
    folder, made = tmp_path_factory.mktemp("projections"), simulation(30, 2)
    feed.write_events(
        spark, made, activity_records.make_lookup_tables(spark, TRACKS, PLAYLIST_IDS), (folder / "events").as_uri()
    )
    feed.write_avro(feed.make_user_records(spark, made), "user", (folder / "users").as_uri())
    return _read(folder / "events"), contract_projections.UserHistory(_read(folder / "users"))


def _read(folder: Path) -> list[Any]:
    found: list[Any] = []
    for path in sorted(folder.glob("*.avro")):
        with path.open("rb") as source:
            found += list(fastavro.reader(source))
    return found


def _there_and_back(name: str, rows: Iterable[dict[str, Any]]) -> tuple[list[Any], list[Any]]:
    given, content = list(rows), io.BytesIO()
    fastavro.writer(content, load_contract(name), given, validator=True, strict=True)
    content.seek(0)
    return given, list(fastavro.reader(content))


def test_wrapped_data(told: tuple[list[Any], contract_projections.UserHistory]) -> None:
    events, users = told
    given, found = _there_and_back("spotify_wrapped_data", contract_projections.make_wrapped_records(events, users))
    assert found == given and len(found) == len(events)
    for one, event in zip(found, events, strict=True):
        assert one["userProfile"]["country"] == event["country"]
        assert one["userProfile"]["subscriptionType"] == event["subscriptionType"]
        assert (one["songMetadata"] is None) == (event["activityType"] == "FOLLOW")
        assert datetime.fromisoformat(one["userSongInteraction"]["localTimestamp"]) == event["eventTime"]
    assert all(5 <= one["userProfile"]["age"] <= 90 for one in found)


def test_entities(told: tuple[list[Any], contract_projections.UserHistory]) -> None:
    events, users = told
    found = {}
    for name, rows in (
        ("user", contract_projections.make_user_entities(users)),
        ("track", contract_projections.make_track_entities(TRACKS)),
        ("artist", contract_projections.make_artist_entities(TRACKS)),
        ("event", contract_projections.make_event_entities(events)),
    ):
        given, found[name] = _there_and_back(f"entity_{name}", rows)
        assert len(found[name]) == len(given)
        assert [set(one) for one in found[name]] == [set(one) for one in given]
    assert {one["userId"] for one in found["event"]} <= {one["userId"] for one in found["user"]}
    assert {one["trackId"] for one in found["event"]} - {None} <= {one["trackId"] for one in found["track"]}
    assert {one["artistId"] for one in found["event"]} <= {one["artistId"] for one in found["artist"]}
    assert any(one["releaseDate"] for one in found["track"]) and any(one["popularity"] for one in found["artist"])


def test_the_first_version_is_the_record_that_others_know() -> None:
    schema = load_contract("user_activity_1")
    assert (schema["namespace"], schema["name"]) == ("com.spotify.wrapped", "UserActivity")
    types = {field["name"]: field["type"] for field in schema["fields"]}
    texts = ("song", "songId", "artist", "artistId", "playlistId", "userLocation")
    measures = ("valence", "tempo", "acousticness", "energy", "danceability")
    moment = {"type": "long", "logicalType": "timestamp-millis"}
    kinds = {name: types.pop(name)["symbols"] for name in ("activityType", "deviceType")}
    assert kinds == {
        "activityType": ["PLAY", "PAUSE", "SKIP", "LIKE", "FOLLOW"],
        "deviceType": ["MOBILE", "DESKTOP", "TABLET", "SMART_SPEAKER"],
    }
    assert types == {
        **dict.fromkeys(("userId", "genre"), "string"),
        **{name: ["null", "string"] for name in texts},
        **{name: ["null", "float"] for name in measures},
        **dict.fromkeys(("eventTime", "startTime", "endTime"), moment),
        "duration": ["null", "int"],
    }


def test_the_next_version_has_all_of_the_first_and_a_default_for_what_is_new() -> None:
    first, second = (load_contract(f"user_activity_{version}")["fields"] for version in (1, 2))
    assert [(one["name"], one["type"]) for one in second[: len(first)]] == [(one["name"], one["type"]) for one in first]
    new = second[len(first) :]
    names = {"eventId", "subscriptionType", "country", "continent", "timezone", "msPlayed", "context"}
    assert {one["name"] for one in new} == names
    assert all("default" in one for one in new)


@pytest.mark.parametrize("name", sorted(path.stem for path in (CHECKOUT / "etl" / "schemas").glob("*.avsc")))
def test_every_field_is_explained(name: str) -> None:
    def records_of(schema: Any) -> Iterable[dict[str, Any]]:
        if isinstance(schema, list):
            for one in schema:
                yield from records_of(one)
        elif isinstance(schema, dict) and schema["type"] == "record":
            yield schema
            for one in schema["fields"]:
                yield from records_of(one["type"])

    for record in records_of(load_contract(name)):
        assert record["doc"] and all(field["doc"] for field in record["fields"])
