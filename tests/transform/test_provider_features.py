"""Audio features of services: items accepted and rejected, the latest ones, and their part in the catalogue."""

from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from pyspark.sql import DataFrame, SparkSession

from etl.extract.spotify.responses import ResponseStore
from etl.formats.api_responses import ApiResponse
from etl.formats.contracts import AUDIO_FEATURES, LATEST_STATE
from etl.formats.contracts.api import FEATURE_ENDPOINT
from etl.formats.contracts.columns import MEASURES
from etl.formats.feature_providers import ORIGIN, list_feature_sources
from etl.storage.inputs import ReceivedInput
from etl.storage.lake import Lake
from etl.transform import provider_features
from etl.transform.catalogue.pipeline import build_catalogue
from etl.transform.spotify.resources import MAX_RESOURCES_PER_LINE
from tests.transform.catalogue.catalogue_rows import (
    FEATURES,
    get_snapshots,
    make_artist_rows,
    make_playlist_rows,
    make_track_rows,
)

ALL = ("spotify", "kaggle", "reccobeats")
IDS = [f"{number:022d}" for number in range(30)]
EARLY, LATE = "2026-11-01T03:00:00+00:00", "2026-12-01T03:00:00+00:00"
VALUES: dict[str, Any] = {**dict.fromkeys(AUDIO_FEATURES, 0.25), "loudness": -6.5, "tempo": 120.5, "key": 5, "mode": 1}


def make_item(track_id: str, **changes: Any) -> dict[str, Any]:
    return {"id": "uuid", "href": f"https://open.spotify.com/track/{track_id}", "isrc": "X", **VALUES, **changes}


def make_response(ids: list[str], *items: Any, asked_at: str = EARLY, status: int = 200) -> ApiResponse:
    query, body = {"ids": ",".join(ids)}, {"content": list(items)}
    return ApiResponse(asked_at, None, FEATURE_ENDPOINT, "audio-features", query, status, body)


def store_responses(lake: Lake, *responses: ApiResponse, source: str = "reccobeats") -> ReceivedInput:
    """Store responses as the extract does, and return the input."""
    store = ResponseStore(lake, uuid4().hex, source, ORIGIN, f"{source}_responses")
    for number, response in enumerate(responses):
        store.fetch_once(lambda _, response=response: response, number)
    received = store.store_input(datetime.fromisoformat(EARLY))
    assert received is not None
    assert received.row_count == sum(len(r.body["content"]) for r in responses if r.status == 200)
    return received


def read_lines(spark: SparkSession, folder: Path, *responses: ApiResponse) -> DataFrame:
    """Return the lines of responses with their source."""
    lake = Lake((folder / "lake").as_uri())
    received = store_responses(lake, *responses)
    return provider_features.add_source(
        lake.inputs.read_responses(spark, [received]), {received.input_id: "reccobeats"}
    )


ITEMS: list[tuple[Any, str | None]] = [
    (make_item(IDS[0]), None),
    (make_item(IDS[1], key=-1, tempo=0, isrc=None, more={"x": [1]}), None),
    (make_item(IDS[2], href=f"spotify:track:{IDS[2]}"), None),
    (make_item(IDS[3], href=f"https://open.spotify.com/intl-de/track/{IDS[3]}?si=1"), None),
    (make_item(IDS[4], valence=None, tempo="fast"), None),
    (make_item(IDS[5], energy=1.0001), "energy is outside its range"),
    (make_item(IDS[6], danceability=-0.1), "danceability is outside its range"),
    (make_item(IDS[7], loudness=21), "loudness is outside its range"),
    (make_item(IDS[8], tempo=-1), "tempo is outside its range"),
    (make_item(IDS[9], key=12), "key is outside its range"),
    (make_item(IDS[10], mode=2), "mode is outside its range"),
    (make_item(IDS[11], energy=None), "item has no audio features"),
    (make_item(IDS[12], energy="0.5"), "item has no audio features"),
    ({"href": f"https://open.spotify.com/track/{IDS[13]}"}, "item has no audio features"),
    (make_item("z" * 22), "track was not requested"),
    (make_item(IDS[14], href=None), "href names no Spotify track"),
    (make_item(IDS[14], href="https://open.spotify.com/album/" + IDS[14]), "href names no Spotify track"),
    (make_item(IDS[14], href=7), "href names no Spotify track"),
    (None, "item is no object"),
    (3, "item is no object"),
    ("text", "item is no object"),
    ([1], "item is no object"),
    (make_item(IDS[0]), None),
    (make_item(IDS[15], name="\u0000\ud800"), None),
]


def test_each_item_is_accepted_or_rejected_with_a_reason(spark: SparkSession, tmp_path: Path) -> None:
    empty = make_response(IDS[20:22])
    lines = read_lines(spark, tmp_path, make_response(IDS[:20], *(item for item, _ in ITEMS)), empty)
    features = provider_features.parse_features(lines)
    rejected = {row.row_number - 1: row.reason for row in features.rejected.collect()}
    accepted = {row.row_number - 1: row.asDict() for row in features.accepted.collect()}
    assert rejected == {position: reason for position, (_, reason) in enumerate(ITEMS) if reason}
    assert accepted.keys() == {position for position, (_, reason) in enumerate(ITEMS) if not reason}
    assert max(accepted) < MAX_RESOURCES_PER_LINE
    first, second = accepted[0], accepted[1]
    assert {name: first[name] for name in MEASURES} == {**VALUES, "time_signature": None}
    assert (second["key"], second["tempo"], second["mode"]) == (None, None, 1)
    assert (accepted[4]["valence"], accepted[4]["tempo"]) == (None, None)
    assert [accepted[n]["track_id"] for n in (0, 1, 2, 3, 22, 23)] == [*IDS[:4], IDS[0], IDS[15]]
    keys = {row.key: row.row_count for row in provider_features.build_input_keys(features.accepted).collect()}
    assert sum(keys.values()) + len(rejected) == len(ITEMS) and keys[IDS[0]] == 2

    state = provider_features.build_refresh_state(lines, features.accepted).collect()
    found = {row.id: row.is_found for row in state}
    assert found == {id_: id_ in {*IDS[:5], IDS[15]} for id_ in (*IDS[:20], *IDS[20:22])}
    assert {row.kind for row in state} == {"reccobeats"}


def test_the_latest_features_do_not_depend_on_the_order(spark: SparkSession, tmp_path: Path) -> None:
    old = make_response(IDS[:3], make_item(IDS[0], energy=0.1), make_item(IDS[1]))
    new = make_response(IDS[:3], make_item(IDS[0], energy=0.9), asked_at=LATE)
    lone = make_response([IDS[7]], status=400)
    states = []
    for responses in ((old, new, lone), (lone, new, old)):
        state = spark.createDataFrame([], LATEST_STATE["provider_features"])
        for number, response in enumerate(responses):
            lines = read_lines(spark, tmp_path / str(number), response)
            features = provider_features.parse_features(lines)
            state = provider_features.update_latest_features(state, features.accepted)
        states.append(sorted((row.track_id, row.source, row.measures.energy) for row in state.collect()))
    assert states[0] == states[1] == [(IDS[0], "reccobeats", 0.9), (IDS[1], "reccobeats", 0.25)]
    lines = read_lines(spark, tmp_path / "all", old, new, lone)
    features = provider_features.parse_features(lines).accepted
    found = {row.id: row.is_found for row in provider_features.build_refresh_state(lines, features).collect()}
    assert found == {IDS[0]: True, IDS[1]: False, IDS[2]: False, IDS[7]: False}, "the last response counts"


def make_state(spark: SparkSession, *rows: tuple[str, str, dict[str, Any]]) -> DataFrame:
    asked_at = datetime(2026, 11, 1)
    records = [
        (track_id, source, asked_at, tuple(values.get(name) for name in MEASURES)) for track_id, source, values in rows
    ]
    return spark.createDataFrame(records, LATEST_STATE["provider_features"])


def build_sources(
    spark: SparkSession, providers: tuple[str, ...], tracks: list[dict[str, Any]], state: DataFrame, api: str = "api"
) -> dict[str, tuple[str | None, float | None]]:
    playlists = make_playlist_rows(spark)
    frames = build_catalogue(
        make_track_rows(spark, *tracks),
        make_artist_rows(spark),
        playlists,
        get_snapshots(playlists),
        None,
        api,
        state,
        list_feature_sources(providers),
    )
    return {row.track_id: (row.audio_features_source, row.energy) for row in frames["dim_track"].collect()}


KAGGLE = {"source": "tracks_by_genre", **FEATURES, "energy": 0.2}
API = {"source": "api"}
TRACKS = [
    {"track_id": "t1", "name": "In both", "duration_ms": 100_000, **KAGGLE},
    {"track_id": "t1", "name": "In both", "duration_ms": 100_000, **API, **FEATURES, "energy": 0.3},
    {"track_id": "t2", "name": "In a file", "duration_ms": 150_000, **KAGGLE},
    {"track_id": "t3", "name": "In neither", "duration_ms": 250_000, **API},
    {"track_id": "t4", "name": "Without tempo", "duration_ms": 300_000, **KAGGLE, "tempo": None},
    {"track_id": "t5", "name": "In neither", "duration_ms": 250_400, **API},
    {"track_id": "t6", "name": "Unknown", "duration_ms": 400_000, **API},
]


@pytest.mark.parametrize(
    ("providers", "expected"),
    [
        (ALL, {"t1": "api", "t2": "tracks_by_genre", "t3": "reccobeats", "t4": "reccobeats", "t5": "reccobeats"}),
        (("reccobeats", "kaggle"), dict.fromkeys(("t1", "t2", "t3", "t4", "t5"), "reccobeats")),
        (("kaggle", "spotify"), {"t1": "tracks_by_genre", "t2": "tracks_by_genre", "t4": "tracks_by_genre"}),
        (("spotify",), {"t1": "api"}),
    ],
    ids=lambda value: "-".join(value) if isinstance(value, tuple) else "",
)
def test_the_order_of_providers_decides(
    spark: SparkSession, providers: tuple[str, ...], expected: dict[str, str]
) -> None:
    values = {**FEATURES, "energy": 0.8}
    state = make_state(spark, *((id_, "reccobeats", values) for id_ in ("t1", "t2", "t3", "t4", "t9")))
    sources = build_sources(spark, providers, TRACKS, state)
    assert {id_: source for id_, (source, _) in sources.items() if source} == expected
    energies = {"api": 0.3, "tracks_by_genre": 0.2, "reccobeats": 0.8, None: None}
    assert all(energy == energies[source] for source, energy in sources.values())
    assert sources["t6"] == (None, None)


def test_synthetic_features_count_for_no_track_of_another_source(spark: SparkSession) -> None:
    tracks = [
        {"track_id": "t1", "name": "In a file", "duration_ms": 150_000, "source": "tracks_by_genre"},
        {"track_id": "t2", "name": "Of the mock", "duration_ms": 250_000, "source": "mock_api"},
        {"track_id": "t3", "name": "Measured", "duration_ms": 300_000, "source": "mock_api", **FEATURES},
    ]
    state = make_state(spark, *((id_, "mock_reccobeats", {**FEATURES, "energy": 0.8}) for id_ in ("t1", "t2", "t3")))
    sources = build_sources(spark, ALL, tracks, state, "mock_api")
    assert sources == {"t1": (None, None), "t2": ("mock_reccobeats", 0.8), "t3": ("mock_api", 0.5)}


def test_tracks_that_the_catalogue_lacks_get_the_best_features(spark: SparkSession) -> None:
    state = make_state(
        spark,
        ("t1", "reccobeats", FEATURES),
        ("t2", "reccobeats", {**FEATURES, "energy": 0.7}),
        ("t2", "mock_reccobeats", FEATURES),
    )
    staged_tracks = spark.createDataFrame([("t1",)], "track_id string")
    rows = provider_features.select_for_unstaged_tracks(state, staged_tracks, list_feature_sources(ALL)).collect()
    assert [(row.track_id, row.energy, row.audio_features_source, row.audio_features_type) for row in rows] == [
        ("t2", 0.7, "reccobeats", None)
    ]
    none = provider_features.select_for_unstaged_tracks(state, staged_tracks, list_feature_sources(("kaggle",)))
    assert none.isEmpty()
