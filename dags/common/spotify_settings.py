"""The settings of tasks that call Spotify: secrets may also come from an Airflow connection."""

import logging
from dataclasses import replace
from typing import Any

from airflow.sdk import Connection
from airflow.sdk.exceptions import AirflowNotFoundException

from dags.common.pools import get_spotify_pool
from etl.extract.spotify.account_store import AccountStore
from etl.extract.spotify.account_transfer import import_accounts
from etl.settings import Settings, read_settings

log = logging.getLogger(__name__)


def load_spotify_settings() -> Settings:
    """Return the settings of the environment, completed by the connection with the name of the app's pool, if any.

    New accounts of the connection are stored first.

    :raises ActionNeededError: if they cannot be read.
    """
    settings, connection_id = read_settings(), get_spotify_pool()
    connection = _find_connection(connection_id) if connection_id and not settings.is_mock_api else None
    if connection is None or not settings.spotify_client_id:
        return settings
    stored_accounts = import_accounts(
        connection.conn_id, connection.extra_dejson, AccountStore(settings.state_dir, settings.spotify_client_id)
    )
    if stored_accounts:
        log.info("Accounts imported from the connection %s: %s.", connection.conn_id, ", ".join(stored_accounts))
    return replace(settings, spotify_client_secret=settings.spotify_client_secret or connection.password)


def _find_connection(connection_id: str) -> Any:
    try:
        return Connection.get(connection_id)
    except AirflowNotFoundException:
        return None
