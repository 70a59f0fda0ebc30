"""
### Nightly refresh
Fetches what is new from the Spotify API, then publishes all inputs in the lake that are not in the warehouse yet: API
responses and Kaggle files.

| step | what it does |
| --- | --- |
| `choose_accounts` | lists the accounts that have signed in; none if the run is for an earlier day |
| `fetch_account` | one task for each account: changed playlists, saved tracks and followed artists |
| `fetch_catalogue` | Spotify's audio features, if permitted; tracks and artists with the oldest data |
| `fetch_audio_features` | asks ReccoBeats for audio features, if `AUDIO_FEATURE_PROVIDERS` names it; else skipped |
| `plan_refresh` | compares the lake with `audit.run`; without news, the next three steps are skipped |
| `transform_catalogue` | reads new inputs, rejects invalid rows, matches the tracks that they touch, scores newness |
| `fit_clusters` | fits the audio clusters if there are none or the catalogue has changed enough |
| `load_catalogue` | stages, checks and publishes in one transaction: readers see the old or the new state |
| `announce_events` | starts `load_events` if the lake has responses whose events are not loaded |
| `write_report` | logs what the run changed and rejected, and how long it took |
| `outcome` | has the state of the run: it fails if the load has failed |

A fetch without news is skipped. An account that fails does not affect the others: the run continues, and succeeds if
the load was published. An exhausted quota is not a failure: the fetched data is loaded, and the next run continues. If
Spotify asks for a pause, the task is retried after it; after a pause of more than an hour, the next run continues. All
tasks that call Spotify share a pool with one slot for each client id. The past is not fetched again: a run for an
earlier day uses what was received on that day.

**If it fails**: the last line of the failed task's log says what happened and what to do. If an account must sign in
again, run `bin/sign-in` with its name. A failed check has published nothing; its query is in `sql/check`.

**Is a rerun safe?** Yes, also several at once: the same inputs give the same rows and keys, and responses that this run
has already received are not fetched again.
"""

import os
from datetime import timedelta

import pendulum
from airflow.sdk import DAG, CronDataIntervalTimetable, Param

from dags.common.fetch_tasks import build_fetch_tasks
from dags.common.params import render_doc_page
from dags.common.refresh_tasks import build_refresh_tasks
from dags.common.retries import build_default_args

with DAG(
    dag_id="nightly_refresh",
    description="Fetch what is new from Spotify, then publish all new inputs",
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
        "full_refresh": Param(
            False,
            type="boolean",
            title="Full refresh",
            description="Reconcile all rows of the current inputs, also if nothing is new; otherwise those that news"
            " touch. Only rows that change are written.",
        ),
    },
):
    build_fetch_tasks() >> build_refresh_tasks()
