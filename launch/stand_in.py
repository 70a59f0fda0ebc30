"""The stand-in for Spotify's API as a process of its own, for as long as somebody needs it."""

import socket
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import requests

from etl.errors import ActionNeededError
from etl.simulate.spotify_api.stock import stock_path
from launch.processes import Part, end_part, last_line, start_part
from launch.secrets_store import private_folder

NAME = "stand-in"
_READY_SECONDS = 60
_GRACE_SECONDS = 3.0
_ATTEMPTS = 3
"""How many ports are tried: another process may take one between our look and the stand-in's start."""


@contextmanager
def stand_in(state: Path, environ: dict[str, str]) -> Iterator[str]:
    """The stand-in's address, without a slash at its end; the stand-in ends with the context.

    It serves what lies at ``stock_path(state)`` and waits for it where there is nothing yet. STAND_IN_SCENARIO in
    ``environ`` names a scenario file, STAND_IN_MODE a mode (development or extended) that wins over the scenario's.

    :raises ActionNeededError: where it does not come up.
    """
    part, url = _started(state, environ)
    try:
        yield url
    finally:
        end_part(part, _GRACE_SECONDS)


def _started(state: Path, environ: dict[str, str]) -> tuple[Part, str]:
    words = ""
    for _ in range(_ATTEMPTS):
        port = _free_port()
        part = start_part(NAME, _command(state, environ, port), environ, state)
        url = f"http://127.0.0.1:{port}"
        if _answers(part, url):
            return part, url
        end_part(part, _GRACE_SECONDS)
        words = last_line(part.log)
        if "address already in use" not in words:
            break
    log = state / "logs" / f"{NAME}.log"
    raise ActionNeededError(f"The stand-in for Spotify's API did not start: {words or 'it said nothing'} (log: {log})")


def _command(state: Path, environ: dict[str, str], port: int) -> list[str]:
    stock = stock_path(state)
    folder = private_folder(stock.parent)
    command = [sys.executable, "-m", "etl.simulate.spotify_api"]
    command += ["--stock", str(stock), "--state", str(folder), "--port", str(port)]
    if scenario := environ.get("STAND_IN_SCENARIO"):
        command += ["--scenario", str(Path(scenario).resolve())]
    if mode := environ.get("STAND_IN_MODE"):
        command += ["--mode", mode]
    return command


def _answers(part: Part, url: str) -> bool:
    """Whether it answers before it ends and before our patience does."""
    deadline = time.monotonic() + _READY_SECONDS
    with requests.Session() as session:
        session.trust_env = False  # loopback must not go through a proxy
        while part.is_running() and time.monotonic() < deadline:
            try:
                return session.get(f"{url}/stand-in/calls", timeout=5).ok
            except requests.RequestException:
                time.sleep(0.05)
    return False


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
