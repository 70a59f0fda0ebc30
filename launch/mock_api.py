"""The mock Spotify API as a process."""

import socket
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from etl.errors import ActionNeededError
from launch.environment import STATE_MARKER
from launch.ports import HOST
from launch.secrets_store import make_private_folder
from launch.supervised_process import SupervisedProcess
from simulator.mock_api.seed_data import get_seed_data_path

NAME = "stand-in"
CLIENT_ID = "stand-in"
MOCK_API_NOTICE = "The mock Spotify API is in use"
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
"""Ports to try: another process may take a free port before the mock API listens on it."""


def is_mock_api_needed(environ: Mapping[str, str]) -> bool:
    """Return whether no client id is set, so that Spotify cannot be called."""
    return not environ.get("SPOTIPY_CLIENT_ID")


def set_mock_api_variables(environ: Mapping[str, str], url: str) -> dict[str, str]:
    """Return the environment of processes that call the mock API at ``url``.

    A secret and a redirect address without a client id belong to no app: they are removed.
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


def build_command(state: Path, environ: Mapping[str, str], port: int, host: str = HOST) -> list[str]:
    """Return the command that serves the mock API; the scenario's path is relative to this process's folder.

    :param host: the address to listen on; in a container all of them, since only its network reaches it.
    """
    seed_data = get_seed_data_path(state)
    folder = make_private_folder(seed_data.parent)
    command_line = [sys.executable, "-m", "simulator.mock_api"]
    command_line += ["--stock", str(seed_data), "--state", str(folder), "--port", str(port), "--host", host]
    if scenario := environ.get("STAND_IN_SCENARIO"):
        command_line += ["--scenario", str(Path(scenario).resolve())]
    if mode := environ.get("STAND_IN_MODE"):
        command_line += ["--mode", mode]
    return command_line


def select_passed_variables(environ: Mapping[str, str]) -> dict[str, str]:
    """Return the variables that the mock API gets: no secrets."""
    return {name: environ[name] for name in (*_PASSED_VARIABLES, STATE_MARKER) if name in environ}


@contextmanager
def run_mock_api(state: Path, environ: dict[str, str]) -> Iterator[str]:
    """Run the mock API during the context; return its address, without a slash at the end.

    :raises ActionNeededError: if it does not start.
    """
    mock_api = MockApi(state, environ)
    try:
        yield mock_api.url
    finally:
        mock_api.stop()


class MockApi(SupervisedProcess):
    """A running mock API at ``url``, which has no slash at its end and stays the same after a restart.

    It serves the file of ``get_seed_data_path`` and waits until it exists. STAND_IN_SCENARIO in ``environ`` is the path
    of a scenario file; STAND_IN_MODE (development or extended) overrides the scenario's mode.
    """

    def __init__(self, state: Path, environ: dict[str, str]) -> None:
        """Start it on a free loopback port.

        :raises ActionNeededError: if it does not start.
        """
        for attempts_left in reversed(range(_PORT_ATTEMPTS)):
            port = _find_free_port()
            self.url = f"http://127.0.0.1:{port}"
            super().__init__(
                NAME,
                "The mock Spotify API",
                build_command(state, environ, port),
                select_passed_variables(environ),
                state,
                health_url=f"{self.url}/stand-in/calls",
                after_loss="Refreshes continue without it.",
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
