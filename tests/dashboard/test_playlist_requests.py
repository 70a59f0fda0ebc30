"""A listener asks for a playlist by its link."""

from collections.abc import Iterator

import pytest
from selenium.webdriver import Chrome
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys

from etl.database import connect, fetch_rows
from tests.dashboard.browser import settle, wait_for
from tests.dashboard.place import Place, enter

PLAYLIST = "37i9dQZF1DXcBWIGoYBM5M"


@pytest.fixture
def wishing(browser: Chrome, dashboard: Place) -> Iterator[Chrome]:
    """A browser on the page of a listener who has no account that has signed in."""
    enter(browser, dashboard, "newcomer")
    found = browser.find_elements(By.CSS_SELECTOR, "[data-testid=stSidebarNavLink]")
    browser.execute_script("arguments[0].click()", found[-1])
    wait_for(browser, "Add a playlist")
    settle(browser)
    yield browser
    with connect(dashboard.url) as connection:
        connection.exec_driver_sql("delete from audit.playlist_request")


def ask_for(browser: Chrome, link: str, answer: str) -> str:
    browser.find_element(By.CSS_SELECTOR, "[data-testid=stForm] input").send_keys(link, Keys.ENTER)
    wait_for(browser, answer)
    return settle(browser)


def wishes(dashboard: Place) -> list[dict[str, object]]:
    with connect(dashboard.url) as connection:
        return fetch_rows(connection, "select user_id, playlist_id from audit.playlist_request")


def test_a_link_becomes_a_wish_however_often_it_is_given(wishing: Chrome, dashboard: Place) -> None:
    assert not wishing.find_elements(By.CSS_SELECTOR, "[data-testid=stDataFrame]")
    said = ask_for(wishing, f"https://open.spotify.com/playlist/{PLAYLIST}?si=1a2b", "Noted")
    assert "an account signs in with bin/sign-in" in said
    assert wishing.find_elements(By.CSS_SELECTOR, "[data-testid=stDataFrame]"), "the wish is listed at once"
    ask_for(wishing, f"spotify:playlist:{PLAYLIST}", "Noted")
    assert wishes(dashboard) == [{"user_id": "u99", "playlist_id": PLAYLIST}]


@pytest.mark.parametrize(
    "link", ["https://open.spotify.com/track/37i9dQZF1DXcBWIGoYBM5M", "https://example.org/playlist/" + PLAYLIST, "x"]
)
def test_what_is_no_link_of_a_playlist_is_refused_with_a_sentence(wishing: Chrome, dashboard: Place, link: str) -> None:
    said = ask_for(wishing, link, "That is no link of a playlist")
    assert "Copy link to playlist" in said and "Traceback" not in said
    assert not wishes(dashboard)
