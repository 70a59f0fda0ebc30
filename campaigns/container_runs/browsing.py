"""What a user sees in a headless Chromium: the dashboard and Airflow's pages, with a screenshot of each."""

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from selenium.webdriver import Chrome, ChromeOptions
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.remote.webelement import WebElement
from selenium.webdriver.support import expected_conditions
from selenium.webdriver.support.ui import WebDriverWait

_WAIT_SECONDS = 120
_OPTIONS = ("--headless=new", "--no-sandbox", "--disable-dev-shm-usage", "--disable-gpu", "--window-size=1280,900")


@contextmanager
def open_browser() -> Iterator[Chrome]:
    """Run a browser during the context."""
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        options = ChromeOptions()
        options.binary_location = shutil.which("chromium") or shutil.which("google-chrome") or ""
        for argument in (*_OPTIONS, f"--user-data-dir={profile}"):
            options.add_argument(argument)
        browser = Chrome(options=options, service=Service(shutil.which("chromedriver")))
        try:
            yield browser
        finally:
            browser.quit()


def sign_in_to_dashboard(browser: Chrome, url: str, name: str, password: str) -> str:
    """Sign in to the dashboard; return the text of the page that opens, a user's year."""
    browser.get(url)
    field = _wait_for_field(browser, "input[autocomplete=username]")
    field.send_keys(name, Keys.TAB, password, Keys.ENTER)
    return _wait_for_text(browser, "Your taste in words")


def sign_in_to_airflow(browser: Chrome, url: str, name: str, password: str) -> str:
    """Sign in to Airflow; return the text of its list of DAGs."""
    browser.get(f"{url}/dags")
    _wait_for_field(browser, "input[name=username]").send_keys(name)
    _wait_for_field(browser, "input[name=password]").send_keys(password, Keys.ENTER)
    WebDriverWait(browser, _WAIT_SECONDS).until(lambda driver: "login" not in driver.current_url)
    browser.get(f"{url}/dags")
    return _wait_for_text(browser, "nightly_refresh")


def save_screenshot(browser: Chrome, file: Path) -> None:
    """Write what the browser shows into a PNG file."""
    file.parent.mkdir(parents=True, exist_ok=True)
    browser.save_screenshot(str(file))


def _wait_for_field(browser: Chrome, selector: str) -> WebElement:
    wait = WebDriverWait(browser, _WAIT_SECONDS)
    return wait.until(expected_conditions.element_to_be_clickable((By.CSS_SELECTOR, selector)), selector)


def _wait_for_text(browser: Chrome, words: str) -> str:
    def read_text(driver: Chrome) -> str:
        text = str(driver.find_element(By.TAG_NAME, "body").text)
        return text if words in text else ""

    return str(WebDriverWait(browser, _WAIT_SECONDS, ignored_exceptions=[Exception]).until(read_text, words))
