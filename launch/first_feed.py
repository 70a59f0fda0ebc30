"""Made-up listeners at the first start, so that there are events to look at."""

import time
from collections.abc import Callable

from etl import warehouse
from launch.airflow_api import AirflowApi
from launch.dag_runs import RunResult

SIMULATE, LOAD, MARTS = "simulate_feed", "load_events", "build_marts"
_HOURS = 72
_APPEARS_SECONDS = 120


def is_wanted(listeners: int, url: str) -> bool:
    """Whether there are listeners to make up: some are asked for, and no feed and no export was loaded yet.

    What accounts saved and played is loaded by itself, sooner or later than this is asked, and so does not count.
    """
    return listeners > 0 and not _has_loaded(url, "feed", "account_export")


def simulate(listeners: int, api: AirflowApi, url: str, wait: Callable[[str, str], RunResult]) -> list[RunResult]:
    """Make up a feed, see it loaded and the marts built.

    :param wait: for the end of a run, given its DAG and id.
    :returns: how the runs ended; without those that never began.
    """
    earlier = {dag_id: set(api.run_ids(dag_id)) for dag_id in (LOAD, MARTS)}
    made = wait(SIMULATE, api.trigger(SIMULATE, {"users": listeners, "hours": _HOURS}))
    results = [made]
    if made.is_good():
        results += _follow(LOAD, earlier[LOAD], api, wait, lambda: _has_loaded(url, "feed"))
        results += _follow(MARTS, earlier[MARTS], api, wait, lambda: _is_built(url))
    return results


def _follow(
    dag_id: str, earlier: set[str], api: AirflowApi, wait: Callable[[str, str], RunResult], is_done: Callable[[], bool]
) -> list[RunResult]:
    """See the runs of a DAG that starts by itself, until all is done or none begins any more."""
    results, seen = [], set(earlier)
    deadline = time.monotonic() + _APPEARS_SECONDS
    while time.monotonic() < deadline and not is_done():
        for run_id in sorted(set(api.run_ids(dag_id)) - seen):
            seen.add(run_id)
            results.append(wait(dag_id, run_id))
            deadline = time.monotonic() + _APPEARS_SECONDS
        time.sleep(1)
    return results


def added(api: AirflowApi, results: list[RunResult]) -> dict[str, int]:
    """Events that runs added, by table."""
    loads = [api.result(LOAD, one.run_id, "load_events") for one in results if one.dag_id == LOAD]
    return {table: sum(load.get(table, 0) for load in loads) for load in loads for table in load}


def _has_loaded(url: str, *origins: str) -> bool:
    statement = """
        select exists (
            select
            from audit.run_input as i
            inner join audit.run as r on r.run_id = i.run_id
            where i.origin = any(:origins) and r.result = 'published'
        ) as it
    """
    with warehouse.connect(url) as connection:
        return bool(warehouse.rows(connection, statement, origins=list(origins))[0]["it"])


def _is_built(url: str) -> bool:
    statement = """
        select exists (select from mart.definition) and not exists (select from audit.touched_day) as it
    """
    with warehouse.connect(url) as connection:
        return bool(warehouse.rows(connection, statement)[0]["it"])
