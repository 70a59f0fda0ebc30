"""The product under a simulated limit of memory: a first start with many listeners, then ten runs triggered at once.

    python -m campaigns.little_memory [--limit GIB] [--listeners N] [--triggers N]

bin/run generates everything: catalogue, Spotify and listeners, whose year is loaded and goes into the marts. Then
ten runs of four DAGs are triggered at the same time, several of them for the same rows. Meanwhile the campaign
repeatedly adds up the proportional set sizes of all processes. If they pass the limit, it kills the largest process, as
the kernel of a machine of that size would do. So the campaign needs no rights and affects no other processes. The
kernel's own memory and its file cache, which it releases on demand, are not counted.
"""

import argparse
import sys
import tempfile
import time
from importlib.metadata import version
from pathlib import Path
from threading import Event, Thread

import psutil

from benchmarks._running_product import RunningProduct
from campaigns._termination import exit_in_order_on_sigterm
from etl import database
from launch import postgres
from launch.airflow_api import ENDED_STATES

_POLL_SECONDS = 0.5
_RUNS_TIMEOUT_SECONDS = 3600
_FEED_FORM = {"users": 200, "hours": 24.0, "seed": 5}
_TRIGGERS: tuple[tuple[str, dict[str, object]], ...] = (
    ("simulate_feed", _FEED_FORM),
    ("nightly_refresh", {"full_refresh": True}),
    ("build_marts", {"scope": "full_refresh"}),
    ("load_events", {}),
    ("simulate_feed", _FEED_FORM),
    ("build_marts", {}),
    ("nightly_refresh", {}),
    ("load_events", {}),
    ("build_marts", {"scope": "full_refresh"}),
    ("load_events", {}),
)
_ROW_ACCOUNTS_QUERY = """
    select
        (select count(*) from warehouse.fact_event where source = 'feed')
            + (select count(*) from warehouse.fact_spoken_event where source = 'feed') as events,
        (select sum(c.rows_loaded) from audit.row_count as c inner join audit.run as r on r.run_id = c.run_id
            where r.job = 'load_events' and r.result = 'published' and c.source = 'user_activity') as events_loaded,
        (select count(*) from mart.play) as plays,
        (select coalesce(sum(plays), 0) from mart.listener_day) as plays_in_marts,
        (select count(*) - count(distinct event_id) from warehouse.fact_event) as twice,
        (select count(*) from audit.changed_day) as days_left
"""


class MemoryLimit:
    """A memory limit on a product while the context is open."""

    def __init__(self, product: RunningProduct, limit_bytes: int) -> None:
        self.peak_bytes = 0
        self.killed: list[str] = []
        self._product, self._limit = product, limit_bytes
        self._is_over = Event()
        self._thread = Thread(target=self._poll_memory)

    def __enter__(self) -> "MemoryLimit":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._is_over.set()
        self._thread.join()

    def _poll_memory(self) -> None:
        while not self._is_over.wait(_POLL_SECONDS):
            sizes = self._product.measure_memory()
            total = sum(sizes.values())
            self.peak_bytes = max(self.peak_bytes, total)
            if total > self._limit:
                self._kill_largest(max(sizes, key=lambda process: sizes[process]), max(sizes.values()))

    def _kill_largest(self, process: psutil.Process, size: int) -> None:
        try:
            self.killed.append(f"{process.name()} of {size >> 20:,} MiB")
            process.kill()
        except psutil.NoSuchProcess:
            return


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--limit", type=float, default=4.0, metavar="GIB")
    parser.add_argument("--listeners", type=int, default=160, help="of whom the first start simulates a year")
    parser.add_argument("--triggers", type=int, default=len(_TRIGGERS))
    options = parser.parse_args()
    exit_in_order_on_sigterm()
    limit = int(options.limit * (1 << 30))
    versions = f"Airflow {version('apache-airflow')}, pyspark {version('pyspark')}"
    print(f"{versions}, simulated limit {options.limit} GiB", flush=True)
    with tempfile.TemporaryDirectory() as name:
        state = Path(name) / "state"
        state.mkdir()
        environ = {"KAGGLE_PATH": "", "SPOTIPY_CLIENT_ID": "", "SIMULATED_LISTENERS": str(options.listeners)}
        began = time.monotonic()
        with RunningProduct(state, state, **environ) as product:
            with MemoryLimit(product, limit) as memory_limit:
                product.wait_until_published()
            print(product.read_report())
            _print_memory(f"first start with {options.listeners:,} listeners", memory_limit, time.monotonic() - began)
            violations = _check_row_accounts(state)
            began = time.monotonic()
            with MemoryLimit(product, limit) as memory_limit:
                violations += _trigger_at_once(product, _TRIGGERS[: options.triggers])
            _print_memory(f"{options.triggers} runs triggered at once", memory_limit, time.monotonic() - began)
            violations += _check_row_accounts(state)
    for violation in violations:
        print(f"  {violation}")
    print(f"{len(violations)} faults (goal: 0)")
    sys.exit(bool(violations))


def _trigger_at_once(product: RunningProduct, triggers: tuple[tuple[str, dict[str, object]], ...]) -> list[str]:
    """Trigger runs at the same time, and wait for the end of them and of the runs that follow."""
    triggered = [(dag_id, product.api.start_run(dag_id, conf)) for dag_id, conf in triggers]
    deadline = time.monotonic() + _RUNS_TIMEOUT_SECONDS
    while time.monotonic() < deadline:
        runs = {(dag_id, run_id) for dag_id, _ in triggers for run_id in product.api.list_run_ids(dag_id)} | set(
            triggered
        )
        states = {(dag_id, run_id): str(product.api.get_run(dag_id, run_id)["state"]) for dag_id, run_id in runs}
        if all(state in ENDED_STATES for state in states.values()):
            failed_runs = [failed_run for failed_run, state in states.items() if state != "success"]
            print(f"{len(triggered)} runs triggered, {len(states)} ended, {len(failed_runs)} failed")
            return [
                f"{dag_id} {run_id}: {_describe_failure(product, dag_id, run_id)}" for dag_id, run_id in failed_runs
            ]
        time.sleep(1)
    return [f"{dag_id} {run_id} is {state} after an hour" for (dag_id, run_id), state in states.items()]


def _describe_failure(product: RunningProduct, dag_id: str, run_id: str) -> str:
    failed_tasks = [task for task in product.api.list_tasks(dag_id, run_id) if task.state == "failed"]
    return "; ".join(
        f"{task.task_id}: {product.api.find_failure_reason(dag_id, run_id, task)}" for task in failed_tasks
    )


def _check_row_accounts(state: Path) -> list[str]:
    """Return mismatches between facts, audit and marts."""
    url = postgres.start_server(state).build_url("loader", "warehouse")
    with database.connect(url) as connection:
        counts = {
            name: int(str(value or 0))
            for name, value in database.fetch_rows(connection, _ROW_ACCOUNTS_QUERY)[0].items()
        }
    print(", ".join(f"{name} {value:,}" for name, value in counts.items()), flush=True)
    violations = []
    if counts["events"] != counts["events_loaded"] or counts["twice"]:
        violations.append(f"events: {counts}")
    if counts["plays"] != counts["plays_in_marts"] or counts["days_left"]:
        violations.append(f"marts: {counts}")
    return violations


def _print_memory(label: str, memory_limit: MemoryLimit, seconds: float) -> None:
    killed = "; ".join(memory_limit.killed) or "nothing"
    print(f"{label}: peak {memory_limit.peak_bytes / (1 << 30):.2f} GiB, killed {killed}; {seconds:.0f} s", flush=True)


if __name__ == "__main__":
    main()
