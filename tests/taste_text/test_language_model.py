"""A language model that writes the profile: what it gets, and what happens if it fails, on a local HTTP server."""

import json
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

import pytest

from etl.errors import ActionNeededError
from etl.taste_text import language_model
from etl.taste_text.language_model import LanguageModel, read_language_model, rewrite_profile
from etl.taste_text.profile import write_profile
from tests.taste_text.test_statements import FULL

PROFILE = write_profile(FULL, "ada-user-id")
GOOD = "A calm 2026: 321 songs by 45 artists, and indie pop went from 10 % to 41 %."


class Endpoint:
    """A server of chat completions with one response."""

    def __init__(self) -> None:
        self.requests: list[tuple[str, dict[str, str], dict[str, Any]]] = []
        self.respond: Callable[[BaseHTTPRequestHandler], None] = lambda handler: self.send(handler, GOOD)
        endpoint = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                endpoint.requests.append((self.path, dict(self.headers), body))
                endpoint.respond(self)

            def log_message(self, *_: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        Thread(target=self.server.serve_forever, daemon=True).start()

    @property
    def model(self) -> LanguageModel:
        return LanguageModel(f"http://127.0.0.1:{self.server.server_port}/v1", "small", "secret-key")

    def send(self, handler: BaseHTTPRequestHandler, text: object, status: int = 200) -> None:
        body = json.dumps({"choices": [{"message": {"content": text}}]}).encode()
        self.send_bytes(handler, body, status)

    def send_bytes(self, handler: BaseHTTPRequestHandler, body: bytes, status: int = 200) -> None:
        handler.send_response(status)
        handler.send_header("Content-Length", str(len(body)))
        handler.send_header("Location", "http://127.0.0.1:9/elsewhere")
        handler.end_headers()
        handler.wfile.write(body)


@pytest.fixture
def endpoint() -> Iterator[Endpoint]:
    server = Endpoint()
    yield server
    server.server.shutdown()
    server.server.server_close()


def test_a_text_is_taken_as_it_is_written(endpoint: Endpoint) -> None:
    assert rewrite_profile(PROFILE, 2026, endpoint.model) == GOOD
    ((path, headers, body),) = endpoint.requests
    assert path == "/v1/chat/completions" and headers["Authorization"] == "Bearer secret-key"
    assert body["model"] == "small"
    sent = json.loads(body["messages"][1]["content"])
    assert [statement["kind"] for statement in sent["statements"]] == [each.kind for each in PROFILE.statements]
    assert "ada-user-id" not in json.dumps(body) and set(sent) == {"year", "statements"}


def test_no_key_is_sent_if_none_is_set(endpoint: Endpoint) -> None:
    assert rewrite_profile(PROFILE, 2026, replace(endpoint.model, key=""))
    assert "Authorization" not in endpoint.requests[0][1]


@pytest.mark.parametrize(
    "text",
    [
        "You played 999 songs.",
        "321 songs by 45 artists in 4,322 hours.",
        "",
        "x" * 901,
        None,
    ],
)
def test_a_text_with_other_numbers_or_none_is_not_used(endpoint: Endpoint, text: object) -> None:
    endpoint.respond = lambda handler: endpoint.send(handler, text)
    assert rewrite_profile(PROFILE, 2026, endpoint.model) is None


@pytest.mark.parametrize(
    ("body", "status"),
    [(b"{}", 200), (b"no json", 200), (b'{"choices": []}', 200), (b"[1]", 200), (b"{}", 500), (b"{}", 401), (b"", 302)],
)
def test_a_failure_leaves_the_text_by_the_rules(endpoint: Endpoint, body: bytes, status: int) -> None:
    endpoint.respond = lambda handler: endpoint.send_bytes(handler, body, status)
    assert rewrite_profile(PROFILE, 2026, endpoint.model) is None


def test_a_slow_model_and_an_endless_one_are_given_up(
    endpoint: Endpoint, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(language_model, "_TIMEOUT_SECONDS", (0.5, 0.5))
    endpoint.respond = lambda handler: time.sleep(2)
    assert rewrite_profile(PROFILE, 2026, endpoint.model) is None

    def trickle(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(200)
        handler.end_headers()
        for _ in range(30):
            try:
                handler.wfile.write(b" " * 8192)
            except OSError:
                return
            time.sleep(0.1)

    endpoint.respond = trickle
    started = time.monotonic()
    assert rewrite_profile(PROFILE, 2026, endpoint.model) is None
    assert time.monotonic() - started < 2.9
    assert "Ada" not in caplog.text and "secret-key" not in caplog.text


def test_nothing_answers() -> None:
    assert rewrite_profile(PROFILE, 2026, LanguageModel("http://127.0.0.1:9", "small")) is None


def test_it_is_off_by_default_and_its_key_is_hidden() -> None:
    assert read_language_model({}) is None
    found = read_language_model({"TASTE_TEXT_URL": "http://127.0.0.1:11434/v1/", "TASTE_TEXT_KEY": "hidden"})
    assert found == LanguageModel("http://127.0.0.1:11434/v1", "default", "hidden") and "hidden" not in repr(found)
    with pytest.raises(ActionNeededError, match="TASTE_TEXT_URL"):
        read_language_model({"TASTE_TEXT_URL": "file:///etc/passwd"})
