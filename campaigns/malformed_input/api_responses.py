"""Malformed responses of the Spotify API, and a fetch of an account that gets one."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from random import Random
from typing import Any

from campaigns.malformed_input.general_breaks import GENERAL_BREAKS
from campaigns.malformed_input.response_lines import make_resources, make_response
from campaigns.malformed_input.row_mutator import Json, RowMutator
from etl.extract.spotify.account_fetch import fetch_account
from etl.extract.spotify.catalogue_fetch import CatalogueRequest, fetch_catalogue
from etl.extract.spotify.http_session import HttpLimits
from etl.extract.spotify.recently_played import fetch_recently_played
from etl.extract.spotify.responses import ResponseStore
from etl.extract.spotify.sync_state import SyncState, from_json_object, to_json_object
from etl.storage.inputs import ReceivedInput
from etl.storage.lake import Lake
from tests.extract.spotify.scripted_server import (
    Clock,
    ScriptedResponse,
    ScriptedServer,
    make_account,
    make_client,
    run_scripted_server,
)

_LIST_ID, _TRACK_ID = "L" * 22, "T" * 22
_PATHS = {
    "me": "/v1/me",
    "my_playlists": "/v1/me/playlists",
    "saved_tracks": "/v1/me/tracks",
    "followed_artists": "/v1/me/following",
    "recently_played": "/v1/me/player/recently-played",
    "playlist_items": f"/v1/playlists/{_LIST_ID}/items",
    "playlist": f"/v1/playlists/{_LIST_ID}",
    "tracks": "/v1/tracks",
    "artists": "/v1/artists",
    "audio_features": "/v1/audio-features",
    "track": f"/v1/tracks/{_TRACK_ID}",
    "artist": f"/v1/artists/{_TRACK_ID}",
}
_LIMITS = HttpLimits(connect_s=2, read_s=0.5, total_s=2)
_TOTALS = (-1, 0, 10**9, 10**30, True, "5", None, 1.5)
_CALENDAR = ("0001-01-01T00:00:00+23:59", "9999-12-31T23:59:59-23:59", "2024-01-01", "2024-W01-1", "x")
Fetch = Callable[[], list[ReceivedInput]]


@contextmanager
def serve_malformed_responses(
    folder: Path, lake: Lake, rng: Random
) -> Iterator[Callable[[int], Iterator[tuple[str, Fetch]]]]:
    """Open a server, and yield a function that returns malformed responses, each with a fetch that gets it."""
    spoiler = RowMutator(rng.randrange(2**32), hypothesis_count=1_000)
    with run_scripted_server() as server:

        def list_fetches(size: int) -> Iterator[tuple[str, Fetch]]:
            for number in range(size):
                endpoint = rng.choice(list(_PATHS))
                kind, response = _make_malformed_response(endpoint, number, spoiler)
                yield (
                    f"{endpoint}: {kind}",
                    partial(_fetch_with_malformed, server, folder, lake, endpoint, response, number),
                )

        yield list_fetches


def _make_malformed_response(endpoint: str, number: int, spoiler: RowMutator) -> tuple[str, ScriptedResponse]:
    """Return a malformed response: in its bytes, its structure, its items, its page or its headers."""
    rng, good_body = spoiler.rng, _make_good_body(endpoint, number)
    match rng.randrange(6):
        case 0:
            kind = rng.choice(list(GENERAL_BREAKS))
            return kind, ScriptedResponse(body=GENERAL_BREAKS[kind](json.dumps(good_body).encode(), rng))
        case 1:
            return "record", ScriptedResponse(body=spoiler.mutate_record(good_body).encode())
        case 2:
            return "values", ScriptedResponse(body=json.dumps(spoiler.mutate_record_values(good_body)).encode())
        case 3:
            return "page", ScriptedResponse(body=json.dumps(_make_odd_page(endpoint, good_body, rng)).encode())
        case 4:
            return _make_error_response(rng)
        case _:
            name = rng.choice(("Content-Encoding", "Content-Type", "Transfer-Encoding"))
            headers = {name: rng.choice(("gzip", "br", "x", "chunked"))}
            return "headers", ScriptedResponse(body=good_body, headers=headers, announced=rng.choice((None, 5, 10**7)))


def _make_error_response(rng: Random) -> tuple[str, ScriptedResponse]:
    status = rng.choice((0, 201, 204, 206, 301, 302, 304, 400, 401, 403, 404, 410, 418, 429, 500, 503, 599, 999))
    retry_after = rng.choice(("1", "-1", "x", "9" * 30, "Wed, 21 Oct 2099 07:28:00 GMT", "0.5"))
    body = rng.choice(({"error": {"status": status}}, {"error": "x"}, {"error": [1]}, [], None, b""))
    return f"status {status}", ScriptedResponse(status, body, {"Retry-After": retry_after})


def _make_good_body(endpoint: str, number: int) -> Json:
    body: Json = make_response(endpoint, [make_resources(number)[endpoint]], number)["body"]
    if endpoint == "my_playlists":
        body["items"][0]["id"] = _LIST_ID
    return body


def _make_odd_page(endpoint: str, good_body: Json, rng: Random) -> Json:
    inner = good_body["artists"] if endpoint == "followed_artists" else good_body
    resource = json.loads(json.dumps(next(iter(inner.get("items") or [good_body]))))
    match rng.randrange(5):
        case 0:
            inner["total"] = rng.choice(_TOTALS)
        case 1:
            inner["next"] = rng.choice(("", 5, "x", True, {}))
        case 2:  # a page that is never the last one
            inner |= {
                "next": "https://api.spotify.com/v1/next",
                "cursors": rng.choice(({"after": "x"}, [], "x", None)),
            }
        case 3:
            inner["items"] = [resource] * 3_000
        case _:
            inner["items"] = [{**resource, "added_at": date_text, "played_at": date_text} for date_text in _CALENDAR]
    return good_body


def _fetch_with_malformed(
    server: ScriptedServer, folder: Path, lake: Lake, endpoint: str, response: ScriptedResponse, number: int
) -> list[ReceivedInput]:
    """Return the inputs of all fetches that call the endpoint, with one malformed response."""
    for name, path in _PATHS.items():
        server.says(path, response if name == endpoint else _make_good_body(name, number))
    server.says("/api/token", {"access_token": "t", "token_type": "Bearer", "expires_in": 3600, "scope": ""})
    account = make_account()
    api = make_client(server, folder, Clock(), account, _LIMITS)
    responses = ResponseStore(lake, f"fetch-{number}", "account-ada")
    if endpoint == "recently_played":
        fetched: Any = fetch_recently_played(api, account, None, responses).fetched
    elif endpoint in ("tracks", "artists", "audio_features", "track", "artist"):
        if endpoint in ("track", "artist"):
            server.says(_PATHS["tracks"], ScriptedResponse(403, {"error": {"status": 403}}))
            server.says(_PATHS["artists"], ScriptedResponse(403, {"error": {"status": 403}}))
        wanted_ids = CatalogueRequest(features=[_TRACK_ID], tracks=[_TRACK_ID], artists=[_TRACK_ID])
        fetched = fetch_catalogue(api, wanted_ids, 10, responses)
    else:
        fetched = fetch_account(api, account, SyncState(), [_LIST_ID], responses)
        if fetched.known is not None:
            # The sync state is stored as JSON between two fetches.
            assert from_json_object(json.loads(json.dumps(to_json_object(fetched.known)))) == fetched.known
    return [fetched.received] if fetched.received else []
