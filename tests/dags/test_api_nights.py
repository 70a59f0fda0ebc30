"""Three simulated days of Spotify's API in a real Airflow, against the mock API; the third with faults.

They run in one quota mode: the modes do not differ for Airflow, and tests/jobs/test_nights.py covers the other one.
API_NIGHTS_MODES="development extended" runs them in both.
"""

import os
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
import requests

from etl.extract.spotify.account_store import AccountStore
from tests.dags.product import Product
from tests.processes import check_process, list_marked_processes

pytestmark = [pytest.mark.airflow, pytest.mark.timeout(1500)]

SCENARIO = """
[[fault]]
night = 2
endpoint = "playlist_items"
account = "ada"
nth = 1
kind = "rate_limited"
seconds = 1

[[fault]]
night = 2
endpoint = "my_playlists"
account = "ben"
kind = "forbidden"
"""


@pytest.fixture(scope="module", params=os.environ.get("API_NIGHTS_MODES", "development").split())
def mode(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module")
def product(tmp_path_factory: pytest.TempPathFactory, mode: str) -> Iterator[Product]:
    state = tmp_path_factory.mktemp("api_nights")
    scenario = state / "scenario.toml"
    scenario.write_text(SCENARIO)
    settings = {"STAND_IN_MODE": mode, "STAND_IN_SCENARIO": str(scenario), "SPOTIFY_DAILY_CALLS": "20"}
    settings |= {"SIMULATED_LISTENERS": "3"}
    product = Product(state, **settings)
    try:
        product.wait_for("stays up until Ctrl-C", 900)
        yield product
    finally:
        product.end()


def test_first_night(product: Product, mode: str) -> None:
    report = product.output.read_text()
    assert "The refresh is published" in report and "made up" in report
    fetches = product.ask("select part, state, mode from audit.fetch order by part")
    assert [(row["part"], row["state"]) for row in fetches] == [
        ("account-ada", "done"),
        ("account-ben", "done"),
        ("catalogue", "done"),
    ]
    assert fetches[-1]["mode"] == mode
    playlists = product.ask("select count(*) as n from warehouse.dim_playlist where source = 'mock_api'")
    assert int(str(playlists[0]["n"])) > 20
    measured = product.ask(
        "select count(*) as n, count(energy) as measured,"
        " count(*) filter (where audio_features_source = 'mock_api') as own"
        " from warehouse.dim_track where source = 'mock_api'"
    )[0]
    # Only further ids and unknown tracks: the mock API never changes values that the catalogue has.
    assert int(str(measured["measured"])) > 0.5 * int(str(measured["n"])) > 50
    assert (int(str(measured["own"])) > 0) == (mode == "extended")
    popular = product.ask("select count(*) as n from warehouse.fact_track_popularity")
    assert (int(str(popular[0]["n"])) > 0) == (mode == "extended")
    users = product.ask("select user_id, country from warehouse.dim_user where source = 'api' order by user_id")
    assert len(users) == 2 and all((row["country"] is None) == (mode == "development") for row in users)


def test_what_accounts_saved_and_what_listeners_did_are_events(product: Product) -> None:
    for run_id in product.api.list_run_ids("load_events"):
        assert product.ended("load_events", run_id)[0] == "success"
    events = product.ask("select source, count(*) as n from warehouse.fact_event group by source order by source")
    assert [row["source"] for row in events] == ["feed", "followed_artists", "saved_tracks"]
    rows = product.ask(
        "select sum(rows_in) as told, sum(rows_loaded) as loaded, sum(rows_duplicate + rows_rejected) as others"
        " from audit.row_count where step = 'load_events' and source <> 'user'"
    )[0]
    assert sum(int(str(row["n"])) for row in events) == int(str(rows["loaded"]))
    assert int(str(rows["told"])) == int(str(rows["loaded"])) + int(str(rows["others"]))
    wide = product.ask("select count(*) as n from mart.event_wide")
    assert int(str(wide[0]["n"])) == int(str(rows["loaded"]))


def test_second_night_asks_what_changed(product: Product) -> None:
    before = fetch_snapshots(product)
    move_to_day(product, 1)
    state, tasks = product.run_dag("nightly_refresh", {})
    assert state == "success" and tasks["load_catalogue", -1].state == "success"
    changed = {id_ for id_, snapshot in fetch_snapshots(product).items() if before.get(id_) != snapshot}
    counted = product.ask(
        "select sum(playlists_changed) as changed, sum(calls_saved) as saved from audit.fetch"
        " where account is not null and asked_at > (select min(asked_at) + interval '1 second' from audit.fetch"
        " where part = 'catalogue')"
    )[0]
    assert changed and int(str(counted["changed"])) >= len(changed)
    assert int(str(counted["saved"])) > 20


def test_an_account_that_fails_harms_nobody(product: Product) -> None:
    move_to_day(product, 2)
    state, tasks = product.run_dag("nightly_refresh", {})
    assert state == "success" and tasks["load_catalogue", -1].state == "success"
    assert sorted(task.state for (name, _), task in tasks.items() if name == "fetch_account") == ["failed", "success"]
    failed = product.ask("select account, message from audit.fetch where state = 'failed'")
    assert [row["account"] for row in failed] == ["ben"] and "403" in str(failed[0]["message"])


def test_no_secret_is_in_a_log_or_in_a_database(product: Product) -> None:
    accounts = AccountStore(product.state, "stand-in")
    tokens = [accounts.get_account(name).token for name in accounts.get_names()]
    secrets = [secret for token in tokens for secret in (token.access_token, token.refresh_token) if secret]
    assert len(secrets) == 4
    texts = [path.read_text(errors="replace") for path in list_log_files(product.state)]
    assert len(texts) > 10
    texts += [str(row) for row in product.ask("select f::text as line from audit.fetch as f")]
    for table in ("xcom", "rendered_task_instance_fields", "log", "dag_run", "task_instance", "connection", "variable"):
        texts += [str(row) for row in product.ask_airflow(f"select t::text as line from {table} as t")]
    assert any("playlists_seen" in text for text in texts)
    assert not [secret for secret in secrets if any(secret in text for text in texts)]


def fetch_snapshots(product: Product) -> dict[str, str]:
    rows = product.ask("select playlist_id, snapshot_id from warehouse.dim_playlist where source = 'mock_api'")
    return {str(row["playlist_id"]): str(row["snapshot_id"]) for row in rows}


def move_to_day(product: Product, number: int) -> None:
    requests.put(f"http://127.0.0.1:{find_mock_api_port(product)}/stand-in/night", json={"number": number}, timeout=60)


def find_mock_api_port(product: Product) -> int:
    def is_mock_api(process: psutil.Process) -> bool:
        return "simulator.mock_api" in process.cmdline()

    (stand_in,) = [process for process in list_marked_processes(product.state) if check_process(process, is_mock_api)]
    words = stand_in.cmdline()
    return int(words[words.index("--port") + 1])


def list_log_files(state: Path) -> list[Path]:
    folders = (state / "logs", state / "airflow" / "logs")
    return [path for folder in folders for path in folder.rglob("*") if path.is_file()]
