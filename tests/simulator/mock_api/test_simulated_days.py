"""Changes from one simulated day to the next; a restart changes nothing."""

import json
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
import requests

from simulator.mock_api.scenario import Scenario, parse_scenario
from simulator.mock_api.seed_data import SeedData
from simulator.mock_api.server import MockApiState
from simulator.mock_api.simulated_day import SimulatedDay
from tests.simulator.mock_api.small_seed_data import Client, run_mock_api


@pytest.fixture(scope="module")
def stock(little_stock: Path) -> Iterator[SeedData]:
    opened = SeedData(little_stock)
    yield opened
    opened.close()


def read_day(stock: SeedData, scenario: Scenario, day: int) -> dict[str, Any]:
    """Return all data that an account can read on a day."""
    tonight = SimulatedDay(stock, scenario, day)
    seen: dict[str, Any] = {}
    for account in stock.accounts.values():
        playlists = [tonight.find_playlist(playlist_id) for playlist_id in tonight.list_playlist_ids(account)]
        seen[account.name] = {
            "playlists": {p.playlist_id: (p.name, p.items, tonight.compute_snapshot_id(p)) for p in playlists if p},
            "saved": tonight.list_saved_tracks(account),
            "followed": tonight.list_followed_artists(account),
            "plays": tonight.list_recent_plays(account),
        }
    return seen


def test_the_usual_changes_come_every_night_and_are_a_pure_function(stock: SeedData, little_stock: Path) -> None:
    usual = Scenario(first_day=date(2026, 11, 1))
    days = [read_day(stock, usual, day) for day in range(31)]
    again = SeedData(little_stock)
    assert [read_day(again, usual, day) for day in (30, 3, 0)] == [days[30], days[3], days[0]]
    again.close()
    for account in ("ada", "ben"):
        for before, after in pairwise(days):
            assert before[account]["playlists"] != after[account]["playlists"]
        all_ids = [set(day[account]["playlists"]) for day in days]
        assert all_ids[4] < all_ids[5] and all_ids[8] - all_ids[9]
        assert len({len(day[account]["saved"]) for day in days}) > 3
        assert len(days[30][account]["followed"]) == len(days[0][account]["followed"]) + 5
    everything = json.dumps(days, default=str)
    assert "Renamed in night 3" in everything and "Found by night 5" in everything


def test_a_snapshot_changes_exactly_when_name_or_items_do(stock: SeedData) -> None:
    days = [read_day(stock, Scenario(first_day=date(2026, 11, 1)), day) for day in range(31)]
    is_same = []
    for before, after in pairwise(days):
        for playlist_id, (name, items, snapshot) in after["ada"]["playlists"].items():
            if playlist_id in before["ada"]["playlists"]:
                earlier = before["ada"]["playlists"][playlist_id]
                is_same.append((name, items) == earlier[:2])
                assert (snapshot == earlier[2]) is is_same[-1]
    assert {True, False} == set(is_same)


def test_plays_move_on_with_the_night(stock: SeedData) -> None:
    scenario = Scenario(first_day=date(2026, 11, 1))
    account = stock.accounts["ada"]
    for day in (0, 1, 9):
        plays = SimulatedDay(stock, scenario, day).list_recent_plays(account)
        midnight = datetime(2026, 11, 1, tzinfo=UTC) + timedelta(days=day)
        timestamps = [play.played_at_ms / 1000 for play in plays]
        assert len(plays) == 50 and timestamps == sorted(set(timestamps), reverse=True)
        assert 0 < midnight.timestamp() - timestamps[0] < 86_400
    first, second = (set(SimulatedDay(stock, scenario, day).list_recent_plays(account)) for day in (0, 1))
    assert len(second - first) == 30  # ada has 30 plays a day; ben's 70 exceed the 50 of a page
    first, second = (set(SimulatedDay(stock, scenario, day).list_recent_plays(stock.accounts["ben"])) for day in (0, 1))
    assert not first & second


CHANGES = """
has_usual_changes = false
popularity_drift = 0
first_day = 2026-11-01
[[change]]
night = 1
kind = "add_tracks"
account = "ada"
playlist = 4
ids = ["{track}"]
[[change]]
night = 2
kind = "remove_tracks"
account = "ada"
playlist = 4
ids = ["{track}"]
[[change]]
night = 2
kind = "rename_playlist"
account = "ada"
playlist = 5
name = "Another name"
[[change]]
night = 2
kind = "new_playlist"
account = "ben"
name = "Brand new"
count = 60
[[change]]
night = 3
kind = "remove_tracks"
account = "ben"
playlist = "Brand new"
count = 10
[[change]]
night = 3
kind = "delete_playlist"
account = "ada"
playlist = 6
[[change]]
night = 3
kind = "rename_artist"
ids = ["{artist}"]
name = "The artist formerly known"
"""


def test_the_changes_of_a_file(stock: SeedData, little_stock: Path, mode: str, tmp_path: Path) -> None:
    item_field = "item" if mode == "development" else "track"
    track_id = stock.choose_track_ids(1, "any")[0]
    artist_id = stock.read_tracks([track_id])[track_id]["artist_ids"][0]
    file = tmp_path / "scenario.toml"
    file.write_text(CHANGES.format(track=track_id, artist=artist_id), encoding="utf-8")
    seen = []
    for _ in range(2):  # the second time after a restart
        with run_mock_api(little_stock, tmp_path / "state", "--scenario", str(file), "--mode", mode) as url:
            ada, ben = Client(url, "ada"), Client(url, "ben")
            seen.append([_list_playlists(url, day, ada, ben) for day in range(4)])
            requests.put(f"{url}/stand-in/night", json={"number": 1}, timeout=10)
            playlist_id = list(seen[0][0]["ada"])[4]
            last = ada.all(f"playlists/{playlist_id}/items", limit=50)[-1]
            assert last[item_field]["id"] == track_id and last["added_at"].startswith("2026-11-01T")
            names = {a["id"]: a["name"] for a in last[item_field]["artists"]}
            assert names[artist_id] != "The artist formerly known"
            requests.put(f"{url}/stand-in/night", json={"number": 3}, timeout=10)
            artists = {a["id"]: a["name"] for a in ada.get(f"tracks/{track_id}")["artists"]}
            assert artists[artist_id] == ada.get(f"artists/{artist_id}")["name"] == "The artist formerly known"
            assert len(ben.all(f"playlists/{_find_new_playlist(seen[0])}/items", limit=50)) == 50
    assert seen[0] == seen[1]
    zero, first, two, three = (day["ada"] for day in seen[0])
    ids = list(zero)
    assert _list_differences(zero, first) == {ids[4]} and _list_differences(first, two) == {ids[4], ids[5]}
    assert two[ids[5]][0] == "Another name" and two[ids[4]][1] != zero[ids[4]][1]
    assert set(two) - set(three) == {ids[6]}


def _list_playlists(url: str, day: int, *clients: Client) -> dict[str, dict[str, tuple[str, str]]]:
    response = requests.put(f"{url}/stand-in/night", json={"number": day}, timeout=10)
    assert response.json() == requests.get(f"{url}/stand-in/night", timeout=10).json() == {"number": day}
    return {c.name: {p["id"]: (p["name"], p["snapshot_id"]) for p in c.all("me/playlists")} for c in clients}


def _list_differences(before: dict[str, Any], after: dict[str, Any]) -> set[str]:
    return {playlist_id for playlist_id in before if before[playlist_id] != after.get(playlist_id)}


def _find_new_playlist(days: list[dict[str, dict[str, tuple[str, str]]]]) -> str:
    (new,) = days[2]["ben"].keys() - days[1]["ben"].keys()
    return new


def test_the_night_is_the_calendars_until_it_is_set(little_stock: Path, tmp_path: Path) -> None:
    written = datetime.fromtimestamp(little_stock.stat().st_mtime, UTC)
    now = written.timestamp()
    mock_api = MockApiState(little_stock, tmp_path / "state", Scenario(), "development", lambda: now)
    assert mock_api.get_day_number() == 0
    now += 3 * 86_400
    assert mock_api.get_day_number() == 3
    mock_api.set_day_number(9)
    assert (
        MockApiState(little_stock, tmp_path / "state", Scenario(), "development", lambda: now)
        .get_simulated_day()
        .number
        == 9
    )
    mock_api.set_day_number(None)
    assert mock_api.get_day_number() == 3
    dated = parse_scenario({"first_day": written.date() - timedelta(days=10)})
    assert MockApiState(little_stock, tmp_path / "state", dated, "development", lambda: now).get_day_number() == 13


def test_a_night_that_is_none_is_refused(url: str) -> None:
    for body in ({"number": -1}, {"number": "one"}, {"number": True}, {}, [1]):
        assert requests.put(f"{url}/stand-in/night", json=body, timeout=10).status_code == 400
