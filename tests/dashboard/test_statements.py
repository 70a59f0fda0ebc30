"""Decisions and exclusions are stated, shown and taken back by forms, within the rights of each login."""

from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest
from selenium.webdriver import Chrome
from selenium.webdriver.common.by import By

from etl.database import connect, fetch_rows
from tests.dashboard.browser import (
    DESKTOP,
    PHONE,
    choose_option,
    enter_date,
    press,
    resize_page,
    type_into,
    wait_for_text,
    wait_until_drawn,
)
from tests.dashboard.dashboard_server import DashboardServer, sign_in_as
from tests.dashboard.test_pages import _FITS, go_to

_CLEAR = "delete from warehouse.match_decision; delete from warehouse.play_exclusion"


@pytest.fixture(autouse=True)
def _clear_statements(dashboard: DashboardServer) -> Iterator[None]:
    yield
    with connect(dashboard.url) as connection:
        connection.exec_driver_sql(_CLEAR)


def fetch_statements(dashboard: DashboardServer, table: str) -> list[dict[str, object]]:
    with connect(dashboard.url) as connection:
        return fetch_rows(connection, f"select * from warehouse.{table} order by 1")


def save_pictures(browser: Chrome, tmp_path: Path, name: str) -> None:
    """Check that the page fits a screen and a phone, and save a picture of each."""
    for size in (DESKTOP, PHONE):
        resize_page(browser, size)
        page_text = wait_until_drawn(browser)
        assert "Traceback" not in page_text and browser.execute_script(_FITS)
        height = browser.execute_script(
            "return document.querySelector('[data-testid=stMainBlockContainer]').scrollHeight"
        )
        resize_page(browser, (size[0], min(int(height) + 100, 4000)))
        wait_until_drawn(browser)
        browser.save_screenshot(str(tmp_path / f"{name}-{size[0]}.png"))
    resize_page(browser, DESKTOP)
    wait_until_drawn(browser)


def choose_songs(browser: Chrome, *ids: str) -> str:
    """Search both songs by their title, choose them among those of this title, and return the text of the page."""
    page_text = ""
    for ordinal, track_id in zip(("First song", "Second song"), ids, strict=True):
        type_into(browser, ordinal, "stat")
        page_text = choose_option(browser, f"{ordinal}: which one", track_id)
    return page_text


def test_an_analyst_states_that_two_songs_are_not_one_and_takes_it_back(
    browser: Chrome, dashboard: DashboardServer, tmp_path: Path
) -> None:
    sign_in_as(browser, dashboard, "analyst")
    assert "No decision here." in go_to(browser, "Decisions")
    press(browser, "are not one")
    assert "They count as one now." in choose_songs(browser, "t11", "t12")
    type_into(browser, "Why (optional)", "a new recording")
    press(browser, "State it")
    page_text = wait_for_text(browser, "The decision holds. The next refresh of the catalogue")
    (row,) = fetch_statements(dashboard, "match_decision")
    assert (row["kind"], row["first_id"], row["second_id"], row["is_match"]) == ("recording", "t11", "t12", False)
    assert (row["note"], row["decided_by"]) == ("a new recording", dashboard.names["analyst"])
    decided_at = f"{row['decided_at']:%Y-%m-%d %H:%M} UTC"
    assert "Static (t11) and Static (t12) are not one recording." in page_text
    assert f"Decision {row['decision_id']}, {dashboard.names['analyst']}, {decided_at}. a new recording" in page_text

    press(browser, "are one")
    choose_songs(browser, "t12", "t11")
    save_pictures(browser, tmp_path, "decisions")
    press(browser, "State it")
    sentence = f"t12 and t11 cannot be one: decision {row['decision_id']} says that t11 and t12 are not one recording."
    wait_for_text(browser, sentence)
    assert len(fetch_statements(dashboard, "match_decision")) == 1

    press(browser, "Take back")
    page_text = wait_for_text(browser, f"Decision {row['decision_id']} no longer holds.")
    assert "No decision here." in page_text
    (row,) = fetch_statements(dashboard, "match_decision")
    assert row["revoked_by"] == dashboard.names["analyst"] and row["revoked_at"]
    browser.execute_script(
        "arguments[0].click()", browser.find_element(By.CSS_SELECTOR, 'input[aria-label="Also those taken back"]')
    )
    assert f"Taken back by {dashboard.names['analyst']}" in wait_for_text(browser, "Taken back by")


def test_the_first_of_two_artists_counts(browser: Chrome, dashboard: DashboardServer) -> None:
    sign_in_as(browser, dashboard, "operator")
    go_to(browser, "Decisions")
    press(browser, "State it")
    wait_for_text(browser, "Choose two: type a part of a name")
    press(browser, "Artists")
    type_into(browser, "The artist that counts", "LOW tide")  # the only one of this name is chosen
    assert "They count as two now." in type_into(browser, "Counted as the first", "copper")
    press(browser, "State it")
    page_text = wait_for_text(browser, "The next build of the marts follows")
    assert "Copper *Moon* (a3) is counted as the artist Low Tide Radio (a4)." in page_text
    (row,) = fetch_statements(dashboard, "match_decision")
    assert (row["first_id"], row["second_id"], row["is_match"]) == ("a4", "a3", True)
    assert "Nothing has “zzz” in its name." in type_into(browser, "The artist that counts", "zzz")


def test_a_listener_leaves_out_own_plays_and_counts_them_again(
    browser: Chrome, dashboard: DashboardServer, tmp_path: Path
) -> None:
    sign_in_as(browser, dashboard, "listener")
    assert "Nothing is left out." in go_to(browser, "Left out")
    press(browser, "Leave out")
    wait_for_text(browser, "An exclusion needs a condition: without one all plays would be left out.")
    type_into(browser, "Artist", "low tide")
    choose_option(browser, "Playlist", "Kitchen")
    choose_option(browser, "Kind of device", "Smart speakers")
    enter_date(browser, "Up to this day", date(2026, 3, 31))
    type_into(browser, "Why (optional)", "lullabies")
    press(browser, "Leave out")
    page_text = wait_for_text(browser, "Left out. The counts follow with the next build of the marts.")
    words = "by Low Tide Radio from the playlist Kitchen on smart speakers up to 31 March 2026"
    assert words in page_text and "Stated by you" in page_text and "lullabies" in page_text
    (row,) = fetch_statements(dashboard, "play_exclusion")
    assert (row["user_id"], row["is_own"], row["artist_id"], row["playlist_id"]) == ("u1", True, "a4", "x1")
    assert (row["device_type"], row["first_date"], row["last_date"]) == ("SMART_SPEAKER", None, date(2026, 3, 31))
    save_pictures(browser, tmp_path, "left-out")
    press(browser, "Count again")
    assert "Nothing is left out." in wait_for_text(browser, "It counts again.")
    (row,) = fetch_statements(dashboard, "play_exclusion")
    assert row["revoked_by"] == dashboard.names["listener"]


def test_each_takes_back_only_what_is_the_own(browser: Chrome, dashboard: DashboardServer) -> None:
    with connect(dashboard.url) as connection:
        connection.exec_driver_sql(
            "insert into warehouse.play_exclusion (user_id, platform, note, is_own, stated_by) values"
            " ('u1', 'Kitchen speaker', 'my own words', true, 'lena'), ('u1', 'Car', 'shared', false, 'ada'),"
            " ('u2', 'Hidden', null, true, 'otto')"
        )
    sign_in_as(browser, dashboard, "listener")
    page_text = go_to(browser, "Left out")
    assert "on Kitchen speaker" in page_text and "my own words" in page_text
    assert "Stated by an analyst" in page_text and "ada" not in page_text and "Hidden" not in page_text
    press(browser, "Count again")  # there is one button
    wait_for_text(browser, "It counts again.")
    assert [row["revoked_at"] is None for row in fetch_statements(dashboard, "play_exclusion")] == [False, True, True]

    sign_in_as(browser, dashboard, "analyst")
    go_to(browser, "Left out")
    type_into(browser, "Listener", "u2")
    page_text = wait_for_text(browser, "on Hidden")
    assert "Stated by the listener" in page_text and "otto" not in page_text
    assert "Count again" not in [button.text for button in browser.find_elements(By.TAG_NAME, "button")]
    browser.execute_script(
        "arguments[0].click()", browser.find_element(By.CSS_SELECTOR, 'input[aria-label="Private sessions"]')
    )
    wait_until_drawn(browser)
    press(browser, "Leave out")
    page_text = wait_for_text(browser, f"Stated by {dashboard.names['analyst']}")
    press(browser, "Count again")
    wait_for_text(browser, "It counts again.")
    row = fetch_statements(dashboard, "play_exclusion")[-1]
    assert (row["user_id"], row["is_own"], row["revoked_by"]) == ("u2", False, dashboard.names["analyst"])
