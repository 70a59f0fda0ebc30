"""
### Nightly refresh
Publishes what the lake holds and the warehouse does not yet know: new Kaggle files today, the Spotify API's
answers later.

| step | what it does |
| --- | --- |
| `plan_refresh` | compares the lake with `audit.run`; where nothing is new the steps below are skipped |
| `transform_catalogue` | reads the files, keeps refused rows with their reason, reconciles tracks, scores newness |
| `fit_clusters` | fits audio clusters where there are none or the catalogue has changed enough |
| `load_catalogue` | stages, checks and publishes in one transaction: readers see the old state or the new one |
| `write_report` | says in its log what this run changed, refused and took |

**When it fails**, the last line of the failed task's log says what happened and what to do. A failed check has
published nothing; its query stands in `sql/check`.

**Running it again** is always safe, also twice at once: the same inputs give the same rows and keys.
"""

import os
from datetime import timedelta

import pendulum
from airflow.sdk import DAG, CronDataIntervalTimetable, Param

from dags.defaults import default_args
from dags.refresh_tasks import refresh_tasks

with DAG(
    dag_id="nightly_refresh",
    description="Publish what the lake holds and the warehouse does not yet know",
    schedule=CronDataIntervalTimetable(
        os.environ.get("REFRESH_CRON") or "0 3 * * *", timezone=os.environ.get("REFRESH_TIMEZONE") or "UTC"
    ),
    start_date=pendulum.datetime(2026, 1, 1, tz="UTC"),
    catchup=False,
    max_active_runs=1,
    dagrun_timeout=timedelta(hours=6),
    default_args=default_args(),
    doc_md=__doc__,
    tags=["refresh", "catalogue"],
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
    refresh_tasks()
