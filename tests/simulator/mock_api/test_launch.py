"""The mock API as the launcher starts it: on loopback, first without seed data, removed at the end."""

import os
from pathlib import Path

import psutil
import pytest
import requests

from etl.errors import ActionNeededError
from etl.settings import CHECKOUT
from launch.environment import STATE_MARKER
from launch.mock_api import run_mock_api
from simulator.mock_api import write_seed_data
from simulator.mock_api.seed_data import get_seed_data_path
from tests.processes import list_marked_processes
from tests.simulator.mock_api.small_seed_data import make_small_rows, sign_in


def make_environ(state: Path, **more: str) -> dict[str, str]:
    return {**os.environ, STATE_MARKER: str(state), "AIRFLOW_HOME": str(state), "PYTHONPATH": str(CHECKOUT), **more}


def test_it_waits_for_its_stock_reads_a_new_one_and_ends(tmp_path: Path) -> None:
    with run_mock_api(tmp_path, make_environ(tmp_path, STAND_IN_MODE="extended")) as url:
        too_early = requests.get(f"{url}/authorize", timeout=10)
        assert too_early.status_code == 503 and "no seed data yet" in too_early.json()["error"]["message"]
        assert requests.get(f"{url}/v1/me", timeout=10).status_code == 503
        for count, seed in ((100, 1), (200, 2)):
            write_seed_data(*make_small_rows(count), get_seed_data_path(tmp_path), seed=seed)
            truth = requests.get(f"{url}/stand-in/truth", timeout=10).json()
            assert len({track_id for track_id in truth.values() if track_id}) == count
        headers = {"Authorization": f"Bearer {sign_in(url, 'ben')['access_token']}"}
        assert "product" in requests.get(f"{url}/v1/me", headers=headers, timeout=10).json()
        port = int(url.rsplit(":", 1)[1])
        mine = [c for c in psutil.net_connections("tcp") if c.laddr and c.laddr.port == port and c.status == "LISTEN"]
        assert {c.laddr.ip for c in mine} == {"127.0.0.1"}
    with pytest.raises(requests.ConnectionError):
        requests.get(url, timeout=5)
    folder = get_seed_data_path(tmp_path).parent
    assert folder.stat().st_mode & 0o077 == 0 and (folder / "token-key").stat().st_mode & 0o777 == 0o600


def test_what_is_wrong_is_said_in_one_sentence(tmp_path: Path) -> None:
    scenario = tmp_path / "scenario.toml"
    scenario.write_text("speed = 3")
    message = "did not start: The scenario .* is wrong: a scenario has no speed"
    with (
        pytest.raises(ActionNeededError, match=message),
        run_mock_api(tmp_path, make_environ(tmp_path, STAND_IN_SCENARIO=str(scenario))),
    ):
        pass


def test_it_is_told_no_secret_and_its_log_tells_none(tmp_path: Path) -> None:
    write_seed_data(*make_small_rows(50), get_seed_data_path(tmp_path), seed=1)
    secrets = {"SPOTIPY_CLIENT_SECRET": "a secret", "WAREHOUSE_URL": "a password", "AIRFLOW__CORE__FERNET_KEY": "a key"}
    with run_mock_api(tmp_path, make_environ(tmp_path, **secrets)) as url:
        (process,) = list_marked_processes(tmp_path)
        assert not secrets.keys() & process.environ().keys()
        tokens = sign_in(url, "ada")
        requests.get(f"{url}/v1/me", headers={"Authorization": f"Bearer {tokens['access_token']}"}, timeout=10)
    log = (tmp_path / "logs" / "stand-in.log").read_text(encoding="utf-8")
    assert tokens["access_token"] not in log and tokens["refresh_token"] not in log and "code=" not in log
