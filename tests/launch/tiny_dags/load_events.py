"""A small DAG that replaces the load triggered by the refresh."""

import os
import time

from airflow.sdk import DAG, Asset, task


@task(outlets=[Asset("tiny.event")])
def load():
    time.sleep(float(os.environ.get("TINY_LOAD_SECONDS", "0")))


with DAG("load_events", schedule=Asset("tiny.refresh"), catchup=False, max_active_runs=1):
    load()
