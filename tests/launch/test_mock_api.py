"""The mock API that bin/run starts: its settings, its restart, and its end together with bin/run."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from etl.errors import ActionNeededError
from etl.extract.spotify.app import get_app
from etl.settings import CHECKOUT, read_settings
from launch.environment import STATE_MARKER
from launch.mock_api import MockApi, is_mock_api_needed, set_mock_api_variables
from launch.processes import end_orphaned_processes
from simulator.mock_api import write_seed_data
from simulator.mock_api.seed_data import get_seed_data_path
from tests.processes import list_marked_processes
from tests.simulator.mock_api.small_seed_data import make_small_rows, sign_in

START = "import sys, time; from pathlib import Path; from launch.mock_api import MockApi; import os; "
START += "print(MockApi(Path(sys.argv[1]), dict(os.environ)).url, flush=True); time.sleep(600)"


def make_environ(state: Path, **more: str) -> dict[str, str]:
    ours = {STATE_MARKER: str(state), "AIRFLOW_HOME": str(state), "STATE_DIR": str(state), "PYTHONPATH": str(CHECKOUT)}
    others = {name: value for name, value in os.environ.items() if not name.startswith(("SPOTI", "STAND_IN"))}
    return {**others, "WAREHOUSE_URL": "none", **ours, **more}


@pytest.fixture
def running(tmp_path: Path) -> Iterator[MockApi]:
    mock_api = MockApi(tmp_path, make_environ(tmp_path))
    yield mock_api
    mock_api.stop()


def kill_mock_api(mock_api: MockApi) -> None:
    mock_api._child.process.kill()
    mock_api._child.process.wait()


def wait_for_message(mock_api: MockApi) -> str:
    deadline = time.monotonic() + 60
    while (message := mock_api.restart_if_ended()) is None:
        assert time.monotonic() < deadline
        time.sleep(0.05)
    return message


def test_all_parts_are_told_of_it_and_of_nobodys_secret(tmp_path: Path) -> None:
    given = make_environ(tmp_path, SPOTIPY_CLIENT_SECRET="hidden", SPOTIPY_REDIRECT_URI="https://example.org")
    assert (
        is_mock_api_needed(given)
        and is_mock_api_needed({"SPOTIPY_CLIENT_ID": ""})
        and not is_mock_api_needed({"SPOTIPY_CLIENT_ID": "abc"})
    )
    settings = read_settings(set_mock_api_variables(given, "http://127.0.0.1:4321"))
    app = get_app(settings)
    assert settings.is_mock_api and settings.spotify_redirect_uri == "http://127.0.0.1:8888/callback"
    assert (app.client_id, app.client_secret) == ("stand-in", None)
    assert (app.api_url, app.accounts_url) == ("http://127.0.0.1:4321/v1/", "http://127.0.0.1:4321")


def test_one_that_dies_comes_back_at_its_address_and_knows_its_accounts(running: MockApi, tmp_path: Path) -> None:
    write_seed_data(*make_small_rows(50), get_seed_data_path(tmp_path), seed=1)
    url, token = running.url, sign_in(running.url, "ada")["access_token"]
    assert running.restart_if_ended() is None
    kill_mock_api(running)
    news = wait_for_message(running)
    assert "had ended (exit code -9) and was started again." in news
    assert running.restart_if_ended() is None and running.url == url
    response = requests.get(f"{url}/v1/me", headers={"Authorization": f"Bearer {token}"}, timeout=10)
    assert response.status_code == 200


def test_one_that_cannot_come_back_is_given_up_with_a_sentence(tmp_path: Path) -> None:
    scenario = tmp_path / "scenario.toml"
    scenario.write_text("")
    running = MockApi(tmp_path, make_environ(tmp_path, STAND_IN_SCENARIO=str(scenario)))
    scenario.write_text("speed = 3")
    kill_mock_api(running)
    news = wait_for_message(running)
    assert "again, and is no longer restarted" in news and "a scenario has no speed" in news
    assert news.endswith("Refreshes continue without it.")
    assert running.restart_if_ended() is None


def test_a_port_that_is_taken_meanwhile_is_left_to_its_taker(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ports = iter([1, 1, 1])
    monkeypatch.setattr("launch.mock_api._find_free_port", lambda: next(ports))
    monkeypatch.setattr(
        "launch.mock_api.build_command", lambda *_: [sys.executable, "-c", "exit('address already in use')"]
    )
    with pytest.raises(ActionNeededError, match="did not start: address already in use"):
        MockApi(tmp_path, make_environ(tmp_path))
    assert next(ports, None) is None


def test_the_stand_in_of_a_killed_start_is_ended_by_the_next_one(tmp_path: Path) -> None:
    start = subprocess.Popen(
        [sys.executable, "-c", START, str(tmp_path)], env=make_environ(tmp_path), stdout=subprocess.PIPE, text=True
    )
    assert start.stdout is not None
    url = start.stdout.readline().strip()
    os.kill(start.pid, signal.SIGKILL)
    start.wait()
    start.stdout.close()
    assert requests.get(f"{url}/stand-in/calls", timeout=5).ok
    assert end_orphaned_processes(tmp_path) == 1
    assert not list_marked_processes(tmp_path)
