"""A listener requests a playlist by its link."""

from collections.abc import Iterator

import pytest
from selenium.webdriver import Chrome
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys

from etl.database import connect, fetch_rows
from tests.dashboard.browser import wait_for_element, wait_for_text, wait_until_drawn
from tests.dashboard.dashboard_server import DashboardServer, sign_in_as
from tests.dashboard.test_pages import find_page_links

PLAYLIST = "37i9dQZF1DXcBWIGoYBM5M"


@pytest.fixture
def request_page(browser: Chrome, dashboard: DashboardServer) -> Iterator[Chrome]:
    """Yield a browser on the page of a listener without a signed-in account."""
    sign_in_as(browser, dashboard, "newcomer")
    browser.execute_script("arguments[0].click()", find_page_links(browser)["My playlists"])
    wait_for_text(browser, "Add a playlist")
    wait_until_drawn(browser)
    yield browser
    with connect(dashboard.url) as connection:
        connection.exec_driver_sql("delete from audit.playlist_request")


def request_playlist(browser: Chrome, link: str, message: str) -> str:
    browser.find_element(By.CSS_SELECTOR, "[data-testid=stForm] input").send_keys(link, Keys.ENTER)
    wait_for_text(browser, message)
    return wait_until_drawn(browser)


def fetch_requests(dashboard: DashboardServer) -> list[dict[str, object]]:
    with connect(dashboard.url) as connection:
        return fetch_rows(connection, "select user_id, playlist_id from audit.playlist_request")


def test_a_link_becomes_a_wish_however_often_it_is_given(request_page: Chrome, dashboard: DashboardServer) -> None:
    assert not request_page.find_elements(By.CSS_SELECTOR, "[data-testid=stDataFrame]")
    page_text = request_playlist(request_page, f"https://open.spotify.com/playlist/{PLAYLIST}?si=1a2b", "Requested")
    assert "an account signs in with bin/sign-in" in page_text
    wait_for_element(request_page, "[data-testid=stDataFrame]")  # the request is listed at once
    request_playlist(request_page, f"spotify:playlist:{PLAYLIST}", "Requested")
    assert fetch_requests(dashboard) == [{"user_id": "u99", "playlist_id": PLAYLIST}]


@pytest.mark.parametrize(
    "link", ["https://open.spotify.com/track/37i9dQZF1DXcBWIGoYBM5M", "https://example.org/playlist/" + PLAYLIST, "x"]
)
def test_what_is_no_link_of_a_playlist_is_refused_with_a_sentence(
    request_page: Chrome, dashboard: DashboardServer, link: str
) -> None:
    page_text = request_playlist(request_page, link, "That is no link of a playlist")
    assert "Copy link to playlist" in page_text and "Traceback" not in page_text
    assert not fetch_requests(dashboard)
