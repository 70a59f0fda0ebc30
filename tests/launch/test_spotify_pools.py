"""The pool of the tasks that call Spotify is created once, and its size stays as the operator sets it."""

import json
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread
from typing import Any

import pytest

from launch.airflow_api import AirflowApi
from launch.spotify import ensure_spotify_pools

POOLS: dict[str, Any] = {}


class PoolsApi(BaseHTTPRequestHandler):
    """The part of Airflow's API that pools use."""

    def do_GET(self) -> None:
        pool = POOLS.get(self.path.removeprefix("/api/v2/pools/"))
        self._say(200 if pool else 404, pool or {"detail": "no such pool"})

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        if self.path == "/api/v2/pools":
            POOLS[body["name"]] = body
        self._say(201, {**body, "access_token": "a token"})

    def _say(self, status: int, body: dict[str, Any]) -> None:
        self.send_response(status)
        self.end_headers()
        self.wfile.write(json.dumps(body).encode())

    def log_message(self, *_: object) -> None:
        """Log nothing."""


@pytest.fixture
def api() -> Iterator[AirflowApi]:
    POOLS.clear()
    server = HTTPServer(("127.0.0.1", 0), PoolsApi)
    Thread(target=server.serve_forever, daemon=True).start()
    yield AirflowApi(f"http://127.0.0.1:{server.server_port}", "admin", "hidden")
    server.shutdown()
    server.server_close()


def test_a_pool_is_made_once_and_keeps_its_slots(api: AirflowApi) -> None:
    environ = {"SPOTIPY_CLIENT_ID": "abc"}
    ensure_spotify_pools(api, environ)
    assert {name: pool["slots"] for name, pool in POOLS.items()} == {
        "spotify_abc": 1,
        "spotify_abc.recently_played": 1,
    }
    POOLS["spotify_abc"]["slots"] = 3
    ensure_spotify_pools(api, environ)
    assert POOLS["spotify_abc"]["slots"] == 3


def test_without_a_client_id_no_pool_is_made(api: AirflowApi) -> None:
    ensure_spotify_pools(api, {})
    assert POOLS == {}
