"""The dashboard in a real browser, signed in as each role."""

from collections.abc import Callable
from pathlib import Path

import pytest
from selenium.webdriver import ActionChains, Chrome
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.remote.webelement import WebElement

from etl.database import connect, fetch_rows
from tests.dashboard.browser import DESKTOP, PHONE, open_page, resize_page, sign_in, wait_for_text, wait_until_drawn
from tests.dashboard.dashboard_server import ARTISTS, DashboardServer, sign_in_as

PAGES = {
    "analyst": ["Wrapped", "My playlists", "Artist", "Charts", "Forecast", "Live", "Decisions", "Left out"],
    "operator": [
        *("Wrapped", "My playlists", "Artist", "Charts", "Forecast", "Live"),
        *("Decisions", "Left out", "Anomalies", "Operations"),
    ],
    "listener": ["Wrapped", "My playlists", "Live", "Left out"],
    "artist": ["Artist", "Live"],
}
TITLES = {
    "Wrapped": ("Wrapped", "Lena Listener"),
    "My playlists": ("My playlists", "Playlists"),
    "Artist": ("Listeners over time",),
    "Charts": ("Charts",),
    "Forecast": ("Made on",),
    "Live": ("Provisional.",),
    "Decisions": ("Earlier decisions",),
    "Left out": ("What is left out",),
    "Anomalies": ("Suggestions to look at a user",),
    "Operations": ("Operations",),
}
"""The pages, in their order, and words on each."""
_FITS = """
    const page = document.querySelector('[data-testid=stMainBlockContainer]');
    const style = getComputedStyle(page), edge = page.getBoundingClientRect().right - parseFloat(style.paddingRight);
    return document.documentElement.scrollWidth <= window.innerWidth + 1
        && [...page.querySelectorAll('[data-testid=stVegaLiteChart] canvas, [data-testid=stVegaLiteChart] svg, img')]
            .every(drawn => drawn.getBoundingClientRect().right <= edge + 1)
"""
"""True if no element is wider than the page, and no chart or picture leaves its column."""


def go_to(browser: Chrome, name: str) -> str:
    browser.execute_script("arguments[0].click()", find_page_links(browser)[name])
    wait_for_text(browser, TITLES[name][0])
    return wait_until_drawn(browser)


def read_metrics(browser: Chrome) -> dict[str, str]:
    """Return the key figures of the page, by label."""
    elements = browser.find_elements(By.CSS_SELECTOR, "[data-testid=stMetric]")
    return {element.text.split("\n")[0]: element.text.split("\n")[1] for element in elements}


def query(dashboard: DashboardServer, statement: str, **parameters: object) -> list[dict[str, object]]:
    with connect(dashboard.url) as connection:
        return fetch_rows(connection, statement, **parameters)


def test_a_wrong_password_is_a_sentence(browser: Chrome, dashboard: DashboardServer) -> None:
    sign_in(browser, dashboard.address, dashboard.names["listener"], "wrong")
    page_text = wait_for_text(browser, "The database has no login with this name and password")
    assert "Traceback" not in page_text and "Sign out" not in page_text


def test_who_has_no_right_here_is_told_so(browser: Chrome, dashboard: DashboardServer) -> None:
    sign_in(browser, dashboard.address, dashboard.names["stranger"], dashboard.passwords["stranger"])
    assert "Sign out" not in wait_for_text(browser, "This name is not let into the warehouse")


def test_a_listener_sees_the_own_year_as_sql_has_it(browser: Chrome, dashboard: DashboardServer) -> None:
    page_text = sign_in_as(browser, dashboard, "listener")
    row = query(dashboard, "select * from mart.wrapped where user_id = 'u1' and year = 2026")[0]
    shown = read_metrics(browser)
    assert shown["Minutes"] == f"{row['minutes_played']:,}" and shown["Plays"] == f"{row['plays']:,}"
    assert (shown["Songs"], shown["Artists"]) == (str(row["tracks"]), str(row["artists"]))
    top = query(
        dashboard, "select artist_name from mart.wrapped_artist where user_id = 'u1' and year = 2026 and rank = 1"
    )
    assert str(top[0]["artist_name"]) in page_text
    letters = query(dashboard, "select letters, name from mart.user_personality where user_id = 'u1'")[0]
    assert f"{letters['name']} · {letters['letters']}" in page_text
    statement = """
        select count(*) as plays from mart.play
        where user_id = 'u1' and playlist_key = 0 and track_key > 0 and artist_key > 0
    """
    plays = query(dashboard, statement)[0]["plays"]
    assert f"from {plays} plays: the latest of all years, of known songs and from no playlist" in page_text
    assert plays != row["plays"] and "The figures above are those of the chosen year." in page_text
    assert "Your plays as a file" in page_text and "Download my plays" in page_text


def test_an_artist_figures_are_those_of_sql(browser: Chrome, dashboard: DashboardServer) -> None:
    sign_in_as(browser, dashboard, "analyst")
    go_to(browser, "Artist")
    statement = """
        select artist_id, sum(plays) as plays from mart.artist_audience group by artist_id order by plays desc limit 1
    """
    top = query(dashboard, statement)[0]
    newest = query(
        dashboard,
        "select listeners from mart.artist_audience where artist_id = :artist order by week_start desc limit 1",
        artist=top["artist_id"],
    )[0]
    shown = read_metrics(browser)
    assert shown["Plays"] == f"{top['plays']:,}"
    assert shown["Listeners in the newest week"] == f"{newest['listeners']:,}"


def test_a_name_is_what_it_says_and_no_link(browser: Chrome, dashboard: DashboardServer) -> None:
    page_text = sign_in_as(browser, dashboard, "artist")
    assert ARTISTS[0] in page_text and f"Signed in as {dashboard.names['artist']}" in page_text
    addresses = [str(element.get_attribute("href")) for element in browser.find_elements(By.CSS_SELECTOR, "[href]")]
    assert not [address for address in addresses if "example" in address or "www" in address]


def test_an_operator_sees_what_failed_and_who_must_sign_in(browser: Chrome, dashboard: DashboardServer) -> None:
    sign_in_as(browser, dashboard, "operator")
    page_text = go_to(browser, "Operations")
    failed = query(dashboard, "select count(*) as runs from audit.run where result = 'failed'")[0]
    gaps = query(dashboard, "select count(*) as gaps from audit.gap where closed_at is null")[0]
    shown = read_metrics(browser)
    assert (shown["Failed of the runs below"], shown["Open gaps"]) == (str(failed["runs"]), str(gaps["gaps"]))
    assert "The newest run failed: The token of <ada> is spent." in page_text
    assert "ada must sign in again: bin/sign-in ada" in page_text


def test_a_listener_without_a_play_is_told_what_to_do(browser: Chrome, dashboard: DashboardServer) -> None:
    page_text = sign_in_as(browser, dashboard, "newcomer")
    assert "There are no plays to tell of yet." in page_text and "account export" in page_text


def test_sign_in_and_another_page_by_keyboard_alone(browser: Chrome, dashboard: DashboardServer) -> None:
    open_page(browser, dashboard.address)
    press_until(browser, Keys.TAB, lambda focused: focused.get_attribute("autocomplete") == "username")
    type_in(browser, dashboard.names["listener"], Keys.TAB, dashboard.passwords["listener"], Keys.ENTER)
    wait_for_text(browser, "Sign out")
    wait_until_drawn(browser)
    press_until(browser, Keys.TAB, lambda focused: (focused.get_attribute("href") or "").endswith("/playlists"))
    type_in(browser, Keys.ENTER)
    wait_for_text(browser, "Playlists side by side")
    assert "Add a playlist" in wait_until_drawn(browser)


def press_until(browser: Chrome, key: str, is_there: Callable[[WebElement], bool]) -> None:
    """Press a key until the intended element has the focus."""
    for _ in range(80):
        type_in(browser, key)
        if is_there(browser.switch_to.active_element):
            return
    raise AssertionError("the focus never came there")


def type_in(browser: Chrome, *keys: str) -> None:
    ActionChains(browser).send_keys(*keys).perform()


@pytest.mark.parametrize("kind", PAGES)
def test_each_role_sees_its_pages_and_no_other(
    browser: Chrome, dashboard: DashboardServer, kind: str, tmp_path: Path
) -> None:
    sign_in_as(browser, dashboard, kind)
    assert [name for name in TITLES if name in find_page_links(browser)] == (
        PAGES[kind] if len(PAGES[kind]) > 1 else []
    )
    for name in PAGES[kind]:
        if len(PAGES[kind]) > 1:
            browser.execute_script("arguments[0].click()", find_page_links(browser)[name])
        for size in (DESKTOP, PHONE):
            resize_page(browser, size)
            page_text = wait_until_drawn(browser)
            assert any(title in page_text for title in TITLES[name]), page_text
            assert "Traceback" not in page_text and "Error" not in page_text
            assert browser.execute_script(_FITS)
            browser.save_screenshot(str(tmp_path / f"{kind}-{name}-{size[0]}.png"))
        resize_page(browser, DESKTOP)


def find_page_links(browser: Chrome) -> dict[str, WebElement]:
    """Return the links of the navigation, also if the sidebar is collapsed; the name follows the icon's name."""
    elements = browser.find_elements(By.CSS_SELECTOR, "[data-testid=stSidebarNavLink]")
    words = {str(element.get_attribute("textContent")): element for element in elements}
    return {name: element for name in TITLES for word, element in words.items() if word.endswith(name)}


def test_an_artist_without_a_week_to_show_sees_countries_and_songs(browser: Chrome, dashboard: DashboardServer) -> None:
    turn_weeks = "update audit.published_artist_week set listeners = -listeners where artist_key = 1"
    with connect(dashboard.url) as connection:
        connection.exec_driver_sql(turn_weeks)
    try:
        page_text = sign_in_as(browser, dashboard, "artist")
        assert "No week has five listeners yet" in page_text and "no plays of" not in page_text
        assert "Where they are" in page_text and "What they play" in page_text and read_metrics(browser)["Plays"] != "0"
    finally:
        with connect(dashboard.url) as connection:
            connection.exec_driver_sql(turn_weeks)
