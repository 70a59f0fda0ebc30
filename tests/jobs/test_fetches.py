"""What the jobs that ask the API do with each outcome, and what the audit then says."""

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import text

from etl import database
from etl.errors import ActionNeededError, MustSignInError, RateLimitedError
from etl.extract.spotify.sync_state import SyncState, from_json_object
from etl.formats.contracts import LATEST_STATE
from etl.jobs import refresh, spotify
from tests.extract.spotify.nights import lines_of
from tests.jobs.spotify_place import ADA, OTHER, STILL, Place, place


def today() -> date:
    return datetime.now(UTC).date()


@pytest.fixture
def here(tmp_path: Path, warehouse_url: str, stock: Path) -> Iterator[Place]:
    with place(tmp_path / "state", warehouse_url, stock) as running:
        yield running


def fault(**says: object) -> str:
    return f"{STILL}[[fault]]\n" + "".join(f"{name} = {json.dumps(value)}\n" for name, value in says.items())


def input_ids(here: Place) -> list[str]:
    return [one.input_id for one in here.lake.inputs.find_inputs(["api"])]


def test_a_fetch_that_is_done_and_one_without_news(here: Place) -> None:
    summary = spotify.fetch_account(ADA, "run 1", here.settings, False)
    line, calls = here.fetched("run 1"), here.calls()
    assert summary == {
        **{"account": ADA, "state": "done", "calls": sum(calls.values()), "calls_saved": 0, "left": {}},
        **{"playlists_seen": 12, "playlists_changed": 12, "has_news": True},
    }
    assert (line["state"], line["account"], line["message"], line["calls"]) == ("done", ADA, None, dict(calls))
    assert [line["input_id"]] == input_ids(here) and line["days_left"] in (179, 180)
    known = from_json_object(line["known"])
    assert len(known.snapshots) == 12 and known.saved_total and known.followed_total and known.profile_asked_at
    assert not spotify.fetch_account(ADA, "run 2", here.settings, False)["has_news"]
    second = here.fetched("run 2")
    assert here.calls() == {"my_playlists": 1, "saved_tracks": 1, "followed_artists": 2}
    assert (second["input_id"], second["calls_saved"]) == (None, sum(calls.values()) - 4)
    assert from_json_object(second["known"]) == known and len(input_ids(here)) == 1


def test_a_wish_that_the_own_account_has_read_is_noted(here: Place) -> None:
    spotify.fetch_account(ADA, "run 1", here.settings, False)
    read, unread = next(iter(from_json_object(here.fetched("run 1")["known"]).snapshots)), 22 * "x"
    wishes = "select user_id, playlist_id from audit.playlist_request where read_at is not null"
    users = [here.accounts.get_account(name).account_id for name in (ADA, OTHER)]
    with database.connect(here.settings.warehouse_url) as connection:
        for user_id in users:
            statement = text(
                "insert into audit.playlist_request (user_id, playlist_id) values (:user, :read), (:user, :not)"
            )
            connection.execute(statement, {"user": user_id, "read": read, "not": unread})
    with database.connect(here.settings.warehouse_url) as listener:
        listener.execute(text("delete from audit.playlist_request where user_id = :user"), {"user": users[0]})
        spotify.fetch_account(ADA, "run 2", here.settings, False)  # waits for nobody who is taking a wish back
        listener.rollback()
    assert here.rows(wishes) == []
    spotify.fetch_account(ADA, "run 3", here.settings, False)
    assert here.rows(wishes) == [{"user_id": users[0], "playlist_id": read}]


def test_a_task_that_is_run_again_asks_nothing_and_brings_the_same(here: Place) -> None:
    spotify.fetch_account(ADA, "run", here.settings, False)
    before, _ = here.fetched("run"), here.calls()
    spotify.fetch_account(ADA, "run", here.settings, False)
    after = here.fetched("run")
    assert here.calls() == {} and input_ids(here) == [before["input_id"]]
    same = ("state", "input_id", "known", "playlists_seen", "playlists_changed")
    assert {name: after[name] for name in same} == {name: before[name] for name in same}


def test_a_quota_that_ends_leaves_the_rest_to_the_next_run(tmp_path: Path, warehouse_url: str, stock: Path) -> None:
    scenario = fault(kind="quota_exceeded", endpoint="playlist_items", night=0, nth=5, sticky=True)
    with place(tmp_path / "state", warehouse_url, stock, scenario) as here:
        summary = spotify.fetch_account(ADA, "run 1", here.settings, False)
        line = here.fetched("run 1")
        assert summary["state"] == line["state"] == "pending_quota"
        assert "playlists" in line["message"] and "1 saved_tracks" in line["message"]
        assert [line["input_id"]] == input_ids(here)
        known = from_json_object(line["known"])
        assert known.snapshots and known.saved_total is None
        here.night(1)
        here.calls()
        assert spotify.fetch_account(ADA, "run 2", here.settings, False)["state"] == "done"
        inputs = here.lake.inputs.find_inputs(["api"])
        asked = {line["playlist_id"] for line in lines_of(inputs[1]) if line["endpoint"] == "playlist_items"}
        assert len(asked) == 12 - len(known.snapshots) and not asked & known.snapshots.keys()


def test_who_must_sign_in_is_marked_and_the_others_go_on(tmp_path: Path, warehouse_url: str, stock: Path) -> None:
    with place(tmp_path / "state", warehouse_url, stock, f"{STILL}authorised_days_ago = {{ {ADA} = 200 }}\n") as here:
        ada = here.accounts.get_account(ADA)
        here.accounts.store_account(replace(ada, token=replace(ada.token, expires_at=datetime.now(UTC))))
        with pytest.raises(MustSignInError, match=f"bin/sign-in {ADA}"):
            spotify.fetch_account(ADA, "run", here.settings, False)
        line = here.fetched("run")
        assert (line["state"], line["input_id"], line["calls"]) == ("must_sign_in", None, {})
        assert f"bin/sign-in {ADA}" in line["message"] and ada.token.refresh_token not in str(line)
        assert spotify.fetch_account(OTHER, "run", here.settings, False)["state"] == "done"
        with pytest.raises(MustSignInError):
            spotify.fetch_account("nobody", "run", here.settings, False)
        assert here.fetched("run", "account-nobody")["state"] == "must_sign_in"
        # The catalogue is asked on behalf of who can.
        assert spotify.choose_accounts(today(), here.settings) == sorted([ADA, OTHER])
        assert spotify.fetch_catalogue("run", today(), here.settings, False)["state"] == "done"


def test_a_pause_of_hours_is_the_next_runs(tmp_path: Path, warehouse_url: str, stock: Path) -> None:
    scenario = fault(kind="rate_limited_long", endpoint="playlist_items", night=0, nth=5)
    with place(tmp_path / "state", warehouse_url, stock, scenario) as here:
        summary = spotify.fetch_account(ADA, "run 1", here.settings, False)
        assert summary == {"account": ADA, "state": "pending_quota", "has_news": True}
        line = here.fetched("run 1")
        assert line["state"] == "pending_quota" and "a pause of 74,214 s" in line["message"]
        (first,) = here.lake.inputs.find_inputs(["api"])
        whole = {one["playlist_id"] for one in lines_of(first) if one["endpoint"] == "playlist_items"}
        assert first.input_id == line["input_id"] and from_json_object(line["known"]).snapshots.keys() <= whole
        here.night(1)
        here.calls()
        assert spotify.fetch_account(ADA, "run 2", here.settings, False)["state"] == "done"
        assert len(from_json_object(here.fetched("run 2")["known"]).snapshots) == 12


def test_a_pause_of_hours_for_the_catalogue_holds_nothing_back(tmp_path: Path, warehouse_url: str, stock: Path) -> None:
    scenario = fault(kind="rate_limited_long", endpoint="audio_features", night=0, nth=1)
    with place(tmp_path / "state", warehouse_url, stock, scenario, mode="extended") as here:
        spotify.fetch_account(ADA, "run", here.settings, False)
        summary = spotify.fetch_catalogue("run", today(), here.settings, False)
        assert summary == {"state": "pending_quota", "has_news": False}
        assert "a pause of 74,214 s" in here.fetched("run", "catalogue")["message"]


def test_a_shorter_pause_is_the_tasks_delay_until_its_last_try(tmp_path: Path, warehouse_url: str, stock: Path) -> None:
    scenario = fault(kind="rate_limited", endpoint="saved_tracks", night=0, seconds=600)
    with place(tmp_path / "state", warehouse_url, stock, scenario) as here:
        with pytest.raises(RateLimitedError) as caught:
            spotify.fetch_account(ADA, "run", here.settings, False)
        assert caught.value.retry_after_s == 600 and here.rows("select from audit.fetch") == []
        asked = here.calls()["playlist_items"]
        assert spotify.fetch_account(ADA, "run", here.settings, True)["state"] == "pending_quota"
        assert asked >= 12
        assert here.calls() == {"saved_tracks": 1}
        known = from_json_object(here.fetched("run")["known"])
        assert len(known.snapshots) == len(known.fingerprints) == 12
        assert known == replace(SyncState(), snapshots=known.snapshots, fingerprints=known.fingerprints)


@pytest.fixture
def failing_twice(tmp_path: Path, warehouse_url: str, stock: Path) -> Iterator[Place]:
    """Three artists to ask for, one by one, of whom the second and third are answered at the next try each."""
    faults = {"kind": "rate_limited", "endpoint": "artist", "night": 0, "seconds": 600}
    scenario = fault(**faults, nth=2) + fault(**faults, nth=4).removeprefix(STILL)
    with place(tmp_path / "state", warehouse_url, stock, scenario) as running:
        with database.connect(warehouse_url) as connection:
            connection.execute(
                text(
                    "insert into warehouse.dim_artist (artist_key, artist_id, name, source)"
                    " select n, lpad(n::text, 22, '0'), 'A', 'api' from generate_series(1, 3) as n"
                )
            )
        yield running


def test_a_catalogue_that_fails_twice_comes_as_one_input(failing_twice: Place) -> None:
    here = failing_twice
    for _ in range(2):
        with pytest.raises(RateLimitedError):
            spotify.fetch_catalogue("run", today(), here.settings, False)
        assert input_ids(here) == here.rows("select from audit.fetch") == []
    assert spotify.fetch_catalogue("run", today(), here.settings, True)["state"] == "done"
    (received,) = here.lake.inputs.find_inputs(["api"])
    assert received.input_id == here.fetched("run", "catalogue")["input_id"]
    assert [line["endpoint"] for line in lines_of(received)].count("artist") == 3


def test_what_a_catalogue_was_answered_before_its_last_failure_is_kept(failing_twice: Place) -> None:
    here = failing_twice
    with pytest.raises(RateLimitedError):
        spotify.fetch_catalogue("run", today(), here.settings, True)
    line = here.fetched("run", "catalogue")
    assert line["state"] == "failed" and [line["input_id"]] == input_ids(here)


def test_the_playlists_of_the_setting_are_read_by_the_first_account_that_can(here: Place) -> None:
    first, second = sorted([ADA, OTHER])
    chosen = replace(here.settings, spotify_playlists=("0" * 22,))

    def looks(name: str, run_id: str) -> int:
        here.calls()
        spotify.fetch_account(name, run_id, chosen, False)
        return here.calls()["playlist"]

    assert (looks(first, "night 1"), looks(second, "night 1")) == (1, 0)
    here.accounts.store_account(replace(here.accounts.get_account(first), trouble="The account must sign in again."))
    assert looks(second, "night 2") == 1


def test_the_past_is_never_asked(here: Place) -> None:
    yesterday = today() - timedelta(days=1)
    assert spotify.choose_accounts(today(), here.settings) == sorted([ADA, OTHER])
    assert spotify.choose_accounts(yesterday, here.settings) == []
    assert spotify.fetch_catalogue("run", yesterday, here.settings, False) == {}
    assert here.calls() == {} and here.rows("select from audit.fetch") == []


def test_without_an_app_or_anybody_signed_in_nobody_is_asked(here: Place, tmp_path: Path) -> None:
    nobody = replace(here.settings, state_dir=tmp_path / "elsewhere")
    assert spotify.choose_accounts(today(), nobody) == []
    assert spotify.fetch_catalogue("run", today(), nobody, False) == {}
    assert spotify.choose_accounts(today(), replace(here.settings, spotify_client_id=None)) == []


def test_answers_of_a_stand_in_and_of_spotify_do_not_mix(here: Place) -> None:
    names = spotify.choose_accounts(today(), here.settings)
    other = replace(here.settings, is_mock_api=not here.settings.is_mock_api)
    spotify.choose_accounts(today(), other)  # nothing has been answered yet
    assert spotify.choose_accounts(today(), here.settings) == names
    spotify.fetch_account(ADA, "run 1", here.settings, False)
    with pytest.raises(ActionNeededError, match=r"The lake has responses of .*Set another STATE_DIR"):
        spotify.choose_accounts(today(), other)
    with pytest.raises(ActionNeededError, match="The lake has responses of"):
        spotify.fetch_catalogue("run 1", today(), other, False)
    assert spotify.choose_accounts(today(), here.settings) == names


def test_the_catalogue_asks_for_features_of_what_was_seen_tonight(
    tmp_path: Path, warehouse_url: str, stock: Path
) -> None:
    with place(tmp_path / "state", warehouse_url, stock, mode="extended") as here:
        spotify.fetch_account(ADA, "run", here.settings, False)
        here.calls()
        with database.connect(warehouse_url) as connection:
            connection.execute(
                text(
                    "insert into warehouse.dim_artist (artist_key, artist_id, name, source)"
                    " values (1, '0000000000000000000001', 'A', 'api'), (2, 'name:1', 'B', 'api')"
                )
            )
        summary = spotify.fetch_catalogue("run", today(), here.settings, False)
        line = here.fetched("run", "catalogue")
        assert summary["state"] == line["state"] == "done" and line["mode"] == "extended" and line["account"] is None
        lines = lines_of(next(one for one in here.lake.inputs.find_inputs(["api"]) if one.input_id == line["input_id"]))
        asked = {id_ for one in lines if one["endpoint"] == "audio_features" for id_ in one["query"]["ids"].split(",")}
        (first,) = (one for one in here.lake.inputs.find_inputs(["api"]) if one.input_id != line["input_id"])
        entries = [
            entry.get("item") or entry.get("track") or {}
            for one in lines_of(first)
            if one["endpoint"] in ("playlist_items", "saved_tracks") and one["status"] == 200
            for entry in one["body"]["items"]
            if entry
        ]
        assert asked == {thing["id"] for thing in entries if thing.get("id")}
        assert line["calls"]["artists"] == 1, "the made id is not asked"


def publish(here: Place, run_id: str, memory_run_id: str | None) -> None:
    """A run that published all inputs that the lake holds, and left a memory."""
    values = {"run_id": run_id, "memory": memory_run_id}
    with database.connect(here.settings.warehouse_url) as connection:
        connection.execute(
            text(
                "insert into audit.run (run_id, job, started_at, finished_at, result, memory_run_id)"
                " values (:run_id, 'nightly_refresh', now(), clock_timestamp(), 'published', :memory)"
            ),
            values,
        )
        for one in here.lake.inputs.find_inputs(["api"]):
            connection.execute(
                text(
                    "insert into audit.run_input (run_id, input_id, origin, name, format, row_count)"
                    " values (:run_id, :input_id, 'api', 'x', 'spotify_answers', 0)"
                ),
                {"run_id": run_id, "input_id": one.input_id},
            )
    for name in LATEST_STATE if memory_run_id else ():
        folder = here.settings.state_dir / "lake" / "memory" / str(memory_run_id) / name
        folder.mkdir(parents=True)
        (folder / "_SUCCESS").touch()


def test_a_plan_takes_new_answers_and_all_of_them_where_the_memory_is_lost(here: Place) -> None:
    def planned(run_id: str, is_forced: bool = False) -> tuple[int, set[str], str | None]:
        count = refresh.plan_refresh(run_id, "nightly_refresh", today(), is_forced, here.settings)
        if not count:
            return 0, set(), None
        plan = here.lake.checkpoints.read_document(run_id, "plan")
        return count, {one["input_id"] for one in plan["inputs"]}, plan["memory_run_id"]

    assert planned("before anything") == (0, set(), None)
    spotify.fetch_account(ADA, "night 1", here.settings, False)
    (first,) = input_ids(here)
    assert planned("night 1") == (1, {first}, None)
    publish(here, "night 1", "night 1")
    assert planned("nothing new") == (0, set(), None)
    assert here.rows("select result from audit.run where run_id = 'nothing new'") == [{"result": "nothing_new"}]
    spotify.fetch_account(OTHER, "night 2", here.settings, False)
    (second,) = set(input_ids(here)) - {first}
    assert planned("night 2") == (1, {second}, "night 1")
    here.lake.latest_state.drop_outdated([])
    assert planned("night 2 without a memory") == (2, {first, second}, None)
    publish(here, "night 2", "night 2")
    assert planned("nothing new again") == (0, set(), None)
    here.lake.latest_state.drop_outdated([])
    assert planned("nothing new and no memory") == (0, set(), None)
    assert planned("by hand", is_forced=True) == (2, {first, second}, None)


def test_half_a_memory_is_none(here: Place) -> None:
    spotify.fetch_account(ADA, "night 1", here.settings, False)
    publish(here, "night 1", "night 1")
    (here.settings.state_dir / "lake" / "memory" / "night 1" / "api_artist" / "_SUCCESS").unlink()
    refresh.plan_refresh("night 2", "nightly_refresh", today(), True, here.settings)
    plan = here.lake.checkpoints.read_document("night 2", "plan")
    assert plan["memory_run_id"] is None and [one["input_id"] for one in plan["inputs"]] == input_ids(here)
