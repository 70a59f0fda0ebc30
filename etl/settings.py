"""Settings, read from the environment once per call and never at import."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from etl.errors import ActionNeededError

CHECKOUT = Path(__file__).resolve().parent.parent

MOCK_API_NAME = "a stand-in"
"""The name of the mock API in the lake, which records where its responses come from."""


@dataclass(frozen=True)
class Settings:
    """All settings of the jobs; docs/settings.md has the meaning of each."""

    state_dir: Path
    warehouse_url: str
    lake_url: str
    spark_master: str
    spark_driver_memory: str
    kaggle_path: str | None
    spotify_client_id: str | None
    spotify_client_secret: str | None = field(repr=False)
    spotify_redirect_uri: str
    spotify_api_url: str
    spotify_accounts_url: str
    spotify_playlists: tuple[str, ...]
    spotify_daily_calls: int
    is_mock_api: bool
    cluster_count: int
    cluster_seed: int
    cluster_sample_size: int
    cluster_refit_fraction: float
    cluster_features_from: str
    retention_days: int
    simulated_listeners: int
    play_min_ms: int
    session_gap_minutes: int

    @property
    def api_name(self) -> str:
        """Return the name of the API, as recorded in the lake."""
        return MOCK_API_NAME if self.is_mock_api else "Spotify"


def read_settings(environ: Mapping[str, str] | None = None) -> Settings:
    """Return the settings in the environment.

    :param environ: ``os.environ`` by default; tests pass their own.
    :raises ActionNeededError: if a value is not valid, or the warehouse is not set.
    """
    env = os.environ if environ is None else environ
    state_dir = Path(env.get("STATE_DIR") or CHECKOUT / ".state").resolve()
    return Settings(
        state_dir=state_dir,
        warehouse_url=_require_setting(env, "WAREHOUSE_URL"),
        lake_url=env.get("LAKE_URL") or (state_dir / "lake").as_uri(),
        spark_master=env.get("SPARK_MASTER") or "local[*]",
        spark_driver_memory=env.get("SPARK_DRIVER_MEMORY") or "2g",
        kaggle_path=env.get("KAGGLE_PATH") or None,
        spotify_client_id=env.get("SPOTIPY_CLIENT_ID") or None,
        spotify_client_secret=env.get("SPOTIPY_CLIENT_SECRET") or None,
        spotify_redirect_uri=env.get("SPOTIPY_REDIRECT_URI") or "http://127.0.0.1:8888/callback",
        spotify_api_url=env.get("SPOTIFY_API_URL") or "https://api.spotify.com/v1/",
        spotify_accounts_url=env.get("SPOTIFY_ACCOUNTS_URL") or "https://accounts.spotify.com",
        spotify_playlists=_split_words(env, "SPOTIFY_PLAYLISTS"),
        spotify_daily_calls=parse_whole_number(env, "SPOTIFY_DAILY_CALLS", 500),
        is_mock_api=env.get("IS_STAND_IN") == "true",
        cluster_count=parse_whole_number(env, "CLUSTER_COUNT", 8, minimum=2),
        cluster_seed=parse_whole_number(env, "CLUSTER_SEED", 1),
        cluster_sample_size=parse_whole_number(env, "CLUSTER_SAMPLE_SIZE", 15_000, minimum=1),
        cluster_refit_fraction=_parse_fraction(env, "CLUSTER_REFIT_SHARE", 0.2),
        cluster_features_from=parse_choice(env, "CLUSTER_FEATURES_FROM", ("all", "files")),
        retention_days=parse_whole_number(env, "KEEP_DAYS", 30, minimum=1),
        simulated_listeners=parse_whole_number(env, "SIMULATED_LISTENERS", 200),
        play_min_ms=parse_whole_number(env, "PLAY_MIN_MS", 30_000),
        session_gap_minutes=parse_whole_number(env, "SESSION_GAP_MINUTES", 30, minimum=1),
    )


def _require_setting(env: Mapping[str, str], name: str) -> str:
    value = env.get(name)
    if not value:
        raise ActionNeededError(
            f"{name} is not set. bin/run and bin/psql set it for the embedded server; "
            "elsewhere set it to a SQLAlchemy URL such as postgresql://user:password@host/database."
        )
    return value


def _split_words(env: Mapping[str, str], name: str) -> tuple[str, ...]:
    return tuple(env.get(name, "").replace(",", " ").split())


def parse_whole_number(
    env: Mapping[str, str], name: str, default: int, minimum: int = 0, maximum: int | None = None
) -> int:
    """Return a setting that is a whole number from ``minimum`` to ``maximum``.

    :raises ActionNeededError: if it is not one.
    """
    text = env.get(name)
    if not text:
        return default
    bounds = f"from {minimum} to {maximum}" if maximum is not None else f"of {minimum} or more"
    try:
        number = int(text)
    except ValueError:
        number = None
    if number is None or number < minimum or (maximum is not None and number > maximum):
        raise ActionNeededError(f"{name} must be a whole number {bounds}, not {text!r}.")
    return number


def parse_choice(env: Mapping[str, str], name: str, choices: tuple[str, ...]) -> str:
    """Return a setting that is one of ``choices``; the first one is the default.

    :raises ActionNeededError: if it is another value.
    """
    chosen = env.get(name) or choices[0]
    if chosen not in choices:
        raise ActionNeededError(f"{name} must be one of {', '.join(choices)}, not {chosen!r}.")
    return chosen


def _parse_fraction(env: Mapping[str, str], name: str, default: float) -> float:
    text = env.get(name)
    if not text:
        return default
    try:
        value = float(text)
    except ValueError:
        raise ActionNeededError(f"{name} must be a number from 0 to 1, not {text!r}.") from None
    if not 0 <= value <= 1:
        raise ActionNeededError(f"{name} must be a number from 0 to 1, not {text!r}.")
    return value
