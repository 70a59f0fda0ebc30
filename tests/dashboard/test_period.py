"""Any period on the page Wrapped, in a real browser."""

from pathlib import Path

import pytest
from selenium.webdriver import Chrome
from selenium.webdriver.common.by import By
from streamlit.testing.v1 import AppTest

from etl.database import connect, fetch_rows
from tests.dashboard.browser import DESKTOP, PHONE, resize_page, wait_for_text, wait_until_drawn
from tests.dashboard.dashboard_server import DashboardServer, sign_in_as
from tests.dashboard.test_forecast import read_texts
from tests.dashboard.test_pages import _FITS, read_metrics


def choose_any_period(browser: Chrome) -> str:
    """Press the choice beside the years, and return the text of the page."""
    choices = browser.find_elements(By.CSS_SELECTOR, "[data-testid=stButtonGroup] button")
    (any_period,) = [choice for choice in choices if choice.text == "Any period"]
    browser.execute_script("arguments[0].click()", any_period)
    wait_for_text(browser, "compared with")
    return wait_until_drawn(browser)


@pytest.mark.parametrize("kind", ["listener", "analyst"])
def test_a_period_as_sql_has_it(browser: Chrome, dashboard: DashboardServer, kind: str, tmp_path: Path) -> None:
    sign_in_as(browser, dashboard, kind)
    page_text = choose_any_period(browser)
    with connect(dashboard.url) as connection:
        user = (
            "u1"
            if kind == "listener"
            else str(
                fetch_rows(connection, "select user_id from mart.wrapped where year = 0 order by plays desc, 1")[0][
                    "user_id"
                ]
            )
        )
        (bounds,) = fetch_rows(
            connection,
            "select max(local_date) - 27 as first, max(local_date) as last from mart.listening_session"
            " where user_id = :user",
            user=user,
        )
        (row,) = fetch_rows(connection, "select * from mart.period_figures(:user, :first, :last)", user=user, **bounds)
        top = fetch_rows(
            connection,
            "select name from mart.period_top(:user, :first, :last) where rank = 1 and kind = 'album'",
            user=user,
            **bounds,
        )
    shown = read_metrics(browser)
    assert shown["Plays"] == f"{row['plays']:,}" and shown["Albums"] == f"{row['albums']:,}"
    assert shown["New artists"] == f"{row['new_artists']:,}" and top
    assert "Podcasts and audiobooks" in page_text
    if kind == "listener":
        assert shown["Episodes and chapters"] == f"{row['spoken_plays']:,}" != "0"
    for size in (DESKTOP, PHONE):
        resize_page(browser, size)
        page_text = wait_until_drawn(browser)
        assert "Traceback" not in page_text and "Error" not in page_text
        assert browser.execute_script(_FITS)
        height = browser.execute_script(
            "return document.querySelector('[data-testid=stMainBlockContainer]').scrollHeight"
        )
        browser.set_window_size(size[0], min(int(height) + 150, 4000))
        browser.save_screenshot(str(tmp_path / f"{kind}-period-{size[0]}.png"))
    resize_page(browser, DESKTOP)


def test_a_show_without_a_name_is_said_to_have_none(dashboard: DashboardServer) -> None:
    arguments = (dashboard.url, dashboard.names["listener"], dashboard.passwords["listener"])
    app = AppTest.from_function(_draw, args=arguments).run(timeout=60)
    assert not app.exception
    names = [list(table.value["name"]) for table in app.dataframe]
    assert names[-1] == ["Moby Dick", "History", "Unnamed show"]
    assert "One without a name: its source gives only the link of the episode." in read_texts(app)


def _draw(url: str, name: str, password: str) -> None:
    from datetime import date

    from dashboard.period import draw_period
    from dashboard.warehouse_reader import open_reader, sign_in

    login = sign_in(url, name, password)
    with open_reader(login) as reader:
        draw_period(login, reader, "u1", date(2026, 2, 4))
