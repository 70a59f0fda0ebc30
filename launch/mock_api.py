"""The stand-in for Spotify's API as a process of its own, for as long as somebody needs it."""

import socket
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from etl.errors import ActionNeededError
from launch.environment import STATE_MARKER
from launch.secrets_store import make_private_folder
from launch.supervised_process import SupervisedProcess
from simulator.mock_api.seed_data import get_seed_data_path

NAME = "stand-in"
CLIENT_ID = "stand-in"
MOCK_API_NOTICE = "Spotify's answers are made up by the stand-in"
_PASSED_VARIABLES = (
    "PATH",
    "PYTHONPATH",
    "PYTHONSAFEPATH",
    "PYTHONUNBUFFERED",
    "LANG",
    "LC_ALL",
    "TZ",
    "TMPDIR",
    "AIRFLOW_HOME",
)
_PORT_ATTEMPTS = 3
"""How many ports are tried: another process may take one between our look and the stand-in's start."""


def is_mock_api_needed(environ: Mapping[str, str]) -> bool:
    """Whether nobody has named a client id, so that Spotify itself cannot be asked."""
    return not environ.get("SPOTIPY_CLIENT_ID")


def set_mock_api_variables(environ: Mapping[str, str], url: str) -> dict[str, str]:
    """``environ`` for those who are to ask the stand-in at ``url``.

    A secret and a redirect address without a client id belong to no app: the stand-in is not told of them.
    """
    inherited = {
        name: value for name, value in environ.items() if name not in ("SPOTIPY_CLIENT_SECRET", "SPOTIPY_REDIRECT_URI")
    }
    return {
        **inherited,
        "SPOTIPY_CLIENT_ID": CLIENT_ID,
        "SPOTIFY_API_URL": f"{url}/v1/",
        "SPOTIFY_ACCOUNTS_URL": url,
        "IS_STAND_IN": "true",
    }


def build_command(state: Path, environ: Mapping[str, str], port: int) -> list[str]:
    """What serves the stand-in of a STATE_DIR; the scenario's path is seen from here."""
    seed_data = get_seed_data_path(state)
    folder = make_private_folder(seed_data.parent)
    command_line = [sys.executable, "-m", "simulator.mock_api"]
    command_line += ["--stock", str(seed_data), "--state", str(folder), "--port", str(port)]
    if scenario := environ.get("STAND_IN_SCENARIO"):
        command_line += ["--scenario", str(Path(scenario).resolve())]
    if mode := environ.get("STAND_IN_MODE"):
        command_line += ["--mode", mode]
    return command_line


def select_passed_variables(environ: Mapping[str, str]) -> dict[str, str]:
    """What of an environment the stand-in is told: nothing that is secret."""
    return {name: environ[name] for name in (*_PASSED_VARIABLES, STATE_MARKER) if name in environ}


@contextmanager
def run_mock_api(state: Path, environ: dict[str, str]) -> Iterator[str]:
    """The stand-in's address, without a slash at its end; the stand-in ends with the context.

    :raises ActionNeededError: where it does not come up.
    """
    mock_api = MockApi(state, environ)
    try:
        yield mock_api.url
    finally:
        mock_api.stop()


class MockApi(SupervisedProcess):
    """A running stand-in at ``url``, which has no slash at its end and stays the same after a restart.

    It serves what lies at ``stock_path(state)`` and waits for it where there is nothing yet. STAND_IN_SCENARIO in
    ``environ`` names a scenario file, STAND_IN_MODE a mode (development or extended) that wins over the scenario's.
    """

    def __init__(self, state: Path, environ: dict[str, str]) -> None:
        """Start it on a free port of loopback.

        :raises ActionNeededError: where it does not come up.
        """
        for attempts_left in reversed(range(_PORT_ATTEMPTS)):
            port = _find_free_port()
            self.url = f"http://127.0.0.1:{port}"
            super().__init__(
                NAME,
                "The stand-in for Spotify's API",
                build_command(state, environ, port),
                select_passed_variables(environ),
                state,
                health_url=f"{self.url}/stand-in/calls",
                after_loss="Refreshes go on without it.",
            )
            try:
                return self.start()
            except ActionNeededError as error:
                if attempts_left == 0 or "address already in use" not in str(error):
                    raise


def _find_free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
