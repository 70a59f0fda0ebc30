"""The product under kills: its processes by what they are, when it has come to rest, and what it was at a moment."""

import json
import random
import shutil
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psutil
import requests

from benchmarks._crash_place import copy_database, sync_nothing, write_spark_conf
from benchmarks._product import Product
from etl import warehouse
from etl.errors import EtlError
from launch import postgres
from launch.airflow_api import TaskState

TASK, SUPERVISOR, JVM, WORKER = "a task's process", "a task's supervisor", "Spark's JVM", "a Python worker"
SERVER, STAND_IN = "PostgreSQL", "the stand-in"
SCHEDULER, API_SERVER, DAG_PROCESSOR = "the scheduler", "the API server", "the DAG processor"
OF_TASKS = (TASK, SUPERVISOR, JVM, WORKER)
_PARTS = {SCHEDULER: "scheduler", API_SERVER: "api-server", DAG_PROCESSOR: "dag-processor", STAND_IN: "stand-in"}
_DATABASE = "warehouse"
_QUIET_SECONDS = 8.0
"""Nothing runs and nothing is due: the scheduler starts what an asset calls for within a second or two."""
_PATIENCE_SECONDS = 1500.0
"""After which a round hangs."""
_SHORTENED = {
    "AIRFLOW__CORE__DEFAULT_TASK_RETRY_DELAY": "5",
    "AIRFLOW__SCHEDULER__TASK_INSTANCE_HEARTBEAT_TIMEOUT": "30",
    "AIRFLOW__SCHEDULER__TASK_INSTANCE_HEARTBEAT_TIMEOUT_DETECTION_INTERVAL": "3",
    "AIRFLOW__SCHEDULER__ORPHANED_TASKS_CHECK_INTERVAL": "10",
    "AIRFLOW__SCHEDULER__SCHEDULER_HEALTH_CHECK_THRESHOLD": "15",
}
"""What a kill is noticed and answered after, in seconds."""
_LESS_BESIDE = {
    "AIRFLOW__CORE__DAGBAG_IMPORT_TIMEOUT": "300",
    "AIRFLOW__DAG_PROCESSOR__REFRESH_INTERVAL": "600",
    "AIRFLOW__DAG_PROCESSOR__MIN_FILE_PROCESS_INTERVAL": "600",
}
"""DAG files do not change meanwhile, and reading them again and again costs as much as the tasks do."""
_DUE = """
    select
        (select count(*) from asset_dag_run_queue)
            + (select count(*) from dag_run where state in ('queued', 'running')) as it
"""
_UNBUILT = """
    select not exists (select from mart.definition) or exists (select from audit.touched_day) as it
"""


class NeedsHandError(Exception):
    """The product has ended, or does not come to rest."""


class KilledProduct(Product):
    """bin/run with a made-up catalogue, the stand-in, no listeners yet, and short heartbeats."""

    def __init__(self, folder: Path) -> None:
        self.folder, state = folder, folder / "state"
        state.mkdir(parents=True)
        far = datetime.now(UTC) + timedelta(hours=12)
        super().__init__(
            state,
            "",
            **_SHORTENED,
            **_LESS_BESIDE,
            SPOTIPY_CLIENT_ID="",
            SPOTIFY_DAILY_CALLS="20",
            CLUSTER_COUNT="3",
            SPARK_MASTER="local[2]",
            JAVA_TOOL_OPTIONS="-XX:TieredStopAtLevel=1",
            SPARK_CONF_DIR=str(write_spark_conf(folder / "spark_conf")),
            # Rounds alone bring runs: no schedule comes round.
            REFRESH_CRON=f"{far.minute} {far.hour} * * *",
            RECENTLY_PLAYED_CRON=f"{far.minute} {far.hour} * * *",
        )

    def be_up(self) -> None:
        """Wait for the first refresh and what follows it."""
        while not self._is_published():
            time.sleep(1)
        self.server = postgres.start(self.state)
        sync_nothing(self.server)
        self.rest()

    def found(self, victim: str) -> list[psutil.Process]:
        """The processes to kill; none where there are none now."""
        if victim == SERVER:
            pid = postgres.running_pid(self.server.place)
            return [psutil.Process(pid)] if pid is not None else []
        if victim in _PARTS:
            return self._part(_PARTS[victim])
        workers = [child for part in self._part("scheduler") for child in part.children()]
        tasks = [child for worker in workers for child in worker.children()]
        if victim == SUPERVISOR:
            return [worker for worker in workers if worker.children()][:1]
        if victim == TASK:
            return tasks[:1]
        below = [process for task in tasks for process in task.children(recursive=True)]
        if victim == JVM:
            return [one for one in below if one.name() == "java"][:1]
        return [one for one in below if one.name() != "java" and "pyspark.daemon" in " ".join(one.cmdline())][-1:]

    def _part(self, name: str) -> list[psutil.Process]:
        notes = (self.state / "run" / "sessions.jsonl").read_text(encoding="utf-8").splitlines()
        pids = [note["pid"] for note in map(json.loads, notes) if note["name"] == name]
        return [psutil.Process(pids[-1])] if pids and psutil.pid_exists(pids[-1]) else []

    def running(self) -> list[str]:
        """Tasks that run at this moment, as far as Airflow's database knows; none where it does not answer."""
        statement = "select dag_id || '.' || task_id as name from task_instance where state = 'running' order by 1"
        try:
            with warehouse.connect(self.server.url("airflow", "airflow")) as connection:
                return [str(row["name"]) for row in warehouse.rows(connection, statement)]
        except EtlError:
            return []

    def rest(self, killer: "Killer | None" = None) -> None:
        """Wait until nothing runs and nothing is due, and let a killer do its work meanwhile.

        :raises NeedsHandError: where bin/run ends, or there is no rest.
        """
        deadline, quiet_since, looked_at = time.monotonic() + _PATIENCE_SECONDS, None, 0.0
        while True:
            now = time.monotonic()
            if self._process.poll() is not None:
                raise NeedsHandError(f"bin/run has ended: {self.report().strip()[-600:]}")
            if now > deadline:
                raise NeedsHandError(f"no rest after {_PATIENCE_SECONDS:.0f} s; running: {self.running()}")
            if killer is not None:
                killer.look()
            if now - looked_at >= 1:
                looked_at = now
                quiet_since = (quiet_since or now) if self._is_quiet() else None
            if quiet_since is not None and now - quiet_since >= _QUIET_SECONDS and self.api.health():
                return
            time.sleep(0.05)

    def _is_quiet(self) -> bool:
        try:
            with warehouse.connect(self.server.url("airflow", "airflow")) as connection:
                if warehouse.rows(connection, _DUE)[0]["it"]:
                    return False
            with warehouse.connect(self.server.url("loader", _DATABASE)) as connection:
                return not warehouse.rows(connection, _UNBUILT)[0]["it"]
        except EtlError:
            return False

    def start(self, dag_id: str, conf: dict[str, object]) -> None:
        """Start a run; an API server that was killed is waited for."""
        self._patiently(lambda: self.api.trigger(dag_id, conf))

    def failed(self) -> set[tuple[str, str]]:
        """All runs that have failed, by DAG and id."""
        with warehouse.connect(self.server.url("airflow", "airflow")) as connection:
            rows = warehouse.rows(connection, "select dag_id, run_id from dag_run where state = 'failed'")
        return {(str(row["dag_id"]), str(row["run_id"])) for row in rows}

    def why(self, dag_id: str, run_id: str) -> str:
        """The tasks of a run that failed, and the last words of each."""
        failed = [task for task in self.api.tasks(dag_id, run_id) if task.state == "failed"]
        told = [f"{task.task_id} at try {task.try_number}: {self._words(dag_id, run_id, task)}" for task in failed]
        return f"{dag_id}: {'; '.join(told)}"

    def _words(self, dag_id: str, run_id: str, task: TaskState) -> str:
        try:
            return self.api.last_words(dag_id, run_id, task)[:200]
        except EtlError as error:
            return str(error)[:200]

    def be_night(self, number: int) -> None:
        """Let the stand-in have a night."""

        def ask() -> None:
            (process,) = self._part("stand-in")
            words = process.cmdline()
            url = f"http://127.0.0.1:{words[words.index('--port') + 1]}/stand-in/night"
            with requests.Session() as session:
                session.trust_env = False
                session.put(url, json={"number": number}, timeout=60).raise_for_status()

        self._patiently(ask)

    def _patiently(self, ask: Callable[[], object]) -> None:
        deadline = time.monotonic() + 300
        while True:
            try:
                ask()
            except (EtlError, requests.RequestException, psutil.Error, ValueError):
                if time.monotonic() > deadline:
                    raise
                time.sleep(1)
            else:
                return

    def keep(self, name: str) -> None:
        """Keep lake and warehouse as they are now."""
        shutil.copytree(self.state / "lake", self.folder / name)
        copy_database(self.server, _DATABASE, name)

    def restore(self, name: str) -> None:
        """Put what was kept in place of what is there."""
        shutil.rmtree(self.state / "lake")
        shutil.copytree(self.folder / name, self.state / "lake")
        copy_database(self.server, name, _DATABASE)

    def url(self, name: str = _DATABASE) -> str:
        """Of the warehouse, or of one that was kept."""
        return self.server.url("loader", name)


class Killer:
    """Kills victims one after the other, each at a moment of its own.

    A process of a task is waited for, and killed up to ``_LATER_SECONDS`` after it is there: so no moment of a task is
    spared.
    """

    _LATER_SECONDS = 20.0

    def __init__(self, product: KilledProduct, victims: list[str], gap_s: float, draw: random.Random) -> None:
        self.kills: list[tuple[str, float, list[str]]] = []
        self._product, self._victims, self._gap_s, self._draw = product, list(victims), gap_s, draw
        self._began = time.monotonic()
        self._next_at = self._began + draw.uniform(0, gap_s)
        self._is_late = False

    def look(self) -> None:
        """Kill the next victim where its moment has come."""
        if not self._victims or time.monotonic() < self._next_at:
            return
        victim = self._victims[0]
        try:
            found = self._product.found(victim)
            if not found:
                self._is_late = True
                return
            if self._is_late and victim in OF_TASKS:
                self._is_late = False
                self._next_at = time.monotonic() + self._draw.uniform(0, self._LATER_SECONDS)
                return
            running = self._product.running()
            for process in found:
                process.send_signal(signal.SIGKILL)
        except psutil.Error:
            return
        second = round(time.monotonic() - self._began, 1)
        self.kills.append((victim, second, running))
        print(f"  {victim} killed at {second} s; running: {', '.join(running) or 'nothing'}", flush=True)
        self._victims.pop(0)
        self._is_late = False
        self._next_at = time.monotonic() + self._draw.uniform(0, 2 * self._gap_s)


@contextmanager
def killed_product(folder: Path) -> Iterator[KilledProduct]:
    """A product that is up; ended afterwards."""
    with KilledProduct(folder) as product:
        product.be_up()
        yield product
