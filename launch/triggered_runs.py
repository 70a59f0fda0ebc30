"""Runs that Airflow starts by itself, by its assets, because of a run that we have started: each seen to its end."""

import time
from collections.abc import Callable

from launch.airflow_api import AirflowApi
from launch.dag_runs import RunResult

LOAD_DAG, MARTS_DAG = "load_events", "build_marts"
TRIGGERED_DAGS = (LOAD_DAG, MARTS_DAG)
"""Each is started by assets that runs of those before it change, and by the refresh's, the import's and the feed's."""
_START_TIMEOUT_SECONDS = 120

WaitForRun = Callable[[str, str], RunResult]
"""Waits for the end of a run, given its DAG and id."""


def list_known_runs(api: AirflowApi) -> set[tuple[str, str]]:
    """The runs of the followers that there are now, each as DAG and id."""
    return {(dag_id, run_id) for dag_id in TRIGGERED_DAGS if api.get_dag(dag_id) for run_id in api.list_run_ids(dag_id)}


def wait_for_triggered_runs(
    api: AirflowApi, earlier_runs: set[tuple[str, str]], wait_for_run: WaitForRun, print_line: Callable[[str], None]
) -> list[RunResult]:
    """See all runs of the followers to their end, until none is under way and none is to begin.

    A task that changes an asset has, by its end, queued the event for which the scheduler makes a run a little later.
    So there is nothing to come where neither an event is queued nor a run is new, in this order: the scheduler takes
    the event away when it makes the run.

    :param earlier: runs that are none of ours.
    :param wait: for the end of a run.
    :returns: how they ended, in the order in which they began.
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
                print_line(f"Waiting for {dag_id}, which has started by itself")
                results.append(wait_for_run(dag_id, run_id))
                has_pending_runs, deadline = True, time.monotonic() + _START_TIMEOUT_SECONDS
        if not has_pending_runs:
            return results
        if time.monotonic() > deadline:
            return [
                *results,
                *(_make_not_started_result(dag_id) for dag_id in TRIGGERED_DAGS if _has_pending_run(api, dag_id)),
            ]
        time.sleep(1)


def _is_unpaused(api: AirflowApi, dag_id: str) -> bool:
    """Whether Airflow knows a DAG and starts its runs; one that is paused is started when somebody lets it go."""
    dag = api.get_dag(dag_id)
    return dag is not None and not dag.get("is_paused")


def _has_pending_run(api: AirflowApi, dag_id: str) -> bool:
    return _is_unpaused(api, dag_id) and api.has_queued_events(dag_id)


def _make_not_started_result(dag_id: str) -> RunResult:
    reason = (
        f"it was to start by itself and did not within {_START_TIMEOUT_SECONDS} s: see the log of Airflow's scheduler"
    )
    return RunResult(dag_id, "", "failed", 0.0, failures=[(dag_id, reason)])
