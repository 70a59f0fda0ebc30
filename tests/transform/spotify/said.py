"""Answers of the API as the extract brings them into the lake, and what the transform makes of them."""

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
Memory = dict[str, DataFrame]

PATHS = {
    "me": "me",
    "my_playlists": "me/playlists",
    "saved_tracks": "me/tracks",
    "followed_artists": "me/following",
    "recently_played": "me/player/recently-played",
}


def at(hour: int = 0, day: int = 21) -> str:
    """When an answer came, in November."""
    return datetime(2026, 11, day, hour, tzinfo=UTC).isoformat(timespec="seconds")


def answer(endpoint: str, body: Any, *ids: str, asked_at: str = at(), status: int = 200, **more: Any) -> ApiResponse:
    """An answer to a call for some ids; a batch names them in its query, a single call in its path."""
    path = PATHS.get(endpoint, "/".join((endpoint, *ids)))
    query = {"ids": ",".join(ids)} if endpoint in BATCH_ENDPOINTS else {"limit": 50, "offset": 0}
    return ApiResponse(
        asked_at, "ada", endpoint, endpoint if endpoint in BATCH_ENDPOINTS else path, query, status, body, **more
    )


def items(playlist_id: str, snapshot_id: str | None, *entries: Any, has_next: bool = False, **more: Any) -> ApiResponse:
    """A page of a playlist."""
    body = {"items": list(entries), "total": 0, "next": "https://api.spotify.com/v1/next" if has_next else None}
    return answer("playlist_items", body, playlist_id=playlist_id, snapshot_id=snapshot_id, **more)


def track(track_id: str = "t1", **fields: Any) -> Json:
    """A track as both modes give it."""
    album = {
        "id": "a1",
        "name": "Album",
        "album_type": "album",
        "release_date": "2001",
        "release_date_precision": "year",
    }
    return {
        **{"id": track_id, "name": f"Name of {track_id}", "type": "track", "duration_ms": 180_000, "explicit": False},
        **{"artists": [artist("r1")], "album": album, "is_local": False, **fields},
    }


def artist(artist_id: str = "r1", **fields: Any) -> Json:
    return {"id": artist_id, "name": f"Name of {artist_id}", **fields}


def playlist(playlist_id: str = "p1", **fields: Any) -> Json:
    return {
        "id": playlist_id,
        "name": f"Name of {playlist_id}",
        "owner": {"id": "user-ada"},
        "snapshot_id": "s1",
        **fields,
    }


def features(**fields: Any) -> Json:
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


def received(lake: Lake, *answers: ApiResponse) -> ReceivedInput:
    """The input that the extract makes of answers."""
    kept = ResponseStore(lake, uuid4().hex, "account-ada")
    for number, one in enumerate(answers):
        kept.fetch_once(lambda _, one=one: one, number)
    found = kept.store_input(datetime.fromisoformat(answers[0].asked_at))
    assert found is not None
    return found


def kinds(held: DataFrame, answers: Iterable[ApiResponse]) -> dict[str, ParsedResources]:
    """The judges of all kinds of things that some answers may hold."""
    asked = {one.endpoint for one in answers}
    return {judge.__name__: judge(held) for judge, endpoints in JUDGES.items() if asked & endpoints}


@dataclass(frozen=True)
class Judged:
    """What became of the things of one input, each by the row number that it is known under."""

    received: ReceivedInput
    accepted: dict[str, dict[int, Json]]
    reasons: dict[int, str]
    rows: dict[int, str]

    def one(self, kind: str) -> Json:
        (row,) = self.accepted[kind].values()
        return row


def judged(spark: SparkSession, lake: Lake, *answers: ApiResponse) -> Judged:
    """All things of some answers, judged, and counted as the load counts them."""
    given = received(lake, *answers)
    lines = lake.inputs.read_responses(spark, [given])
    found = kinds(resources.explode_resources(lines).localCheckpoint(eager=True), answers)
    accepted = {name: {r.row_number: r.asDict() for r in one.accepted.collect()} for name, one in found.items()}
    rejected = [row for one in found.values() for row in one.rejected.collect()]
    assert {row.input_id for row in rejected} <= {given.input_id}
    return Judged(
        given, accepted, {row.row_number: row.reason for row in rejected}, {row.row_number: row.row for row in rejected}
    )


def nothing(spark: SparkSession) -> Memory:
    return {name: spark.createDataFrame([], schema) for name, schema in LATEST_STATE.items()}


def fold(before: Memory, spark: SparkSession, lake: Lake, *inputs: ReceivedInput, partitions: int = 0) -> Memory:
    """The memory after some inputs, as a frame read anew has it."""
    lines = lake.inputs.read_responses(spark, inputs)
    lines = lines.repartition(partitions) if partitions else lines
    held = resources.explode_resources(lines).localCheckpoint(eager=True)
    tracks = resources.parse_tracks(held)
    told = [
        tracks,
        resources.parse_artists(held),
        resources.parse_playlists(held),
        resources.parse_audio_features(held),
    ]
    snapshots = latest_state.merge_snapshots(
        before["api_playlist"], tracks.accepted, resources.select_complete_snapshots(lines)
    )
    after = latest_state.update_latest_state(before, *(one.accepted for one in told), snapshots)
    run_id = uuid4().hex
    for name, frame in after.items():
        lake.latest_state.write_frame(frame, run_id, name)
    return {name: lake.latest_state.read_frame(spark, run_id, name) for name in LATEST_STATE}


def collected(frames: Memory) -> dict[str, list[Json]]:
    return {
        name: sorted((row.asDict(recursive=True) for row in frame.collect()), key=str) for name, frame in frames.items()
    }
