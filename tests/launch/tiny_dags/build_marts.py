"""A small DAG that replaces the one triggered by the load; it fails if the environment requests it."""

import os

from airflow.sdk import DAG, Asset, task

from etl.errors import ActionNeededError


@task
def build():
    if os.environ.get("TINY_MARTS") == "fail":
        raise ActionNeededError("The marts cannot be built.")


with DAG("build_marts", schedule=Asset("tiny.event"), catchup=False, max_active_runs=1):
    build()
