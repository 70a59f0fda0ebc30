"""The stand-in for Spotify's API as a process of its own, for as long as somebody needs it."""

import socket
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from etl.errors import ActionNeededError
from etl.simulate.spotify_api.stock import stock_path
from launch.environment import MARKER
from launch.kept import KeptPart
from launch.secrets_store import private_folder

NAME = "stand-in"
CLIENT_ID = "stand-in"
MADE_UP = "Spotify's answers are made up by the stand-in"
_TOLD = ("PATH", "PYTHONPATH", "PYTHONSAFEPATH", "PYTHONUNBUFFERED", "LANG", "LC_ALL", "TZ", "TMPDIR", "AIRFLOW_HOME")
_ATTEMPTS = 3
"""How many ports are tried: another process may take one between our look and the stand-in's start."""


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


def told(environ: Mapping[str, str]) -> dict[str, str]:
    """What of an environment the stand-in is told: nothing that is secret."""
    return {name: environ[name] for name in (*_TOLD, MARKER) if name in environ}


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


class StandIn(KeptPart):
    """A running stand-in at ``url``, which has no slash at its end and stays the same after a restart.

    It serves what lies at ``stock_path(state)`` and waits for it where there is nothing yet. STAND_IN_SCENARIO in
    ``environ`` names a scenario file, STAND_IN_MODE a mode (development or extended) that wins over the scenario's.
    """

    def __init__(self, state: Path, environ: dict[str, str]) -> None:
        """Start it on a free port of loopback.

        :raises ActionNeededError: where it does not come up.
        """
        for attempts_left in reversed(range(_ATTEMPTS)):
            port = _free_port()
            self.url = f"http://127.0.0.1:{port}"
            super().__init__(
                NAME,
                "The stand-in for Spotify's API",
                command(state, environ, port),
                told(environ),
                state,
                health_url=f"{self.url}/stand-in/calls",
                after_loss="Refreshes go on without it.",
            )
            try:
                return self.start()
            except ActionNeededError as error:
                if attempts_left == 0 or "address already in use" not in str(error):
                    raise


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
