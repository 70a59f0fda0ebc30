"""
### Find anomalies
Looks for users who may behave anomalously, such as bots and shared accounts, in the marts of the days since the last
run, every night. What it finds is in `mart.anomaly`, which operators may read, and in the queue of findings if Kafka or
`ANOMALY_QUEUE_CONNECTION_STRING` is set. A finding is a suggestion to look at a user: nothing is blocked.
`docs/anomalies.md` explains the rules and scores. The rules for single hours run in the live query instead.

**If it fails**: nothing is stored. The last line of the failed task's log says what to do.

**Is a rerun safe?** Yes. The same days give the same findings; those that no longer hold are removed.
"""

import os
from datetime import date, timedelta
from typing import Any

import pendulum
from airflow.sdk import DAG, CronTriggerTimetable, Param, task

from dags.common.assets import MART_TABLES
from dags.common.params import render_doc_page
from dags.common.retries import build_default_args
from dags.common.run_context import get_reference_date, get_run_id


@task(inlets=[MART_TABLES])
def find_anomalies(**context: Any) -> dict[str, int]:
    """Return the number of new or changed findings, by rule."""
    from etl.jobs import anomalies
    from etl.settings import read_settings

    since = context["params"].get("since")
    first_day = date.fromisoformat(since) if since else None
    return anomalies.find_anomalies(get_run_id(context), get_reference_date(context), first_day, read_settings())


with DAG(
    dag_id="find_anomalies",
    description="Find users who may behave anomalously",
    schedule=CronTriggerTimetable("0 6 * * *", timezone=os.environ.get("REFRESH_TIMEZONE") or "UTC"),
    start_date=pendulum.datetime(2026, 1, 1, tz="UTC"),
    catchup=False,
    max_active_runs=1,
    dagrun_timeout=timedelta(hours=6),
    default_args=build_default_args(),
    doc_md=render_doc_page(__doc__),
    tags=["anomalies", "marts"],
    params={
        "since": Param(
            None,
            type=["null", "string"],
            format="date",
            title="Since",
            description="The first day to look at. Empty: three days before the last run.",
        )
    },
):
    find_anomalies()
