"""A server with scripted responses, and a client for it."""

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from etl.extract.spotify.account_store import Account, AccountStore, Token
from etl.extract.spotify.app import App
from etl.extract.spotify.client import ApiClient
from etl.extract.spotify.http_session import HttpLimits

START = datetime(2026, 11, 21, 3, 0, tzinfo=UTC)
SECRETS = ("access-secret-1", "refresh-secret-1", "access-secret-2", "refresh-secret-2", "client-secret")


@dataclass
class Clock:
    """A clock that advances only by sleeping."""

    now: datetime = START
    slept: list[float] = field(default_factory=list)

    def __call__(self) -> datetime:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += timedelta(seconds=seconds)


@dataclass(frozen=True)
class ScriptedResponse:
    """One response. ``announced`` is a Content-Length greater than the body; ``drip_s`` a pause before each byte."""

    status: int = 200
    body: Any = None
    headers: dict[str, str] = field(default_factory=dict)
    announced: int | None = None
    drip_s: float = 0

    def content(self) -> bytes:
        return self.body if isinstance(self.body, bytes) else json.dumps(self.body).encode()


SILENCE = ScriptedResponse(status=0)
"""A response for which the connection is closed before any byte."""

TOKEN = ScriptedResponse(body={"access_token": SECRETS[2], "token_type": "Bearer", "expires_in": 3600, "scope": ""})
EXPIRED = ScriptedResponse(401, {"error": {"status": 401, "message": "The access token expired"}})
INVALID_GRANT = ScriptedResponse(400, {"error": "invalid_grant", "error_description": "Refresh token expired"})


class ScriptedServer:
    """A server that responds to each path with the next line of its script, and repeats the last line."""

    def __init__(self) -> None:
        self.scripts: dict[str, list[ScriptedResponse]] = {}
        self.asked: list[tuple[str, dict[str, str], str]] = []
        self.url = ""

    def says(self, path: str, *script: ScriptedResponse | dict[str, Any]) -> None:
        self.scripts[path] = [
            line if isinstance(line, ScriptedResponse) else ScriptedResponse(body=line) for line in script
        ]

    def paths(self) -> list[str]:
        return [path for path, _, _ in self.asked]

    def next(self, path: str) -> ScriptedResponse:
        script = self.scripts[path]
        return script.pop(0) if len(script) > 1 else script[0]

    def app(self, secret: str | None = None) -> App:
        return App("client", secret, "http://127.0.0.1:8888/callback", f"{self.url}/v1/", self.url)


@contextmanager
def run_scripted_server() -> Iterator[ScriptedServer]:
    """Run a scripted server within the context."""
    server = ScriptedServer()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            length = int(self.headers.get("Content-Length") or 0)
            path = self.path.split("?")[0].rstrip("/")
            server.asked.append((path, dict(self.headers), self.rfile.read(length).decode()))
            _send_response(self, server.next(path))

        do_POST = do_GET

        def log_message(self, format: str, *args: object) -> None:
            """Log nothing."""

    class Quiet(ThreadingHTTPServer):
        daemon_threads = True

        def handle_error(self, request: Any, client_address: Any) -> None:
            """Ignore errors: some tests close the connection on purpose."""

    with Quiet(("127.0.0.1", 0), Handler) as listening:
        server.url = f"http://127.0.0.1:{listening.server_address[1]}"
        thread = threading.Thread(target=listening.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield server
        listening.shutdown()
        thread.join()


def _send_response(handler: BaseHTTPRequestHandler, says: ScriptedResponse) -> None:
    if says.status == 0:
        handler.close_connection = True
        return
    content = says.content()
    handler.send_response(says.status)
    for name, value in says.headers.items():
        handler.send_header(name, value)
    handler.send_header("Content-Length", str(says.announced or len(content)))
    handler.end_headers()
    if not says.drip_s:
        handler.wfile.write(content)
        return
    for byte in content:
        time.sleep(says.drip_s)
        handler.wfile.write(bytes([byte]))


def make_account(name: str = "ada", **changes: Any) -> Account:
    """Return an account whose token is valid for an hour."""
    fields: dict[str, Any] = {
        "name": name,
        "account_id": f"account-{name}",
        "user_id": f"user-{name}",
        "token": Token(SECRETS[0], SECRETS[1], START + timedelta(hours=1), ""),
        "authorised_at": START,
    }
    return Account(**{**fields, **changes})


def make_client(
    server: ScriptedServer,
    folder: Path,
    clock: Clock,
    account: Account | None = None,
    limits: HttpLimits | None = None,
    **more: Any,
) -> ApiClient:
    """Return a client of a scripted server, signed in as ``account``, which is stored."""
    accounts = AccountStore(folder, "client")
    account = account or make_account()
    accounts.store_account(account)
    return ApiClient(server.app(), account, accounts, clock=clock, sleep=clock.sleep, limits=limits, **more)


def make_page(items: list[Any], total: int | None = None, has_next: bool = False) -> dict[str, Any]:
    """Return a page in the format of the API."""
    return {
        "items": items,
        "total": len(items) if total is None else total,
        "next": "https://api.spotify.com/v1/next" if has_next else None,
    }
