"""The page of the live tables in a real browser: it shows what SQL has, by itself and again and again."""

from selenium.webdriver import Chrome

from etl.database import connect
from tests.dashboard.browser import wait_for_text
from tests.dashboard.dashboard_server import DashboardServer, sign_in_as
from tests.dashboard.test_pages import go_to, query, read_metrics


def test_the_live_page_shows_the_tables_and_follows_them(browser: Chrome, dashboard: DashboardServer) -> None:
    sign_in_as(browser, dashboard, "operator")
    page_text = go_to(browser, "Live")
    assert "Provisional." in page_text and "The star and the marts have the final ones." in page_text
    shown = read_metrics(browser)
    sums = query(dashboard, "select sum(late_events) as late, sum(rejected_messages) as rejected from live.progress")[0]
    assert (shown["Late events"], shown["Rejected"]) == (str(sums["late"]), str(sums["rejected"]))
    minute = query(
        dashboard,
        """
        select sum(events + late_events) / 60.0 as rate, sum(listeners) as listeners
        from live.active_minute
        where minute_start = (select max(minute_start) - interval '1 minute' from live.active_minute)
        """,
    )[0]
    assert shown["Events a second"] == f"{minute['rate']:,.1f}"
    assert shown["Active listeners"] == str(minute["listeners"])
    assert "120 messages were rejected since the last check." in page_text
    with connect(dashboard.url) as connection:
        connection.exec_driver_sql("update live.progress set late_events = late_events + 1000, updated_at = now()")
    wait_for_text(browser, f"{sums['late'] + 7000:,}")  # type: ignore[operator]


def test_a_listener_sees_own_plays_and_an_artist_groups(browser: Chrome, dashboard: DashboardServer) -> None:
    sign_in_as(browser, dashboard, "listener")
    go_to(browser, "Live")
    assert (read_metrics(browser)["Plays"], read_metrics(browser)["Minutes"]) == ("10", "30")
    sign_in_as(browser, dashboard, "artist")
    page_text = go_to(browser, "Live")
    assert "are of five listeners or more" in page_text and "45" in read_metrics(browser).values()


def test_an_analyst_sees_no_checks_and_an_operator_sees_findings(browser: Chrome, dashboard: DashboardServer) -> None:
    sign_in_as(browser, dashboard, "analyst")
    assert "120 messages were rejected" not in go_to(browser, "Live")
    sign_in_as(browser, dashboard, "operator")
    go_to(browser, "Anomalies")
    assert read_metrics(browser)["Findings"] == "2" and read_metrics(browser)["Users"] == "1"
