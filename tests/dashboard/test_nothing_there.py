"""The messages of the dashboard without a warehouse, without tables, and without data."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4

import pytest
from selenium.webdriver import Chrome
from selenium.webdriver.common.by import By
from sqlalchemy import text

from etl.database import connect
from etl.jobs.forecasts import HISTORY_DAYS, ForecastOptions
from etl.load.access.logins import add_login
from etl.load.migrate import migrate_warehouse
from launch import postgres
from launch.dashboard import Dashboard
from tests.conftest import copy_database, run_as_superuser
from tests.dashboard.browser import sign_in, wait_for_text, wait_until_drawn
from tests.dashboard.dashboard_server import DashboardServer, sign_in_as
from tests.processes import find_free_port

EMPTY = {
    "Wrapped": "There are no plays to tell of yet. Import an account export",
    "My playlists": "There is no playlist to describe yet. Playlists come from a Spotify account",
    "Artist": "No artist has been played yet. Load events",
    "Charts": "There are no charts yet. Load events",
    "Forecast": "There is no forecast yet. The marts have no day of listening. The DAG forecast makes one",
    "Live": "No stream has been read yet. Start the product with bin/run --streams",
    "Decisions": "No decision here. State one above",
    "Left out": "There is no listener yet. Load events",
    "Anomalies": "There are no findings. The live queries",
    "Operations": "Nothing has run yet. Start the DAG nightly_refresh",
}
"""The message of each page, and the beginning of the remedy."""


@pytest.fixture(scope="module")
def empty(
    embedded_server: postgres.Server, migrated_template: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[DashboardServer]:
    """Yield a warehouse that contains only an artist, and the logins of an operator and of the artist."""
    names = {kind: f"{kind}_{uuid4().hex[:8]}" for kind in ("operator", "artist")}
    with copy_database(embedded_server, migrated_template) as url:
        migrate_warehouse(url)  # privileges on a database are not copied with it
        with connect(url) as connection:
            statement = (
                "insert into warehouse.dim_artist (artist_key, artist_id, name, source) values (1, 'a1', 'Ada', 's')"
            )
            connection.execute(text(statement))
        admin = embedded_server.build_url("postgres", url.rsplit("/", 1)[1])
        whose = {"operator": None, "artist": "a1"}
        passwords = {kind: add_login(admin, kind, name, whose[kind]) for kind, name in names.items()}
        with serve_dashboard(url, tmp_path_factory.mktemp("empty")) as address:
            yield DashboardServer(url, address, names, passwords)
    for name in names.values():
        run_as_superuser(embedded_server, f"drop role {name}")


@contextmanager
def serve_dashboard(url: str, state: Path) -> Iterator[str]:
    """Yield the address of a dashboard on a warehouse."""
    port = find_free_port()
    dashboard = Dashboard(state, {"WAREHOUSE_URL": url}, port)
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        dashboard.stop()


def test_each_page_of_an_empty_warehouse_says_what_to_do(browser: Chrome, empty: DashboardServer) -> None:
    sign_in_as(browser, empty, "operator")
    for name, words in EMPTY.items():
        open_page_link(browser, name)
        page_text = wait_for_text(browser, words)
        assert "Traceback" not in page_text and "Error" not in page_text


def test_the_page_of_forecasts_says_how_short_the_history_is(browser: Chrome, empty: DashboardServer) -> None:
    statement = """
        insert into mart.active_user_count (local_date, daily_users, weekly_users, monthly_users)
        select d::date, 5, 5, 5 from generate_series(date '2026-01-05', '2026-01-07', '1 day') as d
    """
    with connect(empty.url) as connection:
        connection.execute(text(statement))
    try:
        sign_in_as(browser, empty, "operator")
        open_page_link(browser, "Forecast")
        page_text = wait_for_text(browser, "The marts have 3 days of listening, from 5 January 2026 to 7 January 2026.")
        assert f"from {HISTORY_DAYS + ForecastOptions().horizon_days} known days on" in page_text
    finally:
        with connect(empty.url) as connection:
            connection.execute(text("truncate mart.active_user_count"))


def test_an_artist_whom_nobody_plays_is_told_so(browser: Chrome, empty: DashboardServer) -> None:
    sign_in_as(browser, empty, "artist")
    page_text = wait_for_text(browser, "The loaded events have no plays of your music yet.")
    assert "Ada" in page_text and "once it has five of them" in page_text
    assert "Traceback" not in page_text and "Error" not in page_text


def test_a_warehouse_that_goes_away_is_a_sentence_and_comes_back(
    browser: Chrome, empty: DashboardServer, embedded_server: postgres.Server
) -> None:
    sign_in_as(browser, empty, "operator")
    name = empty.url.rsplit("/", 1)[1]
    run_as_superuser(embedded_server, f"alter database {name} rename to {name}_away")
    try:
        open_page_link(browser, "Charts")
        page_text = wait_for_text(browser, "The warehouse did not answer.")
        assert "is bin/run still running?" in page_text and "Traceback" not in page_text
    finally:
        run_as_superuser(embedded_server, f"alter database {name}_away rename to {name}")
    open_page_link(browser, "Operations")
    wait_for_text(browser, EMPTY["Operations"])


def test_a_server_that_does_not_run_is_a_sentence(browser: Chrome, tmp_path: Path) -> None:
    with serve_dashboard(f"postgresql://127.0.0.1:{find_free_port()}/warehouse", tmp_path) as address:
        sign_in(browser, address, "ada", "secret")
        page_text = wait_for_text(browser, "The warehouse could not be opened.")
    assert "bin/run starts it" in page_text and "Traceback" not in page_text and "secret" not in page_text


def test_a_warehouse_without_tables_is_a_sentence(
    browser: Chrome, embedded_server: postgres.Server, empty_database_url: str, tmp_path: Path
) -> None:
    name = f"early_{uuid4().hex[:8]}"
    run_as_superuser(embedded_server, f"create role {name} login password 'early'")
    try:
        with serve_dashboard(empty_database_url, tmp_path) as address:
            sign_in(browser, address, name, "early")
            page_text = wait_for_text(browser, "may read nothing here")
    finally:
        run_as_superuser(embedded_server, f"drop role {name}")
    assert "bin/run creates them" in page_text and "bin/add-login" in page_text and "Traceback" not in page_text


def open_page_link(browser: Chrome, name: str) -> None:
    page_links = browser.find_elements(By.CSS_SELECTOR, "[data-testid=stSidebarNavLink]")
    link = next(page_link for page_link in page_links if str(page_link.get_attribute("textContent")).endswith(name))
    browser.execute_script("arguments[0].click()", link)
    wait_until_drawn(browser)
