"""The dashboard in a real browser, signed in as each role."""

from selenium.webdriver import Chrome
from selenium.webdriver.common.by import By

from etl.warehouse import connect, rows
from tests.dashboard.browser import settle, sign_in, wait_for
from tests.dashboard.place import Place

PAGES = {
    "analyst": ["Wrapped"],
    "operator": ["Wrapped", "Operations"],
    "listener": ["Wrapped"],
}


def enter(browser: Chrome, dashboard: Place, kind: str) -> str:
    sign_in(browser, dashboard.address, dashboard.names[kind], dashboard.passwords[kind])
    wait_for(browser, "Sign out")
    return settle(browser)


def metrics(browser: Chrome) -> dict[str, str]:
    """The big figures of the page, by label."""
    found = browser.find_elements(By.CSS_SELECTOR, "[data-testid=stMetric]")
    return {one.text.split("\n")[0]: one.text.split("\n")[1] for one in found}


def ask(dashboard: Place, statement: str, **parameters: object) -> list[dict[str, object]]:
    with connect(dashboard.url) as connection:
        return rows(connection, statement, **parameters)


def test_a_wrong_password_is_a_sentence(browser: Chrome, dashboard: Place) -> None:
    sign_in(browser, dashboard.address, dashboard.names["listener"], "wrong")
    said = wait_for(browser, "The database knows no such name with this password")
    assert "Traceback" not in said and "Sign out" not in said


def test_who_has_no_right_here_is_told_so(browser: Chrome, dashboard: Place) -> None:
    sign_in(browser, dashboard.address, dashboard.names["stranger"], dashboard.passwords["stranger"])
    assert "Sign out" not in wait_for(browser, "This name is not let into the warehouse")


def test_a_listener_sees_the_own_year_as_sql_has_it(browser: Chrome, dashboard: Place) -> None:
    said = enter(browser, dashboard, "listener")
    row = ask(dashboard, "select * from mart.wrapped where user_id = 'u1' and year = 2026")[0]
    shown = metrics(browser)
    assert shown["Minutes"] == f"{row['minutes_played']:,}" and shown["Plays"] == f"{row['plays']:,}"
    assert (shown["Songs"], shown["Artists"]) == (str(row["tracks"]), str(row["artists"]))
    top = ask(
        dashboard, "select artist_name from mart.wrapped_artist where user_id = 'u1' and year = 2026 and rank = 1"
    )
    assert str(top[0]["artist_name"]) in said


def test_a_listener_without_a_play_is_told_what_to_do(browser: Chrome, dashboard: Place) -> None:
    said = enter(browser, dashboard, "newcomer")
    assert "There are no plays to tell of yet." in said and "account export" in said
