"""Containers use the same API as the components of bin/run: Spotify with a client id, else the mock API."""

import runpy
import sys
from pathlib import Path

import pytest

from etl.settings import CHECKOUT, read_settings

Started = list[tuple[list[str], dict[str, str]]]


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Started:
    """Return the list of commands that run_component.py would execute, and execute none of them."""
    started_commands: Started = []
    for name in ("SPOTIPY_CLIENT_ID", "SPOTIPY_CLIENT_SECRET", "STAND_IN_SCENARIO", "IS_STAND_IN"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("STATE_DIR", str(tmp_path))
    monkeypatch.setenv("STAND_IN_MODE", "extended")
    monkeypatch.setenv("WAREHOUSE_URL", "postgresql://loader@127.0.0.1:1/warehouse")
    monkeypatch.setenv("AIRFLOW__DATABASE__SQL_ALCHEMY_CONN", "postgresql://airflow@127.0.0.1:1/airflow")
    monkeypatch.setattr(
        "os.execvpe", lambda _, command, environ: started_commands.append((command, environ)) or sys.exit(0)
    )
    monkeypatch.setattr("os.umask", lambda _: 0)
    monkeypatch.setattr("launch.first_start.prepare_scheduling", lambda *_: None)
    return started_commands


def become(name: str) -> None:
    with pytest.raises(SystemExit):
        runpy.run_path(str(CHECKOUT / "docker" / "run_component.py"))["main"]([name])


def test_the_mock_api_listens_where_the_tasks_ask(started: Started) -> None:
    become("mock-api")
    become("scheduler")
    (command, _), (_, environ) = started
    assert command[1:3] == ["-m", "simulator.mock_api"]
    assert command[command.index("--mode") + 1] == "extended"
    settings = read_settings(environ)
    assert settings.is_mock_api and settings.spotify_client_id == "stand-in"
    assert settings.spotify_accounts_url == f"http://mock-api:{command[command.index('--port') + 1]}"


def test_with_a_client_id_spotify_is_asked(started: Started, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SPOTIPY_CLIENT_ID", "abc")
    become("scheduler")
    settings = read_settings(started[0][1])
    assert (settings.is_mock_api, settings.spotify_client_id) == (False, "abc")
    assert settings.spotify_api_url == "https://api.spotify.com/v1/"
