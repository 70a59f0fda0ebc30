"""A real headless Chromium, and the actions of a user in it."""

import shutil
from datetime import date
from pathlib import Path

from selenium.webdriver import Chrome, ChromeOptions
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.ui import WebDriverWait

PATIENCE_SECONDS = 90
PHONE = (390, 844)
DESKTOP = (1280, 900)
_IS_DRAWN = """
    const app = document.querySelector('[data-testid=stApp]');
    return app && app.dataset.testScriptState === 'notRunning' && !document.querySelector('[data-stale=true]')
"""


def start_browser(profile: Path) -> Chrome:
    """Start a browser without automatic updates."""
    options = ChromeOptions()
    options.binary_location = shutil.which("chromium") or ""
    for argument in (
        "--headless=new",
        "--no-sandbox",  # tests run as root in containers, where Chromium has no sandbox
        "--disable-dev-shm-usage",
        "--disable-gpu",
        "--disable-background-networking",
        "--force-device-scale-factor=1",
        f"--user-data-dir={profile}",
    ):
        options.add_argument(argument)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    return Chrome(options=options, service=Service(shutil.which("chromedriver")))


def resize_page(browser: Chrome, size: tuple[int, int]) -> None:
    """Resize the page: a window cannot be as narrow as a phone."""
    sizes = {"width": size[0], "height": size[1], "deviceScaleFactor": 1, "mobile": size == PHONE}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", sizes)


def open_page(browser: Chrome, address: str) -> None:
    """Load the dashboard again, and wait until its first page accepts input."""
    browser.get(address)
    wait_for_text(browser, "No login yet")
    wait_until_drawn(browser)


def sign_in(browser: Chrome, address: str, name: str, password: str) -> None:
    """Sign in with the keyboard only."""
    open_page(browser, address)
    field = browser.find_element(By.CSS_SELECTOR, "input[autocomplete=username]")
    field.send_keys(name, Keys.TAB, password, Keys.ENTER)


def read_page_text(browser: Chrome) -> str:
    """Return all visible text of the page."""
    return str(browser.find_element(By.TAG_NAME, "body").text).replace("\u2060", "")


def wait_for_text(browser: Chrome, words: str) -> str:
    """Wait until the page contains some words, and return its text."""
    WebDriverWait(browser, PATIENCE_SECONDS, poll_frequency=0.05).until(
        lambda driver: words in read_page_text(driver), words
    )
    return read_page_text(browser)


def wait_for_element(browser: Chrome, selector: str) -> None:
    """Wait until the page has an element; the code of tables, for one, is loaded with the first table."""
    WebDriverWait(browser, PATIENCE_SECONDS).until(
        lambda driver: driver.find_elements(By.CSS_SELECTOR, selector), selector
    )


def wait_until_drawn(browser: Chrome) -> str:
    """Wait until the page is drawn completely, and return its text."""
    texts = [""]

    def is_still(driver: Chrome) -> bool:
        texts.append(read_page_text(driver))
        return bool(driver.execute_script(_IS_DRAWN)) and texts[-1] == texts[-2]

    WebDriverWait(browser, PATIENCE_SECONDS, poll_frequency=0.3).until(is_still)
    return texts[-1]


def type_into(browser: Chrome, label: str, words: str) -> str:
    """Type into the field with a label, submit it with Enter, and return the text of the page."""
    field = browser.find_element(By.XPATH, f'(//label[normalize-space()="{label}"]/following::input)[1]')
    field.send_keys(words, Keys.ENTER)
    return wait_until_drawn(browser)


def enter_date(browser: Chrome, label: str, day: date) -> str:
    """Type a date into the date field with a label, and return the text of the page."""
    for part, number in (("year", day.year), ("month", day.month), ("day", day.day)):
        field = browser.find_element(By.CSS_SELECTOR, f'[role=spinbutton][aria-label^="{part}, {label}"]')
        field.send_keys(f"{number:02}")
    field.send_keys(Keys.ESCAPE, Keys.TAB)
    return wait_until_drawn(browser)


def choose_option(browser: Chrome, label: str, words: str) -> str:
    """Choose the one option with some words of the selectbox with a label, and return the text of the page."""
    box = browser.find_element(By.CSS_SELECTOR, f'input[role=combobox][aria-label*="{label}"]')
    browser.execute_script("arguments[0].scrollIntoView({block: 'center'})", box)
    box.click()
    wait_for_element(browser, "[role=option]")
    (option,) = [row for row in browser.find_elements(By.CSS_SELECTOR, "[role=option]") if words in row.text]
    option.click()
    return wait_until_drawn(browser)


def press(browser: Chrome, words: str) -> str:
    """Press the one button with some words, and return the text of the page."""
    (button,) = [row for row in browser.find_elements(By.TAG_NAME, "button") if row.text.endswith(words)]
    browser.execute_script("arguments[0].scrollIntoView({block: 'center'}); arguments[0].click()", button)
    return wait_until_drawn(browser)
