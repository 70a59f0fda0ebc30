"""Start DAG runs and wait for them, with progress."""

import time
from collections import Counter
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import dataclass, field
from datetime import UTC, datetime

from rich.live import Live
from rich.table import Table

from launch.airflow_api import ENDED, AirflowApi, TaskState, parse_time
from launch.console import Screen

_SIGNS = {
    "success": "[green]✓[/]",
    "failed": "[red]✗[/]",
    "upstream_failed": "[red]·[/]",
    "skipped": "[dim]–[/]",
    "running": "[cyan]▶[/]",
    "up_for_retry": "[yellow]↻[/]",
}
_OVER = {"success", "failed", "upstream_failed", "skipped", "removed"}
_APPEARS_SECONDS = 60


@dataclass
class RunResult:
    """How a DAG run ended. ``failures`` has a (task, reason) for each task that failed."""

    dag_id: str
    run_id: str
    state: str
    seconds: float
    tasks: list[TaskState] = field(default_factory=list)
    failures: list[tuple[str, str]] = field(default_factory=list)

    def is_good(self) -> bool:
        """Whether the run came to its end: published, or nothing new; an account that failed does not change that."""
        return self.state == "success"

    def has_done(self, task_id: str) -> bool:
        """Whether a task of that id ended well, of mapped ones at least one."""
        return any(task.task_id == task_id and task.state == "success" for task in self.tasks)

    def has_skipped(self, task_id: str) -> bool:
        """Whether a task of that id had nothing to do."""
        return any(task.task_id == task_id and task.state == "skipped" for task in self.tasks)

    @property
    def audit_id(self) -> str:
        """The id under which the audit knows the run."""
        return f"{self.dag_id}.{self.run_id}"


def refresh(api: AirflowApi, dag_id: str) -> str:
    """One run of a scheduled DAG that is paused: the scheduler's own where one is due, else one by hand.

    Letting the DAG go makes the scheduler start its last interval at once where that has not run yet; starting
    another one by hand would refresh twice.

    :returns: the run's id.
    """
    earlier = set(api.run_ids(dag_id))
    dag = api.dag(dag_id) or {}
    due_at = parse_time(dag.get("next_dagrun_run_after"))
    is_due = due_at is not None and due_at <= datetime.now(UTC)
    api.pause(dag_id, False)
    deadline = time.monotonic() + (_APPEARS_SECONDS if is_due else 0)
    while time.monotonic() < deadline:
        for run_id in api.run_ids(dag_id):
            if run_id not in earlier:
                return run_id
        time.sleep(0.5)
    return api.trigger(dag_id, {})


def wait(screen: Screen, api: AirflowApi, dag_id: str, run_id: str, check: Callable[[], None]) -> RunResult:
    """Wait for the end of a run.

    :param check: called about once a second; raises where waiting has become pointless.
    """
    started = time.monotonic()
    shown: set[tuple[str, int]] = set()
    live = Live(console=screen.console, refresh_per_second=8, transient=True) if screen.console.is_terminal else None
    with live or nullcontext():
        while True:
            check()
            state = str(api.run(dag_id, run_id)["state"])
            tasks = api.tasks(dag_id, run_id)
            if live:
                live.update(_progress(dag_id, tasks, time.monotonic() - started))
            else:
                _print_ended(screen, tasks, shown)
            if state in ENDED:
                break
            time.sleep(1)
    failures = [
        (name_of(task), api.last_words(dag_id, run_id, task) or "see its log in the web interface")
        for task in tasks
        if task.state == "failed"
    ]
    return RunResult(dag_id, run_id, state, time.monotonic() - started, tasks, failures)


def name_of(task: TaskState) -> str:
    """A task's name for people: with the file's name, or its number, where it is mapped."""
    if task.map_index < 0:
        return task.task_id
    return f"{task.task_id} {task.label or task.map_index}"


def _progress(dag_id: str, tasks: list[TaskState], seconds: float) -> Table:
    counts = Counter(task.state for task in tasks)
    summary = ", ".join(f"{count} {state}" for state, count in sorted(counts.items()))
    table = Table.grid(padding=(0, 1))
    table.add_row("", f"[bold]{dag_id}[/]", f"{seconds:6.1f} s", f"[dim]{summary}[/]")
    for task in tasks:
        took = f"{task.duration_s:6.1f} s" if task.duration_s else ""
        table.add_row(_SIGNS.get(task.state, "[dim]…[/]"), name_of(task), took, f"[dim]{task.state}[/]")
    return table


def _print_ended(screen: Screen, tasks: list[TaskState], shown: set[tuple[str, int]]) -> None:
    for task in tasks:
        key = (task.task_id, task.map_index)
        if task.state in _OVER and key not in shown:
            shown.add(key)
            screen.console.print(f"    {_SIGNS.get(task.state, '')} {name_of(task):<54} {task.duration_s or 0:6.1f} s")
