"""Made-up listeners at the first start, so that there are events to look at."""

import time
from collections.abc import Callable

from etl import warehouse
from launch.airflow_api import AirflowApi
from launch.dag_runs import RunResult

SIMULATE, LOAD = "simulate_feed", "load_events"
_HOURS = 72
_APPEARS_SECONDS = 120


def is_wanted(listeners: int, url: str) -> bool:
    """Whether there are listeners to make up: some are asked for, and no feed and no export was loaded yet.

    What accounts saved and played is loaded by itself, sooner or later than this is asked, and so does not count.
    """
    return listeners > 0 and not _has_loaded(url, "feed", "account_export")


def simulate(listeners: int, api: AirflowApi, url: str, wait: Callable[[str, str], RunResult]) -> list[RunResult]:
    """Make up a feed and see it loaded.

    :param wait: for the end of a run, given its DAG and id.
    :returns: how the runs ended; without the load's where none began.
    """
    earlier = set(api.run_ids(LOAD))
    made = wait(SIMULATE, api.trigger(SIMULATE, {"users": listeners, "hours": _HOURS}))
    results = [made]
    if not made.is_good():
        return results
    deadline = time.monotonic() + _APPEARS_SECONDS
    while time.monotonic() < deadline and not _has_loaded(url, "feed"):
        for run_id in sorted(set(api.run_ids(LOAD)) - earlier):
            earlier.add(run_id)
            results.append(wait(LOAD, run_id))
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
