"""The tasks that call the Spotify API, and services for audio features, at the beginning of ``nightly_refresh``.

An account that fails does not affect the others. A fetch without news is skipped, so that its asset is not updated.
Tasks import their jobs when they run.
"""

from datetime import timedelta
from typing import Any

from airflow.sdk import task
from airflow.sdk.exceptions import AirflowSkipException

from dags.common.assets import API_INPUTS, FEATURE_INPUTS
from dags.common.pools import get_spotify_pool
from dags.common.run_context import get_fetch_date, get_run_id, is_last_try

_SPOTIFY_TASK_ARGS: dict[str, Any] = {
    "pool": get_spotify_pool() or "default_pool",
    "execution_timeout": timedelta(hours=3),
    "outlets": [API_INPUTS],
}


@task
def choose_accounts(**context: Any) -> list[str]:
    """Return the names of the accounts to fetch."""
    from dags.common.spotify_settings import load_spotify_settings
    from etl.jobs import spotify

    return spotify.choose_accounts(get_fetch_date(context), load_spotify_settings())


@task(map_index_template="{{ task.op_kwargs.name }}", **_SPOTIFY_TASK_ARGS)
def fetch_account(name: str, **context: Any) -> dict[str, Any]:
    """Fetch an account into the lake, and return counts."""
    from dags.common.spotify_settings import load_spotify_settings
    from etl.jobs import spotify

    summary = spotify.fetch_account(name, get_run_id(context), load_spotify_settings(), is_last_try(context))
    if not summary["has_news"]:
        raise AirflowSkipException(f"The fetch of {name} brought nothing new.")
    return summary


@task(trigger_rule="all_done", **_SPOTIFY_TASK_ARGS)
def fetch_catalogue(**context: Any) -> dict[str, Any]:
    """Fetch audio features and the stalest tracks and artists into the lake, also after failed accounts."""
    from dags.common.spotify_settings import load_spotify_settings
    from etl.jobs import spotify

    summary = spotify.fetch_catalogue(
        get_run_id(context), get_fetch_date(context), load_spotify_settings(), is_last_try(context)
    )
    if not summary:
        raise AirflowSkipException("The catalogue was not fetched: no app is set up, or the run is for an earlier day.")
    if not summary["has_news"]:
        raise AirflowSkipException("The fetch of the catalogue brought nothing new.")
    return summary


@task(trigger_rule="all_done", execution_timeout=timedelta(hours=3), outlets=[FEATURE_INPUTS])
def fetch_audio_features(**context: Any) -> dict[str, Any]:
    """Ask ReccoBeats for audio features, if the settings name it, also after failed fetches from Spotify."""
    from etl.jobs import audio_features
    from etl.settings import read_settings

    settings, fetch_date = read_settings(), get_fetch_date(context)
    reason = audio_features.explain_skip(fetch_date, settings)
    if reason:
        raise AirflowSkipException(reason)
    summary = audio_features.fetch_audio_features(get_run_id(context), fetch_date, settings, is_last_try(context))
    if not summary["has_news"]:
        raise AirflowSkipException(audio_features.explain_no_news(summary, settings))
    return summary


def build_fetch_tasks() -> Any:
    """Wire the tasks.

    :returns: the last one; the tasks after it run even if it fails.
    """
    catalogue, audio_features = fetch_catalogue(), fetch_audio_features()
    fetch_account.expand(name=choose_accounts()) >> catalogue >> audio_features
    return audio_features
