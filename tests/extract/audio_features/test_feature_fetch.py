"""Audio features of a service over HTTP: batches, budget, faults, kills, odd responses."""

import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests

from etl.errors import ActionNeededError, EtlError, RateLimitedError, TryAgainError
from etl.extract.audio_features.feature_fetch import FeatureFetchResult, fetch_features
from etl.extract.audio_features.reccobeats import ReccoBeatsClient
from etl.extract.spotify.responses import ResponseStore
from etl.formats.feature_providers import ORIGIN
from etl.storage.lake import Lake
from simulator.mock_api import write_seed_data
from simulator.mock_api.hashed_ids import make_spotify_id
from simulator.mock_api.reccobeats import is_known
from tests.extract.spotify.scripted_server import SILENCE, Clock, ScriptedResponse, ScriptedServer, run_scripted_server
from tests.extract.spotify.simulated_days import read_lines
from tests.simulator.mock_api.small_seed_data import make_small_rows, run_mock_api

PATH = "/v1/audio-features"
TRACK_COUNT = 400
SERVED_IDS = [make_spotify_id("test track", place) for place in range(TRACK_COUNT)]


@pytest.fixture(scope="module")
def stock(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("stock") / "stock.sqlite"
    write_seed_data(*make_small_rows(TRACK_COUNT), path, seed=1)
    return path


@pytest.fixture
def server() -> Iterator[ScriptedServer]:
    with run_scripted_server() as server:
        yield server


def make_client(url: str, sleep: Any = lambda _seconds: None) -> ReccoBeatsClient:
    return ReccoBeatsClient(f"{url}/v1/", is_mock=True, sleep=sleep)


def make_store(folder: Path, run_id: str = "run") -> ResponseStore:
    return ResponseStore(Lake((folder / "lake").as_uri()), run_id, "reccobeats", ORIGIN, "reccobeats_responses")


def make_item(track_id: str) -> dict[str, object]:
    return {"id": "x", "href": f"https://open.spotify.com/track/{track_id}", "isrc": None, "energy": 0.5}


class Killed(BaseException):
    """A simulated kill between two calls."""


def test_five_thousand_tracks_are_125_calls(server: ScriptedServer, tmp_path: Path) -> None:
    server.says(PATH, {"content": []})
    ids = [make_spotify_id("any", number) for number in range(5_000)]
    client, store = make_client(server.url), make_store(tmp_path)
    assert fetch_features(client, [*ids, *ids[:90], "no id"], 1_000, store) == FeatureFetchResult(5_000, 0)
    assert client.calls == {"audio-features": 125} and len(server.asked) == 125
    again = make_client(server.url)
    assert fetch_features(again, ids, 1_000, make_store(tmp_path)) == FeatureFetchResult(5_000, 0)
    assert not again.calls and len(server.asked) == 125


def test_a_budget_ends_a_fetch_and_another_try_continues(server: ScriptedServer, tmp_path: Path) -> None:
    server.says(PATH, {"content": []})
    ids = [make_spotify_id("any", number) for number in range(200)]
    assert fetch_features(make_client(server.url), ids, 3, make_store(tmp_path)) == FeatureFetchResult(120, 80)
    assert fetch_features(make_client(server.url), ids, 0, make_store(tmp_path)) == FeatureFetchResult(120, 80)
    assert fetch_features(make_client(server.url), ids, 1, make_store(tmp_path)) == FeatureFetchResult(160, 40)
    assert fetch_features(make_client(server.url), ids, 0, make_store(tmp_path, "next")) == FeatureFetchResult(0, 200)
    assert len(server.asked) == 4


def test_a_hundred_faults_and_kills_cost_nothing_twice_and_lose_nothing(stock: Path, tmp_path: Path) -> None:
    kinds = ["rate_limited", "server_error", "cut_json", "invalid_json", "slow", "dropped"]
    (tmp_path / "scenario.toml").write_text(f"[faults]\nrate = 0.6\nseed = 5\nseconds = 0\nkinds = {kinds}\n")
    draws, kills = random.Random(7), 0
    wave_count, faults = 0, 0
    with run_mock_api(stock, tmp_path / "state", "--scenario", str(tmp_path / "scenario.toml")) as url:
        while faults < 100 or kills < 10:
            store, is_done = make_store(tmp_path, f"run {wave_count}"), False
            while not is_done:
                client = make_client(f"{url}/reccobeats")
                is_done, kills = _try_fetch(client, store, draws, kills)
            lines = read_lines(store.store_input(client.clock()))
            requested = [id_ for line in lines for id_ in line["query"]["ids"].split(",")]
            assert sorted(requested) == sorted(SERVED_IDS)
            found = [item["href"].rsplit("/", 1)[1] for line in lines for item in line["body"]["content"]]
            assert sorted(found) == sorted(id_ for id_ in SERVED_IDS if is_known(id_, 1))
            wave_count += 1
            faults = sum(requests.get(f"{url}/stand-in/faults", timeout=10).json().values())
        calls = requests.get(f"{url}/stand-in/calls", timeout=10).json()["reccobeats"]
        injected = requests.get(f"{url}/stand-in/faults", timeout=10).json()
        spoiled = injected.get("cut_json", 0) + injected.get("invalid_json", 0)
        assert calls["200"] - spoiled == wave_count * TRACK_COUNT // 40, "a complete response was requested twice"
        assert injected.keys() == set(kinds)


def _try_fetch(client: ReccoBeatsClient, store: ResponseStore, draws: random.Random, kills: int) -> tuple[bool, int]:
    """Return whether a try is done, and the number of kills; a fifth of the calls are killed before they are sent."""
    original = client.fetch_audio_features

    def fetch_audio_features(ids: Any) -> Any:
        if draws.random() < 0.2:
            raise Killed
        return original(ids)

    client.fetch_audio_features = fetch_audio_features  # type: ignore[method-assign]
    # A kill and a failure after all tries leave the same: the stored responses.
    try:
        return fetch_features(client, SERVED_IDS, 10_000, store).remaining == 0, kills
    except Killed:
        return False, kills + 1
    except TryAgainError:
        return False, kills


@pytest.mark.parametrize(
    "response",
    [
        SILENCE,
        ScriptedResponse(500, {"error": "x"}),
        ScriptedResponse(503, b"<html>"),
        ScriptedResponse(200, b'{"content": ['),
        ScriptedResponse(200, b"<html>"),
        ScriptedResponse(200, {"content": {"a": 1}}),
        ScriptedResponse(200, {"items": []}),
        ScriptedResponse(200, [1]),
        ScriptedResponse(200, b'{"content": [{"energy": NaN}]}'),
        ScriptedResponse(200, {"content": [{}] * 1_001}),
        ScriptedResponse(429, {"error": "slow down"}, {"Retry-After": "7"}),
        ScriptedResponse(429, {"error": "slow down"}),
    ],
    ids=str,
)
def test_a_response_that_cannot_be_used_is_requested_again(
    server: ScriptedServer, tmp_path: Path, response: ScriptedResponse
) -> None:
    id_, clock = SERVED_IDS[0], Clock()
    server.says(PATH, response, response, {"content": [make_item(id_)]})
    client, store = make_client(server.url, clock.sleep), make_store(tmp_path)
    assert fetch_features(client, [id_], 5, store) == FeatureFetchResult(1, 0)
    assert len(store.read_stored_responses()) == 1 and client.calls == {"audio-features": 3} and len(clock.slept) == 2
    assert response.headers.get("Retry-After") is None or clock.slept == [7, 7]


@pytest.mark.parametrize(
    ("response", "error", "message"),
    [
        (ScriptedResponse(503, b""), TryAgainError, r"ReccoBeats did not answer 4 times \(audio-features"),
        (ScriptedResponse(404, {}), ActionNeededError, "is RECCOBEATS_API_URL right"),
        (ScriptedResponse(403, {}), ActionNeededError, "is RECCOBEATS_API_URL right"),
        (ScriptedResponse(418, {}), ActionNeededError, "is RECCOBEATS_API_URL right"),
        (ScriptedResponse(429, {}, {"Retry-After": "900"}), RateLimitedError, "ReccoBeats asks for a pause of 900 s"),
    ],
    ids=lambda value: getattr(value, "status", None),
)
def test_a_lasting_failure_says_what_to_do_and_leaves_what_came_before(
    server: ScriptedServer, tmp_path: Path, response: ScriptedResponse, error: type[EtlError], message: str
) -> None:
    server.says(PATH, {"content": []}, response)
    with pytest.raises(error, match=message):
        fetch_features(make_client(server.url), SERVED_IDS[:80], 99, make_store(tmp_path))
    stored = make_store(tmp_path).read_stored_responses()
    assert [response.query["ids"].split(",") for response in stored] == [SERVED_IDS[:40]]


def test_an_invalid_id_is_isolated_and_stays_known_as_missing(server: ScriptedServer, tmp_path: Path) -> None:
    class Selective(ReccoBeatsClient):
        def fetch_audio_features(self, ids: Any) -> Any:
            server.says(PATH, ScriptedResponse(400 if SERVED_IDS[5] in ids else 200, {"content": []}))
            return super().fetch_audio_features(ids)

    client = Selective(f"{server.url}/v1/", is_mock=True)
    store = make_store(tmp_path)
    assert fetch_features(client, SERVED_IDS[:40], 99, store) == FeatureFetchResult(40, 0)
    lines = read_lines(store.store_input(client.clock()))
    assert [line["query"]["ids"] for line in lines if line["status"] == 400] == [SERVED_IDS[5]]
    calls = len(server.asked)
    assert calls <= 13 and fetch_features(client, SERVED_IDS[:40], 99, store) == FeatureFetchResult(40, 0)
    assert len(server.asked) == calls


def test_only_ids_of_tracks_are_sent(server: ScriptedServer) -> None:
    server.says(PATH, {"content": []})
    make_client(server.url).fetch_audio_features(SERVED_IDS[:2])
    ((path, headers, body),) = server.asked
    assert (path, body) == (PATH, "")
    assert not {name.lower() for name in headers} & {"authorization", "cookie"}


def test_the_mock_rejects_what_the_service_rejects(stock: Path, tmp_path: Path) -> None:
    with run_mock_api(stock, tmp_path / "state") as url:
        address = f"{url}/reccobeats/v1/audio-features"
        assert requests.get(address, timeout=10).status_code == 400
        assert requests.get(address, {"ids": ",".join(SERVED_IDS[:41])}, timeout=10).status_code == 400
        content = requests.get(address, {"ids": SERVED_IDS[:40]}, timeout=10).json()["content"]
        assert {item["href"].rsplit("/", 1)[1] for item in content} == {
            id_ for id_ in SERVED_IDS[:40] if is_known(id_, 1)
        }
