"""
### Recently played
Asks Spotify what each account that signed in has played lately: one call each, every 30 minutes
(`RECENTLY_PLAYED_CRON`). New plays go into the lake, and `load_events` starts by itself.

| step | what it does |
| --- | --- |
| `choose_accounts` | names the accounts that signed in; where there are none the run ends here |
| `fetch_plays` | a task for each: the last 50 plays, into the lake where one of them is new |

Spotify shows the last 50 plays and no more. Where a full page does not reach back to what is known, plays may be
missing: `audit.gap` says from when to when, and an account export that reaches over that time closes the gap
(`account_import`). A look is one task in a pool of its own: neither the nightly refresh holds it back, nor it the
refresh.

**When it fails**, the last line of the failed task's log says what to do; the other accounts go on. A used-up quota is
no failure: the next look comes by itself.

**Running it again** is always safe: what a look has received is not asked again, and a play that is there is a
duplicate.
"""

import os
from datetime import timedelta
from typing import Any

import pendulum
from airflow.sdk import DAG, CronTriggerTimetable, task
from airflow.sdk.exceptions import AirflowSkipException

from dags.common.defaults import RECENTLY_PLAYED_INPUTS, build_default_args, render_doc_page
from dags.common.pools import get_recently_played_pool
from dags.common.run_context import get_fetch_date, get_run_id, is_last_try


@task
def choose_accounts(**context: Any) -> list[str]:
    """Names of the accounts to ask."""
    from dags.common.spotify_settings import load_spotify_settings
    from etl.jobs import spotify

    names = spotify.choose_accounts(get_fetch_date(context), load_spotify_settings())
    if not names:
        raise AirflowSkipException("Nobody has signed in, or the run stands for an earlier day: nobody is asked.")
    return names


@task(
    map_index_template="{{ task.op_kwargs.name }}",
    pool=get_recently_played_pool() or "default_pool",
    execution_timeout=timedelta(minutes=10),
    outlets=[RECENTLY_PLAYED_INPUTS],
)
def fetch_plays(name: str, **context: Any) -> dict[str, Any]:
    """How the look went: counts only; what was received lies in the lake."""
    from dags.common.spotify_settings import load_spotify_settings
    from etl.jobs import recently_played

    summary = recently_played.fetch_plays(name, get_run_id(context), load_spotify_settings(), is_last_try(context))
    if not summary["plays"]:
        raise AirflowSkipException(f"{name} has played nothing new, or could not be asked now.")
    return summary


with DAG(
    dag_id="recently_played",
    description="Ask Spotify what the accounts have played lately",
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
