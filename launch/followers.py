"""Runs that Airflow starts by itself, by its assets, because of a run that we have started: each seen to its end."""

import time
from collections.abc import Callable

from launch.airflow_api import AirflowApi
from launch.dag_runs import RunResult

LOAD, MARTS = "load_events", "build_marts"
FOLLOWERS = (LOAD, MARTS)
"""Each is started by assets that runs of those before it change, and by the refresh's, the import's and the feed's."""
_BEGINS_SECONDS = 120

Wait = Callable[[str, str], RunResult]
"""Waits for the end of a run, given its DAG and id."""


def known_runs(api: AirflowApi) -> set[tuple[str, str]]:
    """The runs of the followers that there are now, each as DAG and id."""
    return {(dag_id, run_id) for dag_id in FOLLOWERS if api.dag(dag_id) for run_id in api.run_ids(dag_id)}


def follow(api: AirflowApi, earlier: set[tuple[str, str]], wait: Wait, say: Callable[[str], None]) -> list[RunResult]:
    """See all runs of the followers to their end, until none is under way and none is to begin.

    A task that changes an asset has, by its end, queued the event for which the scheduler makes a run a little later.
    So there is nothing to come where neither an event is queued nor a run is new, in this order: the scheduler takes
    the event away when it makes the run.

    :param earlier: runs that are none of ours.
    :param wait: for the end of a run.
    :returns: how they ended, in the order in which they began.
    """
    results: list[RunResult] = []
    seen = set(earlier)
    deadline = time.monotonic() + _BEGINS_SECONDS
    while True:
        is_to_come = False
        for dag_id in FOLLOWERS:
            if not _is_let_go(api, dag_id):
                continue
            is_to_come |= api.has_queued_events(dag_id)
            for run_id in reversed([one for one in api.run_ids(dag_id) if (dag_id, one) not in seen]):
                seen.add((dag_id, run_id))
                say(f"Waiting for {dag_id}, which has started by itself")
                results.append(wait(dag_id, run_id))
                is_to_come, deadline = True, time.monotonic() + _BEGINS_SECONDS
        if not is_to_come:
            return results
        if time.monotonic() > deadline:
            return [*results, *(_never_begun(dag_id) for dag_id in FOLLOWERS if _is_waited_for(api, dag_id))]
        time.sleep(1)


def _is_let_go(api: AirflowApi, dag_id: str) -> bool:
    """Whether Airflow knows a DAG and starts its runs; one that is paused is started when somebody lets it go."""
    dag = api.dag(dag_id)
    return dag is not None and not dag.get("is_paused")


def _is_waited_for(api: AirflowApi, dag_id: str) -> bool:
    return _is_let_go(api, dag_id) and api.has_queued_events(dag_id)


def _never_begun(dag_id: str) -> RunResult:
    reason = f"it was to start by itself and did not within {_BEGINS_SECONDS} s: see the log of Airflow's scheduler"
    return RunResult(dag_id, "", "failed", 0.0, failures=[(dag_id, reason)])
