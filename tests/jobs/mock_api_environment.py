"""A mock Spotify API, the accounts that have signed in to it, a lake and a warehouse: the environment of the jobs."""

import os
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from shutil import copyfile
from typing import Any

import requests

from etl.extract.spotify.account_store import AccountStore
from etl.extract.spotify.app import get_app
from etl.extract.spotify.sign_in import sign_in_unattended
from etl.settings import CHECKOUT, Settings, read_settings
from etl.storage.lake import Lake
from launch.mock_api import run_mock_api, set_mock_api_variables
from simulator.mock_api.playlists import make_account
from simulator.mock_api.seed_data import get_seed_data_path
from tests.load.star_frames import select_rows

FIRST_ACCOUNT, SECOND_ACCOUNT = (make_account(index, 1).name for index in range(2))
STILL = "has_usual_changes = false\npopularity_drift = 0\n"


@dataclass(frozen=True)
class MockApiEnvironment:
    """The mock API, lake and warehouse of a test."""

    url: str
    settings: Settings

    @property
    def lake(self) -> Lake:
        return Lake(self.settings.lake_url)

    @property
    def accounts(self) -> AccountStore:
        return AccountStore(self.settings.state_dir, "stand-in")

    def night(self, number: int) -> None:
        requests.put(f"{self.url}/stand-in/night", json={"number": number}, timeout=10).raise_for_status()

    def calls(self) -> Counter[str]:
        """Return the calls that the mock API has counted since the last call of this method."""
        counted = requests.get(f"{self.url}/stand-in/calls", timeout=10).json()
        requests.delete(f"{self.url}/stand-in/calls", timeout=10)
        return Counter({name: sum(by_status.values()) for name, by_status in counted.items() if name != "token"})

    def rows(self, statement: str, **parameters: object) -> list[dict[str, Any]]:
        return select_rows(self.settings.warehouse_url, statement, **parameters)

    def fetched(self, run_id: str, part: str = f"account-{FIRST_ACCOUNT}") -> dict[str, Any]:
        """Return the row of a fetch in the audit."""
        (line,) = self.rows(
            "select * from audit.fetch where run_id = :run_id and part = :part", run_id=run_id, part=part
        )
        return line


@contextmanager
def start_environment(
    state: Path, warehouse_url: str, seed_data_path: Path, scenario: str = STILL, mode: str = "development"
) -> Iterator[MockApiEnvironment]:
    """Start a mock API with a scenario, to which two accounts have signed in."""
    get_seed_data_path(state).parent.mkdir(parents=True)
    copyfile(seed_data_path, get_seed_data_path(state))
    (state / "scenario.toml").write_text(scenario)
    environ = {
        **{name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ},
        **{"AIRFLOW_HOME": str(state), "PYTHONPATH": str(CHECKOUT), "CHECKOUT": str(CHECKOUT)},
        **{"STAND_IN_SCENARIO": str(state / "scenario.toml"), "STAND_IN_MODE": mode},
    }
    with run_mock_api(state, environ) as url:
        variables = {
            "STATE_DIR": str(state),
            "WAREHOUSE_URL": warehouse_url,
            "SPOTIFY_DAILY_CALLS": "20",
            "CLUSTER_COUNT": "3",
        }
        chosen = read_settings(set_mock_api_variables(variables, url))
        for name in (FIRST_ACCOUNT, SECOND_ACCOUNT):
            sign_in_unattended(get_app(chosen), name, AccountStore(state, "stand-in"))
        environment = MockApiEnvironment(url, chosen)
        environment.calls()
        yield environment
