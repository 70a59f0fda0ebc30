"""Simulated days of a mock API: the sync state after each, and the number of calls that each may use."""

import gzip
import json
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import requests

from etl.extract.spotify.account_fetch import fetch_account
from etl.extract.spotify.account_store import Account, AccountStore
from etl.extract.spotify.app import App
from etl.extract.spotify.client import ApiClient
from etl.extract.spotify.fetch_result import FetchResult
from etl.extract.spotify.responses import ResponseStore
from etl.extract.spotify.sign_in import sign_in_unattended
from etl.extract.spotify.sync_state import SyncState
from etl.storage.inputs import ReceivedInput
from etl.storage.lake import Lake
from tests.simulator.mock_api.small_seed_data import run_mock_api

Line = dict[str, Any]


def read_lines(received: ReceivedInput | None) -> list[Line]:
    """Return the responses in an input."""
    if received is None:
        return []
    content = gzip.decompress(Path(received.url.removeprefix("file://")).read_bytes())
    return [json.loads(line) for line in content.splitlines()]


@dataclass
class MockSite:
    """A mock API, with a lake and accounts."""

    url: str
    folder: Path
    slept: list[float] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.lake = Lake((self.folder / "lake").as_uri())
        self.app = App("stand-in", None, "http://127.0.0.1:8888/callback", f"{self.url}/v1/", self.url, True)
        self.accounts = AccountStore(self.folder, "stand-in")

    def account(self, name: str) -> Account:
        if name not in self.accounts.get_names():
            sign_in_unattended(self.app, name, self.accounts)
        return self.accounts.get_account(name)

    def api(self, name: str = "ada", **more: Any) -> ApiClient:
        return ApiClient(self.app, self.account(name), self.accounts, sleep=self.slept.append, **more)

    def fetch(
        self,
        known: SyncState,
        run_id: str,
        name: str = "ada",
        playlist_ids: tuple[str, ...] = (),
        api: ApiClient | None = None,
    ) -> FetchResult:
        response_store = ResponseStore(self.lake, run_id, f"account-{name}")
        return fetch_account(api or self.api(name), self.account(name), known, playlist_ids, response_store)

    def night(self, number: int) -> None:
        requests.put(f"{self.url}/stand-in/night", json={"number": number}, timeout=10).raise_for_status()

    def calls(self) -> Counter[str]:
        """Return the API calls that the mock API has counted since the last call of this method."""
        counted = requests.get(f"{self.url}/stand-in/calls", timeout=10).json()
        requests.delete(f"{self.url}/stand-in/calls", timeout=10)
        return Counter({name: sum(by_status.values()) for name, by_status in counted.items()})


@contextmanager
def open_mock_site(stock: Path, folder: Path, mode: str, scenario: str = "") -> Iterator[MockSite]:
    """Open a mock API in a mode, with the options of a scenario."""
    folder.mkdir(exist_ok=True)
    arguments = ["--mode", mode]
    if scenario:
        (folder / "scenario.toml").write_text(scenario)
        arguments += ["--scenario", str(folder / "scenario.toml")]
    with run_mock_api(stock, folder / "state", *arguments) as url:
        yield MockSite(url, folder)


def get_sync_state(fetched: FetchResult) -> SyncState:
    """Return the sync state with which the next fetch of the account starts."""
    assert fetched.known is not None
    return fetched.known


def get_playlist_items(lines: list[Line]) -> dict[str, list[str | None]]:
    """Return the names of the items of each playlist, in order."""
    playlists: dict[str, list[str | None]] = {}
    for line in sorted(
        (line for line in lines if line["endpoint"] == "playlist_items" and line["status"] == 200),
        key=lambda first: (first["playlist_id"], first["query"]["offset"]),
    ):
        for item in line["body"]["items"]:
            resource = (item or {}).get("item") or (item or {}).get("track") or {}
            playlists.setdefault(line["playlist_id"], []).append(resource.get("name"))
    return playlists


def count_least_calls(listed: list[Line], changed: set[str]) -> int:
    """Return the least number of calls that fetch the items of the changed playlists, in pages of 50."""
    sizes = {playlist["id"]: (playlist.get("items") or playlist.get("tracks"))["total"] for playlist in listed}
    return sum(max(1, -(-sizes[id_] // 50)) for id_ in changed)


def get_now() -> datetime:
    return datetime.now(UTC)


class Killed(BaseException):
    """A simulated kill between two calls."""


def kill_after(api: ApiClient, after: int) -> ApiClient:
    """Make ``api`` raise ``Killed`` instead of its call number ``after`` + 1."""
    original: Callable[..., Any] = api._http_client.send_with_retries
    sent = 0

    def call(*arguments: Any) -> Any:
        nonlocal sent
        if sent == after:
            raise Killed
        sent += 1
        return original(*arguments)

    api._http_client.send_with_retries = call  # type: ignore[method-assign]
    return api
