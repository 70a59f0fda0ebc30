"""Nights at a stand-in: what the warehouse would know after each, and what each may cost."""

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
from tests.simulator.mock_api.small_seed_data import running

Line = dict[str, Any]


def lines_of(received: ReceivedInput | None) -> list[Line]:
    """The answers in an input."""
    if received is None:
        return []
    content = gzip.decompress(Path(received.url.removeprefix("file://")).read_bytes())
    return [json.loads(line) for line in content.splitlines()]


@dataclass
class Place:
    """A stand-in, a lake and the accounts beside it."""

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
        answers = ResponseStore(self.lake, run_id, f"account-{name}")
        return fetch_account(api or self.api(name), self.account(name), known, playlist_ids, answers)

    def night(self, number: int) -> None:
        requests.put(f"{self.url}/stand-in/night", json={"number": number}, timeout=10).raise_for_status()

    def calls(self) -> Counter[str]:
        """The API calls that the stand-in has counted since it was last asked."""
        counted = requests.get(f"{self.url}/stand-in/calls", timeout=10).json()
        requests.delete(f"{self.url}/stand-in/calls", timeout=10)
        return Counter({name: sum(by_status.values()) for name, by_status in counted.items()})


@contextmanager
def place(stock: Path, folder: Path, mode: str, scenario: str = "") -> Iterator[Place]:
    """A stand-in in a mode, with what a scenario says."""
    folder.mkdir(exist_ok=True)
    arguments = ["--mode", mode]
    if scenario:
        (folder / "scenario.toml").write_text(scenario)
        arguments += ["--scenario", str(folder / "scenario.toml")]
    with running(stock, folder / "state", *arguments) as url:
        yield Place(url, folder)


def known_after(fetched: FetchResult) -> SyncState:
    """What the next fetch of the account need not ask."""
    assert fetched.known is not None
    return fetched.known


def playlists_of(lines: list[Line]) -> dict[str, list[str | None]]:
    """Playlist → the names of its items, in order."""
    found: dict[str, list[str | None]] = {}
    for line in sorted(
        (one for one in lines if one["endpoint"] == "playlist_items" and one["status"] == 200),
        key=lambda one: (one["playlist_id"], one["query"]["offset"]),
    ):
        for item in line["body"]["items"]:
            thing = (item or {}).get("item") or (item or {}).get("track") or {}
            found.setdefault(line["playlist_id"], []).append(thing.get("name"))
    return found


def least_calls(listed: list[Line], changed: set[str]) -> int:
    """The fewest calls that bring the items of the playlists that changed: pages of 50."""
    sizes = {one["id"]: (one.get("items") or one.get("tracks"))["total"] for one in listed}
    return sum(max(1, -(-sizes[id_] // 50)) for id_ in changed)


def now() -> datetime:
    return datetime.now(UTC)


class Killed(BaseException):
    """What a kill between two calls is to the code in between."""


def killing(api: ApiClient, after: int) -> ApiClient:
    """Let ``api`` be killed instead of its call number ``after`` + 1."""
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
