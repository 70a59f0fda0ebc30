"""Every DAG parses and keeps the house's rules."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).resolve().parents[2]
DAG_FILES = sorted(
    path.stem for path in (CHECKOUT / "dags").glob("*.py") if path.stem not in {"__init__", "defaults", "refresh_tasks"}
)

_INSPECT = """
import json, sys
from airflow.dag_processing.dagbag import DagBag
bag = DagBag(dag_folder=sys.argv[1])
print(json.dumps({
    "errors": {str(k): str(v) for k, v in bag.import_errors.items()},
    "dags": {d.dag_id: {
        "file": d.fileloc.rsplit("/", 1)[-1], "doc": d.doc_md or "", "tags": sorted(d.tags),
        "catchup": d.catchup, "max_active_runs": d.max_active_runs, "schedule": d.timetable.__class__.__name__,
        "params": {k: [p.schema.get("title"), p.description] for k in d.params for p in [d.params.get_param(k)]},
        "tasks": {t.task_id: {
            "owner": t.owner, "retries": t.retries, "policy": t.retry_policy is not None,
            "timeout": t.execution_timeout is not None, "callback": bool(t.on_failure_callback)
        } for t in d.tasks},
    } for d in bag.dags.values()},
}))
"""


@pytest.fixture(scope="module")
def bag(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, dict[str, object]]]:
    """What Airflow itself makes of the DAG folder, parsed in a process of its own."""

    home = tmp_path_factory.mktemp("airflow")
    environ = {
        **{name: value for name, value in os.environ.items() if not name.startswith("AIRFLOW")},
        "AIRFLOW_HOME": str(home),
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        "AIRFLOW__LOGGING__LOGGING_LEVEL": "ERROR",
        "PYTHONPATH": str(CHECKOUT),
    }
    subprocess.run([sys.executable, "-m", "airflow", "db", "migrate"], env=environ, check=True, capture_output=True)
    done = subprocess.run(
        [sys.executable, "-c", _INSPECT, str(CHECKOUT / "dags")], env=environ, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr[-2000:]
    return json.loads(done.stdout.strip().splitlines()[-1])


def test_all_dags_parse(bag: dict) -> None:
    assert bag["errors"] == {}
    assert sorted(bag["dags"]) == DAG_FILES


@pytest.mark.parametrize("dag_id", DAG_FILES)
def test_a_dag_keeps_the_rules(bag: dict, dag_id: str) -> None:
    dag = bag["dags"][dag_id]
    assert dag["file"] == f"{dag_id}.py"
    assert "When it fails" in dag["doc"] and "Running it again" in dag["doc"]
    assert dag["tags"]
    assert dag["catchup"] is False
    assert all(title and description for title, description in dag["params"].values())
    for name, task in dag["tasks"].items():
        assert task["owner"] == "warehouse", name
        assert task["retries"] >= 1 and task["policy"] and task["timeout"] and task["callback"], name


def test_the_nightly_refresh_stands_for_an_interval_and_runs_alone(bag: dict) -> None:
    dag = bag["dags"]["nightly_refresh"]
    assert dag["schedule"] == "CronDataIntervalTimetable"
    assert dag["max_active_runs"] == 1
