"""A refresh without new data beside as many empty Airflow tasks.

    python -m benchmarks.nights --folder FOLDER [--rounds N]

All runs are in one real Airflow. The first imports and publishes the files of FOLDER; then a refresh and a DAG of as
many empty tasks take turns in alternating order, each timed from trigger to end through the REST API. No account is
signed in, so no API is called.
"""

import argparse
import shutil
import tempfile
import time
from importlib.metadata import version
from pathlib import Path

from benchmarks._rounds import compare_times, measure_rounds
from benchmarks._running_product import RunningProduct
from etl.settings import CHECKOUT
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
_TASK_COUNT = 5


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--folder", type=Path, default=CHECKOUT.parent / "shared" / "data" / "kaggle")
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        state, dags = Path(name) / "state", Path(name) / "dags"
        state.mkdir()
        _write_dags(dags, _TASK_COUNT)
        with RunningProduct(state, options.folder, AIRFLOW__CORE__DAGS_FOLDER=str(dags)) as product:
            product.wait_until_published()
            _wait_for_dag(product.api, "empty_tasks")
            times = measure_rounds(
                {
                    "refresh": lambda: product.time_dag_run("nightly_refresh", {}),
                    "empty": lambda: product.time_dag_run("empty_tasks", {}),
                },
                options.rounds,
            )
    refresh, empty = times["refresh"], times["empty"]
    print(
        f"{options.rounds} rounds, Airflow {version('apache-airflow')}: refresh without new data {refresh},"
        f" {_TASK_COUNT} empty tasks {empty}, refresh / empty {refresh.median / empty.median:.2f}"
        f" goal <= {_GOAL_RATIO}; {compare_times(refresh, empty)}"
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


if __name__ == "__main__":
    main()
