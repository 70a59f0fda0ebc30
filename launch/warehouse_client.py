"""PostgreSQL's own client programs on the warehouse, whichever it is; passwords never stand in an argument."""

import os
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import parse_qsl, unquote, urlsplit

from etl.errors import ActionNeededError
from etl.warehouse import has_control_characters, libpq_url
from launch.environment import state_dir
from launch.postgres.place import find_place
from launch.postgres.use import embedded_server

_SERVICE = "warehouse"
_WORDS = {"dbname": "database"}


@contextmanager
def warehouse_url() -> Iterator[str]:
    """WAREHOUSE_URL, else the embedded server, running as long as the context lasts."""
    if os.environ.get("WAREHOUSE_URL"):
        yield os.environ["WAREHOUSE_URL"]
        return
    with embedded_server(state_dir()) as server:
        yield server.url("loader", "warehouse")


@contextmanager
def admin_url() -> Iterator[str]:
    """The warehouse as who may make roles: by WAREHOUSE_ADMIN_URL, else WAREHOUSE_URL, else the embedded superuser."""
    given = os.environ.get("WAREHOUSE_ADMIN_URL") or os.environ.get("WAREHOUSE_URL")
    if given:
        yield given
        return
    with embedded_server(state_dir()) as server:
        yield server.url("postgres", "warehouse")


@contextmanager
def client_environment(url: str) -> Iterator[dict[str, str]]:
    """An environment in which psql, pg_dump and pg_restore reach ``url`` without being told anything.

    The address stands in a service file that only we can read and that is gone afterwards.

    :raises ActionNeededError: where a part of the address has a control character, with which a line of the file ends.
    """
    for name, value in _parameters(url).items():
        if has_control_characters(value):
            raise ActionNeededError(f"The {_WORDS.get(name, name)} of the warehouse's address has a control character.")
    with tempfile.TemporaryDirectory(prefix="warehouse-") as folder:
        service = Path(folder) / "service.conf"
        lines = [f"{name}={value}" for name, value in _parameters(url).items()]
        service.write_text("\n".join([f"[{_SERVICE}]", *lines, ""]), encoding="utf-8")
        yield {**os.environ, "PGSERVICEFILE": str(service), "PGSERVICE": _SERVICE}


def run_client(name: str, arguments: list[str], environ: dict[str, str]) -> int:
    """Run a client program in the foreground; Ctrl-C is its own matter.

    :returns: its exit code.
    """
    signal.signal(signal.SIGINT, lambda *_: None)
    try:
        return subprocess.run([program(name), *arguments], env=environ, check=False).returncode
    except FileNotFoundError as error:
        raise ActionNeededError(f"{name} was not found beside the embedded server: {error}") from error


def program(name: str) -> str:
    """The path of a client program of the newest embedded version, which also speaks to older servers."""
    return str(find_place(state_dir(), 18).binaries / name)


def _parameters(url: str) -> dict[str, str]:
    parts = urlsplit(libpq_url(url))
    named = {
        "host": parts.hostname,
        "port": str(parts.port) if parts.port else None,
        "user": unquote(parts.username) if parts.username else None,
        "password": unquote(parts.password) if parts.password else None,
        "dbname": unquote(parts.path.lstrip("/")) or None,
    }
    return {**{name: value for name, value in named.items() if value}, **dict(parse_qsl(parts.query))}
