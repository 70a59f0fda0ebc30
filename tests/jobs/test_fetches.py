"""The outcomes of the jobs that call the API, and their records in the audit."""

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
from etl.jobs import refresh_plan, spotify
from tests.extract.spotify.simulated_days import read_lines
from tests.jobs.mock_api_environment import FIRST_ACCOUNT, SECOND_ACCOUNT, STILL, MockApiEnvironment, start_environment


def get_today() -> date:
    return datetime.now(UTC).date()


@pytest.fixture
def environment(tmp_path: Path, warehouse_url: str, seed_data_path: Path) -> Iterator[MockApiEnvironment]:
    with start_environment(tmp_path / "state", warehouse_url, seed_data_path) as running:
        yield running


def make_fault(**says: object) -> str:
    return f"{STILL}[[fault]]\n" + "".join(f"{name} = {json.dumps(value)}\n" for name, value in says.items())


def list_input_ids(environment: MockApiEnvironment) -> list[str]:
    return [received.input_id for received in environment.lake.inputs.find_inputs(["api"])]


def test_a_fetch_that_is_done_and_one_without_news(environment: MockApiEnvironment) -> None:
    summary = spotify.fetch_account(FIRST_ACCOUNT, "run 1", environment.settings, False)
    line, calls = environment.fetched("run 1"), environment.calls()
    assert summary == {
        **{"account": FIRST_ACCOUNT, "state": "done", "calls": sum(calls.values()), "calls_saved": 0, "left": {}},
        **{"playlists_seen": 12, "playlists_changed": 12, "has_news": True},
    }
    assert (line["state"], line["account"], line["message"], line["calls"]) == (
        "done",
        FIRST_ACCOUNT,
        None,
        dict(calls),
    )
    assert [line["input_id"]] == list_input_ids(environment) and line["days_left"] in (179, 180)
    sync_state = from_json_object(line["known"])
    assert (
        len(sync_state.snapshots) == 12
        and sync_state.saved_total
        and sync_state.followed_total
        and sync_state.profile_asked_at
    )
    assert not spotify.fetch_account(FIRST_ACCOUNT, "run 2", environment.settings, False)["has_news"]
    second = environment.fetched("run 2")
    assert environment.calls() == {"my_playlists": 1, "saved_tracks": 1, "followed_artists": 2}
    assert (second["input_id"], second["calls_saved"]) == (None, sum(calls.values()) - 4)
    assert from_json_object(second["known"]) == sync_state and len(list_input_ids(environment)) == 1


def test_a_wish_that_the_own_account_has_read_is_noted(environment: MockApiEnvironment) -> None:
    spotify.fetch_account(FIRST_ACCOUNT, "run 1", environment.settings, False)
    read, unread = next(iter(from_json_object(environment.fetched("run 1")["known"]).snapshots)), 22 * "x"
    read_requests = "select user_id, playlist_id from audit.playlist_request where read_at is not null"
    users = [environment.accounts.get_account(name).account_id for name in (FIRST_ACCOUNT, SECOND_ACCOUNT)]
    with database.connect(environment.settings.warehouse_url) as connection:
        for user_id in users:
            statement = text(
                "insert into audit.playlist_request (user_id, playlist_id) values (:user, :read), (:user, :not)"
            )
            connection.execute(statement, {"user": user_id, "read": read, "not": unread})
    with database.connect(environment.settings.warehouse_url) as listener:
        listener.execute(text("delete from audit.playlist_request where user_id = :user"), {"user": users[0]})
        spotify.fetch_account(
            FIRST_ACCOUNT, "run 2", environment.settings, False
        )  # does not wait for a user who is withdrawing a request
        listener.rollback()
    assert environment.rows(read_requests) == []
    spotify.fetch_account(FIRST_ACCOUNT, "run 3", environment.settings, False)
    assert environment.rows(read_requests) == [{"user_id": users[0], "playlist_id": read}]


def test_a_task_that_is_run_again_asks_nothing_and_brings_the_same(environment: MockApiEnvironment) -> None:
    spotify.fetch_account(FIRST_ACCOUNT, "run", environment.settings, False)
    before, _ = environment.fetched("run"), environment.calls()
    spotify.fetch_account(FIRST_ACCOUNT, "run", environment.settings, False)
    after = environment.fetched("run")
    assert environment.calls() == {} and list_input_ids(environment) == [before["input_id"]]
    same = ("state", "input_id", "known", "playlists_seen", "playlists_changed")
    assert {name: after[name] for name in same} == {name: before[name] for name in same}


def test_a_quota_that_ends_leaves_the_rest_to_the_next_run(
    tmp_path: Path, warehouse_url: str, seed_data_path: Path
) -> None:
    scenario = make_fault(kind="quota_exceeded", endpoint="playlist_items", night=0, nth=5, sticky=True)
    with start_environment(tmp_path / "state", warehouse_url, seed_data_path, scenario) as environment:
        summary = spotify.fetch_account(FIRST_ACCOUNT, "run 1", environment.settings, False)
        line = environment.fetched("run 1")
        assert summary["state"] == line["state"] == "pending_quota"
        assert "playlists" in line["message"] and "1 saved_tracks" in line["message"]
        assert [line["input_id"]] == list_input_ids(environment)
        sync_state = from_json_object(line["known"])
        assert sync_state.snapshots and sync_state.saved_total is None
        environment.night(1)
        environment.calls()
        assert spotify.fetch_account(FIRST_ACCOUNT, "run 2", environment.settings, False)["state"] == "done"
        inputs = environment.lake.inputs.find_inputs(["api"])
        requested_playlists = {
            line["playlist_id"] for line in read_lines(inputs[1]) if line["endpoint"] == "playlist_items"
        }
        assert (
            len(requested_playlists) == 12 - len(sync_state.snapshots)
            and not requested_playlists & sync_state.snapshots.keys()
        )


def test_who_must_sign_in_is_marked_and_the_others_go_on(
    tmp_path: Path, warehouse_url: str, seed_data_path: Path
) -> None:
    with start_environment(
        tmp_path / "state", warehouse_url, seed_data_path, f"{STILL}authorised_days_ago = {{ {FIRST_ACCOUNT} = 200 }}\n"
    ) as environment:
        ada = environment.accounts.get_account(FIRST_ACCOUNT)
        environment.accounts.store_account(replace(ada, token=replace(ada.token, expires_at=datetime.now(UTC))))
        with pytest.raises(MustSignInError, match=f"bin/sign-in {FIRST_ACCOUNT}"):
            spotify.fetch_account(FIRST_ACCOUNT, "run", environment.settings, False)
        line = environment.fetched("run")
        assert (line["state"], line["input_id"], line["calls"]) == ("must_sign_in", None, {})
        assert f"bin/sign-in {FIRST_ACCOUNT}" in line["message"] and ada.token.refresh_token not in str(line)
        assert spotify.fetch_account(SECOND_ACCOUNT, "run", environment.settings, False)["state"] == "done"
        with pytest.raises(MustSignInError):
            spotify.fetch_account("nobody", "run", environment.settings, False)
        assert environment.fetched("run", "account-nobody")["state"] == "must_sign_in"
        # The catalogue is fetched through an account that can sign in.
        assert spotify.choose_accounts(get_today(), environment.settings) == sorted([FIRST_ACCOUNT, SECOND_ACCOUNT])
        assert spotify.fetch_catalogue("run", get_today(), environment.settings, False)["state"] == "done"


def test_a_pause_of_hours_is_the_next_runs(tmp_path: Path, warehouse_url: str, seed_data_path: Path) -> None:
    scenario = make_fault(kind="rate_limited_long", endpoint="playlist_items", night=0, nth=5)
    with start_environment(tmp_path / "state", warehouse_url, seed_data_path, scenario) as environment:
        summary = spotify.fetch_account(FIRST_ACCOUNT, "run 1", environment.settings, False)
        assert summary == {"account": FIRST_ACCOUNT, "state": "pending_quota", "has_news": True}
        line = environment.fetched("run 1")
        assert line["state"] == "pending_quota" and "a pause of 74,214 s" in line["message"]
        (first,) = environment.lake.inputs.find_inputs(["api"])
        complete_playlists = {
            page_line["playlist_id"] for page_line in read_lines(first) if page_line["endpoint"] == "playlist_items"
        }
        assert (
            first.input_id == line["input_id"]
            and from_json_object(line["known"]).snapshots.keys() <= complete_playlists
        )
        environment.night(1)
        environment.calls()
        assert spotify.fetch_account(FIRST_ACCOUNT, "run 2", environment.settings, False)["state"] == "done"
        assert len(from_json_object(environment.fetched("run 2")["known"]).snapshots) == 12


def test_a_pause_of_hours_for_the_catalogue_holds_nothing_back(
    tmp_path: Path, warehouse_url: str, seed_data_path: Path
) -> None:
    scenario = make_fault(kind="rate_limited_long", endpoint="audio_features", night=0, nth=1)
    with start_environment(tmp_path / "state", warehouse_url, seed_data_path, scenario, mode="extended") as environment:
        spotify.fetch_account(FIRST_ACCOUNT, "run", environment.settings, False)
        summary = spotify.fetch_catalogue("run", get_today(), environment.settings, False)
        assert summary == {"state": "pending_quota", "has_news": False}
        assert "a pause of 74,214 s" in environment.fetched("run", "catalogue")["message"]


def test_a_shorter_pause_is_the_tasks_delay_until_its_last_try(
    tmp_path: Path, warehouse_url: str, seed_data_path: Path
) -> None:
    scenario = make_fault(kind="rate_limited", endpoint="saved_tracks", night=0, seconds=600)
    with start_environment(tmp_path / "state", warehouse_url, seed_data_path, scenario) as environment:
        with pytest.raises(RateLimitedError) as caught:
            spotify.fetch_account(FIRST_ACCOUNT, "run", environment.settings, False)
        assert caught.value.retry_after_s == 600 and environment.rows("select from audit.fetch") == []
        request_count = environment.calls()["playlist_items"]
        assert spotify.fetch_account(FIRST_ACCOUNT, "run", environment.settings, True)["state"] == "pending_quota"
        assert request_count >= 12
        assert environment.calls() == {"saved_tracks": 1}
        sync_state = from_json_object(environment.fetched("run")["known"])
        assert len(sync_state.snapshots) == len(sync_state.fingerprints) == 12
        assert sync_state == replace(SyncState(), snapshots=sync_state.snapshots, fingerprints=sync_state.fingerprints)


@pytest.fixture
def failing_twice(tmp_path: Path, warehouse_url: str, seed_data_path: Path) -> Iterator[MockApiEnvironment]:
    """Yield three artists to fetch one by one; the second and third succeed only in a later try each."""
    faults = {"kind": "rate_limited", "endpoint": "artist", "night": 0, "seconds": 600}
    scenario = make_fault(**faults, nth=2) + make_fault(**faults, nth=4).removeprefix(STILL)
    with start_environment(tmp_path / "state", warehouse_url, seed_data_path, scenario) as running:
        with database.connect(warehouse_url) as connection:
            connection.execute(
                text(
                    "insert into warehouse.dim_artist (artist_key, artist_id, name, source)"
                    " select n, lpad(n::text, 22, '0'), 'A', 'api' from generate_series(1, 3) as n"
                )
            )
        yield running


def test_a_catalogue_that_fails_twice_comes_as_one_input(failing_twice: MockApiEnvironment) -> None:
    environment = failing_twice
    for _ in range(2):
        with pytest.raises(RateLimitedError):
            spotify.fetch_catalogue("run", get_today(), environment.settings, False)
        assert list_input_ids(environment) == environment.rows("select from audit.fetch") == []
    assert spotify.fetch_catalogue("run", get_today(), environment.settings, True)["state"] == "done"
    (received,) = environment.lake.inputs.find_inputs(["api"])
    assert received.input_id == environment.fetched("run", "catalogue")["input_id"]
    assert [line["endpoint"] for line in read_lines(received)].count("artist") == 3


def test_what_a_catalogue_was_answered_before_its_last_failure_is_kept(failing_twice: MockApiEnvironment) -> None:
    environment = failing_twice
    with pytest.raises(RateLimitedError):
        spotify.fetch_catalogue("run", get_today(), environment.settings, True)
    line = environment.fetched("run", "catalogue")
    assert line["state"] == "failed" and [line["input_id"]] == list_input_ids(environment)


def test_the_playlists_of_the_setting_are_read_by_the_first_account_that_can(environment: MockApiEnvironment) -> None:
    first, second = sorted([FIRST_ACCOUNT, SECOND_ACCOUNT])
    chosen = replace(environment.settings, spotify_playlists=("0" * 22,))

    def read_playlists(name: str, run_id: str) -> int:
        environment.calls()
        spotify.fetch_account(name, run_id, chosen, False)
        return environment.calls()["playlist"]

    assert (read_playlists(first, "night 1"), read_playlists(second, "night 1")) == (1, 0)
    environment.accounts.store_account(
        replace(environment.accounts.get_account(first), trouble="The account must sign in again.")
    )
    assert read_playlists(second, "night 2") == 1


def test_the_past_is_never_asked(environment: MockApiEnvironment) -> None:
    yesterday = get_today() - timedelta(days=1)
    assert spotify.choose_accounts(get_today(), environment.settings) == sorted([FIRST_ACCOUNT, SECOND_ACCOUNT])
    assert spotify.choose_accounts(yesterday, environment.settings) == []
    assert spotify.fetch_catalogue("run", yesterday, environment.settings, False) == {}
    assert environment.calls() == {} and environment.rows("select from audit.fetch") == []


def test_without_an_app_or_anybody_signed_in_nobody_is_asked(environment: MockApiEnvironment, tmp_path: Path) -> None:
    nobody = replace(environment.settings, state_dir=tmp_path / "elsewhere")
    assert spotify.choose_accounts(get_today(), nobody) == []
    assert spotify.fetch_catalogue("run", get_today(), nobody, False) == {}
    assert spotify.choose_accounts(get_today(), replace(environment.settings, spotify_client_id=None)) == []


def test_answers_of_a_stand_in_and_of_spotify_do_not_mix(environment: MockApiEnvironment) -> None:
    names = spotify.choose_accounts(get_today(), environment.settings)
    other_settings = replace(environment.settings, is_mock_api=not environment.settings.is_mock_api)
    spotify.choose_accounts(get_today(), other_settings)  # no response has arrived yet
    assert spotify.choose_accounts(get_today(), environment.settings) == names
    spotify.fetch_account(FIRST_ACCOUNT, "run 1", environment.settings, False)
    with pytest.raises(ActionNeededError, match=r"The lake has responses of .*Set another STATE_DIR"):
        spotify.choose_accounts(get_today(), other_settings)
    with pytest.raises(ActionNeededError, match="The lake has responses of"):
        spotify.fetch_catalogue("run 1", get_today(), other_settings, False)
    assert spotify.choose_accounts(get_today(), environment.settings) == names


def test_the_catalogue_asks_for_features_of_what_was_seen_tonight(
    tmp_path: Path, warehouse_url: str, seed_data_path: Path
) -> None:
    with start_environment(tmp_path / "state", warehouse_url, seed_data_path, mode="extended") as environment:
        spotify.fetch_account(FIRST_ACCOUNT, "run", environment.settings, False)
        environment.calls()
        with database.connect(warehouse_url) as connection:
            connection.execute(
                text(
                    "insert into warehouse.dim_artist (artist_key, artist_id, name, source)"
                    " values (1, '0000000000000000000001', 'A', 'api'), (2, 'name:1', 'B', 'api')"
                )
            )
        summary = spotify.fetch_catalogue("run", get_today(), environment.settings, False)
        line = environment.fetched("run", "catalogue")
        assert summary["state"] == line["state"] == "done" and line["mode"] == "extended" and line["account"] is None
        lines = read_lines(
            next(
                received
                for received in environment.lake.inputs.find_inputs(["api"])
                if received.input_id == line["input_id"]
            )
        )
        asked = {
            id_ for entry in lines if entry["endpoint"] == "audio_features" for id_ in entry["query"]["ids"].split(",")
        }
        (first,) = (
            received
            for received in environment.lake.inputs.find_inputs(["api"])
            if received.input_id != line["input_id"]
        )
        entries = [
            entry.get("item") or entry.get("track") or {}
            for page in read_lines(first)
            if page["endpoint"] in ("playlist_items", "saved_tracks") and page["status"] == 200
            for entry in page["body"]["items"]
            if entry
        ]
        assert asked == {entry["id"] for entry in entries if entry.get("id")}
        assert line["calls"]["artists"] == 1, "the made id is not asked"


def publish_run(environment: MockApiEnvironment, run_id: str, state_run_id: str | None) -> None:
    """Publish a run with all inputs of the lake, which stored a latest state."""
    values = {"run_id": run_id, "memory": state_run_id}
    with database.connect(environment.settings.warehouse_url) as connection:
        connection.execute(
            text(
                "insert into audit.run (run_id, job, started_at, finished_at, result, memory_run_id)"
                " values (:run_id, 'nightly_refresh', now(), clock_timestamp(), 'published', :memory)"
            ),
            values,
        )
        for received in environment.lake.inputs.find_inputs(["api"]):
            connection.execute(
                text(
                    "insert into audit.run_input (run_id, input_id, origin, name, format, row_count)"
                    " values (:run_id, :input_id, 'api', 'x', 'spotify_answers', 0)"
                ),
                {"run_id": run_id, "input_id": received.input_id},
            )
    for name in LATEST_STATE if state_run_id else ():
        folder = environment.settings.state_dir / "lake" / "memory" / str(state_run_id) / name
        folder.mkdir(parents=True)
        (folder / "_SUCCESS").touch()


def test_a_plan_takes_new_answers_and_all_of_them_where_the_memory_is_lost(environment: MockApiEnvironment) -> None:
    def plan_inputs(run_id: str, is_forced: bool = False) -> tuple[int, set[str], str | None]:
        if not refresh_plan.plan_refresh(run_id, "nightly_refresh", get_today(), is_forced, environment.settings):
            return 0, set(), None
        plan = environment.lake.checkpoints.read_document(run_id, "plan")
        return (
            len(plan["inputs"]),
            {planned_input["input_id"] for planned_input in plan["inputs"]},
            plan["memory_run_id"],
        )

    assert plan_inputs("before anything") == (0, set(), None)
    spotify.fetch_account(FIRST_ACCOUNT, "night 1", environment.settings, False)
    (first,) = list_input_ids(environment)
    assert plan_inputs("night 1") == (1, {first}, None)
    publish_run(environment, "night 1", "night 1")
    assert plan_inputs("nothing new") == (0, set(), None)
    assert environment.rows("select result from audit.run where run_id = 'nothing new'") == [{"result": "nothing_new"}]
    spotify.fetch_account(SECOND_ACCOUNT, "night 2", environment.settings, False)
    (second,) = set(list_input_ids(environment)) - {first}
    assert plan_inputs("night 2") == (1, {second}, "night 1")
    environment.lake.latest_state.drop_outdated([])
    assert plan_inputs("night 2 without a memory") == (2, {first, second}, None)
    publish_run(environment, "night 2", "night 2")
    assert plan_inputs("nothing new again") == (0, set(), None)
    environment.lake.latest_state.drop_outdated([])
    assert plan_inputs("nothing new and no memory") == (0, set(), None)
    assert plan_inputs("by hand", is_forced=True) == (2, {first, second}, None)


def test_half_a_memory_is_none(environment: MockApiEnvironment) -> None:
    spotify.fetch_account(FIRST_ACCOUNT, "night 1", environment.settings, False)
    publish_run(environment, "night 1", "night 1")
    (environment.settings.state_dir / "lake" / "memory" / "night 1" / "api_artist" / "_SUCCESS").unlink()
    refresh_plan.plan_refresh("night 2", "nightly_refresh", get_today(), True, environment.settings)
    plan = environment.lake.checkpoints.read_document("night 2", "plan")
    assert plan["memory_run_id"] is None and [
        planned_input["input_id"] for planned_input in plan["inputs"]
    ] == list_input_ids(environment)
