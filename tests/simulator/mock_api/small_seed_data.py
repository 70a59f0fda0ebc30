"""Small seed data and a running mock API, for all tests that need one."""

import base64
import hashlib
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from threading import Thread
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pandas as pd
import requests

from etl.formats.contracts import ARTIST_ROW, AUDIO_FEATURES, OTHER_AUDIO_MEASURES, TRACK_ROW
from simulator.mock_api.__main__ import make_server
from simulator.mock_api.hashed_ids import hash_fraction, hash_number, make_spotify_id

GENRES = ("moss techno", "tin opera", "cellar jazz")


def make_small_rows(track_count: int = 400, real_playlists: int = 0) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return rows of TRACK_ROW and ARTIST_ROW: several rows of some tracks, all kinds of missing values of pandas."""
    rows = [row for place in range(track_count) for row in _make_rows(place, real_playlists)]
    tracks = pd.DataFrame(rows, columns=TRACK_ROW.fieldNames())
    artists = pd.DataFrame(
        [
            {
                **{"input_id": "input", "source": "artists_1921_2020", "row_number": place},
                **{"artist_id": make_spotify_id("test artist", place), "name": f"Artist {place}"},
                **{"popularity": place % 100, "followers": float(place * 100), "genres": [GENRES[place % 3]]},
            }
            for place in range(0, 60, 2)
        ],
        columns=ARTIST_ROW.fieldNames(),
    )
    return tracks, artists


def _make_rows(place: int, real_playlists: int) -> Iterator[dict[str, Any]]:
    track_id = make_spotify_id("test track", place)
    artists = [f"Artist {place % 60}", *([f"Artist {place % 7 + 60}"] if place % 5 == 0 else [])]
    row: dict[str, Any] = dict.fromkeys(TRACK_ROW.fieldNames())
    row |= {
        **{"input_id": "input", "source": "tracks_by_genre", "row_number": place, "track_id": track_id},
        **{"name": f"Song number {place}", "artist_names": artists, "album_name": f"Album {place // 8}"},
        **{"duration_ms": 150_000 + hash_number("length", place) % 100_000, "explicit": place % 9 == 0},
        **{"popularity": place % 90, "genres": [GENRES[place % 3]]},
        **{name: round(hash_fraction(name, place), 3) for name in AUDIO_FEATURES},
        **dict.fromkeys(OTHER_AUDIO_MEASURES, 4 if place % 10 else float("nan")),
    }
    if place % 50 == 0:
        row["danceability"] = float("nan")
    yield row
    if place % 4 == 0:
        yield row | {"row_number": place + 10_000, "genres": [GENRES[(place + 1) % 3]], "name": None}
    if real_playlists and place % 2 == 0:
        released = (date(1999, 5, 1), "day") if place % 3 else (date(2004, 1, 1), "year")
        yield row | {
            **{"row_number": place, "source": "playlist_songs", "genres": [], "explicit": None},
            **{"release_date": released[0], "release_date_precision": released[1]},
            **{"playlist_id": f"realplaylist{place % real_playlists:010d}", "playlist_name": f"List {place % 3}"},
        }


@contextmanager
def run_mock_api(stock: Path, state: Path, *arguments: str) -> Iterator[str]:
    """Run the mock API in a thread, and yield its address; test_launch.py runs it as a process, like the launcher."""
    server = make_server(["--stock", str(stock), "--state", str(state), "--port", "0", *arguments])
    thread = Thread(target=server.run)
    thread.start()
    try:
        while not server.started:
            assert thread.is_alive(), "the mock API did not start"
            time.sleep(0.01)
        (listener,) = server.servers[0].sockets
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join()


def sign_in(url: str, name: str, client_id: str = "stand-in", scope: str = "playlist-read-private") -> dict[str, Any]:
    """Return the tokens of an account, requested as an app does: by a code, with PKCE."""
    verifier = "v" * 64
    challenge = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()
    redirect_uri = "http://127.0.0.1:8888/callback"
    asked = requests.get(
        f"{url}/authorize",
        params={
            **{"client_id": client_id, "response_type": "code", "redirect_uri": redirect_uri, "scope": scope},
            **{"code_challenge_method": "S256", "code_challenge": challenge, "state": "s", "login_hint": name},
        },
        allow_redirects=False,
        timeout=10,
    )
    assert asked.status_code == 302, asked.text
    code = parse_qs(urlsplit(asked.headers["location"]).query)["code"][0]
    form = {"grant_type": "authorization_code", "code": code, "redirect_uri": redirect_uri, "client_id": client_id}
    response = requests.post(f"{url}/api/token", data=form | {"code_verifier": verifier}, timeout=10)
    assert response.status_code == 200, response.text
    return dict(response.json())


def refresh_token(url: str, tokens: dict[str, Any], client_id: str = "stand-in") -> requests.Response:
    """Return the response to a refresh token."""
    form = {"grant_type": "refresh_token", "refresh_token": tokens["refresh_token"], "client_id": client_id}
    return requests.post(f"{url}/api/token", data=form, timeout=10)


class Client:
    """A client that is signed in to one account."""

    def __init__(self, url: str, name: str) -> None:
        self.name = name
        self._url = url
        self._headers = {"Authorization": f"Bearer {sign_in(url, name)['access_token']}"}

    def ask(self, path: str, **query: Any) -> requests.Response:
        address = path if path.startswith("http") else f"{self._url}/v1/{path}"
        return requests.get(address, params=query, headers=self._headers, timeout=10)

    def get(self, path: str, **query: Any) -> dict[str, Any]:
        response = self.ask(path, **query)
        assert response.status_code == 200, response.text
        return dict(response.json())

    def all(self, path: str, **query: Any) -> list[Any]:
        page = self.get(path, **query)
        items = list(page["items"])
        while page["next"]:
            page = self.get(page["next"])
            items += page["items"]
        assert len(items) == page["total"]
        return items
