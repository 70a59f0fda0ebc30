"""The steps that ask the Spotify API, at the head of the nightly refresh.

An account that fails stays failed, and the rest goes on; a fetch that brought nothing new is skipped, so that nobody is
told of news in the lake. Jobs are imported where they run.
"""

from datetime import timedelta
from typing import Any

from airflow.sdk import task
from airflow.sdk.exceptions import AirflowSkipException

from dags.common.defaults import API_INPUTS
from dags.common.pools import get_spotify_pool
from dags.common.run_context import get_fetch_date, get_run_id, is_last_try

_SPOTIFY_TASK_ARGS: dict[str, Any] = {
    "pool": get_spotify_pool() or "default_pool",
    "execution_timeout": timedelta(hours=3),
    "outlets": [API_INPUTS],
}


@task
def choose_accounts(**context: Any) -> list[str]:
    """Names of the accounts to ask tonight."""
    from dags.common.spotify_settings import load_spotify_settings
    from etl.jobs import spotify

    return spotify.choose_accounts(get_fetch_date(context), load_spotify_settings())


@task(map_index_template="{{ task.op_kwargs.name }}", **_SPOTIFY_TASK_ARGS)
def fetch_account(name: str, **context: Any) -> dict[str, Any]:
    """How the fetch of the account went: counts only; what was received lies in the lake."""
    from dags.common.spotify_settings import load_spotify_settings
    from etl.jobs import spotify

    summary = spotify.fetch_account(name, get_run_id(context), load_spotify_settings(), is_last_try(context))
    if not summary["has_news"]:
        raise AirflowSkipException(f"{name} was asked, and nothing new came of it.")
    return summary


@task(trigger_rule="all_done", **_SPOTIFY_TASK_ARGS)
def fetch_catalogue(**context: Any) -> dict[str, Any]:
    """How the fetch of audio features and of the stalest tracks and artists went; whatever became of the accounts."""
    from dags.common.spotify_settings import load_spotify_settings
    from etl.jobs import spotify

    summary = spotify.fetch_catalogue(
        get_run_id(context), get_fetch_date(context), load_spotify_settings(), is_last_try(context)
    )
    if not summary:
        raise AirflowSkipException("Spotify was not asked about the catalogue.")
    if not summary["has_news"]:
        raise AirflowSkipException("Spotify was asked about the catalogue, and nothing new came of it.")
    return summary


def build_fetch_tasks() -> Any:
    """Wire the steps.

    :returns: the last one; what follows it runs however it ends.
    """
    catalogue = fetch_catalogue()
    fetch_account.expand(name=choose_accounts()) >> catalogue
    return catalogue
