"""Providers of audio features: the settings that name them, and the sources that count."""

from datetime import date

import pytest

from etl.errors import ActionNeededError
from etl.feature_settings import FEATURE_PROVIDERS, FeatureSettings
from etl.formats.feature_providers import (
    DEFAULT_FEATURE_SOURCES,
    MOCK_SOURCES,
    PROVIDERS,
    SERVICES,
    list_cluster_exclusions,
    list_feature_sources,
)
from etl.formats.kaggle.file_formats import SOURCE_RANK
from etl.jobs import audio_features
from etl.settings import Settings, read_settings


def read(**environ: str) -> Settings:
    return read_settings({"WAREHOUSE_URL": "postgresql://nobody@127.0.0.1:1/none", **environ})


def test_without_a_setting_no_service_is_asked_and_the_order_is_that_of_all_sources() -> None:
    settings = read()
    assert settings.features == FeatureSettings() and not set(settings.features.providers) & set(SERVICES)
    order = [source for source in SOURCE_RANK if source in DEFAULT_FEATURE_SOURCES]
    assert list(DEFAULT_FEATURE_SOURCES) == order and set(SOURCE_RANK) - set(order) == {"artists_1921_2020"}
    assert PROVIDERS.keys() == set(FEATURE_PROVIDERS)


def test_the_order_of_the_setting_is_the_order_of_the_sources() -> None:
    settings = read(AUDIO_FEATURE_PROVIDERS="reccobeats, spotify kaggle", RECCOBEATS_DAILY_CALLS="7")
    assert settings.features.providers == ("reccobeats", "spotify", "kaggle")
    assert settings.features.reccobeats_daily_calls == 7
    sources = list_feature_sources(settings.features.providers)
    assert sources[:2] == ("reccobeats", "api") and set(sources[-2:]) == set(MOCK_SOURCES)
    assert list_feature_sources(("kaggle",)) == PROVIDERS["kaggle"].sources


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("AUDIO_FEATURE_PROVIDERS", "spotify deezer", "must name some of spotify, kaggle, reccobeats, not 'deezer'"),
        ("AUDIO_FEATURE_PROVIDERS", "kaggle,kaggle", "names a provider twice"),
        ("CLUSTER_FEATURES_FROM", "nowhere", "must name some of spotify, kaggle, reccobeats, not 'nowhere'"),
        ("RECCOBEATS_DAILY_CALLS", "-1", "must be a whole number of 0 or more"),
        ("RECCOBEATS_API_URL", "mock", "must be an address such as https://api.reccobeats.com/v1/, not 'mock'"),
    ],
)
def test_a_wrong_setting_says_what_is_right(name: str, value: str, message: str) -> None:
    with pytest.raises(ActionNeededError, match=message):
        read(SPOTIPY_CLIENT_ID="an app", **{name: value})


@pytest.mark.parametrize(
    ("value", "chosen", "excluded"),
    [
        ("", "all", set()),
        ("all", "all", set()),
        ("reccobeats,kaggle,spotify", "all", set()),
        ("files", "files", {"api", "mock_api", "reccobeats", "mock_reccobeats"}),
        ("kaggle", "files", {"api", "mock_api", "reccobeats", "mock_reccobeats"}),
        ("reccobeats kaggle", "kaggle+reccobeats", {"api", "mock_api"}),
        ("spotify", "spotify", {*PROVIDERS["kaggle"].sources, "reccobeats", "mock_reccobeats"}),
    ],
)
def test_clusters_leave_providers_out(value: str, chosen: str, excluded: set[str]) -> None:
    settings = read(CLUSTER_FEATURES_FROM=value)
    assert settings.cluster_features_from == chosen
    assert set(list_cluster_exclusions(settings.cluster_features_from)) == excluded


def test_the_mock_is_named_by_one_word() -> None:
    mock = {"IS_STAND_IN": "true", "SPOTIFY_API_URL": "http://127.0.0.1:9/v1/", "SPOTIPY_CLIENT_ID": "stand-in"}
    settings = read(RECCOBEATS_API_URL="mock", **mock)
    assert settings.is_mock_reccobeats
    assert settings.features.reccobeats_api_url == "http://127.0.0.1:9/reccobeats/v1/"
    before_it_runs = read(RECCOBEATS_API_URL="mock", AUDIO_FEATURE_PROVIDERS="reccobeats")
    assert "no mock Spotify API" in (audio_features.explain_skip(date.max, before_it_runs) or "")


def test_nothing_is_asked_without_the_setting_or_for_the_past() -> None:
    assert "does not name reccobeats" in (audio_features.explain_skip(date.max, read()) or "")
    enabled = read(AUDIO_FEATURE_PROVIDERS="reccobeats")
    assert "in the past" in (audio_features.explain_skip(date(2020, 1, 1), enabled) or "")
    assert audio_features.explain_skip(date.max, enabled) is None


@pytest.mark.parametrize(
    ("environ", "is_mock"),
    [
        ({}, False),
        ({"IS_STAND_IN": "true", "SPOTIFY_API_URL": "http://127.0.0.1:9/v1/"}, False),
        (
            {
                "IS_STAND_IN": "true",
                "SPOTIFY_API_URL": "http://127.0.0.1:9/v1/",
                "RECCOBEATS_API_URL": "http://127.0.0.1:9/reccobeats/v1",
            },
            True,
        ),
    ],
)
def test_the_mock_answers_where_its_address_is_set(environ: dict[str, str], is_mock: bool) -> None:
    settings = read(**environ)
    assert settings.is_mock_reccobeats is is_mock and settings.features.reccobeats_api_url.endswith("/v1/")
