"""The environment of all processes of the product."""

import base64
import hashlib
import json
import os
import sys
from pathlib import Path

from etl.settings import CHECKOUT, parse_whole_number
from launch.postgres import Server
from launch.secrets_store import get_secret, make_private_folder, write_secret

STATE_MARKER = "LISTENING_WAREHOUSE_STATE"
"""The environment variable with the STATE_DIR, by which bin/run recognises its processes, also orphaned ones."""

WEB_USER = "admin"

NO_WAREHOUSE_URL = "postgresql://unused"
"""For the settings of a process that needs no warehouse."""


def get_state_dir() -> Path:
    """Return STATE_DIR, or ``.state`` in the checkout."""
    return Path(os.environ.get("STATE_DIR") or CHECKOUT / ".state").resolve()


def get_api_port() -> int:
    """Return the port of the web interface and the REST API."""
    return parse_whole_number(os.environ, "AIRFLOW__API__PORT", 8080, minimum=1, maximum=65_535)


def get_api_url() -> str:
    """Return the address of the web interface and the REST API."""
    return f"http://127.0.0.1:{get_api_port()}"


def get_dashboard_port() -> int:
    """Return the port of the dashboard."""
    return parse_whole_number(os.environ, "DASHBOARD_PORT", 8501, minimum=1, maximum=65_535)


def get_dashboard_url() -> str:
    """Return the address of the dashboard."""
    return f"http://127.0.0.1:{get_dashboard_port()}"


def get_web_login(state: Path) -> tuple[str, str]:
    """Return user name and password of the web interface."""
    return WEB_USER, get_secret(state, f"airflow-{WEB_USER}")


def build_environment(state: Path, server: Server | None) -> dict[str, str]:
    """Return the environment of this process, completed by addresses, secrets and folders.

    :param server: the embedded server, if it is used.
    """
    airflow_home = make_private_folder(state / "airflow")
    defaults = {
        "AIRFLOW_CONFIG": str(CHECKOUT / "airflow.cfg"),
        "AIRFLOW__CORE__FERNET_KEY": _compute_fernet_key(state),
        "AIRFLOW__API__SECRET_KEY": get_secret(state, "airflow-api"),
        "AIRFLOW__API_AUTH__JWT_SECRET": get_secret(state, "airflow-jwt"),
        "AIRFLOW__API__BASE_URL": get_api_url(),
        "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_PASSWORDS_FILE": str(_write_passwords_file(state)),
        "SPARK_IDLE_MINUTES": "10",
        "SPARK_LOCAL_IP": "127.0.0.1",
    }
    if server is not None:
        defaults["WAREHOUSE_URL"] = server.build_url("loader", "warehouse")
        defaults["AIRFLOW__DATABASE__SQL_ALCHEMY_CONN"] = server.build_url("airflow", "airflow").replace(
            "postgresql://", "postgresql+psycopg2://"
        )
    fixed = {
        "CHECKOUT": str(CHECKOUT),
        "AIRFLOW_HOME": str(airflow_home),
        "STATE_DIR": str(state),
        "PYTHONPATH": str(CHECKOUT),
        "PATH": os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", os.defpath)]),
        "PYTHONUNBUFFERED": "1",
        # Loopback must not go through a proxy. SPT_NOENV: process titles must not overwrite the marker.
        "NO_PROXY": _add_loopback(os.environ.get("NO_PROXY", "")),
        "no_proxy": _add_loopback(os.environ.get("no_proxy", "")),
        "SPT_NOENV": "1",
        STATE_MARKER: str(state),
    }
    caller_variables = {name: value for name, value in os.environ.items() if value}
    environ = {**defaults, **caller_variables, **_resolve_kaggle_path(), **fixed}
    # Airflow hides its database from tasks; the DAG maintenance passes this URL to "airflow db clean".
    environ["AIRFLOW_METADATA_URL"] = environ["AIRFLOW__DATABASE__SQL_ALCHEMY_CONN"]
    return environ


def _resolve_kaggle_path() -> dict[str, str]:
    path = os.environ.get("KAGGLE_PATH")
    return {"KAGGLE_PATH": path if "://" in path else str(Path(path).resolve())} if path else {}


def _add_loopback(hosts: str) -> str:
    return ",".join([*filter(None, [hosts]), "127.0.0.1", "localhost"])


def _compute_fernet_key(state: Path) -> str:
    # A Fernet key is 32 bytes in padded base64.
    return base64.urlsafe_b64encode(hashlib.sha256(get_secret(state, "airflow-fernet").encode()).digest()).decode()


def _write_passwords_file(state: Path) -> Path:
    user, password = get_web_login(state)
    return write_secret(state, "airflow-passwords.json", json.dumps({user: password}))
