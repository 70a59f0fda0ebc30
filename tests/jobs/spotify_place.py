"""A stand-in for Spotify's API, the accounts that signed in to it, a lake and a warehouse: all that the jobs need."""

import os
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from shutil import copyfile
from typing import Any

import requests

from etl.config import CHECKOUT, Settings, settings
from etl.extract.spotify.accounts import Accounts
from etl.extract.spotify.app import app_of
from etl.extract.spotify.sign_in import sign_in_unattended
from etl.lake import Lake
from etl.simulate.spotify_api.playlists import account
from etl.simulate.spotify_api.stock import stock_path
from launch.stand_in import asking_stand_in, stand_in
from tests.load.star_frames import table

ADA, OTHER = (account(place, 1).name for place in range(2))
STILL = "has_usual_changes = false\npopularity_drift = 0\n"


@dataclass(frozen=True)
class Place:
    """What a test has to do with."""

    url: str
    settings: Settings

    @property
    def lake(self) -> Lake:
        return Lake(self.settings.lake_url)

    @property
    def accounts(self) -> Accounts:
        return Accounts(self.settings.state_dir, "stand-in")

    def night(self, number: int) -> None:
        requests.put(f"{self.url}/stand-in/night", json={"number": number}, timeout=10).raise_for_status()

    def calls(self) -> Counter[str]:
        """The calls that the stand-in has counted since it was last asked."""
        counted = requests.get(f"{self.url}/stand-in/calls", timeout=10).json()
        requests.delete(f"{self.url}/stand-in/calls", timeout=10)
        return Counter({name: sum(by_status.values()) for name, by_status in counted.items() if name != "token"})

    def rows(self, statement: str, **parameters: object) -> list[dict[str, Any]]:
        return table(self.settings.warehouse_url, statement, **parameters)

    def fetched(self, run_id: str, part: str = f"account-{ADA}") -> dict[str, Any]:
        """The audit's line of a fetch."""
        (line,) = self.rows(
            "select * from audit.fetch where run_id = :run_id and part = :part", run_id=run_id, part=part
        )
        return line


@contextmanager
def place(
    state: Path, warehouse_url: str, stock: Path, scenario: str = STILL, mode: str = "development"
) -> Iterator[Place]:
    """A running stand-in of a scenario, whose two accounts have signed in."""
    stock_path(state).parent.mkdir(parents=True)
    copyfile(stock, stock_path(state))
    (state / "scenario.toml").write_text(scenario)
    environ = {
        **{name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ},
        **{"AIRFLOW_HOME": str(state), "PYTHONPATH": str(CHECKOUT), "CHECKOUT": str(CHECKOUT)},
        **{"STAND_IN_SCENARIO": str(state / "scenario.toml"), "STAND_IN_MODE": mode},
    }
    with stand_in(state, environ) as url:
        own = {
            "STATE_DIR": str(state),
            "WAREHOUSE_URL": warehouse_url,
            "SPOTIFY_DAILY_CALLS": "20",
            "CLUSTER_COUNT": "3",
        }
        chosen = settings(asking_stand_in(own, url))
        for name in (ADA, OTHER):
            sign_in_unattended(app_of(chosen), name, Accounts(state, "stand-in"))
        found = Place(url, chosen)
        found.calls()
        yield found
