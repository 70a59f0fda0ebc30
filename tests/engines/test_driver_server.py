"""When the server of a shared Java process lends it, and when it ends it; Java itself is a fake here."""

import json
import os
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from etl.engines import driver_server
from etl.engines.driver_server import DriverServer, Specification

GATEWAY = {"port": 1, "secret": "of the gateway", "pid": 2}
SECRET, FINGERPRINT = "of the server", "as the client needs"


class FakeJava:
    def __init__(self, options: dict[str, str]) -> None:
        self.exit_code: int | None = None
        self.is_now_small = options.get("size") != "large"
        self.release_count = 0
        self.has_ended = False

    def get_connection(self) -> dict[str, Any]:
        return GATEWAY

    def get_exit_code(self) -> int | None:
        return self.exit_code

    def release_objects(self) -> None:
        self.release_count += 1

    def is_small(self) -> bool:
        return self.is_now_small

    def end(self) -> None:
        self.has_ended = True


class RunningServer:
    """A server in a thread of the test."""

    def __init__(self, folder: Path, idle_seconds: float, options: dict[str, str]) -> None:
        self.address_file = folder / "driver.json"
        self.address_file.touch()
        listener = socket.create_server(("127.0.0.1", 0))
        self.port = listener.getsockname()[1]
        specification = Specification(
            listener.detach(), str(self.address_file), SECRET, FINGERPRINT, options, idle_seconds
        )
        self._server = DriverServer(specification)
        self.java: Any = self._server._java
        self._thread = threading.Thread(target=self._server.serve, daemon=True)
        self._thread.start()

    def has_ended(self, seconds: float = 20) -> bool:
        self._thread.join(seconds)
        return not self._thread.is_alive() and bool(self.java.has_ended)

    @contextmanager
    def connect(self, secret: str = SECRET, fingerprints: tuple[str, ...] = (FINGERPRINT,)) -> Iterator[socket.socket]:
        with socket.create_connection(("127.0.0.1", self.port), 20) as connection:
            connection.sendall(json.dumps({"secret": secret, "fingerprints": fingerprints}).encode() + b"\n")
            yield connection

    def use(self) -> None:
        """Use Java and give it back in order."""
        with self.connect() as connection:
            assert read_reply(connection) == GATEWAY
            connection.sendall(b'{"is_released": true}\n')


def read_reply(connection: socket.socket) -> dict[str, Any]:
    return dict(json.loads(connection.makefile("rb").readline() or b"{}"))


@pytest.fixture
def start(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., RunningServer]]:
    """Yield a function that starts a server; end the server after the test."""
    monkeypatch.setattr(driver_server, "JavaProcess", FakeJava)
    monkeypatch.setattr(driver_server, "_POLL_SECONDS", 0.02)
    servers: list[RunningServer] = []

    def start_server(idle_seconds: float = 60, **options: str) -> RunningServer:
        servers.append(RunningServer(tmp_path, idle_seconds, options))
        return servers[-1]

    yield start_server
    for server in servers:
        server.address_file.unlink(missing_ok=True)
        assert server.has_ended()


def test_steps_use_it_one_after_the_other(start: Callable[..., RunningServer]) -> None:
    server = start()
    for _ in range(3):
        server.use()
    with server.connect() as connection:
        assert read_reply(connection) == GATEWAY
        assert server.java.release_count == 3
        connection.sendall(b'{"is_released": true}\n')
    assert not server.has_ended(0.2)


@pytest.mark.parametrize("words", [b"", b"{}\n", b"no JSON\n", b"[1]\n"])
def test_it_ends_with_a_step_that_does_not_release_it(start: Callable[..., RunningServer], words: bytes) -> None:
    server = start()
    with server.connect() as connection:
        assert read_reply(connection) == GATEWAY
        connection.sendall(words)
    assert server.has_ended()
    assert server.java.release_count == 0
    assert not server.address_file.exists()


def test_it_ends_when_no_step_comes(start: Callable[..., RunningServer]) -> None:
    assert start(idle_seconds=0.1).has_ended()


def test_it_ends_where_it_has_grown_too_large(start: Callable[..., RunningServer]) -> None:
    server = start(size="large")
    server.use()
    assert server.has_ended()


def test_it_ends_without_its_address_file(start: Callable[..., RunningServer]) -> None:
    server = start()
    server.address_file.unlink()
    assert server.has_ended()


def test_it_leaves_the_address_of_its_successor(start: Callable[..., RunningServer]) -> None:
    server = start()
    draft = server.address_file.with_suffix(".draft")
    draft.write_text("of the successor")
    draft.rename(server.address_file)
    assert server.has_ended()
    assert server.address_file.read_text() == "of the successor"


def test_it_ends_for_a_step_that_needs_another(start: Callable[..., RunningServer]) -> None:
    server = start()
    with server.connect(fingerprints=("another",)) as connection:
        assert read_reply(connection) == {}
    assert server.has_ended()


@pytest.mark.parametrize("secret", ["", "guessed", "geheimnisvoll…"])
def test_it_tells_a_stranger_nothing(start: Callable[..., RunningServer], secret: str) -> None:
    server = start()
    with server.connect(secret=secret) as connection:
        assert read_reply(connection) == {}
    server.use()


def test_a_step_learns_the_exit_code_of_java(start: Callable[..., RunningServer]) -> None:
    server = start()
    with server.connect() as connection:
        assert read_reply(connection) == GATEWAY
        server.java.exit_code = -9
        assert read_reply(connection) == {"exit_code": -9}
    assert server.has_ended()


def test_it_ends_when_java_has_ended(start: Callable[..., RunningServer]) -> None:
    server = start()
    server.java.exit_code = 1
    assert server.has_ended()


def test_the_specification_is_read_from_json() -> None:
    fields = {
        "listener": 3,
        "address_file": os.devnull,
        "secret": SECRET,
        "fingerprint": FINGERPRINT,
        "options": {},
        "idle_seconds": 1.5,
    }
    assert Specification(**json.loads(json.dumps(fields))).idle_seconds == 1.5
