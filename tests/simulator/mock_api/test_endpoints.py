"""The pages of the API over real HTTP, in both modes."""

from pathlib import Path

import pytest
import requests

from tests.simulator.mock_api.small_seed_data import Client, run_mock_api


@pytest.fixture(scope="module")
def ada(url: str) -> Client:
    return Client(url, "ada")


def test_every_playlist_is_listed_and_its_items_are_read_to_the_end(ada: Client, mode: str) -> None:
    items_field = "items" if mode == "development" else "tracks"
    item_field = "item" if mode == "development" else "track"
    listed = ada.all("me/playlists", limit=5)
    assert len(listed) == 12
    for playlist in listed:
        items = ada.all(f"playlists/{playlist['id']}/items", limit=50)
        assert len(items) == playlist[items_field]["total"]
        assert all(item_field in item for item in items)
    assert any(playlist[items_field]["total"] > 100 for playlist in listed)


def test_batches_are_for_extended_mode_only(ada: Client, mode: str) -> None:
    playlist = ada.get("me/playlists")["items"][5]
    item_field = "item" if mode == "development" else "track"
    items = ada.get(f"playlists/{playlist['id']}/items", limit=50)["items"]
    ids = [item[item_field]["id"] for item in items]
    by_old_path = ada.ask(f"playlists/{playlist['id']}/tracks", limit=50)
    assert by_old_path.status_code == (403 if mode == "development" else 200)
    single = ada.get(f"tracks/{ids[0]}")
    assert single["id"] == ids[0] and ("popularity" in single) is (mode == "extended")
    batch = ada.ask("tracks", ids=",".join(ids))
    if mode == "development":
        assert batch.status_code == 403 and batch.json() == {"error": {"status": 403, "message": "Forbidden"}}
    else:
        assert [track["id"] for track in batch.json()["tracks"]] == ids


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("me/tracks?limit=51", 400),
        ("me/tracks?limit=0", 400),
        ("me/tracks?offset=-1", 400),
        ("me/tracks?limit=many", 400),
        ("me/following", 400),
        ("me/player/recently-played?before=1&after=1", 400),
        ("tracks/0000000000000000000000", 404),
        ("playlists/0000000000000000000000", 404),
        ("playlists/0000000000000000000000/items", 404),
        ("users/madeup_ada", 404),
        ("search?q=x&type=track", 404),
    ],
)
def test_what_cannot_be_asked_is_refused_as_the_api_does(ada: Client, path: str, status: int) -> None:
    response = ada.ask(path)
    assert response.status_code == response.json()["error"]["status"] == status
    assert set(response.json()["error"]) == {"status", "message"}


def test_a_page_behind_the_end_is_empty(ada: Client) -> None:
    page = ada.get("me/tracks", offset=500, limit=10)
    assert page["items"] == [] and page["next"] is None and page["total"] == 120


def test_too_many_ids_are_refused_and_unknown_ones_are_null(ada: Client, mode: str) -> None:
    if mode == "development":
        pytest.skip("batches are for extended mode only")
    for path, most in (("tracks", 50), ("artists", 50), ("albums", 20), ("audio-features", 100)):
        unknown = ["0" * 22] * most
        assert ada.get(path, ids=",".join(unknown)) == {path.replace("-", "_"): [None] * most}
        assert ada.ask(path, ids=",".join([*unknown, "1" * 22])).status_code == 400
        assert ada.ask(path).status_code == 400


def test_one_can_ask_for_a_playlists_snapshot_alone(ada: Client) -> None:
    playlist = ada.get("me/playlists")["items"][0]
    alone = ada.get(f"playlists/{playlist['id']}", fields="snapshot_id,name")
    assert alone == {"snapshot_id": playlist["snapshot_id"], "name": playlist["name"]}
    whole = ada.get(f"playlists/{playlist['id']}", fields="items(item(name))")
    assert whole["id"] == playlist["id"]


def test_the_truth_is_told(url: str) -> None:
    whole = requests.get(f"{url}/stand-in/truth", timeout=10).json()
    ids = [served for served, track_id in whole.items() if served != track_id][:5]
    some = requests.get(f"{url}/stand-in/truth", params={"ids": ",".join([*ids, "unknown"])}, timeout=10).json()
    assert some == {served: whole[served] for served in ids} and len(ids) == 5


@pytest.mark.parametrize(("flags", "has_batches"), [((), True), (("--mode", "development"), False)])
def test_the_flag_wins_over_the_scenarios_mode(
    little_stock: Path, tmp_path: Path, flags: tuple[str, ...], has_batches: bool
) -> None:
    (tmp_path / "scenario.toml").write_text('mode = "extended"')
    with run_mock_api(little_stock, tmp_path / "state", "--scenario", str(tmp_path / "scenario.toml"), *flags) as url:
        assert Client(url, "ada").ask("tracks", ids="0" * 22).ok is has_batches


def test_a_track_removed_from_the_market_says_so_and_a_relinked_one_in_extended_mode_only(
    ada: Client, mode: str
) -> None:
    item_field = "item" if mode == "development" else "track"
    first = ada.get("me/playlists")["items"][0]["id"]
    tracks = [item[item_field] for item in ada.all(f"playlists/{first}/items", limit=50) if item[item_field]]
    gone = [track for track in tracks if "restrictions" in track]
    assert gone and all(not track["is_playable"] and track["restrictions"] == {"reason": "market"} for track in gone)
    assert any("linked_from" in track for track in tracks) is (mode == "extended")
    assert sum(track["is_local"] for track in tracks if track["type"] == "track") == 2
