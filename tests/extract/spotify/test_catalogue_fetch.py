"""Fetches of the catalogue: planned batches if the mode allows them, else single calls, within a budget."""

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from etl.extract.spotify.catalogue_fetch import CatalogueRequest, allocate_budget, fetch_catalogue, plan_calls
from etl.extract.spotify.client import ApiClient, Mode
from etl.extract.spotify.fetch_result import DONE, PENDING_QUOTA, FetchResult
from etl.extract.spotify.responses import ResponseStore
from etl.storage.lake import Lake
from tests.extract.spotify.scripted_server import Clock, ScriptedResponse, ScriptedServer, make_client
from tests.extract.spotify.simulated_days import Killed, MockSite, kill_after, open_mock_site, read_lines
from tests.simulator.mock_api.small_seed_data import make_small_rows


@pytest.fixture(scope="module", params=["development", "extended"])
def mode(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module")
def shared(stock: Path, mode: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[MockSite]:
    with open_mock_site(stock, tmp_path_factory.mktemp(mode), mode) as running:
        yield running


@pytest.fixture
def here(shared: MockSite, tmp_path: Path) -> MockSite:
    mine = MockSite(shared.url, tmp_path)
    mine.account("ada")
    mine.calls()
    return mine


@pytest.fixture(scope="module")
def ids(shared: MockSite) -> dict[str, list[str]]:
    """Return ids of the catalogue that the API knows."""
    tracks = sorted(set(make_small_rows()[0]["track_id"]))
    api = shared.api()
    seen = [api.fetch_track(id_).body for id_ in tracks[:30]]
    return {
        "tracks": tracks,
        "artists": sorted({artist["id"] for track in seen for artist in track["artists"]}),
        "albums": sorted({track["album"]["id"] for track in seen}),
    }


def fetch_mock_catalogue(
    here: MockSite, catalogue_request: CatalogueRequest, budget: int, run_id: str = "run", api: ApiClient | None = None
) -> FetchResult:
    return fetch_catalogue(api or here.api(), catalogue_request, budget, ResponseStore(here.lake, run_id, "catalogue"))


def read_resources(fetched: FetchResult, *endpoints: str) -> list[Any]:
    resources: list[Any] = []
    for line in read_lines(fetched.received):
        if line["endpoint"] in endpoints and line["status"] == 200:
            resources += line["body"].get(line["endpoint"], [line["body"]])
    return resources


def test_the_first_refusal_tells_the_mode_and_is_the_last(here: MockSite, mode: str, ids: dict[str, list[str]]) -> None:
    api = here.api()
    catalogue_request = CatalogueRequest(
        features=ids["tracks"], tracks=ids["tracks"][:60], artists=ids["artists"], albums=ids["albums"]
    )
    fetched = fetch_mock_catalogue(here, catalogue_request, 1000, api=api)
    calls = here.calls()
    assert fetched.mode == api.mode == Mode(mode) and fetched.state == DONE
    count = {kind: len(kind_ids) for kind, kind_ids in ids.items()}
    if mode == "extended":
        batches = {"artists": -(-count["artists"] // 50), "albums": -(-count["albums"] // 20)}
        assert calls == {"audio_features": -(-count["tracks"] // 100), "tracks": 2, **batches}
        assert len(read_resources(fetched, "audio_features")) == count["tracks"]
    else:
        assert calls == {"audio_features": 1, "track": 60, "artist": count["artists"], "album": count["albums"]}
        assert read_resources(fetched, "audio_features") == []
    assert [track["id"] for track in read_resources(fetched, "tracks", "track")] == ids["tracks"][:60]
    assert {artist["id"] for artist in read_resources(fetched, "artists", "artist")} == set(ids["artists"])
    assert {album["id"] for album in read_resources(fetched, "albums", "album")} == set(ids["albums"])
    assert all("external_ids" in track for track in read_resources(fetched, "tracks", "track"))
    assert calls == Counter(fetched.calls)


def test_a_mode_that_is_known_costs_no_refusal(here: MockSite, mode: str, ids: dict[str, list[str]]) -> None:
    fetched = fetch_mock_catalogue(
        here, CatalogueRequest(features=ids["tracks"], tracks=ids["tracks"][:3]), 10, api=here.api(mode=Mode(mode))
    )
    assert not [line for line in read_lines(fetched.received) if line["status"] != 200]
    assert here.calls() == ({"audio_features": 4, "tracks": 1} if mode == "extended" else {"track": 3})


@pytest.mark.parametrize("budget", [0, 1, 2, 7, 40])
def test_the_budget_bounds_what_is_refreshed(here: MockSite, mode: str, ids: dict[str, list[str]], budget: int) -> None:
    catalogue_request = CatalogueRequest(tracks=ids["tracks"], artists=ids["artists"], albums=ids["albums"])
    fetched = fetch_mock_catalogue(here, catalogue_request, budget)
    assert sum(here.calls().values()) <= budget
    asked = [track["id"] for track in read_resources(fetched, "tracks", "track")]
    assert asked == ids["tracks"][: len(asked)]  # the least recently fetched first
    if budget == 40 and mode == "development":
        total = sum(len(kind_ids) for kind_ids in ids.values())
        assert abs(len(asked) - 39 * len(ids["tracks"]) / total) <= 1


def test_ids_that_spotify_cannot_know_are_not_asked(here: MockSite, ids: dict[str, list[str]]) -> None:
    known = ids["tracks"][0]
    fetched = fetch_mock_catalogue(
        here, CatalogueRequest(tracks=["name:0123456789abcdef", known, "", known, "Z" * 22]), 10
    )
    assert [track["id"] for track in read_resources(fetched, "tracks", "track") if track] == [known]
    assert sum(here.calls().values()) <= 3


WRONG = ScriptedResponse(400, {"error": {"status": 400, "message": "Invalid base62 id"}})
FIVE = [str(number) * 22 for number in range(1, 6)]


def test_what_is_made_up_is_not_asked_of_spotify(server: ScriptedServer, tmp_path: Path, clock: Clock) -> None:
    server.says("/v1/tracks", {"tracks": [{"id": FIVE[0]}]})
    api = make_client(server, tmp_path, clock)
    catalogue_request = CatalogueRequest(tracks=["madeupUnknown000000123", FIVE[0]], artists=["madeupNobody0000000123"])
    fetched = fetch_catalogue(
        api, catalogue_request, 10, ResponseStore(Lake((tmp_path / "lake").as_uri()), "run", "catalogue")
    )
    assert fetched.calls == {"tracks": 1}
    assert [line["query"] for line in read_lines(fetched.received)] == [{"ids": FIVE[0]}]


def test_an_id_that_spotify_takes_for_none_is_noted_and_the_fetch_goes_on(
    server: ScriptedServer, tmp_path: Path, clock: Clock
) -> None:
    for id_ in FIVE:
        server.says(f"/v1/tracks/{id_}", WRONG if id_ == FIVE[2] else {"id": id_})
    api = make_client(server, tmp_path, clock, mode=Mode.DEVELOPMENT)
    response_store = ResponseStore(Lake((tmp_path / "lake").as_uri()), "run", "catalogue")
    fetched = fetch_catalogue(api, CatalogueRequest(tracks=FIVE), 10, response_store)
    assert [line["status"] for line in read_lines(fetched.received)] == [200, 200, 400, 200, 200]


@pytest.mark.parametrize("budget", [10, 4])
def test_a_batch_with_a_wrong_id_is_asked_in_halves_within_the_budget(
    server: ScriptedServer, tmp_path: Path, clock: Clock, budget: int
) -> None:
    def good(*places: int) -> dict[str, Any]:
        return {"tracks": [{"id": FIVE[place]} for place in places]}

    server.says("/v1/tracks", WRONG, good(0, 1), WRONG, WRONG, good(3, 4))
    api = make_client(server, tmp_path, clock)
    response_store = ResponseStore(Lake((tmp_path / "lake").as_uri()), "run", "catalogue")
    fetched = fetch_catalogue(api, CatalogueRequest(tracks=FIVE), budget, response_store)
    tracks = [line for line in read_lines(fetched.received) if line["endpoint"] == "tracks"]
    assert fetched.mode is Mode.EXTENDED and fetched.calls["tracks"] == min(budget, 5)
    assert [(line["status"], line["query"]["ids"].split(",")) for line in tracks] == [
        (200, FIVE[:2]),
        (400, [FIVE[2]]),
        (200, FIVE[3:]),
    ][: 3 if budget == 10 else 2]


def test_audio_features_with_a_wrong_id_are_asked_in_halves(
    server: ScriptedServer, tmp_path: Path, clock: Clock
) -> None:
    server.says("/v1/audio-features", WRONG, WRONG, {"audio_features": [None]})
    api = make_client(server, tmp_path, clock)
    response_store = ResponseStore(Lake((tmp_path / "lake").as_uri()), "run", "catalogue")
    fetched = fetch_catalogue(api, CatalogueRequest(features=FIVE[:2]), 2, response_store)
    calls = [(line["status"], line["query"]["ids"]) for line in read_lines(fetched.received)]
    assert calls == [(400, FIVE[0]), (200, FIVE[1])] and fetched.remaining == {}


def test_killed_between_any_two_calls_it_asks_nothing_twice(here: MockSite, ids: dict[str, list[str]]) -> None:
    catalogue_request = CatalogueRequest(ids["tracks"][:120], ids["tracks"][:8], ids["artists"][:3], ids["albums"][:3])
    whole = fetch_mock_catalogue(here, catalogue_request, 12, "whole")
    total = sum(whole.calls.values())
    here.calls()
    for _ in range(total - 1):
        with pytest.raises(Killed):
            fetch_mock_catalogue(here, catalogue_request, 12, "killed", kill_after(here.api(), after=1))
        assert sum(here.calls().values()) == 1
    last = fetch_mock_catalogue(here, catalogue_request, 12, "killed")
    assert sum(here.calls().values()) == 1
    assert (last.calls, last.mode) == (whole.calls, whole.mode)
    bodies = [[{**line, "asked_at": ""} for line in read_lines(fetched.received)] for fetched in (whole, last)]
    assert bodies[0] == bodies[1]


def test_a_used_up_quota_says_what_is_left(stock: Path, mode: str, tmp_path: Path, ids: dict[str, list[str]]) -> None:
    endpoint = {"development": "track", "extended": "tracks"}[mode]
    fault = f'kind = "quota_exceeded"\nendpoint = "{endpoint}"\nnth = 3\nsticky = true\n'
    with open_mock_site(stock, tmp_path / "place", mode, f"[[fault]]\n{fault}") as here:
        fetched = fetch_mock_catalogue(
            here, CatalogueRequest(ids["tracks"], ids["tracks"], ids["artists"], ids["albums"]), 1000
        )
        asked = read_resources(fetched, "track", "tracks")
        assert fetched.state == PENDING_QUOTA and len(asked) == {"development": 2, "extended": 100}[mode]
        assert fetched.remaining["tracks"] == len(ids["tracks"]) - len(asked) and "features" not in fetched.remaining


@given(
    st.integers(0, 300),
    st.dictionaries(st.sampled_from(["tracks", "artists", "albums"]), st.integers(0, 400), min_size=1),
    st.booleans(),
)
def test_a_plan_keeps_to_its_budget_and_wastes_none(budget: int, lengths: dict[str, int], is_batched: bool) -> None:
    waiting = {kind: [f"{kind}{n}" for n in range(length)] for kind, length in lengths.items()}
    calls = plan_calls(waiting, budget, is_batched)
    sizes = {"tracks": 50, "artists": 50, "albums": 20} if is_batched else dict.fromkeys(lengths, 1)
    needed = {kind: -(-length // sizes[kind]) for kind, length in lengths.items()}
    assert len(calls) == min(budget, sum(needed.values()))
    for kind in lengths:
        asked = [id_ for call in calls if call.kind == kind for id_ in call.ids]
        assert asked == waiting[kind][: len(asked)]


def test_shares_are_in_proportion() -> None:
    assert allocate_budget(100, {"a": 800, "b": 150, "c": 50}, {"a": 800, "b": 150, "c": 50}) == {
        "a": 80,
        "b": 15,
        "c": 5,
    }
    assert allocate_budget(10, {"a": 1000, "b": 3, "c": 0}, {"a": 4, "b": 3, "c": 0}) == {"a": 4, "b": 3, "c": 0}
    assert allocate_budget(0, {"a": 1}, {"a": 1}) == {"a": 0}
