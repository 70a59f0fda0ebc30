"""
### Nightly refresh
Asks the Spotify API what is new, then publishes what the lake holds and the warehouse does not yet know: Spotify's
answers and new Kaggle files.

| step | what it does |
| --- | --- |
| `choose_accounts` | names the accounts that signed in; none where the run stands for an earlier day |
| `fetch_account` | a task for each: playlists that changed, saved tracks and followed artists, into the lake |
| `fetch_catalogue` | audio features where the app may, and the tracks and artists that were asked longest ago |
| `plan_refresh` | compares the lake with `audit.run`; where nothing is new the next three steps are skipped |
| `transform_catalogue` | reads the files, keeps refused rows with their reason, reconciles tracks, scores newness |
| `fit_clusters` | fits audio clusters where there are none or the catalogue has changed enough |
| `load_catalogue` | stages, checks and publishes in one transaction: readers see the old state or the new one |
| `announce_events` | lets `load_events` start where the lake has answers that it has not read, also in a quiet night |
| `write_report` | says in its log what this run changed, refused and took, however the steps before it ended |
| `outcome` | fails where the load failed: the run's state is this step's, never the report's |

A fetch that brings nothing new is skipped. An account that fails stays red and harms nothing else: the steps after it
go on with what there is, and the run is a success where the load was published. A used-up quota is no failure: what was
fetched is loaded, and the next run goes on from there. Where Spotify asks for a pause, the task comes again after it;
after one of more than an hour the next run goes on.
Tasks that ask Spotify share a pool of one slot for each client id. The past is never asked again: a run for an earlier
day takes what that night received.

**When it fails**, the last line of the failed task's log says what happened and what to do: for an account that must
sign in again, `bin/sign-in` and its name. A failed check has published nothing; its query stands in `sql/check`.

**Running it again** is always safe, also twice at once: the same inputs give the same rows and keys, and what a fetch
of this run has received is not asked again.
"""

import os
from datetime import timedelta

import pendulum
from airflow.sdk import DAG, CronDataIntervalTimetable, Param

from dags.common.defaults import build_default_args, render_doc_page
from dags.common.fetch_tasks import build_fetch_tasks
from dags.common.refresh_tasks import build_refresh_tasks

with DAG(
    dag_id="nightly_refresh",
    description="Ask Spotify what is new, then publish what the warehouse does not yet know",
    schedule=CronDataIntervalTimetable(
        os.environ.get("REFRESH_CRON") or "0 3 * * *", timezone=os.environ.get("REFRESH_TIMEZONE") or "UTC"
    ),
    start_date=pendulum.datetime(2026, 1, 1, tz="UTC"),
    catchup=False,
    max_active_runs=1,
    dagrun_timeout=timedelta(hours=6),
    default_args=build_default_args(),
    doc_md=render_doc_page(__doc__),
    tags=["refresh", "catalogue", "spotify"],
    params={
        "from_nothing": Param(
            False,
            type="boolean",
            title="From nothing",
            description="Work through every current input again, also where nothing is new. "
            "Rows that are equal already are not written.",
        ),
    },
):
    build_fetch_tasks() >> build_refresh_tasks()
