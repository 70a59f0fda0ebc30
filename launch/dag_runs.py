"""Start DAG runs and wait for them, with progress."""

import time
from collections import Counter
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import dataclass, field
from datetime import UTC, datetime

from rich.live import Live
from rich.table import Table

from launch.airflow_api import ENDED_STATES, AirflowApi, TaskState, parse_time
from launch.console import Screen

_STATE_SIGNS = {
    "success": "[green]✓[/]",
    "failed": "[red]✗[/]",
    "upstream_failed": "[red]·[/]",
    "skipped": "[dim]–[/]",
    "running": "[cyan]▶[/]",
    "up_for_retry": "[yellow]↻[/]",
}
_FINAL_STATES = {"success", "failed", "upstream_failed", "skipped", "removed"}
_APPEARANCE_TIMEOUT_SECONDS = 60


@dataclass
class RunResult:
    """The result of a DAG run. ``failures`` has a (task, reason) for each failed task."""

    dag_id: str
    run_id: str
    state: str
    seconds: float
    tasks: list[TaskState] = field(default_factory=list)
    failures: list[tuple[str, str]] = field(default_factory=list)

    def is_successful(self) -> bool:
        """Return whether the run succeeded: published or nothing new, even if an account failed."""
        return self.state == "success"

    def has_succeeded(self, task_id: str) -> bool:
        """Return whether a task succeeded; of a mapped task, at least one instance."""
        return any(task.task_id == task_id and task.state == "success" for task in self.tasks)

    def has_skipped(self, task_id: str) -> bool:
        """Return whether a task was skipped."""
        return any(task.task_id == task_id and task.state == "skipped" for task in self.tasks)

    @property
    def audit_id(self) -> str:
        """Return the run's id in the audit."""
        return f"{self.dag_id}.{self.run_id}"


def start_scheduled_run(api: AirflowApi, dag_id: str) -> str:
    """Start one run of a paused, scheduled DAG: the scheduler's own if it is due, else a manual one.

    Unpausing the DAG makes the scheduler start a run for the last interval at once, unless it has run: a manual run in
    addition would refresh twice.

    :returns: the run's id.
    """
    earlier_run_ids = set(api.list_run_ids(dag_id))
    dag = api.get_dag(dag_id) or {}
    due_at = parse_time(dag.get("next_dagrun_run_after"))
    is_due = due_at is not None and due_at <= datetime.now(UTC)
    api.set_paused(dag_id, False)
    deadline = time.monotonic() + (_APPEARANCE_TIMEOUT_SECONDS if is_due else 0)
    while time.monotonic() < deadline:
        for run_id in api.list_run_ids(dag_id):
            if run_id not in earlier_run_ids:
                return run_id
        time.sleep(0.5)
    return api.start_run(dag_id, {})


def wait_for_run(screen: Screen, api: AirflowApi, dag_id: str, run_id: str, check: Callable[[], None]) -> RunResult:
    """Wait for the end of a run, and show its progress.

    :param check: called about once a second; raises an error if the run cannot end any more.
    """
    started = time.monotonic()
    printed_tasks: set[tuple[str, int]] = set()
    live = Live(console=screen.console, refresh_per_second=8, transient=True) if screen.console.is_terminal else None
    with live or nullcontext():
        while True:
            check()
            run = api.get_run(dag_id, run_id)
            state = str(run["state"])
            tasks = api.list_tasks(dag_id, run_id)
            if live:
                live.update(_build_progress_table(dag_id, tasks, time.monotonic() - started))
            else:
                _print_ended_tasks(screen, tasks, printed_tasks)
            if state in ENDED_STATES:
                break
            time.sleep(1)
    failures = [
        (format_task_name(task), api.find_failure_reason(dag_id, run_id, task) or "see its log in the web interface")
        for task in tasks
        if task.state == "failed"
    ]
    # A triggered run may have begun, or ended, before anyone waited for it.
    began_at, ended_at = parse_time(run.get("start_date")), parse_time(run.get("end_date"))
    seconds = (ended_at - began_at).total_seconds() if began_at and ended_at else time.monotonic() - started
    return RunResult(dag_id, run_id, state, seconds, tasks, failures)


def format_task_name(task: TaskState) -> str:
    """Return a task's name; of a mapped task with the name of its file or account, or its number."""
    if task.map_index < 0:
        return task.task_id
    return f"{task.task_id} {task.label or task.map_index}"


def _build_progress_table(dag_id: str, tasks: list[TaskState], seconds: float) -> Table:
    counts = Counter(task.state for task in tasks)
    summary = ", ".join(f"{count} {state}" for state, count in sorted(counts.items()))
    table = Table.grid(padding=(0, 1))
    table.add_row("", f"[bold]{dag_id}[/]", f"{seconds:6.1f} s", f"[dim]{summary}[/]")
    for task in tasks:
        duration = f"{task.duration_s:6.1f} s" if task.duration_s else ""
        table.add_row(
            _STATE_SIGNS.get(task.state, "[dim]…[/]"), format_task_name(task), duration, f"[dim]{task.state}[/]"
        )
    return table


def _print_ended_tasks(screen: Screen, tasks: list[TaskState], printed_tasks: set[tuple[str, int]]) -> None:
    for task in tasks:
        key = (task.task_id, task.map_index)
        if task.state in _FINAL_STATES and key not in printed_tasks:
            printed_tasks.add(key)
            screen.console.print(
                f"    {_STATE_SIGNS.get(task.state, '')} {format_task_name(task):<54} {task.duration_s or 0:6.1f} s"
            )
