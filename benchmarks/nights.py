"""A refresh without new data beside five empty Airflow tasks plus a Spark session, which the refresh does not start.

    python -m benchmarks.nights --folder FOLDER [--rounds N]

All runs are in one real Airflow. The first imports and publishes the files of FOLDER; then a refresh and a DAG of as
many empty tasks take turns, each timed from trigger to end through the REST API. A Spark session is started and stopped
by itself, once. No account is signed in, so no API is called.
"""

import argparse
import os
import shutil
import tempfile
import time
from importlib.metadata import version
from pathlib import Path
from statistics import median

from benchmarks._running_product import RunningProduct
from etl.engines.spark import open_session
from etl.settings import CHECKOUT, read_settings
from launch.airflow_api import AirflowApi

_EMPTY_DAG = '''
"""Tasks that do nothing."""
from airflow.sdk import DAG, task

@task
def nothing():
    pass

with DAG(dag_id="empty_tasks", schedule=None, catchup=False):
    last = None
    for _ in range({count}):
        this = nothing()
        if last is not None:
            last >> this
        last = this
'''
_GOAL_RATIO = 1.5


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--folder", type=Path, default=CHECKOUT.parent / "shared" / "data" / "kaggle")
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        state, dags = Path(name) / "state", Path(name) / "dags"
        state.mkdir()
        _write_dags(dags, count=5)
        with RunningProduct(state, options.folder, AIRFLOW__CORE__DAGS_FOLDER=str(dags)) as product:
            product.wait_until_published()
            _wait_for_dag(product.api, "empty_tasks")
            pairs = [
                (product.time_dag_run("nightly_refresh", {}), product.time_dag_run("empty_tasks", {}))
                for _ in range(options.rounds)
            ]
        spark = _time_spark_session(state)
    refresh_seconds, empty_seconds = (median(seconds) for seconds in zip(*pairs, strict=True))
    print(f"{options.rounds} rounds, medians; Airflow {version('apache-airflow')}, pyspark {version('pyspark')}")
    print(f"refresh without new data, which starts no Spark session, {refresh_seconds:.1f} s", end=" | ")
    print(f"5 empty tasks {empty_seconds:.1f} s, ratio {refresh_seconds / empty_seconds:.2f}", end=" | ")
    print(
        f"+ Spark session {spark:.1f} s, ratio {refresh_seconds / (empty_seconds + spark):.2f}"
        f" (goal: at most {_GOAL_RATIO})"
    )


def _write_dags(folder: Path, count: int) -> None:
    """Write the product's DAGs and the empty one; they import shared modules from the checkout."""
    shutil.copytree(CHECKOUT / "dags", folder, ignore=shutil.ignore_patterns("__pycache__", "__init__.py"))
    (folder / "empty_tasks.py").write_text(_EMPTY_DAG.replace("{count}", str(count)))


def _wait_for_dag(api: AirflowApi, dag_id: str) -> None:
    deadline = time.monotonic() + 120
    while api.get_dag(dag_id) is None:
        if time.monotonic() > deadline:
            raise TimeoutError(f"Airflow does not know {dag_id}: {api.list_import_errors()}")
        time.sleep(1)


def _time_spark_session(state: Path) -> float:
    spark_settings = read_settings(
        {**os.environ, "STATE_DIR": str(state), "WAREHOUSE_URL": "postgresql://unused@127.0.0.1/none"}
    )
    started = time.monotonic()
    with open_session(spark_settings, "empty") as spark:
        spark.range(1).count()
    return time.monotonic() - started


if __name__ == "__main__":
    main()
