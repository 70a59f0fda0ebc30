"""Seconds of the dashboard's pages in a real Chromium with warm caches, from the key or click until all is drawn.

    python -m benchmarks.dashboard [--users N] [--days N] [--rounds N]

It measures the first page after sign-in for a listener, an analyst and an artist, and each further page of an analyst,
on a warehouse of synthetic listeners with all marts built. Warm: both have drawn the same pages before; each sign-in is
a new session. Drawn: the page is no longer running, and all its charts and pictures are visible. The star is that of
the benchmark marts: without audio features and playlists.
"""

import argparse
import shutil
import statistics
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path

from selenium.webdriver import Chrome
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys

from benchmarks._running_product import find_free_port
from benchmarks._synthetic_star import create_star
from etl.database import connect, fetch_rows
from etl.load.access.logins import add_login
from etl.load.marts import MartDefinition, build_marts
from launch import postgres
from launch.bootstrap import SetupError, ensure_browser
from launch.dashboard import Dashboard
from launch.environment import get_state_dir
from tests.dashboard.browser import open_page, start_browser

_LOGINS = {"listener": "u7", "analyst": None, "artist": "a3"}
_LOGIN_NAME = "bench.{}"
_FIRST_PAGE = {"listener": "Wrapped", "analyst": "Wrapped", "artist": "Artist"}
_ANALYST_PAGES = {"My playlists": "Playlists", "Artist": "Artist", "Charts": "Charts", "Wrapped": "Wrapped"}
_WATCH_SCRIPT = """
    let started = performance.now(), since = null;
    for (const kind of ['keydown', 'click'])
        document.addEventListener(kind, event => {
            if (kind === 'click' || event.key === 'Enter') started = performance.now()
        }, true);
    const all = (selector, test) => [...document.querySelectorAll(selector)].every(test);
    window.drawn = title => {
        const app = document.querySelector('[data-testid=stApp]'), heading = document.querySelector('h1');
        return app.dataset.testScriptState === 'notRunning' && heading && heading.innerText.trim() === title
            && !document.querySelector('[data-stale=true], [data-testid=stSkeleton]')
            && all('[data-testid=stVegaLiteChart]', chart => !chart.offsetParent || chart.querySelector('canvas, svg'))
            && all('img', image => image.complete);
    };
    window.untilDrawn = (title, done) => {
        const look = setInterval(() => {
            const now = performance.now();
            if (!window.drawn(title)) { since = null; return }
            since = since ?? now;
            if (now - since > 500) { clearInterval(look); done((since - started) / 1000); since = null }
        }, 10);
    };
"""
_WAIT_SCRIPT = "window.untilDrawn(arguments[0], arguments[1])"


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--users", type=int, default=200)
    parser.add_argument("--days", type=int, default=365)
    parser.add_argument("--rounds", type=int, default=7)
    options = parser.parse_args()
    try:
        ensure_browser(get_state_dir())
    except SetupError as error:
        sys.exit(str(error))
    folder = Path(tempfile.mkdtemp())
    server = postgres.start_server(folder)
    try:
        with create_star(server, "dashboard", options.users, options.days) as url, _start_browser(folder) as browser:
            with connect(url) as connection:
                build_marts(connection, MartDefinition(30_000, 30), is_full_refresh=True)
            _measure_pages(browser, server, url, options.rounds)
    finally:
        postgres.remove_servers(folder)
        shutil.rmtree(folder, ignore_errors=True)


def _measure_pages(browser: Chrome, server: postgres.Server, url: str, rounds: int) -> None:
    admin = server.build_url("postgres", url.rsplit("/", 1)[1])
    passwords = {kind: add_login(admin, kind, _LOGIN_NAME.format(kind), owner) for kind, owner in _LOGINS.items()}
    with connect(url) as connection:
        size = fetch_rows(
            connection, "select count(*) as events, count(distinct user_key) as users from warehouse.fact_event"
        )
    print(
        f"{size[0]['events']:,} events of {size[0]['users']} users; streamlit {version('streamlit')}, "
        f"{browser.capabilities['browserName']} {browser.capabilities['browserVersion']}"
    )
    port = find_free_port()
    dashboard = Dashboard(server.state_dir, {"WAREHOUSE_URL": url}, port)
    try:
        address = f"http://127.0.0.1:{port}"
        for kind, password in passwords.items():
            _sign_in(browser, address, kind, password)
            seconds = [_sign_in(browser, address, kind, password) for _ in range(rounds)]
            _print_figure(f"first page after sign-in, {kind}", seconds, " goal <= 1")
        _sign_in(browser, address, "analyst", passwords["analyst"])
        for page in _ANALYST_PAGES:
            _open_page(browser, page)
        for page in _ANALYST_PAGES:
            _print_figure(f"page {page}, analyst", [_open_from_another(browser, page) for _ in range(rounds)], "")
    finally:
        dashboard.stop()


def _print_figure(label: str, seconds: list[float], goal: str) -> None:
    print(f"{label}: median {statistics.median(seconds):.2f} s, longest {max(seconds):.2f} s of {len(seconds)}{goal}")


def _sign_in(browser: Chrome, address: str, kind: str, password: str) -> float:
    open_page(browser, address)
    browser.execute_script(_WATCH_SCRIPT)
    field = browser.find_element(By.CSS_SELECTOR, "input[autocomplete=username]")
    field.send_keys(_LOGIN_NAME.format(kind), Keys.TAB, password, Keys.ENTER)
    return float(browser.execute_async_script(_WAIT_SCRIPT, _FIRST_PAGE[kind]))


def _open_from_another(browser: Chrome, page: str) -> float:
    _open_page(browser, next(other_page for other_page in _ANALYST_PAGES if other_page != page))
    return _open_page(browser, page)


def _open_page(browser: Chrome, page: str) -> float:
    links = browser.find_elements(By.CSS_SELECTOR, "[data-testid=stSidebarNavLink]")
    link = next(nav_link for nav_link in links if str(nav_link.get_attribute("textContent")).endswith(page))
    browser.execute_script("arguments[0].click()", link)
    return float(browser.execute_async_script(_WAIT_SCRIPT, _ANALYST_PAGES[page]))


@contextmanager
def _start_browser(folder: Path) -> Iterator[Chrome]:
    browser = start_browser(folder / "browser")
    browser.set_script_timeout(60)
    yield browser
    browser.quit()


if __name__ == "__main__":
    main()
