"""Lines of API responses for the campaign: valid ones, and ones with malformed resources."""

import json
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

from campaigns.malformed_input.row_mutator import Json, RowMutator
from campaigns.malformed_input.synthetic_ids import RECEIVED_AT, make_id
from etl.extract.spotify.client import BATCH_SIZES
from etl.extract.spotify.response_shapes import has_id
from etl.extract.spotify.responses import ResponseStore
from etl.formats.api_responses import ApiResponse
from etl.storage.inputs import ReceivedInput
from etl.storage.lake import Lake

_RESOURCES_PER_PAGE = 50


def receive_responses(path: Path, lake: Lake) -> list[ReceivedInput]:
    """Receive a file with one response a line, as the client returned it."""
    responses = ResponseStore(lake, path.stem, "account-ada")
    for number, line in enumerate(path.read_text().splitlines()):
        responses.fetch_once(lambda _, line=line: ApiResponse(**json.loads(line)), number)  # type: ignore[misc]
    received = responses.store_input(RECEIVED_AT)
    return [received] if received else []


def make_resources(number: int) -> dict[str, Json]:
    """Return a valid resource of each endpoint."""
    artist = {"id": make_id(number % 17), "name": f"Artist {number % 17}", "popularity": 50, "followers": {"total": 9}}
    album = {
        "id": make_id(number % 11),
        "name": "Album",
        "album_type": "album",
        "release_date": "2001-02",
        "release_date_precision": "month",
    }
    track = {
        **{
            "id": make_id(number % 97),
            "name": f"Track {number % 97}",
            "type": "track",
            "duration_ms": 180_000,
            "explicit": False,
        },
        **{
            "artists": [artist],
            "album": album,
            "is_local": False,
            "popularity": 40,
            "linked_from": {"id": make_id(number)},
        },
        "external_ids": {"isrc": f"DEABC{number % 97:07d}"},
    }
    measures = ("danceability", "energy", "speechiness", "acousticness", "instrumentalness", "liveness", "valence")
    features = {
        **dict.fromkeys(measures, 0.5),
        "loudness": -5.5,
        "tempo": 120.0,
        "key": 0,
        "mode": 1,
        "time_signature": 4,
    }
    entry = {"added_at": "2024-03-01T12:00:00Z", "is_local": False, "item": track, "track": track}
    playlist = {"id": make_id(number % 13), "name": "List", "snapshot_id": f"s{number}", "owner": {"id": "user-ada"}}
    return {
        "saved_tracks": entry,
        "playlist_items": entry,
        "recently_played": {
            "played_at": f"2026-11-0{1 + number % 9}T12:{number % 60:02d}:00Z",
            "track": track,
            "context": {"uri": "spotify:playlist:p1"},
        },
        "my_playlists": {**playlist, "items": {"total": 3}},
        "followed_artists": artist,
        "tracks": track,
        "artists": artist,
        "audio_features": {"id": make_id(number % 97), **features},
        "track": track,
        "artist": artist,
        "playlist": playlist,
        "me": {"id": "ada", "account_id": "account-ada", "display_name": "Ada", "country": "DE", "product": "free"},
    }


PATHS = {
    "me": "me",
    "my_playlists": "me/playlists",
    "saved_tracks": "me/tracks",
    "followed_artists": "me/following",
    "recently_played": "me/player/recently-played",
}


def make_response(endpoint: str, page_items: list[Any], number: int) -> Json:
    """Return a response with some items, as the client returns it."""
    path, query, extra_fields = PATHS.get(endpoint, f"{endpoint}s/{make_id(number)}"), {"limit": "50"}, {}
    body: Any = {"items": page_items, "total": len(page_items), "next": None}
    if endpoint == "followed_artists":
        body = {"artists": body}
    elif endpoint == "playlist_items":
        path, extra_fields = f"playlists/p{number}/items", {"playlist_id": f"p{number}", "snapshot_id": "s1"}
    elif endpoint in BATCH_SIZES:
        path, query, body = (
            endpoint,
            {"ids": ",".join(make_id(number + offset) for offset in range(len(page_items)))},
            {endpoint: page_items},
        )
    elif endpoint not in PATHS or endpoint == "me":
        body = page_items[0]
    asked_at = (RECEIVED_AT + timedelta(seconds=number)).isoformat()
    return {
        "asked_at": asked_at,
        "account": "ada",
        "endpoint": endpoint,
        "path": path,
        "query": query,
        "status": 200,
        "body": body,
        **extra_fields,
    }


def make_good_responses(real: Path | None) -> bytes:
    """Return lines with one valid response of each endpoint."""
    lines = [make_response(endpoint, [resource], 0) for endpoint, resource in make_resources(1).items()]
    return "\n".join(map(json.dumps, lines)).encode()


def write_malformed_responses(
    folder: Path, real: Path | None, count: int, spoiler: RowMutator
) -> Iterator[tuple[Path, int]]:
    """Write lines of responses with malformed resources, and yield the file with its number of resources."""
    path, remaining, number = folder / "answers.jsonl", count, 1
    with path.open("w") as file:
        # The events of an account need the account's id, which the first response contains.
        file.write(json.dumps(make_response("me", [make_resources(1)["me"]], 0)) + "\n")
        remaining -= 1
        while remaining > 0:
            for endpoint, good_resource in make_resources(number).items():
                size = min(remaining, 1 if endpoint in ("track", "artist", "playlist", "me") else _RESOURCES_PER_PAGE)
                malformed_items = [_make_malformed_resource(endpoint, good_resource, spoiler) for _ in range(size)]
                if size:
                    file.write(json.dumps(make_response(endpoint, malformed_items, number)) + "\n")
                remaining, number = remaining - size, number + 1
    yield path, count


def _make_malformed_resource(endpoint: str, good_resource: Json, spoiler: RowMutator) -> Any:
    """Return a malformed resource that the client still accepts: valid JSON, an object where it expects one."""
    while True:
        try:
            resource = json.loads(spoiler.mutate_record(good_resource), parse_constant=str)
        except ValueError:
            continue
        is_single = endpoint in ("track", "artist", "playlist", "me")
        if is_single and not (isinstance(resource, dict) and has_id(resource)):
            continue
        if endpoint in BATCH_SIZES and not isinstance(resource, dict | None):
            continue
        return resource
