"""bin/dashboard: run the dashboard until Ctrl-C; bin/run starts it beside Airflow.

Its process gets the warehouse's address without a user and password: each user signs in with a login of their own.
"""

import os
import signal
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from types import FrameType

from sqlalchemy.engine import make_url

from etl.settings import CHECKOUT
from etl.taste_text.language_model import SETTING_NAMES as LANGUAGE_MODEL_SETTINGS
from launch.command_line import run_command
from launch.console import Screen
from launch.environment import STATE_MARKER, get_dashboard_port, get_dashboard_url, get_state_dir
from launch.ports import HOST
from launch.preconditions import check_port
from launch.secrets_store import make_private_folder
from launch.supervised_process import SupervisedProcess
from launch.warehouse_client import resolve_warehouse_url

NAME = "dashboard"
_PASSED_VARIABLES = (
    "PATH",
    "PYTHONSAFEPATH",
    "PYTHONUNBUFFERED",
    "LANG",
    "LC_ALL",
    "TZ",
    "SPT_NOENV",
    *LANGUAGE_MODEL_SETTINGS,
)
_SECRET_OPTIONS = ("password", "user", "passfile", "service", "sslpassword")
_OPTIONS = {
    "server.headless": "true",
    "server.showEmailPrompt": "false",
    "server.fileWatcherType": "none",
    "browser.gatherUsageStats": "false",
    "client.toolbarMode": "minimal",
    "client.showErrorDetails": "none",
    "theme.primaryColor": "#12805c",
    "theme.baseRadius": "large",
}


class Dashboard(SupervisedProcess):
    """A running dashboard."""

    def __init__(self, state: Path, environ: Mapping[str, str], port: int) -> None:
        """Start the dashboard on a loopback port.

        :param environ: with WAREHOUSE_URL; the process gets none of its secrets, but the key of a language model.
        :raises ActionNeededError: if it does not start.
        """
        super().__init__(
            NAME,
            "The dashboard",
            build_command(port),
            build_environment(state, environ),
            state,
            health_url=f"http://127.0.0.1:{port}/_stcore/health",
            after_restart="Its users must sign in again.",
            after_loss="Everything else continues.",
        )
        self.start()


def main(arguments: list[str]) -> int:
    """Run bin/dashboard; return its exit code."""
    return run_command("dashboard", run_dashboard, arguments)


def run_dashboard() -> int:
    """Run the dashboard until Ctrl-C. bin/run starts it beside Airflow."""
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _raise_interrupt)
    try:
        check_port(get_dashboard_port(), "the dashboard", "DASHBOARD_PORT")
        with resolve_warehouse_url() as url:
            return _run_until_stopped(Screen(), {**os.environ, "WAREHOUSE_URL": url})
    except KeyboardInterrupt:
        return 0


def _run_until_stopped(screen: Screen, environ: Mapping[str, str]) -> int:
    dashboard = Dashboard(get_state_dir(), environ, get_dashboard_port())
    try:
        screen.print_line(f"Dashboard  {get_dashboard_url()}  until Ctrl-C; bin/add-login adds logins.")
        while True:
            message = dashboard.restart_if_ended()
            if message:
                screen.print_line(message)
            if dashboard.has_given_up:
                return 1
            time.sleep(1)
    finally:
        dashboard.stop()


def build_environment(state: Path, environ: Mapping[str, str]) -> dict[str, str]:
    """Return the dashboard's environment; its HOME is a private folder without other Streamlit settings."""
    home = str(make_private_folder(state / "dashboard"))
    passed = {name: environ[name] for name in _PASSED_VARIABLES if environ.get(name)}
    fixed = {
        "HOME": home,
        "AIRFLOW_HOME": home,
        "PYTHONPATH": str(CHECKOUT),
        "WAREHOUSE_URL": strip_login(environ["WAREHOUSE_URL"]),
        STATE_MARKER: str(state),
    }
    return passed | fixed


def strip_login(url: str) -> str:
    """Return a warehouse's URL without user, password and other secrets."""
    parsed = make_url(url)
    query = {name: value for name, value in parsed.query.items() if name not in _SECRET_OPTIONS}
    return parsed._replace(username=None, password=None, query=query).render_as_string()  # type: ignore[arg-type]


def build_command(port: int, host: str = HOST) -> list[str]:
    """Return the command that serves the dashboard.

    :param host: the address to listen on; in a container all of them, since its port is published on loopback alone.
    """
    options = _OPTIONS | {"server.port": str(port), "server.address": host}
    command_line = [sys.executable, "-m", "streamlit", "run", str(CHECKOUT / "dashboard" / "app.py")]
    return command_line + [f"--{name}={value}" for name, value in options.items()]


def _raise_interrupt(_number: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
