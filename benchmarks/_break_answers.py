"""Answers of the Spotify API that are not as promised, and a fetch of an account that meets one."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from random import Random
from typing import Any

from benchmarks._bad_parsers import Json, answer, things
from benchmarks._bad_values import Spoiler
from benchmarks._break_files import ANY
from etl.extract.spotify.account import fetch_account
from etl.extract.spotify.answers import Answers
from etl.extract.spotify.catalogue import Wanted, fetch_catalogue
from etl.extract.spotify.exchange import Limits
from etl.extract.spotify.knowledge import Known, from_note, to_note
from etl.extract.spotify.recent import fetch_recently_played
from etl.lake import Lake, Received
from tests.extract.spotify.server import Clock, Says, ScriptedServer, an_account, api_of, scripted

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
_LIMITS = Limits(connect_s=2, read_s=0.5, whole_s=2)
_TOTALS = (-1, 0, 10**9, 10**30, True, "5", None, 1.5)
_CALENDAR = ("0001-01-01T00:00:00+23:59", "9999-12-31T23:59:59-23:59", "2024-01-01", "2024-W01-1", "x")
Ask = Callable[[], list[Received]]


@contextmanager
def answered(folder: Path, lake: Lake, chance: Random) -> Iterator[Callable[[int], Iterator[tuple[str, Ask]]]]:
    """A function that gives so many kinds of answers, each with a fetch that meets it."""
    spoiler = Spoiler(chance.randrange(2**32), others=1_000)
    with scripted() as server:

        def some(size: int) -> Iterator[tuple[str, Ask]]:
            for number in range(size):
                endpoint = chance.choice(list(_PATHS))
                kind, says = _says(endpoint, number, spoiler)
                yield f"{endpoint}: {kind}", partial(_fetched, server, folder, lake, endpoint, says, number)

        yield some


def _says(endpoint: str, number: int, spoiler: Spoiler) -> tuple[str, Says]:
    """A malformed answer: its bytes, its form, its things, its page, its headers."""
    chance, good = spoiler.chance, _body(endpoint, number)
    match chance.randrange(6):
        case 0:
            kind = chance.choice(list(ANY))
            return kind, Says(body=ANY[kind](json.dumps(good).encode(), chance))
        case 1:
            return "record", Says(body=spoiler.record(good).encode())
        case 2:
            return "values", Says(body=json.dumps(spoiler.spoilt(good)).encode())
        case 3:
            return "page", Says(body=json.dumps(_odd_page(endpoint, good, chance)).encode())
        case 4:
            return _refusal(chance)
        case _:
            name = chance.choice(("Content-Encoding", "Content-Type", "Transfer-Encoding"))
            headers = {name: chance.choice(("gzip", "br", "x", "chunked"))}
            return "headers", Says(body=good, headers=headers, announced=chance.choice((None, 5, 10**7)))


def _refusal(chance: Random) -> tuple[str, Says]:
    status = chance.choice((0, 201, 204, 206, 301, 302, 304, 400, 401, 403, 404, 410, 418, 429, 500, 503, 599, 999))
    pause = chance.choice(("1", "-1", "x", "9" * 30, "Wed, 21 Oct 2099 07:28:00 GMT", "0.5"))
    body = chance.choice(({"error": {"status": status}}, {"error": "x"}, {"error": [1]}, [], None, b""))
    return f"status {status}", Says(status, body, {"Retry-After": pause})


def _body(endpoint: str, number: int) -> Json:
    body: Json = answer(endpoint, [things(number)[endpoint]], number)["body"]
    if endpoint == "my_playlists":
        body["items"][0]["id"] = _LIST_ID
    return body


def _odd_page(endpoint: str, good: Json, chance: Random) -> Json:
    inner = good["artists"] if endpoint == "followed_artists" else good
    thing = json.loads(json.dumps(next(iter(inner.get("items") or [good]))))
    match chance.randrange(5):
        case 0:
            inner["total"] = chance.choice(_TOTALS)
        case 1:
            inner["next"] = chance.choice(("", 5, "x", True, {}))
        case 2:  # a page that is never the last one
            inner |= {
                "next": "https://api.spotify.com/v1/next",
                "cursors": chance.choice(({"after": "x"}, [], "x", None)),
            }
        case 3:
            inner["items"] = [thing] * 3_000
        case _:
            inner["items"] = [{**thing, "added_at": one, "played_at": one} for one in _CALENDAR]
    return good


def _fetched(
    server: ScriptedServer, folder: Path, lake: Lake, endpoint: str, says: Says, number: int
) -> list[Received]:
    """All fetches that ask the endpoint, one of whose answers is malformed."""
    for name, path in _PATHS.items():
        server.says(path, says if name == endpoint else _body(name, number))
    server.says("/api/token", {"access_token": "t", "token_type": "Bearer", "expires_in": 3600, "scope": ""})
    account = an_account()
    api = api_of(server, folder, Clock(), account, _LIMITS)
    answers = Answers(lake, f"fetch-{number}", "account-ada")
    if endpoint == "recently_played":
        found: Any = fetch_recently_played(api, account, None, answers).fetched
    elif endpoint in ("tracks", "artists", "audio_features", "track", "artist"):
        if endpoint in ("track", "artist"):
            server.says(_PATHS["tracks"], Says(403, {"error": {"status": 403}}))
            server.says(_PATHS["artists"], Says(403, {"error": {"status": 403}}))
        wanted = Wanted(features=[_TRACK_ID], tracks=[_TRACK_ID], artists=[_TRACK_ID])
        found = fetch_catalogue(api, wanted, 10, answers)
    else:
        found = fetch_account(api, account, Known(), [_LIST_ID], answers)
        if found.known is not None:
            # What is known is kept as a note between two fetches.
            assert from_note(json.loads(json.dumps(to_note(found.known)))) == found.known
    return [found.received] if found.received else []
