"""One dashboard and one browser for all tests of the folder."""

import sys
from collections.abc import Iterator

import pytest
from selenium.webdriver import Chrome

from launch import postgres
from tests.dashboard import browser as browsing
from tests.dashboard.dashboard_server import DashboardServer, start_dashboard


@pytest.fixture(autouse=True)
def _main_module(monkeypatch: pytest.MonkeyPatch) -> None:
    """Take back the script that Streamlit puts in place of ``__main__``: spawned processes import it."""
    monkeypatch.setitem(sys.modules, "__main__", sys.modules["__main__"])


@pytest.fixture(scope="package")
def dashboard(
    embedded_server: postgres.Server, migrated_template: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[DashboardServer]:
    with start_dashboard(embedded_server, migrated_template, tmp_path_factory.mktemp("dashboard")) as server:
        yield server


@pytest.fixture(scope="package")
def started_browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Chrome]:
    browser = browsing.start_browser(tmp_path_factory.mktemp("browser"))
    yield browser
    browser.quit()


@pytest.fixture
def browser(started_browser: Chrome) -> Chrome:
    browsing.resize_page(started_browser, browsing.DESKTOP)
    for kind in ("browser", "performance"):
        started_browser.get_log(kind)  # discard the output of earlier tests
    return started_browser
