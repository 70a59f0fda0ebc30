"""Runs that Airflow triggers by its assets after a run of this start, each watched until it ends."""

import time
from collections import Counter
from collections.abc import Callable

from launch.airflow_api import AirflowApi
from launch.dag_runs import RunResult

LOAD_DAG, MARTS_DAG = "load_events", "build_marts"
TRIGGERED_DAGS = (LOAD_DAG, MARTS_DAG)
"""Each is triggered by assets of the DAGs before it, and of the refresh, the import and the feed."""
_START_TIMEOUT_SECONDS = 120
_MAX_RUNS = 6
"""Runs of a DAG that are waited for: streams trigger a load every half a minute while events arrive."""

WaitForRun = Callable[[str, str], RunResult]
"""Waits for the end of a run, given its DAG and id."""


def list_known_runs(api: AirflowApi) -> set[tuple[str, str]]:
    """Return the present runs of ``TRIGGERED_DAGS``, each as DAG and run id."""
    return {(dag_id, run_id) for dag_id in TRIGGERED_DAGS if api.get_dag(dag_id) for run_id in api.list_run_ids(dag_id)}


def wait_for_triggered_runs(
    api: AirflowApi, earlier_runs: set[tuple[str, str]], wait_for_run: WaitForRun, print_line: Callable[[str], None]
) -> list[RunResult]:
    """Wait for all triggered runs, until none is running and none is pending, or a DAG has had ``_MAX_RUNS``.

    A task that changes an asset has queued an event by its end; the scheduler creates a run for the event later and
    deletes the event. So nothing is pending if no event is queued and then no run is new: the check in the opposite
    order could miss a run.

    :param earlier_runs: runs that were there before.
    :param wait_for_run: waits for the end of a run.
    :returns: their results, in the order in which they began.
    """
    results: list[RunResult] = []
    seen = set(earlier_runs)
    deadline = time.monotonic() + _START_TIMEOUT_SECONDS
    while True:
        has_pending_runs = False
        for dag_id in TRIGGERED_DAGS:
            if not _is_unpaused(api, dag_id):
                continue
            has_pending_runs |= api.has_queued_events(dag_id)
            for run_id in reversed(
                [new_run_id for new_run_id in api.list_run_ids(dag_id) if (dag_id, new_run_id) not in seen]
            ):
                seen.add((dag_id, run_id))
                print_line(f"Waiting for {dag_id}, which Airflow has triggered")
                results.append(wait_for_run(dag_id, run_id))
                has_pending_runs, deadline = True, time.monotonic() + _START_TIMEOUT_SECONDS
        if not has_pending_runs or max(Counter(result.dag_id for result in results).values(), default=0) >= _MAX_RUNS:
            return results
        if time.monotonic() > deadline:
            return [
                *results,
                *(_make_not_started_result(dag_id) for dag_id in TRIGGERED_DAGS if _has_pending_run(api, dag_id)),
            ]
        time.sleep(1)


def _is_unpaused(api: AirflowApi, dag_id: str) -> bool:
    """Return whether Airflow has a DAG and starts its runs; a paused DAG starts when the operator unpauses it."""
    dag = api.get_dag(dag_id)
    return dag is not None and not dag.get("is_paused")


def _has_pending_run(api: AirflowApi, dag_id: str) -> bool:
    return _is_unpaused(api, dag_id) and api.has_queued_events(dag_id)


def _make_not_started_result(dag_id: str) -> RunResult:
    reason = f"Airflow should have triggered it and did not within {_START_TIMEOUT_SECONDS} s: see the scheduler's log"
    return RunResult(dag_id, "", "failed", 0.0, failures=[(dag_id, reason)])
