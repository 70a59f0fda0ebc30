"""The settings of the providers of audio features; ``settings`` has all others."""

from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urljoin

from etl.errors import ActionNeededError

FEATURE_PROVIDERS = ("spotify", "kaggle", "reccobeats")
"""The providers that the settings may name; ``formats.feature_providers`` describes them."""


@dataclass(frozen=True)
class FeatureSettings:
    """Which providers of audio features are used, best first; docs/settings.md has the meaning of each.

    ``reccobeats_api_url`` is empty if the mock is to answer and does not run.
    """

    providers: tuple[str, ...] = ("spotify", "kaggle")
    reccobeats_api_url: str = "https://api.reccobeats.com/v1/"
    reccobeats_daily_calls: int = 250


def read_feature_settings(env: Mapping[str, str]) -> FeatureSettings:
    """Return the settings in the environment, without the number of calls.

    :raises ActionNeededError: if a value is not valid.
    """
    providers = parse_providers(env, "AUDIO_FEATURE_PROVIDERS")
    return FeatureSettings(providers or FeatureSettings.providers, _resolve_reccobeats_url(env))


def parse_cluster_providers(env: Mapping[str, str]) -> str:
    """Return ``all``, ``files`` (Kaggle alone), or several providers in a fixed order, joined by +.

    :raises ActionNeededError: if CLUSTER_FEATURES_FROM is not valid.
    """
    name = "CLUSTER_FEATURES_FROM"
    if env.get(name, "all") in ("", "all", "files"):
        return env.get(name) or "all"
    chosen = parse_providers(env, name)
    ordered = [provider for provider in FEATURE_PROVIDERS if provider in chosen]
    if len(ordered) == len(FEATURE_PROVIDERS):
        return "all"
    return "files" if ordered == ["kaggle"] else "+".join(ordered)


def parse_providers(env: Mapping[str, str], name: str) -> tuple[str, ...]:
    """Return the providers of audio features that a setting names, in its order.

    :raises ActionNeededError: if one is unknown or named twice.
    """
    providers = tuple(env.get(name, "").replace(",", " ").split())
    unknown = [provider for provider in providers if provider not in FEATURE_PROVIDERS]
    if unknown:
        raise ActionNeededError(f"{name} must name some of {', '.join(FEATURE_PROVIDERS)}, not {unknown[0]!r}.")
    if len(set(providers)) < len(providers):
        raise ActionNeededError(f"{name} names a provider twice: {', '.join(providers)}.")
    return providers


def _resolve_reccobeats_url(env: Mapping[str, str]) -> str:
    default = FeatureSettings.reccobeats_api_url
    url = env.get("RECCOBEATS_API_URL") or default
    is_mock_running = env.get("IS_STAND_IN") == "true"
    if url == "mock" and (is_mock_running or not env.get("SPOTIPY_CLIENT_ID")):
        # The server of the mock Spotify API answers, once it runs.
        return urljoin(env.get("SPOTIFY_API_URL", ""), "/reccobeats/v1/") if is_mock_running else ""
    if not url.startswith(("http://", "https://")):
        raise ActionNeededError(
            f"RECCOBEATS_API_URL must be an address such as {default}, not {url!r}; mock is possible while the mock "
            "Spotify API is used."
        )
    return url.rstrip("/") + "/"
