"""The product under a simulated limit of memory: a first start with many listeners, then ten runs triggered at once.

    python -m benchmarks.little_memory [--limit GIB] [--listeners N] [--triggers N]

bin/run makes everything up: catalogue, Spotify and listeners, whose 72 hours are loaded and go into the marts. Then ten
runs of four DAGs are triggered at the same moment, several of them for the same rows. Meanwhile the proportional set
sizes of all processes are added up, again and again; where they pass the limit, the largest process is killed, as the
kernel of a machine of that size would do. So no right is needed and nobody else is harmed; the kernel's own memory and
what it caches of files, which it gives up when it must, are not counted.
"""

import argparse
import signal
import sys
import tempfile
import time
from importlib.metadata import version
from pathlib import Path
from threading import Event, Thread

import psutil

from benchmarks._product import Product
from etl import warehouse
from launch import postgres
from launch.airflow_api import ENDED

_LOOK_SECONDS = 0.5
_PATIENCE_SECONDS = 3600
_FEED = {"users": 200, "hours": 24.0, "seed": 5}
_TRIGGERS: tuple[tuple[str, dict[str, object]], ...] = (
    ("simulate_feed", _FEED),
    ("nightly_refresh", {"from_nothing": True}),
    ("build_marts", {"what": "from nothing"}),
    ("load_events", {}),
    ("simulate_feed", _FEED),
    ("build_marts", {}),
    ("nightly_refresh", {}),
    ("load_events", {}),
    ("build_marts", {"what": "from nothing"}),
    ("load_events", {}),
)
_ACCOUNTS = """
    select
        (select count(*) from warehouse.fact_event where source = 'feed')
            + (select count(*) from warehouse.fact_spoken_event where source = 'feed') as events,
        (select sum(c.rows_loaded) from audit.row_count as c inner join audit.run as r on r.run_id = c.run_id
            where r.job = 'load_events' and r.result = 'published' and c.source = 'user_activity') as events_loaded,
        (select count(*) from mart.play) as plays,
        (select coalesce(sum(plays), 0) from mart.listener_day) as plays_in_marts,
        (select count(*) - count(distinct event_id) from warehouse.fact_event) as twice,
        (select count(*) from audit.touched_day) as days_left
"""


class LittleMemory:
    """A product held to a limit while a context is open."""

    def __init__(self, product: Product, limit_bytes: int) -> None:
        self.peak_bytes = 0
        self.killed: list[str] = []
        self._product, self._limit = product, limit_bytes
        self._is_over = Event()
        self._thread = Thread(target=self._look)

    def __enter__(self) -> "LittleMemory":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._is_over.set()
        self._thread.join()

    def _look(self) -> None:
        while not self._is_over.wait(_LOOK_SECONDS):
            sizes = self._product.memory_bytes()
            total = sum(sizes.values())
            self.peak_bytes = max(self.peak_bytes, total)
            if total > self._limit:
                self._kill(max(sizes, key=lambda process: sizes[process]), max(sizes.values()))

    def _kill(self, process: psutil.Process, size: int) -> None:
        try:
            self.killed.append(f"{process.name()} of {size >> 20:,} MiB")
            process.kill()
        except psutil.NoSuchProcess:
            return


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--limit", type=float, default=4.0, metavar="GIB")
    parser.add_argument("--listeners", type=int, default=20_000)
    parser.add_argument("--triggers", type=int, default=len(_TRIGGERS))
    options = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # so that all that was started ends
    limit = int(options.limit * (1 << 30))
    versions = f"Airflow {version('apache-airflow')}, pyspark {version('pyspark')}"
    print(f"{versions}, simulated limit {options.limit} GiB", flush=True)
    with tempfile.TemporaryDirectory() as name:
        state = Path(name) / "state"
        state.mkdir()
        own = {"KAGGLE_PATH": "", "SPOTIPY_CLIENT_ID": "", "SIMULATED_LISTENERS": str(options.listeners)}
        began = time.monotonic()
        with Product(state, state, **own) as product:
            with LittleMemory(product, limit) as held:
                product.wait_until_published()
            print(product.report())
            _say(f"first start with {options.listeners:,} listeners", held, time.monotonic() - began)
            faults = _accounts(state)
            began = time.monotonic()
            with LittleMemory(product, limit) as held:
                faults += _trigger(product, _TRIGGERS[: options.triggers])
            _say(f"{options.triggers} runs triggered at once", held, time.monotonic() - began)
            faults += _accounts(state)
    for fault in faults:
        print(f"  {fault}")
    print(f"{len(faults)} faults (goal: 0)")
    sys.exit(bool(faults))


def _trigger(product: Product, triggers: tuple[tuple[str, dict[str, object]], ...]) -> list[str]:
    """Trigger runs at once, and wait for the end of them and of what follows them."""
    wanted = [(dag_id, product.api.trigger(dag_id, conf)) for dag_id, conf in triggers]
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while time.monotonic() < deadline:
        runs = {(dag_id, run_id) for dag_id, _ in triggers for run_id in product.api.run_ids(dag_id)} | set(wanted)
        states = {(dag_id, run_id): str(product.api.run(dag_id, run_id)["state"]) for dag_id, run_id in runs}
        if all(state in ENDED for state in states.values()):
            bad = [one for one, state in states.items() if state != "success"]
            print(f"{len(wanted)} runs triggered, {len(states)} ended, {len(bad)} failed")
            return [f"{dag_id} {run_id}: {_why(product, dag_id, run_id)}" for dag_id, run_id in bad]
        time.sleep(1)
    return [f"{dag_id} {run_id} is {state} after an hour" for (dag_id, run_id), state in states.items()]


def _why(product: Product, dag_id: str, run_id: str) -> str:
    failed = [task for task in product.api.tasks(dag_id, run_id) if task.state == "failed"]
    return "; ".join(f"{task.task_id}: {product.api.last_words(dag_id, run_id, task)}" for task in failed)


def _accounts(state: Path) -> list[str]:
    """What does not add up between facts, audit and marts."""
    url = postgres.start(state).url("loader", "warehouse")
    with warehouse.connect(url) as connection:
        found = {name: int(str(value or 0)) for name, value in warehouse.rows(connection, _ACCOUNTS)[0].items()}
    print(", ".join(f"{name} {value:,}" for name, value in found.items()), flush=True)
    faults = []
    if found["events"] != found["events_loaded"] or found["twice"]:
        faults.append(f"events: {found}")
    if found["plays"] != found["plays_in_marts"] or found["days_left"]:
        faults.append(f"marts: {found}")
    return faults


def _say(what: str, held: LittleMemory, seconds: float) -> None:
    killed = "; ".join(held.killed) or "nothing"
    print(f"{what}: peak {held.peak_bytes / (1 << 30):.2f} GiB, killed {killed}; {seconds:.0f} s", flush=True)


if __name__ == "__main__":
    main()
