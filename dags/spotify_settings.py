"""The settings of tasks that ask Spotify: secrets may also come from an Airflow connection."""

import logging
from dataclasses import replace
from typing import Any

from airflow.sdk import Connection
from airflow.sdk.exceptions import AirflowNotFoundException

from dags.pools import spotify_pool
from etl.config import Settings, settings
from etl.extract.spotify.accounts import Accounts
from etl.extract.spotify.handed_over import take

log = logging.getLogger(__name__)


def spotify_settings() -> Settings:
    """The settings of the environment, completed by the connection that is named like the app's pool, if there is one.

    The accounts that it hands over are stored first, where they are new.

    :raises ActionNeededError: where they cannot be read.
    """
    chosen, connection_id = settings(), spotify_pool()
    found = _connection(connection_id) if connection_id and not chosen.is_stand_in else None
    if found is None or not chosen.spotify_client_id:
        return chosen
    taken = take(found.conn_id, found.extra_dejson, Accounts(chosen.state_dir, chosen.spotify_client_id))
    if taken:
        log.info("Handed over by the connection %s: %s.", found.conn_id, ", ".join(taken))
    return replace(chosen, spotify_client_secret=chosen.spotify_client_secret or found.password)


def _connection(connection_id: str) -> Any:
    try:
        return Connection.get(connection_id)
    except AirflowNotFoundException:
        return None
