"""Providers of audio features: their names in the settings, and the sources of rows that each of them fills.

Every provider is described here, however its features arrive: in files, in responses of the Spotify API, or in
responses of a service that is asked for them (``extract.audio_features``).
"""

from collections.abc import Iterable
from dataclasses import dataclass

from etl.feature_settings import FeatureSettings
from etl.formats.contracts import MOCK_SOURCE
from etl.formats.kaggle.file_formats import FORMATS

ORIGIN = "audio_features"
"""The lake's folder of responses of services that are asked for audio features alone."""

FORMAT_SUFFIX = "_responses"
"""The format of an input is the source of its features with this suffix."""

RECCOBEATS, MOCK_RECCOBEATS = "reccobeats", "mock_reccobeats"


@dataclass(frozen=True)
class FeatureProvider:
    """A provider, by its name in the settings.

    ``sources`` are the sources of its features, best first: the values of ``audio_features_source``. ``mock_source`` is
    the source of synthetic ones, in the responses of the mock server.
    """

    name: str
    sources: tuple[str, ...]
    mock_source: str | None = None


PROVIDERS = {
    provider.name: provider
    for provider in (
        FeatureProvider("spotify", ("api",), MOCK_SOURCE),
        FeatureProvider(
            "kaggle", tuple(dict.fromkeys(known.source for known in FORMATS.values() if known.kind == "track"))
        ),
        FeatureProvider("reccobeats", (RECCOBEATS,), MOCK_RECCOBEATS),
    )
}
"""All providers by name."""

SERVICES = ("reccobeats",)
"""The providers that are asked for audio features alone; the others' features come with their catalogue."""

MOCK_SOURCES = tuple(provider.mock_source for provider in PROVIDERS.values() if provider.mock_source)
"""The sources of synthetic features; they never count for a track that another source reports."""


def list_feature_sources(provider_names: Iterable[str]) -> tuple[str, ...]:
    """Return the sources of some providers in their order, best first; sources of mock servers come last."""
    providers = [PROVIDERS[name] for name in provider_names]
    mock_sources = (provider.mock_source for provider in providers if provider.mock_source)
    return (*(source for provider in providers for source in provider.sources), *mock_sources)


def list_cluster_exclusions(features_from: str) -> tuple[str, ...]:
    """Return the sources whose features the clusters leave out.

    :param features_from: the setting ``cluster_features_from``: all, files, or names of providers joined by +.
    """
    if features_from == "all":
        return ()
    chosen = ["kaggle"] if features_from == "files" else features_from.split("+")
    return list_feature_sources(name for name in PROVIDERS if name not in chosen)


DEFAULT_FEATURE_SOURCES = list_feature_sources(FeatureSettings().providers)
"""The sources of the providers that are used without a setting."""
