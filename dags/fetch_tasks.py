"""The steps that ask the Spotify API, at the head of the nightly refresh.

An account that fails stays failed, and the rest goes on; a fetch that brought nothing new is skipped, so that nobody is
told of news in the lake. Jobs are imported where they run.
"""

from datetime import timedelta
from typing import Any

from airflow.sdk import task
from airflow.sdk.exceptions import AirflowSkipException

from dags.defaults import API_INPUTS
from dags.pools import spotify_pool
from dags.runs import asking_date_of, is_last_try_of, run_id_of

_ASKS_SPOTIFY: dict[str, Any] = {
    "pool": spotify_pool() or "default_pool",
    "execution_timeout": timedelta(hours=3),
    "outlets": [API_INPUTS],
}


@task
def choose_accounts(**context: Any) -> list[str]:
    """Names of the accounts to ask tonight."""
    from dags.spotify_settings import spotify_settings
    from etl.jobs import spotify

    return spotify.choose_accounts(asking_date_of(context), spotify_settings())


@task(map_index_template="{{ task.op_kwargs.name }}", **_ASKS_SPOTIFY)
def fetch_account(name: str, **context: Any) -> dict[str, Any]:
    """How the fetch of the account went: counts only; what was received lies in the lake."""
    from dags.spotify_settings import spotify_settings
    from etl.jobs import spotify

    summary = spotify.fetch_account(name, run_id_of(context), spotify_settings(), is_last_try_of(context))
    if not summary["has_news"]:
        raise AirflowSkipException(f"{name} was asked, and nothing new came of it.")
    return summary


@task(trigger_rule="all_done", **_ASKS_SPOTIFY)
def fetch_catalogue(**context: Any) -> dict[str, Any]:
    """How the fetch of audio features and of the stalest tracks and artists went; whatever became of the accounts."""
    from dags.spotify_settings import spotify_settings
    from etl.jobs import spotify

    summary = spotify.fetch_catalogue(
        run_id_of(context), asking_date_of(context), spotify_settings(), is_last_try_of(context)
    )
    if not summary:
        raise AirflowSkipException("Spotify was not asked about the catalogue.")
    if not summary["has_news"]:
        raise AirflowSkipException("Spotify was asked about the catalogue, and nothing new came of it.")
    return summary


def fetch_tasks() -> Any:
    """Wire the steps.

    :returns: the last one; what follows it runs however it ends.
    """
    catalogue = fetch_catalogue()
    fetch_account.expand(name=choose_accounts()) >> catalogue
    return catalogue
