"""Checks before a start; each failure is an error with a remedy."""

import os
import shutil
import socket
from pathlib import Path
from typing import get_args

from etl import database
from etl.errors import ActionNeededError
from etl.extract.spotify.account_store import AccountStore
from etl.extract.spotify.app import get_app
from etl.settings import parse_choice, read_settings
from simulator.mock_api.scenario import QuotaMode

_FREE_BYTES = 1 << 30
_OLDEST_POSTGRESQL = 15


def check_disk(state: Path) -> None:
    """Raise ActionNeededError if the disk of STATE_DIR is nearly full."""
    free = shutil.disk_usage(state).free
    if free < _FREE_BYTES:
        raise ActionNeededError(
            f"The disk of {state} is nearly full ({free >> 20} MiB free, at least {_FREE_BYTES >> 20} needed): "
            "free some space, or set STATE_DIR to a folder on another disk."
        )


def check_kaggle_path() -> None:
    """Raise ActionNeededError if the path of KAGGLE_PATH does not exist."""
    path = os.environ.get("KAGGLE_PATH")
    if path and "://" not in path and not Path(path).exists():
        raise ActionNeededError(f"KAGGLE_PATH names {path!r}, which does not exist (relative to {Path.cwd()}).")


def check_settings() -> None:
    """Raise ActionNeededError if a setting or the client id is not valid."""
    parse_choice(os.environ, "STAND_IN_MODE", get_args(QuotaMode))
    settings = read_settings({**os.environ, "WAREHOUSE_URL": "not needed yet"})
    if settings.spotify_client_id:
        AccountStore(settings.state_dir, get_app(settings).client_id)


def check_port(port: int, service: str, setting: str) -> None:
    """Raise ActionNeededError if another process listens on a port.

    :param service: the service that needs the port.
    :param setting: the name of the setting for the port.
    """
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError as error:
            raise ActionNeededError(
                f"Port {port} of 127.0.0.1 cannot be used for {service} ({error.strerror}): "
                f"stop the process that uses it, or set {setting} to another port."
            ) from None


def check_warehouse(url: str) -> None:
    """Raise an EtlError if the warehouse cannot be reached or is too old."""
    with database.connect(url) as connection:
        number = int(str(database.fetch_rows(connection, "select current_setting('server_version_num') v")[0]["v"]))
    if number // 10_000 < _OLDEST_POSTGRESQL:
        raise ActionNeededError(
            f"PostgreSQL at {database.format_address(url)} is version {number // 10_000}; "
            f"WAREHOUSE_URL must name version {_OLDEST_POSTGRESQL} or newer."
        )
