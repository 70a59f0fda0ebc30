"""Names of Airflow's pools; without Airflow, so that ``launch`` can create the pools."""

import os
import re
from collections.abc import Mapping

SPOTIFY_SLOTS = 1
SPOTIFY_DESCRIPTION = "Tasks that call Spotify: its quota is for the app, so one at a time."
RECENTLY_PLAYED_DESCRIPTION = (
    "Fetches of recent plays: one call each, so that they and the nightly refresh do not delay each other."
)


def get_spotify_pool(environ: Mapping[str, str] | None = None) -> str | None:
    """Return the pool of the tasks that call Spotify, one for each client id; None without a client id.

    :param environ: defaults to ``os.environ``.
    """
    client_id = (os.environ if environ is None else environ).get("SPOTIPY_CLIENT_ID")
    return f"spotify_{re.sub(r'[^A-Za-z0-9_.-]', '_', client_id)}" if client_id else None


def get_recently_played_pool(environ: Mapping[str, str] | None = None) -> str | None:
    """Return the pool of the fetches of recent plays, which would lose plays if they waited for a long refresh."""
    spotify_pool_name = get_spotify_pool(environ)
    return f"{spotify_pool_name}.recently_played" if spotify_pool_name else None
