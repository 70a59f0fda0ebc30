"""bin/dashboard: the dashboard until Ctrl-C; bin/run starts it as a part beside Airflow.

It is told where the warehouse is, and no password: whoever opens it signs in.
"""

import argparse
import os
import signal
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from types import FrameType

import requests
from sqlalchemy.engine import make_url

from etl.config import CHECKOUT
from etl.errors import ActionNeededError, EtlError
from launch.console import Screen
from launch.environment import MARKER, dashboard_port, dashboard_url, state_dir
from launch.preconditions import check_port
from launch.processes import Part, end_part, last_line, start_part
from launch.secrets_store import private_folder
from launch.warehouse_client import warehouse_url

NAME = "dashboard"
_READY_SECONDS = 60
_GRACE_SECONDS = 3.0
_RESTARTS = 5
"""How often one that ends by itself is started again; whatever ends it each time will not stop doing so."""
_TOLD = ("PATH", "PYTHONSAFEPATH", "PYTHONUNBUFFERED", "LANG", "LC_ALL", "TZ", "SPT_NOENV")
_SECRET_OPTIONS = ("password", "user", "passfile", "service", "sslpassword")
_OPTIONS = {
    "server.address": "127.0.0.1",
    "server.headless": "true",
    "server.showEmailPrompt": "false",
    "server.fileWatcherType": "none",
    "browser.gatherUsageStats": "false",
    "client.toolbarMode": "minimal",
    "client.showErrorDetails": "none",
    "theme.primaryColor": "#12805c",
    "theme.baseRadius": "large",
}


class Dashboard:
    """A running dashboard."""

    def __init__(self, state: Path, environ: Mapping[str, str], port: int) -> None:
        """Start it on a port of loopback.

        :param environ: names the warehouse by WAREHOUSE_URL; what else is secret in it is not handed on.
        :raises ActionNeededError: where it does not come up.
        """
        self._state, self._environ, self._port = state, environment(state, environ), port
        self._restarts_left = _RESTARTS
        words = self._start()
        if words is not None:
            raise ActionNeededError(f"The dashboard did not start: {words} (log: {self._part.log})")

    def mend(self) -> str | None:
        """Start it again where it has ended.

        :returns: a sentence where it had, once for each time; None where it runs, or is given up.
        """
        if self._part.is_running() or self._restarts_left == 0:
            return None
        self._restarts_left -= 1
        ended = f"The dashboard had ended (exit code {self._part.process.returncode})"
        words = self._start()
        if words is None:
            return f"{ended} and was started again; who was signed in signs in again."
        self._restarts_left = 0
        return f"{ended} and could not be started again: {words} (log: {self._part.log}). All else goes on."

    @property
    def is_given_up(self) -> bool:
        """Whether it has ended and will not be started again."""
        return self._restarts_left == 0 and not self._part.is_running()

    def stop(self) -> None:
        """End it; nothing happens where it has ended."""
        self._restarts_left = 0
        end_part(self._part, _GRACE_SECONDS)

    def _start(self) -> str | None:
        """Start it.

        :returns: None where it answers, else its last words.
        """
        self._part = start_part(NAME, command(self._port), self._environ, self._state)
        try:
            if _answers(self._part, self._port):
                return None
        except BaseException:
            end_part(self._part, _GRACE_SECONDS)
            raise
        end_part(self._part, _GRACE_SECONDS)
        return last_line(self._part.log) or "it said nothing"


def main(arguments: list[str]) -> int:
    """Run the dashboard alone.

    :returns: 0 after Ctrl-C, 1 where it cannot be started or ends again and again.
    """
    argparse.ArgumentParser(prog="bin/dashboard", description=__doc__).parse_args(arguments)
    screen = Screen()
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _interrupt)
    try:
        check_port(dashboard_port(), "the dashboard", "DASHBOARD_PORT")
        with warehouse_url() as url:
            return _serve(screen, {**os.environ, "WAREHOUSE_URL": url})
    except EtlError as error:
        screen.complain(str(error))
        return 1
    except KeyboardInterrupt:
        return 0


def _serve(screen: Screen, environ: Mapping[str, str]) -> int:
    dashboard = Dashboard(state_dir(), environ, dashboard_port())
    try:
        screen.say(f"Dashboard  {dashboard_url()}  until Ctrl-C; bin/add-login makes the logins.")
        while True:
            news = dashboard.mend()
            if news:
                screen.say(news)
            if dashboard.is_given_up:
                return 1
            time.sleep(1)
    finally:
        dashboard.stop()


def environment(state: Path, environ: Mapping[str, str]) -> dict[str, str]:
    """All that the dashboard is told; its home is a folder of its own, where Streamlit finds no settings of others."""
    home = str(private_folder(state / "dashboard"))
    kept = {name: environ[name] for name in _TOLD if environ.get(name)}
    fixed = {
        "HOME": home,
        "AIRFLOW_HOME": home,
        "PYTHONPATH": str(CHECKOUT),
        "WAREHOUSE_URL": without_login(environ["WAREHOUSE_URL"]),
        MARKER: str(state),
    }
    return kept | fixed


def without_login(url: str) -> str:
    """A warehouse's address without who enters it."""
    parsed = make_url(url)
    query = {name: value for name, value in parsed.query.items() if name not in _SECRET_OPTIONS}
    return parsed._replace(username=None, password=None, query=query).render_as_string()  # type: ignore[arg-type]


def command(port: int) -> list[str]:
    """What serves the dashboard."""
    options = _OPTIONS | {"server.port": str(port)}
    words = [sys.executable, "-m", "streamlit", "run", str(CHECKOUT / "dashboard" / "app.py")]
    return words + [f"--{name}={value}" for name, value in options.items()]


def _answers(part: Part, port: int) -> bool:
    """Whether it answers before it ends and before our patience does."""
    deadline = time.monotonic() + _READY_SECONDS
    with requests.Session() as session:
        session.trust_env = False  # loopback must not go through a proxy
        while part.is_running() and time.monotonic() < deadline:
            try:
                return session.get(f"http://127.0.0.1:{port}/_stcore/health", timeout=5).ok
            except requests.RequestException:
                time.sleep(0.1)
    return False


def _interrupt(_number: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
