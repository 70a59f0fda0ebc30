"""Names of Airflow's pools; without Airflow, so that whoever makes the pools can ask too."""

import os
import re
from collections.abc import Mapping

SPOTIFY_SLOTS = 1
SPOTIFY_DESCRIPTION = "Tasks that ask Spotify: its quotas are counted for the app, so one at a time."
RECENTLY_PLAYED_DESCRIPTION = (
    "Looks at recently played: one call each, so that no night holds them back, nor they a night."
)


def get_spotify_pool(environ: Mapping[str, str] | None = None) -> str | None:
    """The pool of the tasks that ask Spotify, one for each client id; None where no client id is set.

    :param environ: defaults to ``os.environ``.
    """
    client_id = (os.environ if environ is None else environ).get("SPOTIPY_CLIENT_ID")
    return f"spotify_{re.sub(r'[^A-Za-z0-9_.-]', '_', client_id)}" if client_id else None


def get_recently_played_pool(environ: Mapping[str, str] | None = None) -> str | None:
    """The pool of the looks at recently played: a night may ask for hours, and plays would be lost by then."""
    spotify_pool_name = get_spotify_pool(environ)
    return f"{spotify_pool_name}.recently_played" if spotify_pool_name else None
