"""A small DAG that replaces the refresh: one long task, with a child in a separate session (like a JVM)."""

import os
import subprocess
import time

import pendulum
from airflow.sdk import DAG, Asset, CronDataIntervalTimetable, task


@task(outlets=[Asset("tiny.refresh")])
def work():
    seconds = float(os.environ.get("TINY_SECONDS", "0"))
    if seconds:
        subprocess.Popen(["sleep", "10000"], start_new_session=True)
    time.sleep(seconds)


with DAG(
    "nightly_refresh",
    schedule=CronDataIntervalTimetable("0 3 * * *", timezone="UTC"),
    start_date=pendulum.datetime(2026, 1, 1, tz="UTC"),
    catchup=False,
    max_active_runs=1,
):
    work()
