"""Answers of the API as the extract brings them into the lake, and what the transform makes of them."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

from pyspark.sql import DataFrame, SparkSession

from etl.extract.spotify.answers import Answer, Answers
from etl.lake import Lake, Received
from etl.schemas import MEMORY
from etl.schemas.api import BATCHES
from etl.transform.spotify import memory, things
from etl.transform.spotify.things import Things

JUDGES = {
    things.tracks: {"playlist_items", "saved_tracks", "recently_played", "tracks", "track"},
    things.artists: {"artists", "artist", "followed_artists"},
    things.playlists: {"my_playlists", "playlist"},
    things.audio_features: {"audio_features"},
    things.profiles: {"me"},
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


def answer(endpoint: str, body: Any, *ids: str, asked_at: str = at(), status: int = 200, **more: Any) -> Answer:
    """An answer to a call for some ids; a batch names them in its query, a single call in its path."""
    path = PATHS.get(endpoint, "/".join((endpoint, *ids)))
    query = {"ids": ",".join(ids)} if endpoint in BATCHES else {"limit": 50, "offset": 0}
    return Answer(asked_at, "ada", endpoint, endpoint if endpoint in BATCHES else path, query, status, body, **more)


def items(playlist_id: str, snapshot_id: str | None, *entries: Any, has_next: bool = False, **more: Any) -> Answer:
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


def received(lake: Lake, *answers: Answer) -> Received:
    """The input that the extract makes of answers."""
    kept = Answers(lake, uuid4().hex, "account-ada")
    for number, one in enumerate(answers):
        kept.ask(lambda _, one=one: one, number)
    found = kept.finish(datetime.fromisoformat(answers[0].asked_at))
    assert found is not None
    return found


def kinds(held: DataFrame, answers: Iterable[Answer]) -> dict[str, Things]:
    """The judges of all kinds of things that some answers may hold."""
    asked = {one.endpoint for one in answers}
    return {judge.__name__: judge(held) for judge, endpoints in JUDGES.items() if asked & endpoints}


@dataclass(frozen=True)
class Judged:
    """What became of the things of one input, each by the row number that it is known under."""

    received: Received
    accepted: dict[str, dict[int, Json]]
    reasons: dict[int, str]
    rows: dict[int, str]

    def one(self, kind: str) -> Json:
        (row,) = self.accepted[kind].values()
        return row


def judged(spark: SparkSession, lake: Lake, *answers: Answer) -> Judged:
    """All things of some answers, judged, and counted as the load counts them."""
    given = received(lake, *answers)
    lines = lake.read_answers(spark, [given])
    found = kinds(things.things(lines).localCheckpoint(eager=True), answers)
    accepted = {name: {r.row_number: r.asDict() for r in one.accepted.collect()} for name, one in found.items()}
    rejected = [row for one in found.values() for row in one.rejected.collect()]
    assert {row.input_id for row in rejected} <= {given.input_id}
    return Judged(
        given, accepted, {row.row_number: row.reason for row in rejected}, {row.row_number: row.row for row in rejected}
    )


def nothing(spark: SparkSession) -> Memory:
    return {name: spark.createDataFrame([], schema) for name, schema in MEMORY.items()}


def fold(before: Memory, spark: SparkSession, lake: Lake, *inputs: Received, partitions: int = 0) -> Memory:
    """The memory after some inputs, as a frame read anew has it."""
    lines = lake.read_answers(spark, inputs)
    lines = lines.repartition(partitions) if partitions else lines
    held = things.things(lines).localCheckpoint(eager=True)
    tracks = things.tracks(held)
    told = [tracks, things.artists(held), things.playlists(held), things.audio_features(held)]
    snapshots = memory.known_snapshots(before["api_playlist"], tracks.accepted, things.complete_snapshots(lines))
    after = memory.remembered(before, *(one.accepted for one in told), snapshots)
    run_id = uuid4().hex
    for name, frame in after.items():
        lake.write_memory(frame, run_id, name)
    return {name: lake.read_memory(spark, run_id, name) for name in MEMORY}


def collected(frames: Memory) -> dict[str, list[Json]]:
    return {
        name: sorted((row.asDict(recursive=True) for row in frame.collect()), key=str) for name, frame in frames.items()
    }
