"""The stand-in that bin/run starts: who is told of it, what happens when it dies, and that none is left behind."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from etl.config import CHECKOUT, settings
from etl.errors import ActionNeededError
from etl.extract.spotify.app import app_of
from etl.simulate.spotify_api import write_stock
from etl.simulate.spotify_api.stock import stock_path
from launch.environment import MARKER
from launch.processes import end_strays
from launch.stand_in import StandIn, asking_stand_in, is_needed
from tests.processes import marked
from tests.simulate.spotify_api.little import little_rows, sign_in

START = "import sys, time; from pathlib import Path; from launch.stand_in import StandIn; import os; "
START += "print(StandIn(Path(sys.argv[1]), dict(os.environ)).url, flush=True); time.sleep(600)"


def environ(state: Path, **more: str) -> dict[str, str]:
    ours = {MARKER: str(state), "AIRFLOW_HOME": str(state), "STATE_DIR": str(state), "PYTHONPATH": str(CHECKOUT)}
    others = {name: value for name, value in os.environ.items() if not name.startswith(("SPOTI", "STAND_IN"))}
    return {**others, "WAREHOUSE_URL": "none", **ours, **more}


@pytest.fixture
def running(tmp_path: Path) -> Iterator[StandIn]:
    stand_in = StandIn(tmp_path, environ(tmp_path))
    yield stand_in
    stand_in.stop()


def kill(stand_in: StandIn) -> None:
    stand_in._part.process.kill()
    stand_in._part.process.wait()


def test_all_parts_are_told_of_it_and_of_nobodys_secret(tmp_path: Path) -> None:
    given = environ(tmp_path, SPOTIPY_CLIENT_SECRET="hidden", SPOTIPY_REDIRECT_URI="https://example.org")
    assert is_needed(given) and is_needed({"SPOTIPY_CLIENT_ID": ""}) and not is_needed({"SPOTIPY_CLIENT_ID": "abc"})
    told = settings(asking_stand_in(given, "http://127.0.0.1:4321"))
    app = app_of(told)
    assert told.is_stand_in and told.spotify_redirect_uri == "http://127.0.0.1:8888/callback"
    assert (app.client_id, app.client_secret) == ("stand-in", None)
    assert (app.api_url, app.accounts_url) == ("http://127.0.0.1:4321/v1/", "http://127.0.0.1:4321")


def test_one_that_dies_comes_back_at_its_address_and_knows_its_accounts(running: StandIn, tmp_path: Path) -> None:
    write_stock(*little_rows(50), stock_path(tmp_path), seed=1)
    url, token = running.url, sign_in(running.url, "ada")["access_token"]
    assert running.mend() is None
    kill(running)
    news = running.mend()
    assert news is not None and "had ended (exit code -9) and was started again." in news
    assert running.mend() is None and running.url == url
    answer = requests.get(f"{url}/v1/me", headers={"Authorization": f"Bearer {token}"}, timeout=10)
    assert answer.status_code == 200


def test_one_that_cannot_come_back_is_given_up_with_a_sentence(tmp_path: Path) -> None:
    scenario = tmp_path / "scenario.toml"
    scenario.write_text("")
    running = StandIn(tmp_path, environ(tmp_path, STAND_IN_SCENARIO=str(scenario)))
    scenario.write_text("speed = 3")
    kill(running)
    news = running.mend()
    assert news is not None and "could not be started again" in news and "a scenario has no speed" in news
    assert news.endswith("Refreshes go on without it.")
    assert running.mend() is None


def test_a_port_that_is_taken_meanwhile_is_left_to_its_taker(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ports = iter([1, 1, 1])
    monkeypatch.setattr("launch.stand_in._free_port", lambda: next(ports))
    monkeypatch.setattr("launch.stand_in.command", lambda *_: [sys.executable, "-c", "exit('address already in use')"])
    with pytest.raises(ActionNeededError, match="did not start: address already in use"):
        StandIn(tmp_path, environ(tmp_path))
    assert next(ports, None) is None


def test_the_stand_in_of_a_killed_start_is_ended_by_the_next_one(tmp_path: Path) -> None:
    start = subprocess.Popen(
        [sys.executable, "-c", START, str(tmp_path)], env=environ(tmp_path), stdout=subprocess.PIPE, text=True
    )
    assert start.stdout is not None
    url = start.stdout.readline().strip()
    os.kill(start.pid, signal.SIGKILL)
    start.wait()
    start.stdout.close()
    assert requests.get(f"{url}/stand-in/calls", timeout=5).ok
    assert end_strays(tmp_path) == 1
    assert not marked(tmp_path)
