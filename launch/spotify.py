"""Who answers in a start: Spotify, for the accounts that signed in, or the stand-in."""

from collections.abc import Mapping
from pathlib import Path

from dags.common.pools import (
    RECENTLY_PLAYED_DESCRIPTION,
    SPOTIFY_DESCRIPTION,
    SPOTIFY_SLOTS,
    get_recently_played_pool,
    get_spotify_pool,
)
from etl.extract.spotify.account_store import AccountStore
from etl.settings import read_settings
from launch.airflow_api import AirflowApi
from launch.airflow_components import Airflow
from launch.mock_api import MOCK_API_NOTICE


def ensure_spotify_pools(airflow: AirflowApi | Airflow, environ: Mapping[str, str]) -> None:
    """Make the pools without which no task that asks Spotify would ever start.

    :param airflow: its API where that is up, else its parts.
    """
    for name, description in (
        (get_spotify_pool(environ), SPOTIFY_DESCRIPTION),
        (get_recently_played_pool(environ), RECENTLY_PLAYED_DESCRIPTION),
    ):
        if name is not None:
            airflow.ensure_pool(name, SPOTIFY_SLOTS, description)


def describe_api_source(state: Path, environ: Mapping[str, str]) -> str | None:
    """A sentence where not Spotify answers, or Spotify has nobody to answer for; None where all is as it should be."""
    settings = read_settings(environ)
    if settings.is_mock_api:
        return f"{MOCK_API_NOTICE}: SPOTIPY_CLIENT_ID is not set (docs/spotify.md)."
    if settings.spotify_client_id and not AccountStore(state, settings.spotify_client_id).get_names():
        return "Nobody has signed in to Spotify yet, so no account was asked: bin/sign-in, then refresh again."
    return None
