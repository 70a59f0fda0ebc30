"""One dashboard and one browser for all tests of the folder."""

from collections.abc import Iterator

import pytest
from selenium.webdriver import Chrome

from launch import postgres
from tests.dashboard import browser as browsing
from tests.dashboard.place import Place, place


@pytest.fixture(scope="package")
def dashboard(
    embedded_server: postgres.Server, migrated_template: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Place]:
    with place(embedded_server, migrated_template, tmp_path_factory.mktemp("dashboard")) as found:
        yield found


@pytest.fixture(scope="package")
def started_browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Chrome]:
    browser = browsing.start(tmp_path_factory.mktemp("browser"))
    yield browser
    browser.quit()


@pytest.fixture
def browser(started_browser: Chrome) -> Chrome:
    browsing.resize(started_browser, browsing.DESKTOP)
    for kind in ("browser", "performance"):
        started_browser.get_log(kind)  # what earlier tests left
    return started_browser
