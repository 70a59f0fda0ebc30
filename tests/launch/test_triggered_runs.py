"""The launcher waits for triggered runs, including those that begin a little later."""

from collections.abc import Callable
from typing import Any

import pytest

from launch import triggered_runs
from launch.airflow_api import AirflowApi
from launch.dag_runs import RunResult
from launch.triggered_runs import LOAD_DAG, MARTS_DAG, list_known_runs, wait_for_triggered_runs


class Scheduler(AirflowApi):
    """A mock of Airflow's API whose scheduler creates a queued run only after a number of polls."""

    def __init__(self, looks: int = 2) -> None:
        self.looks = looks
        self.runs: dict[str, list[str]] = {LOAD_DAG: ["early"], MARTS_DAG: []}
        self.queued: dict[str, int] = {}
        self.paused: set[str] = set()
        self.unknown: set[str] = set()

    def get_dag(self, dag_id: str) -> dict[str, Any] | None:
        return None if dag_id in self.unknown else {"is_paused": dag_id in self.paused}

    def queue(self, dag_id: str) -> None:
        """Change an asset: the event is queued at once unless the DAG is paused, and the run follows later."""
        if dag_id not in self.paused:
            self.queued[dag_id] = self.looks

    def has_queued_events(self, dag_id: str) -> bool:
        looks = self.queued.get(dag_id)
        if looks is None:
            return False
        self.queued[dag_id] = looks - 1
        if looks == 1:  # after this response, and before the next query of the runs
            del self.queued[dag_id]
            self.runs[dag_id].insert(0, f"run {len(self.runs[dag_id])}")
        return True

    def list_run_ids(self, dag_id: str) -> list[str]:
        return list(self.runs[dag_id])


@pytest.fixture(autouse=True)
def no_pause(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(triggered_runs.time, "sleep", lambda _: None)


def make_waiter(api: Scheduler, failing: tuple[str, ...] = ()) -> Callable[[str, str], RunResult]:
    """Return a function that waits for runs; a successful load changes the assets of the marts."""

    def wait(dag_id: str, run_id: str) -> RunResult:
        if dag_id == LOAD_DAG and LOAD_DAG not in failing:
            api.queue(MARTS_DAG)
        return RunResult(dag_id, run_id, "failed" if dag_id in failing else "success", 1.0)

    return wait


@pytest.mark.parametrize("looks", [1, 2, 5])
def test_a_run_that_begins_later_is_waited_for_and_so_is_the_one_after_it(looks: int) -> None:
    api, printed = Scheduler(looks), list[str]()
    earlier = list_known_runs(api)
    api.queue(LOAD_DAG)
    results = wait_for_triggered_runs(api, earlier, make_waiter(api), printed.append)
    assert [(result.dag_id, result.run_id) for result in results] == [(LOAD_DAG, "run 1"), (MARTS_DAG, "run 0")]
    assert printed == [f"Waiting for {name}, which Airflow has triggered" for name in (LOAD_DAG, MARTS_DAG)]


def test_a_run_that_has_begun_and_ended_meanwhile_counts_too() -> None:
    api = Scheduler()
    earlier = list_known_runs(api)
    api.runs[LOAD_DAG].insert(0, "meanwhile")
    results = wait_for_triggered_runs(api, earlier, make_waiter(api, failing=(LOAD_DAG,)), lambda _: None)
    assert [(result.dag_id, result.run_id, result.is_successful()) for result in results] == [
        (LOAD_DAG, "meanwhile", False)
    ]


def test_where_nothing_is_to_come_nothing_is_waited_for() -> None:
    api = Scheduler()
    assert wait_for_triggered_runs(api, list_known_runs(api), make_waiter(api), lambda _: None) == []


def test_what_ran_before_is_none_of_ours_although_its_dag_was_paused_then() -> None:
    api = Scheduler()
    api.paused = {LOAD_DAG}
    earlier = list_known_runs(api)
    api.paused = set()
    assert wait_for_triggered_runs(api, earlier, make_waiter(api), lambda _: None) == []


def test_a_paused_or_unknown_dag_is_not_waited_for() -> None:
    api = Scheduler()
    api.paused, api.unknown = {LOAD_DAG}, {MARTS_DAG}
    api.runs[LOAD_DAG].insert(0, "queued until it is let go")
    assert wait_for_triggered_runs(api, set(), make_waiter(api), lambda _: None) == []


def test_runs_that_never_end_to_come_are_not_waited_for_without_end() -> None:
    api = Scheduler(looks=1)
    api.queue(LOAD_DAG)

    def wait(dag_id: str, run_id: str) -> RunResult:
        api.queue(LOAD_DAG)  # as landed messages do while events arrive
        return RunResult(dag_id, run_id, "success", 1.0)

    results = wait_for_triggered_runs(api, list_known_runs(api), wait, lambda _: None)
    assert [result.dag_id for result in results] == [LOAD_DAG] * 6


def test_a_run_that_never_begins_is_a_failure_with_its_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(triggered_runs, "_START_TIMEOUT_SECONDS", 0)
    api = Scheduler(looks=10**9)
    api.queue(LOAD_DAG)
    (result,) = wait_for_triggered_runs(api, list_known_runs(api), make_waiter(api), lambda _: None)
    assert not result.is_successful() and "should have triggered it and did not" in result.failures[0][1]
