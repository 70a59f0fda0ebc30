"""Fetches of an account from a mock API, in both modes: their rows and their numbers of calls."""

import json
import multiprocessing
import os
import re
import signal
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import requests

from etl.errors import ActionNeededError, MustSignInError, RateLimitedError
from etl.extract.spotify.account_fetch import fetch_account
from etl.extract.spotify.client import Mode
from etl.extract.spotify.fetch_result import DONE, PENDING_QUOTA, FetchResult
from etl.extract.spotify.responses import ResponseStore
from etl.extract.spotify.sync_state import DENIAL_MAX_AGE, SyncState, from_json_object, to_json_object
from etl.storage.lake import Lake
from tests.extract.spotify.scripted_server import (
    Clock,
    ScriptedResponse,
    ScriptedServer,
    make_account,
    make_client,
    make_page,
)
from tests.extract.spotify.simulated_days import (
    Killed,
    MockSite,
    count_least_calls,
    get_now,
    get_playlist_items,
    get_sync_state,
    kill_after,
    open_mock_site,
    read_lines,
)

STILL = "has_usual_changes = false\npopularity_drift = 0\n"


@pytest.fixture(scope="module", params=["development", "extended"])
def mode(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module")
def shared(stock: Path, mode: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[MockSite]:
    """Yield a mock API without faults."""
    with open_mock_site(stock, tmp_path_factory.mktemp(mode), mode) as running:
        yield running


@pytest.fixture
def here(shared: MockSite, tmp_path: Path) -> MockSite:
    """Return the shared mock API on its first day, with a separate lake and accounts."""
    shared.night(0)
    mine = MockSite(shared.url, tmp_path)
    mine.account("ada")
    mine.calls()
    return mine


def get_second_name(here: MockSite) -> str:
    """Return the name of the other account, as the consent page shows it."""
    page = requests.get(
        f"{here.url}/authorize?client_id=x&response_type=code&redirect_uri=http://127.0.0.1:1/&state=s", timeout=10
    ).text
    return str(re.findall(r">([a-z]+)</a>", page)[1])


def test_a_first_fetch_brings_everything_by_the_fewest_calls(here: MockSite) -> None:
    fetched = here.fetch(SyncState(), "run")
    lines = read_lines(fetched.received)
    listed = [playlist for line in lines if line["endpoint"] == "my_playlists" for playlist in line["body"]["items"]]
    assert fetched.state == DONE and fetched.remaining == {}
    assert (fetched.playlists_seen, fetched.playlists_changed, fetched.playlists_rejected) == (12, 12, 0)
    sizes = {playlist["id"]: (playlist.get("items") or playlist.get("tracks"))["total"] for playlist in listed}
    assert {id_: len(names) for id_, names in get_playlist_items(lines).items()} == {
        k: v for k, v in sizes.items() if v
    }
    assert fetched.calls["playlist_items"] == count_least_calls(listed, set(sizes))
    assert here.calls() == Counter(fetched.calls)
    assert fetched.received is not None and fetched.received.row_count > sum(sizes.values())


def test_a_night_without_news_costs_the_pages_of_the_lists_and_one_of_saved_tracks(here: MockSite) -> None:
    first = here.fetch(SyncState(), "run 1")
    here.calls()
    second = here.fetch(get_sync_state(first), "run 2")
    followed = first.calls["followed_artists"]
    assert here.calls() == {"my_playlists": 1, "saved_tracks": 1, "followed_artists": followed} == Counter(second.calls)
    assert (second.playlists_changed, second.state) == (0, DONE)
    assert second.calls_saved == sum(first.calls.values()) - sum(second.calls.values())


def test_what_changed_is_asked_and_nothing_else(here: MockSite) -> None:
    known = SyncState()
    for day in range(6):
        here.night(day)
        here.calls()
        fetched = here.fetch(known, f"run {day}")
        asked = here.calls()
        lines = read_lines(fetched.received)
        listed = [
            playlist for line in lines if line["endpoint"] == "my_playlists" for playlist in line["body"]["items"]
        ]
        changed = {
            playlist["id"] for playlist in listed if known.snapshots.get(playlist["id"]) != playlist["snapshot_id"]
        }
        assert fetched.playlists_changed == len(changed)
        assert asked["playlist_items"] == count_least_calls(listed, changed)
        assert day == 0 or len(changed) < 12
        known = get_sync_state(fetched)
        whole = here.fetch(SyncState(), f"whole {day}")
        assert {playlist["id"]: playlist["snapshot_id"] for playlist in listed}.items() <= known.snapshots.items()
        all_names, new_names = get_playlist_items(read_lines(whole.received)), get_playlist_items(lines)
        assert {id_: all_names[id_] for id_ in new_names} == new_names
        saved = [line["body"] for line in read_lines(whole.received) if line["endpoint"] == "saved_tracks"]
        assert known.saved_total == saved[0]["total"]


def test_the_second_account_follows_what_development_mode_hides(here: MockSite, mode: str) -> None:
    name = get_second_name(here)
    here.account(name)
    here.calls()
    first = here.fetch(SyncState(), "run 1", name)
    refusals = [line for line in read_lines(first.received) if line["status"] in (403, 404)]
    assert {line["endpoint"] for line in refusals} == {"playlist_items"}
    assert all(line["snapshot_id"] and "error" in line["body"] for line in refusals)
    if mode == "development":
        # One playlist of another owner was requested, the others were not; all of them are recorded.
        assert [line["status"] for line in refusals].count(403) == 1
        assert first.playlists_rejected == len(get_sync_state(first).refused) > 1
    else:
        assert [line["status"] for line in refusals] == [404] and len(get_sync_state(first).refused) == 1
    here.calls()
    second = here.fetch(get_sync_state(first), "run 2", name)
    assert "playlist_items" not in here.calls()
    assert second.playlists_rejected == first.playlists_rejected and get_sync_state(second) == get_sync_state(first)


def test_a_refusal_of_anothers_playlist_is_believed_for_a_week(tmp_path: Path, stock: Path) -> None:
    with open_mock_site(stock, tmp_path / "before", "development", STILL) as here:
        name = get_second_name(here)
        known = from_json_object(to_json_object(get_sync_state(here.fetch(SyncState(), "run 1", name))))
    assert len(known.refused) > 1 and known.refused_since
    with open_mock_site(stock, tmp_path / "after", "extended", STILL) as here:
        here.account(name)
        here.calls()
        assert get_sync_state(here.fetch(known, "run 2", name)) == known
        assert "playlist_items" not in here.calls()
        later = here.api(name, clock=lambda: get_now() + DENIAL_MAX_AGE + timedelta(minutes=1))
        after = get_sync_state(here.fetch(known, "run 3", name, api=later))
    # The editorial one is still rejected; the items of the others are readable now.
    assert len(after.refused) == 1 and after.refused.keys() < known.refused.keys()
    assert known.refused.keys() - after.refused.keys() <= after.snapshots.keys()
    assert after.refused_since and after.refused_since > known.refused_since


def make_playlist(letter: str, owner: str = "bob", **more: Any) -> dict[str, Any]:
    """Return a playlist as an entry of a list."""
    shown = {"id": letter * 22, "name": letter, "snapshot_id": f"s{letter}", "owner": {"id": owner}}
    return {**shown, "tracks": {"total": 1}, **more}


def script_account(server: ScriptedServer, *playlists: dict[str, Any]) -> None:
    """Script an account with some playlists and no other data."""
    server.says("/v1/me", {"id": "ada"})
    server.says("/v1/me/playlists", make_page(list(playlists)))
    server.says("/v1/me/tracks", make_page([]))
    server.says("/v1/me/following", {"artists": make_page([])})


def fetch_scripted(
    server: ScriptedServer, folder: Path, known: SyncState, run_id: str, mode: Mode | None = None
) -> FetchResult:
    api = make_client(server, folder, Clock(), mode=mode)
    response_store = ResponseStore(Lake((folder / "lake").as_uri()), run_id, "account-ada")
    return fetch_account(api, make_account(), known, (), response_store)


def list_fetched_playlists(server: ScriptedServer) -> list[str]:
    playlist_names = [path.split("/")[3][0] for path in server.paths() if path.endswith("/items")]
    server.asked.clear()
    return playlist_names


def test_in_extended_mode_one_refusal_says_nothing_of_other_playlists(server: ScriptedServer, tmp_path: Path) -> None:
    script_account(server, *map(make_playlist, "ABC"))
    server.says(f"/v1/playlists/{'A' * 22}/items", ScriptedResponse(403, {"error": {"status": 403}}))
    for letter in "BC":
        server.says(f"/v1/playlists/{letter * 22}/items", make_page([{"item": {"id": "x"}}]))
    first = get_sync_state(fetch_scripted(server, tmp_path, SyncState(), "run 1"))
    assert list_fetched_playlists(server) == ["A"] and len(first.refused) == 3
    second = get_sync_state(
        fetch_scripted(server, tmp_path, from_json_object(to_json_object(first)), "run 2", Mode.EXTENDED)
    )
    assert list_fetched_playlists(server) == ["A", "B", "C"] and list(second.refused) == ["A" * 22]
    third = get_sync_state(fetch_scripted(server, tmp_path, second, "run 3", Mode.EXTENDED))
    assert list_fetched_playlists(server) == [] and third == second
    in_development = get_sync_state(fetch_scripted(server, tmp_path, first, "run 4", Mode.DEVELOPMENT))
    assert list_fetched_playlists(server) == [] and in_development == first


@pytest.mark.parametrize("is_settled", [True, False])
def test_a_playlist_that_changes_between_two_pages_is_asked_once_more(
    server: ScriptedServer, tmp_path: Path, is_settled: bool
) -> None:
    script_account(server, make_playlist("A", "user-ada"))
    some = [{"item": {"id": "x"}}]
    pages = [
        make_page(some, 2, True),
        make_page(some, 3),
        make_page(some, 3, True),
        make_page(some, 3 if is_settled else 4),
    ]
    server.says(f"/v1/playlists/{'A' * 22}/items", *pages)
    server.says(f"/v1/playlists/{'A' * 22}", {"id": "A" * 22, "snapshot_id": "new"})
    fetched = fetch_scripted(server, tmp_path, SyncState(), "run")
    assert list_fetched_playlists(server) == ["A"] * 4 and fetched.calls["playlist"] == 1
    assert get_sync_state(fetched).snapshots == ({"A" * 22: "new"} if is_settled else {})


def test_an_artist_followed_in_place_of_another_beyond_the_first_page_is_news(
    server: ScriptedServer, tmp_path: Path
) -> None:
    def followed(*names: str, after: str | None = None) -> dict[str, Any]:
        shown = make_page([{"id": name} for name in names], 60, after is not None)
        return {"artists": {**shown, "cursors": {"after": after}}}

    script_account(server)
    first_page = [f"a{number}" for number in range(50)]
    server.says("/v1/me/following", followed(*first_page, after="a49"), followed("old"))
    first = get_sync_state(fetch_scripted(server, tmp_path, SyncState(), "run 1"))
    known = from_json_object(to_json_object(first))
    server.says("/v1/me/following", followed(*first_page, after="a49"), followed("old"))
    assert fetch_scripted(server, tmp_path, known, "run 2").received is None
    server.says("/v1/me/following", followed(*first_page, after="a49"), followed("new"))
    fetched = fetch_scripted(server, tmp_path, known, "run 3")
    assert [line["endpoint"] for line in read_lines(fetched.received)].count("followed_artists") == 2
    assert get_sync_state(fetched).followed_ids == (*first_page, "new")


@pytest.mark.parametrize("change", [{"name": "New"}, {"owner": {"id": "eve"}}])
def test_a_playlist_renamed_under_its_snapshot_is_news(
    server: ScriptedServer, tmp_path: Path, change: dict[str, Any]
) -> None:
    script_account(server, make_playlist("A", "user-ada"))
    server.says(f"/v1/playlists/{'A' * 22}/items", make_page([]))
    known = from_json_object(to_json_object(get_sync_state(fetch_scripted(server, tmp_path, SyncState(), "run 1"))))
    assert fetch_scripted(server, tmp_path, known, "run 2").received is None
    list_fetched_playlists(server)
    script_account(server, {**make_playlist("A", "user-ada"), **change})
    fetched = fetch_scripted(server, tmp_path, known, "run 3")
    assert fetched.received is not None and list_fetched_playlists(server) == []


def test_playlists_are_also_named_by_id(here: MockSite, mode: str) -> None:
    listed = read_lines(here.fetch(SyncState(), "run 0").received)[0]["body"]["items"]
    second_account = get_second_name(here)
    theirs = read_lines(here.fetch(SyncState(), "run 0", second_account).received)[0]["body"]["items"]
    mine = {playlist["id"] for playlist in listed}
    foreign = next(playlist["id"] for playlist in theirs if playlist["id"] not in mine)
    link = f"https://open.spotify.com/playlist/{foreign}?si=x"
    here.calls()
    fetched = here.fetch(SyncState(), "run 1", "ada", (link, listed[0]["id"], "0" * 22, foreign))
    calls = here.calls()
    assert calls["playlist"] == 2 and fetched.playlists_seen == 13
    endpoints = [(line["endpoint"], line["status"]) for line in read_lines(fetched.received)]
    assert endpoints.count(("playlist", 200)) == 1 and endpoints.count(("playlist", 404)) == 1
    asked = [line for line in read_lines(fetched.received) if line.get("playlist_id") == foreign]
    assert [line["status"] for line in asked][:1] == [403 if mode == "development" else 200]
    again = here.fetch(get_sync_state(fetched), "run 2", "ada", (link,))
    assert here.calls()["playlist_items"] == 0 and again.calls["playlist"] == 1


def test_a_wrong_name_of_a_playlist_is_said_before_anything_is_asked(here: MockSite) -> None:
    with pytest.raises(ActionNeededError, match="SPOTIFY_PLAYLISTS takes ids or links"):
        here.fetch(SyncState(), "run", "ada", ("my list",))
    assert here.calls() == {}


def test_the_profile_is_asked_once_a_week(here: MockSite) -> None:
    first = get_sync_state(here.fetch(SyncState(), "run 1"))
    here.calls()
    here.fetch(replace(first, profile_asked_at=get_now() - timedelta(days=6)), "run 2")
    assert here.calls()["me"] == 0
    fetched = here.fetch(replace(first, profile_asked_at=get_now() - timedelta(days=8)), "run 3")
    assert here.calls()["me"] == 1
    profile = read_lines(fetched.received)[-1]["body"]
    assert not {"email", "images", "birthdate", "explicit_content"} & profile.keys()


def test_killed_between_any_two_calls_it_asks_nothing_twice(here: MockSite) -> None:
    whole = here.fetch(SyncState(), "whole")
    total = sum(whole.calls.values())
    here.calls()
    for after in range(total):
        with pytest.raises(Killed):
            here.fetch(SyncState(), "killed", api=kill_after(here.api(), after=min(after, 1)))
        assert sum(here.calls().values()) <= 1
    last = here.fetch(SyncState(), "killed")
    assert sum(here.calls().values()) <= 2
    assert last.calls == whole.calls
    bodies = [[{**line, "asked_at": ""} for line in read_lines(fetched.received)] for fetched in (whole, last)]
    assert bodies[0] == bodies[1]


QUOTAS = (
    *(("my_playlists", 1), ("playlist_items", 1), ("playlist_items", 12), ("me", 1)),
    *(("saved_tracks", 1), ("saved_tracks", 2), ("followed_artists", 1), ("followed_artists", 2)),
)
CALM_NIGHT = len(QUOTAS)


@pytest.fixture(scope="module")
def limited(stock: Path, mode: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[MockSite]:
    """Yield a mock API with an exhausted quota on each day but the last, at a call of ``QUOTAS``."""
    faults = (
        f'[[fault]]\nnight = {day}\nkind = "quota_exceeded"\nendpoint = "{endpoint}"\nnth = {nth}\nsticky = true\n'
        for day, (endpoint, nth) in enumerate(QUOTAS)
    )
    with open_mock_site(stock, tmp_path_factory.mktemp("limited"), mode, STILL + "".join(faults)) as running:
        yield running


@pytest.fixture(scope="module")
def whole(limited: MockSite) -> FetchResult:
    """Return a fetch that reaches no limit."""
    limited.night(CALM_NIGHT)
    return limited.fetch(SyncState(), "whole")


@pytest.mark.parametrize("day", range(CALM_NIGHT), ids=["-".join(map(str, quota)) for quota in QUOTAS])
def test_a_used_up_quota_keeps_what_came_and_the_next_run_goes_on(
    limited: MockSite, whole: FetchResult, tmp_path: Path, day: int
) -> None:
    here, (limited_endpoint, nth) = MockSite(limited.url, tmp_path), QUOTAS[day]
    here.night(CALM_NIGHT)
    here.account("ada")
    here.night(day)
    here.calls()
    first = here.fetch(SyncState(), "run 1")
    assert first.state == PENDING_QUOTA and sum(first.remaining.values()) > 0
    assert here.calls()[limited_endpoint] == nth
    known = get_sync_state(first)
    here.night(CALM_NIGHT)
    second = here.fetch(known, "run 2")
    assert second.state == DONE
    assert {**known.snapshots, **get_sync_state(second).snapshots} == get_sync_state(whole).snapshots
    last = get_sync_state(second)
    assert (last.saved_total, last.followed_total) == tuple(
        getattr(get_sync_state(whole), name) for name in ("saved_total", "followed_total")
    )
    everything = read_lines(first.received) + read_lines(second.received)
    for endpoint in ("saved_tracks", "followed_artists"):
        assert {line["path"] + str(line["query"]) for line in everything if line["endpoint"] == endpoint} == {
            line["path"] + str(line["query"]) for line in read_lines(whole.received) if line["endpoint"] == endpoint
        }
    asked = [line["playlist_id"] for line in read_lines(second.received) if line["endpoint"] == "playlist_items"]
    assert not set(asked) & set(known.snapshots)


def test_fetched_can_be_told_on(here: MockSite) -> None:
    fetched = here.fetch(SyncState(), "run")
    assert json.loads(json.dumps(fetched.calls)) == fetched.calls and fetched.days_left == 179


def test_a_long_pause_is_no_sleep_and_the_next_try_goes_on(stock: Path, mode: str, tmp_path: Path) -> None:
    scenario = f'{STILL}[[fault]]\nkind = "rate_limited_long"\nendpoint = "playlist_items"\nnth = 5\n'
    with open_mock_site(stock, tmp_path / "place", mode, scenario) as here:
        with pytest.raises(RateLimitedError) as caught:
            here.fetch(SyncState(), "run")
        assert caught.value.retry_after_s == 74_214 and here.slept == []
        before = here.calls()
        fetched = here.fetch(SyncState(), "run")
        assert fetched.state == DONE and here.calls()["playlist_items"] == fetched.calls["playlist_items"] - 4
        assert before["playlist_items"] == 5


def test_an_ended_sign_in_fails_alone(stock: Path, mode: str, tmp_path: Path) -> None:
    with open_mock_site(stock, tmp_path / "place", mode, f"{STILL}authorised_days_ago = {{ ada = 200 }}\n") as here:
        ada = here.account("ada")
        here.accounts.store_account(replace(ada, token=replace(ada.token, expires_at=get_now())))
        with pytest.raises(MustSignInError, match=r"bin/sign-in ada\.") as caught:
            here.fetch(SyncState(), "run")
        stored = here.accounts.get_account("ada")
        assert stored.trouble == str(caught.value) and stored.token.refresh_token == ada.token.refresh_token
        assert here.fetch(SyncState(), "run", get_second_name(here)).state == DONE


@pytest.mark.parametrize("kind", ["forbidden", "not_found"])
def test_a_refusal_of_an_own_playlist_is_not_believed_for_long(
    stock: Path, mode: str, tmp_path: Path, kind: str
) -> None:
    scenario = f'{STILL}[[fault]]\nkind = "{kind}"\nendpoint = "playlist_items"\nnth = 4\n'
    with open_mock_site(stock, tmp_path / "place", mode, scenario) as here:
        first = here.fetch(SyncState(), "run 1")
        assert first.playlists_rejected == 1 and get_sync_state(first).refused == {}
        second = here.fetch(get_sync_state(first), "run 2")
        assert second.playlists_changed == 1 and second.playlists_rejected == 0


@pytest.mark.crash
@pytest.mark.parametrize("after", [0, 4, 20])
def test_a_real_kill_loses_no_answer(here: MockSite, after: int) -> None:
    here.calls()
    process = multiprocessing.get_context("fork").Process(target=_fetch_until_killed, args=(here, after))
    process.start()
    process.join(60)
    assert process.exitcode == -signal.SIGKILL
    first = here.calls()
    fetched = here.fetch(SyncState(), "run")
    assert sum(first.values()) == after and first + here.calls() == Counter(fetched.calls)


def _fetch_until_killed(here: MockSite, after: int) -> None:
    try:
        here.fetch(SyncState(), "run", api=kill_after(here.api(), after))
    except Killed:
        os.kill(os.getpid(), signal.SIGKILL)
