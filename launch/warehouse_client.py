"""PostgreSQL's client programs on the warehouse; passwords never appear in their arguments."""

import os
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from getpass import getpass
from pathlib import Path
from urllib.parse import parse_qsl, unquote, urlsplit

from sqlalchemy.engine import make_url

from etl.database import has_control_characters, libpq_url
from etl.errors import ActionNeededError
from launch.environment import get_state_dir
from launch.postgres.installation import find_installation
from launch.postgres.shared_server import run_embedded_server

_SERVICE = "warehouse"
_PARAMETER_LABELS = {"dbname": "database"}


@contextmanager
def resolve_warehouse_url() -> Iterator[str]:
    """Return WAREHOUSE_URL, else the URL of the embedded server, which runs during the context."""
    if os.environ.get("WAREHOUSE_URL"):
        yield os.environ["WAREHOUSE_URL"]
        return
    with run_embedded_server(get_state_dir()) as server:
        yield server.build_url("loader", "warehouse")


@contextmanager
def resolve_login_url(name: str | None) -> Iterator[str]:
    """Return the URL of ``resolve_warehouse_url`` for a login, whose password is asked for unless PGPASSWORD has it.

    :param name: the login; None for the warehouse's owner.
    """
    with resolve_warehouse_url() as url:
        yield url if name is None else _replace_login(url, name)


def _replace_login(url: str, name: str) -> str:
    if has_control_characters(name):
        raise ActionNeededError(f"The name {name!r} has a control character, which no login can have.")
    password = os.environ.get("PGPASSWORD") or getpass(f"Password of {name}: ")
    return make_url(url).set(username=name, password=password).render_as_string(hide_password=False)


@contextmanager
def resolve_admin_url() -> Iterator[str]:
    """Return the URL of a user who may create roles: WAREHOUSE_ADMIN_URL, WAREHOUSE_URL or the embedded superuser."""
    configured_url = os.environ.get("WAREHOUSE_ADMIN_URL") or os.environ.get("WAREHOUSE_URL")
    if configured_url:
        yield configured_url
        return
    with run_embedded_server(get_state_dir()) as server:
        yield server.build_url("postgres", "warehouse")


@contextmanager
def make_client_environment(url: str) -> Iterator[dict[str, str]]:
    """Return an environment in which psql, pg_dump and pg_restore connect to ``url`` without arguments.

    The address is in a private service file, which exists during the context.

    :raises ActionNeededError: if the address has a control character, which could end a line of the file.
    """
    for name, value in _parse_connection_parameters(url).items():
        if has_control_characters(value):
            raise ActionNeededError(
                f"The {_PARAMETER_LABELS.get(name, name)} of the warehouse's address has a control character."
            )
    with tempfile.TemporaryDirectory(prefix="warehouse-") as folder:
        service = Path(folder) / "service.conf"
        lines = [f"{name}={value}" for name, value in _parse_connection_parameters(url).items()]
        service.write_text("\n".join([f"[{_SERVICE}]", *lines, ""]), encoding="utf-8")
        yield {**os.environ, "PGSERVICEFILE": str(service), "PGSERVICE": _SERVICE}


def run_client(name: str, arguments: list[str], environ: dict[str, str]) -> int:
    """Run a client program in the foreground; it handles Ctrl-C itself.

    :returns: its exit code.
    """
    signal.signal(signal.SIGINT, lambda *_: None)
    try:
        return subprocess.run([get_program_path(name), *arguments], env=environ, check=False).returncode
    except FileNotFoundError as error:
        raise ActionNeededError(f"{name} was not found beside the embedded server: {error}") from error


def get_program_path(name: str) -> str:
    """Return the path of a client program of the newest embedded version, which also works with older servers."""
    return str(find_installation(get_state_dir(), 18).binaries / name)


def _parse_connection_parameters(url: str) -> dict[str, str]:
    url_parts = urlsplit(libpq_url(url))
    parameters = {
        "host": url_parts.hostname,
        "port": str(url_parts.port) if url_parts.port else None,
        "user": unquote(url_parts.username) if url_parts.username else None,
        "password": unquote(url_parts.password) if url_parts.password else None,
        "dbname": unquote(url_parts.path.lstrip("/")) or None,
    }
    return {**{name: value for name, value in parameters.items() if value}, **dict(parse_qsl(url_parts.query))}
