"""The stand-in for Spotify's API as a process of its own, for as long as somebody needs it."""

import socket
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import requests

from etl.errors import ActionNeededError
from etl.simulate.spotify_api.stock import stock_path
from launch.processes import Part, end_part, last_line, start_part
from launch.secrets_store import private_folder

NAME = "stand-in"
CLIENT_ID = "stand-in"
MADE_UP = "Spotify's answers are made up by the stand-in"
_READY_SECONDS = 60
_GRACE_SECONDS = 3.0
_ATTEMPTS = 3
"""How many ports are tried: another process may take one between our look and the stand-in's start."""
_RESTARTS = 5
"""How often one that ends by itself is started again; whatever ends it each time will not stop doing so."""


def is_needed(environ: Mapping[str, str]) -> bool:
    """Whether nobody has named a client id, so that Spotify itself cannot be asked."""
    return not environ.get("SPOTIPY_CLIENT_ID")


def asking_stand_in(environ: Mapping[str, str], url: str) -> dict[str, str]:
    """``environ`` for those who are to ask the stand-in at ``url``.

    A secret and a redirect address without a client id belong to no app: the stand-in is not told of them.
    """
    kept = {n: v for n, v in environ.items() if n not in ("SPOTIPY_CLIENT_SECRET", "SPOTIPY_REDIRECT_URI")}
    return {
        **kept,
        "SPOTIPY_CLIENT_ID": CLIENT_ID,
        "SPOTIFY_API_URL": f"{url}/v1/",
        "SPOTIFY_ACCOUNTS_URL": url,
        "IS_STAND_IN": "true",
    }


def command(state: Path, environ: Mapping[str, str], port: int) -> list[str]:
    """What serves the stand-in of a STATE_DIR; the scenario's path is seen from here."""
    stock = stock_path(state)
    folder = private_folder(stock.parent)
    words = [sys.executable, "-m", "etl.simulate.spotify_api"]
    words += ["--stock", str(stock), "--state", str(folder), "--port", str(port)]
    if scenario := environ.get("STAND_IN_SCENARIO"):
        words += ["--scenario", str(Path(scenario).resolve())]
    if mode := environ.get("STAND_IN_MODE"):
        words += ["--mode", mode]
    return words


@contextmanager
def stand_in(state: Path, environ: dict[str, str]) -> Iterator[str]:
    """The stand-in's address, without a slash at its end; the stand-in ends with the context.

    :raises ActionNeededError: where it does not come up.
    """
    running = StandIn(state, environ)
    try:
        yield running.url
    finally:
        running.stop()


class StandIn:
    """A running stand-in.

    It serves what lies at ``stock_path(state)`` and waits for it where there is nothing yet. STAND_IN_SCENARIO in
    ``environ`` names a scenario file, STAND_IN_MODE a mode (development or extended) that wins over the scenario's.
    """

    def __init__(self, state: Path, environ: dict[str, str]) -> None:
        """Start it on a free port of loopback.

        :raises ActionNeededError: where it does not come up.
        """
        self._state, self._environ = state, environ
        self._restarts_left = _RESTARTS
        for _ in range(_ATTEMPTS):
            self._port = _free_port()
            words = self._start()
            if words is None:
                return
            if "address already in use" not in words:
                break
        raise ActionNeededError(f"The stand-in for Spotify's API did not start: {words} (log: {self._part.log})")

    @property
    def url(self) -> str:
        """Its address, without a slash at its end; the same after a restart."""
        return f"http://127.0.0.1:{self._port}"

    def mend(self) -> str | None:
        """Start it again where it has ended.

        :returns: a sentence where it had, once for each time; None where it runs, or is given up.
        """
        if self._part.is_running() or self._restarts_left == 0:
            return None
        self._restarts_left -= 1
        ended = f"The stand-in for Spotify's API had ended (exit code {self._part.process.returncode})"
        words = self._start()
        if words is None:
            return f"{ended} and was started again."
        self._restarts_left = 0
        return f"{ended} and could not be started again: {words} (log: {self._part.log}). Refreshes go on without it."

    def stop(self) -> None:
        """End it; nothing happens where it has ended."""
        self._restarts_left = 0
        end_part(self._part, _GRACE_SECONDS)

    def _start(self) -> str | None:
        """Start it on its port.

        :returns: None where it answers, else its last words.
        """
        self._part = start_part(NAME, command(self._state, self._environ, self._port), self._environ, self._state)
        try:
            if _answers(self._part, self.url):
                return None
        except BaseException:
            end_part(self._part, _GRACE_SECONDS)
            raise
        end_part(self._part, _GRACE_SECONDS)
        return last_line(self._part.log) or "it said nothing"


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
