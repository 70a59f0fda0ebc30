"""Mark runs of real DAGs as failed at every stage, as the web interface does, in a separate database.

python -m tests.dags.marked_runs        {"dag_id": {"stage": {"state": …, "noted": …}}} as JSON: the end of each run
"""

import json
import sys
from datetime import UTC, datetime
from typing import Any

from airflow.api_fastapi.core_api.datamodels.dag_run import DagRunMutableStates
from airflow.api_fastapi.core_api.services.public.dag_run import patch_dag_run_state
from airflow.dag_processing.bundles.manager import DagBundlesManager
from airflow.dag_processing.dagbag import BundleDagBag, sync_bag_to_db
from airflow.models.dagrun import DagRun
from airflow.serialization.serialized_objects import DagSerialization
from airflow.utils.session import create_session
from airflow.utils.state import DagRunState, TaskInstanceState
from airflow.utils.types import DagRunTriggeredByType, DagRunType

from etl.jobs import run_audit

STATES = ("running", "queued", "up_for_retry")
"""The states of the task during which a run is marked; the tasks before it have succeeded."""
FORM = {"path": "export.zip", "user": "ada", "timezone": "Europe/Berlin"}
"""The smallest input of the DAGs with a form."""
NOW = datetime(2026, 11, 20, 3, tzinfo=UTC)


def main() -> dict[str, dict[str, Any]]:
    recorded: list[str] = []
    run_audit.record_failed_run = lambda run_id, *_: recorded.append(run_id)
    run_audit.clear_run_failure = run_audit.record_started_run = lambda *_: None
    results = {}
    for dag in _dags():
        stages = [("nothing has begun", ""), *((name, state) for name in dag.task_dict for state in STATES)]
        results[dag.dag_id] = {}
        for number, (task_id, state) in enumerate(stages):
            ended = _mark_failed(dag, f"run.{number}", task_id, state)
            results[dag.dag_id][f"{task_id} {state}".strip()] = {
                "state": ended,
                "noted": recorded.count(f"{dag.dag_id}.run.{number}"),
            }
    return results


def _dags() -> list[Any]:
    manager = DagBundlesManager()
    with create_session() as session:
        manager.sync_bundles_to_db(session=session)
    (bundle,) = manager.get_all_dag_bundles()
    bundle.initialize()
    bag = BundleDagBag(dag_folder=bundle.path, bundle_path=bundle.path, bundle_name=bundle.name)
    sync_bag_to_db(bag, bundle.name, bundle.version)
    return [DagSerialization.deserialize_dag(DagSerialization.serialize_dag(dag)) for dag in bag.dags.values()]


def _mark_failed(dag: Any, run_id: str, task_id: str, state: str) -> str:
    """Mark a run as failed while a task is in a state, and return the state in which the run ends."""
    with create_session() as session:
        run: DagRun = dag.create_dagrun(
            run_id=run_id,
            run_after=NOW,
            run_type=DagRunType.MANUAL,
            triggered_by=DagRunTriggeredByType.TEST,
            state=DagRunState.RUNNING if state else DagRunState.QUEUED,
            start_date=NOW,
            conf={name: value for name, value in FORM.items() if name in dag.params},
            session=session,
        )
        instances = {task.task_id: task for task in run.get_task_instances(session=session)}
        before = dag.get_task(task_id).get_flat_relative_ids(upstream=True) if state else ()
        for name in before:
            instances[name].state = TaskInstanceState.SUCCESS
        if state:
            instances[task_id].state, instances[task_id].end_date = TaskInstanceState(state), NOW
        session.commit()
        patch_dag_run_state(dag=dag, dag_run=run, state=DagRunMutableStates.FAILED, session=session)
        session.commit()
        run.dag = dag
        # Do the remaining work of the scheduler, which derives the state again if the run has not ended yet.
        for _ in range(2 * len(instances)):
            session.refresh(run)
            if run.state != DagRunState.RUNNING:
                break
            for instance in run.update_state(session=session)[0]:
                instance.state = TaskInstanceState.SUCCESS
            session.commit()
        return str(run.state)


if __name__ == "__main__":
    sys.stdout.write("\n" + json.dumps(main()) + "\n")
