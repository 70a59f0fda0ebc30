"""Airflow's pools for tasks that call Spotify, and the notice that a mock API or no account is in use."""

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
from launch.mock_api import MOCK_API_NOTICE


def ensure_spotify_pools(airflow: AirflowApi, environ: Mapping[str, str]) -> None:
    """Create the pools of the tasks that call Spotify; without them these tasks never start."""
    for name, description in (
        (get_spotify_pool(environ), SPOTIFY_DESCRIPTION),
        (get_recently_played_pool(environ), RECENTLY_PLAYED_DESCRIPTION),
    ):
        if name is not None:
            airflow.ensure_pool(name, SPOTIFY_SLOTS, description)


def describe_api_source(state: Path, environ: Mapping[str, str]) -> str | None:
    """Return a notice if the mock API is in use or no account has signed in to Spotify; else None."""
    settings = read_settings(environ)
    if settings.is_mock_api:
        return f"{MOCK_API_NOTICE}: SPOTIPY_CLIENT_ID is not set (docs/spotify.md)."
    if settings.spotify_client_id and not AccountStore(state, settings.spotify_client_id).get_names():
        return "No account has signed in to Spotify yet, so none was fetched: run bin/sign-in, then refresh again."
    return None
