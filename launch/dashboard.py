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

from sqlalchemy.engine import make_url

from etl.config import CHECKOUT
from etl.errors import EtlError
from launch.console import Screen
from launch.environment import MARKER, dashboard_port, dashboard_url, state_dir
from launch.kept import KeptPart
from launch.preconditions import check_port
from launch.secrets_store import private_folder
from launch.warehouse_client import warehouse_url

NAME = "dashboard"
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


class Dashboard(KeptPart):
    """A running dashboard."""

    def __init__(self, state: Path, environ: Mapping[str, str], port: int) -> None:
        """Start it on a port of loopback.

        :param environ: names the warehouse by WAREHOUSE_URL; what else is secret in it is not handed on.
        :raises ActionNeededError: where it does not come up.
        """
        super().__init__(
            NAME,
            "The dashboard",
            command(port),
            environment(state, environ),
            state,
            health_url=f"http://127.0.0.1:{port}/_stcore/health",
            after_restart="Who was signed in signs in again.",
            after_loss="All else goes on.",
        )
        self.start()


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


def _interrupt(_number: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
