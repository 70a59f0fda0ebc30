"""
### Recently played
Fetches the recent plays of each account that has signed in, with one call each, every 30 minutes
(`RECENTLY_PLAYED_CRON`). New plays are stored in the lake, and `load_events` starts by itself.

| step | what it does |
| --- | --- |
| `choose_accounts` | lists the accounts that have signed in; without any, the run ends here |
| `fetch_plays` | one task for each account: the last 50 plays, stored if one of them is new |

Spotify returns only the last 50 plays. If all 50 are new, plays between two fetches may be missing: `audit.gap` has the
interval, and an account export that covers it closes the gap (`account_import`). The tasks have a pool of their own, so
that they and the nightly refresh do not delay each other.

**If it fails**: the last line of the failed task's log says what to do; the other accounts continue. An exhausted quota
is not a failure: the next run fetches again.

**Is a rerun safe?** Yes. Received responses are not fetched again, and a play that is already loaded is a duplicate.
"""

import os
from datetime import timedelta
from typing import Any

import pendulum
from airflow.sdk import DAG, CronTriggerTimetable, task
from airflow.sdk.exceptions import AirflowSkipException

from dags.common.assets import RECENTLY_PLAYED_INPUTS
from dags.common.params import render_doc_page
from dags.common.pools import get_recently_played_pool
from dags.common.retries import build_default_args
from dags.common.run_context import get_fetch_date, get_run_id, is_last_try


@task
def choose_accounts(**context: Any) -> list[str]:
    """Return the names of the accounts to fetch."""
    from dags.common.spotify_settings import load_spotify_settings
    from etl.jobs import spotify

    names = spotify.choose_accounts(get_fetch_date(context), load_spotify_settings())
    if not names:
        raise AirflowSkipException("No account has signed in, or the run is for an earlier day: nothing is fetched.")
    return names


@task(
    map_index_template="{{ task.op_kwargs.name }}",
    pool=get_recently_played_pool() or "default_pool",
    execution_timeout=timedelta(minutes=10),
    outlets=[RECENTLY_PLAYED_INPUTS],
)
def fetch_plays(name: str, **context: Any) -> dict[str, Any]:
    """Fetch the recent plays of an account into the lake, and return counts."""
    from dags.common.spotify_settings import load_spotify_settings
    from etl.jobs import recently_played

    summary = recently_played.fetch_plays(name, get_run_id(context), load_spotify_settings(), is_last_try(context))
    if not summary["plays"]:
        raise AirflowSkipException(f"{name} has no new plays, or could not be fetched now.")
    return summary


with DAG(
    dag_id="recently_played",
    description="Fetch the recent plays of the accounts from Spotify",
    schedule=CronTriggerTimetable(os.environ.get("RECENTLY_PLAYED_CRON") or "*/30 * * * *", timezone="UTC"),
    start_date=pendulum.datetime(2026, 1, 1, tz="UTC"),
    catchup=False,
    max_active_runs=1,
    dagrun_timeout=timedelta(hours=2),
    default_args=build_default_args(),
    doc_md=render_doc_page(__doc__),
    tags=["spotify", "events"],
):
    fetch_plays.expand(name=choose_accounts())
