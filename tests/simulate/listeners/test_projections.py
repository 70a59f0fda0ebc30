"""The same things in the shapes of earlier feeds, there and back."""

import io
from collections.abc import Iterable
from datetime import datetime
from pathlib import Path
from typing import Any

import fastavro
import pytest
from pyspark.sql import SparkSession

from etl.schemas.avro import contract
from etl.simulate.listeners import feed, projections, records
from tests.simulate.listeners.stock import PLAYLIST_IDS, TRACKS, simulation


@pytest.fixture(scope="module")
def told(spark: SparkSession, tmp_path_factory: pytest.TempPathFactory) -> tuple[list[Any], projections.Users]:
    """Events, and users."""
    folder, made = tmp_path_factory.mktemp("projections"), simulation(30, 2)
    feed.write_events(spark, made, records.words(spark, TRACKS, PLAYLIST_IDS), (folder / "events").as_uri())
    feed.write(feed.users(spark, made), "user", (folder / "users").as_uri())
    return _read(folder / "events"), projections.Users(_read(folder / "users"))


def _read(folder: Path) -> list[Any]:
    found: list[Any] = []
    for path in sorted(folder.glob("*.avro")):
        with path.open("rb") as source:
            found += list(fastavro.reader(source))
    return found


def _there_and_back(name: str, rows: Iterable[dict[str, Any]]) -> tuple[list[Any], list[Any]]:
    given, content = list(rows), io.BytesIO()
    fastavro.writer(content, contract(name), given, validator=True, strict=True)
    content.seek(0)
    return given, list(fastavro.reader(content))


def test_wrapped_data(told: tuple[list[Any], projections.Users]) -> None:
    events, users = told
    given, found = _there_and_back("spotify_wrapped_data", projections.wrapped_data(events, users))
    assert found == given and len(found) == len(events)
    for one, event in zip(found, events, strict=True):
        assert one["userProfile"]["country"] == event["country"]
        assert one["userProfile"]["subscriptionType"] == event["subscriptionType"]
        assert (one["songMetadata"] is None) == (event["activityType"] == "FOLLOW")
        assert datetime.fromisoformat(one["userSongInteraction"]["localTimestamp"]) == event["eventTime"]
    assert all(5 <= one["userProfile"]["age"] <= 90 for one in found)


def test_entities(told: tuple[list[Any], projections.Users]) -> None:
    events, users = told
    found = {}
    for name, rows in (
        ("user", projections.user_entities(users)),
        ("track", projections.track_entities(TRACKS)),
        ("artist", projections.artist_entities(TRACKS)),
        ("event", projections.event_entities(events)),
    ):
        given, found[name] = _there_and_back(f"entity_{name}", rows)
        assert len(found[name]) == len(given)
        assert [set(one) for one in found[name]] == [set(one) for one in given]
    assert {one["userId"] for one in found["event"]} <= {one["userId"] for one in found["user"]}
    assert {one["trackId"] for one in found["event"]} - {None} <= {one["trackId"] for one in found["track"]}
    assert {one["artistId"] for one in found["event"]} <= {one["artistId"] for one in found["artist"]}
    assert any(one["releaseDate"] for one in found["track"]) and any(one["popularity"] for one in found["artist"])


@pytest.mark.parametrize(
    "name", ["spotify_wrapped_data", "entity_user", "entity_track", "entity_artist", "entity_event", "user"]
)
def test_every_field_is_explained(name: str) -> None:
    def records_of(schema: Any) -> Iterable[dict[str, Any]]:
        if isinstance(schema, list):
            for one in schema:
                yield from records_of(one)
        elif isinstance(schema, dict) and schema["type"] == "record":
            yield schema
            for one in schema["fields"]:
                yield from records_of(one["type"])

    for record in records_of(contract(name)):
        assert record["doc"] and all(field["doc"] for field in record["fields"])
