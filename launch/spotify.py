"""Who answers in a start: Spotify, for the accounts that signed in, or the stand-in."""

from collections.abc import Mapping
from pathlib import Path

from dags.pools import RECENT_DESCRIPTION, SPOTIFY_DESCRIPTION, SPOTIFY_SLOTS, recent_pool, spotify_pool
from etl.config import settings
from etl.extract.spotify.accounts import Accounts
from launch.airflow_api import AirflowApi
from launch.airflow_parts import Airflow
from launch.stand_in import MADE_UP


def keep_spotify_pools(airflow: AirflowApi | Airflow, environ: Mapping[str, str]) -> None:
    """Make the pools without which no task that asks Spotify would ever start.

    :param airflow: its API where that is up, else its parts.
    """
    for name, description in (
        (spotify_pool(environ), SPOTIFY_DESCRIPTION),
        (recent_pool(environ), RECENT_DESCRIPTION),
    ):
        if name is not None:
            airflow.keep_pool(name, SPOTIFY_SLOTS, description)


def who_answers(state: Path, environ: Mapping[str, str]) -> str | None:
    """A sentence where not Spotify answers, or Spotify has nobody to answer for; None where all is as it should be."""
    chosen = settings(environ)
    if chosen.is_stand_in:
        return f"{MADE_UP}: SPOTIPY_CLIENT_ID is not set (docs/spotify.md)."
    if chosen.spotify_client_id and not Accounts(state, chosen.spotify_client_id).names():
        return "Nobody has signed in to Spotify yet, so no account was asked: bin/sign-in, then refresh again."
    return None
