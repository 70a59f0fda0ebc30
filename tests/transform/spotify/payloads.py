"""API responses as the extract stores them in the lake, and the resources that are parsed from them."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

from pyspark.sql import DataFrame, SparkSession

from etl.extract.spotify.responses import ResponseStore
from etl.formats.api_responses import ApiResponse
from etl.formats.contracts import LATEST_STATE
from etl.formats.contracts.api import BATCH_ENDPOINTS
from etl.storage.inputs import ReceivedInput
from etl.storage.lake import Lake
from etl.transform.spotify import latest_state, resources
from etl.transform.spotify.resources import ParsedResources

JUDGES = {
    resources.parse_tracks: {"playlist_items", "saved_tracks", "recently_played", "tracks", "track"},
    resources.parse_artists: {"artists", "artist", "followed_artists"},
    resources.parse_playlists: {"my_playlists", "playlist"},
    resources.parse_audio_features: {"audio_features"},
    resources.parse_profiles: {"me"},
}
Json = dict[str, Any]
LatestState = dict[str, DataFrame]

PATHS = {
    "me": "me",
    "my_playlists": "me/playlists",
    "saved_tracks": "me/tracks",
    "followed_artists": "me/following",
    "recently_played": "me/player/recently-played",
}


def make_asked_at(hour: int = 0, day: int = 21) -> str:
    """Return the timestamp of a response, in November."""
    return datetime(2026, 11, day, hour, tzinfo=UTC).isoformat(timespec="seconds")


def make_response(
    endpoint: str, body: Any, *ids: str, asked_at: str = make_asked_at(), status: int = 200, **more: Any
) -> ApiResponse:
    """Return a response to a call for some ids; a batch names them in its query, a single call in its path."""
    path = PATHS.get(endpoint, "/".join((endpoint, *ids)))
    query = {"ids": ",".join(ids)} if endpoint in BATCH_ENDPOINTS else {"limit": 50, "offset": 0}
    return ApiResponse(
        asked_at, "ada", endpoint, endpoint if endpoint in BATCH_ENDPOINTS else path, query, status, body, **more
    )


def make_items_page(
    playlist_id: str, snapshot_id: str | None, *entries: Any, has_next: bool = False, **more: Any
) -> ApiResponse:
    """Return a page of a playlist."""
    body = {"items": list(entries), "total": 0, "next": "https://api.spotify.com/v1/next" if has_next else None}
    return make_response("playlist_items", body, playlist_id=playlist_id, snapshot_id=snapshot_id, **more)


def make_track(track_id: str = "t1", **fields: Any) -> Json:
    """Return a track as both modes return it."""
    album = {
        "id": "a1",
        "name": "Album",
        "album_type": "album",
        "release_date": "2001",
        "release_date_precision": "year",
    }
    return {
        **{"id": track_id, "name": f"Name of {track_id}", "type": "track", "duration_ms": 180_000, "explicit": False},
        **{"artists": [make_artist("r1")], "album": album, "is_local": False, **fields},
    }


def make_artist(artist_id: str = "r1", **fields: Any) -> Json:
    return {"id": artist_id, "name": f"Name of {artist_id}", **fields}


def make_playlist(playlist_id: str = "p1", **fields: Any) -> Json:
    return {
        "id": playlist_id,
        "name": f"Name of {playlist_id}",
        "owner": {"id": "user-ada"},
        "snapshot_id": "s1",
        **fields,
    }


def make_features(**fields: Any) -> Json:
    names = ("danceability", "energy", "speechiness", "acousticness", "instrumentalness", "liveness", "valence")
    return {
        **dict.fromkeys(names, 0.5),
        "loudness": -5.5,
        "tempo": 120.0,
        "key": 0,
        "mode": 1,
        "time_signature": 4,
        **fields,
    }


def store_responses(lake: Lake, *responses: ApiResponse) -> ReceivedInput:
    """Store responses as the extract does, and return the input."""
    response_store = ResponseStore(lake, uuid4().hex, "account-ada")
    for number, response in enumerate(responses):
        response_store.fetch_once(lambda _, response=response: response, number)
    received_input = response_store.store_input(datetime.fromisoformat(responses[0].asked_at))
    assert received_input is not None
    return received_input


def parse_kinds(exploded: DataFrame, responses: Iterable[ApiResponse]) -> dict[str, ParsedResources]:
    """Return the parsed resources of all kinds that some responses may contain."""
    asked = {response.endpoint for response in responses}
    return {
        judge.__name__.removeprefix("parse_"): judge(exploded)
        for judge, endpoints in JUDGES.items()
        if asked & endpoints
    }


@dataclass(frozen=True)
class ValidatedResources:
    """The accepted and rejected resources of one input, each by its row number."""

    received: ReceivedInput
    accepted: dict[str, dict[int, Json]]
    reasons: dict[int, str]
    rows: dict[int, str]

    def one(self, kind: str) -> Json:
        (row,) = self.accepted[kind].values()
        return row


def validate_responses(spark: SparkSession, lake: Lake, *responses: ApiResponse) -> ValidatedResources:
    """Validate all resources of some responses, with the row numbers of the load."""
    given = store_responses(lake, *responses)
    lines = lake.inputs.read_responses(spark, [given])
    parsed_kinds = parse_kinds(resources.explode_resources(lines).localCheckpoint(eager=True), responses)
    accepted = {
        name: {r.row_number: r.asDict() for r in parsed_kind.accepted.collect()}
        for name, parsed_kind in parsed_kinds.items()
    }
    rejected = [row for parsed_kind in parsed_kinds.values() for row in parsed_kind.rejected.collect()]
    assert {row.input_id for row in rejected} <= {given.input_id}
    return ValidatedResources(
        given, accepted, {row.row_number: row.reason for row in rejected}, {row.row_number: row.row for row in rejected}
    )


def make_empty_state(spark: SparkSession) -> LatestState:
    return {name: spark.createDataFrame([], schema) for name, schema in LATEST_STATE.items()}


def fold_inputs(
    before: LatestState, spark: SparkSession, lake: Lake, *inputs: ReceivedInput, partitions: int = 0
) -> LatestState:
    """Return the latest state after some inputs, read again from its frame."""
    lines = lake.inputs.read_responses(spark, inputs)
    lines = lines.repartition(partitions) if partitions else lines
    exploded = resources.explode_resources(lines).localCheckpoint(eager=True)
    tracks = resources.parse_tracks(exploded)
    parsed_kinds = [
        tracks,
        resources.parse_artists(exploded),
        resources.parse_playlists(exploded),
        resources.parse_audio_features(exploded),
    ]
    snapshots = latest_state.merge_snapshots(
        before["api_playlist"], tracks.accepted, resources.select_complete_snapshots(lines)
    )
    after = latest_state.update_latest_state(before, *(parsed_kind.accepted for parsed_kind in parsed_kinds), snapshots)
    run_id = uuid4().hex
    for name, frame in after.items():
        lake.latest_state.write_frame(frame, run_id, name)
    return {name: lake.latest_state.read_frame(spark, run_id, name) for name in after}


def collect_rows(frames: LatestState) -> dict[str, list[Json]]:
    return {
        name: sorted((row.asDict(recursive=True) for row in frame.collect()), key=str) for name, frame in frames.items()
    }
