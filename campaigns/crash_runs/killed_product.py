"""The product under kills: its processes by kind, its idle state, and its snapshots."""

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

from benchmarks._running_product import RunningProduct
from campaigns.crash_runs.environment import copy_database, disable_fsync, write_spark_conf
from etl import database
from etl.errors import EtlError
from launch import postgres
from launch.airflow_api import TaskState

TASK_PROCESS, TASK_SUPERVISOR, SPARK_JVM, PYTHON_WORKER = (
    "a task's process",
    "a task's supervisor",
    "Spark's JVM",
    "a Python worker",
)
DATABASE_SERVER, MOCK_API = "PostgreSQL", "the mock API"
SCHEDULER, API_SERVER, DAG_PROCESSOR = "the scheduler", "the API server", "the DAG processor"
TASK_VICTIMS = (TASK_PROCESS, TASK_SUPERVISOR, SPARK_JVM, PYTHON_WORKER)
_PROCESS_NAMES = {
    SCHEDULER: "scheduler",
    API_SERVER: "api-server",
    DAG_PROCESSOR: "dag-processor",
    MOCK_API: "stand-in",
}
_DATABASE = "warehouse"
_QUIET_SECONDS = 8.0
"""After so long without running or due tasks the product is idle: assets start runs within a second or two."""
_REST_TIMEOUT_SECONDS = 1500.0
"""A round that takes longer hangs."""
_SHORT_TIMEOUTS = {
    "AIRFLOW__CORE__DEFAULT_TASK_RETRY_DELAY": "5",
    "AIRFLOW__SCHEDULER__TASK_INSTANCE_HEARTBEAT_TIMEOUT": "30",
    "AIRFLOW__SCHEDULER__TASK_INSTANCE_HEARTBEAT_TIMEOUT_DETECTION_INTERVAL": "3",
    "AIRFLOW__SCHEDULER__ORPHANED_TASKS_CHECK_INTERVAL": "10",
    "AIRFLOW__SCHEDULER__SCHEDULER_HEALTH_CHECK_THRESHOLD": "15",
}
"""Shortened intervals, in seconds, after which Airflow notices a kill and reacts."""
_FEWER_DAG_READS = {
    "AIRFLOW__CORE__DAGBAG_IMPORT_TIMEOUT": "300",
    "AIRFLOW__DAG_PROCESSOR__REFRESH_INTERVAL": "600",
    "AIRFLOW__DAG_PROCESSOR__MIN_FILE_PROCESS_INTERVAL": "600",
}
"""DAG files do not change during the campaign, and reading them repeatedly costs as much as the tasks."""
_DUE_RUNS_QUERY = """
    select
        (select count(*) from asset_dag_run_queue)
            + (select count(*) from dag_run where state in ('queued', 'running')) as it
"""
_UNBUILT_MARTS_QUERY = """
    select not exists (select from mart.definition) or exists (select from audit.changed_day) as it
"""


class NeedsOperatorError(Exception):
    """The product has ended, or does not become idle."""


class KilledProduct(RunningProduct):
    """bin/run with a synthetic catalogue, the mock API, no listeners yet, and short heartbeats."""

    def __init__(self, folder: Path) -> None:
        self.folder, state = folder, folder / "state"
        state.mkdir(parents=True)
        far_time = datetime.now(UTC) + timedelta(hours=12)
        super().__init__(
            state,
            "",
            **_SHORT_TIMEOUTS,
            **_FEWER_DAG_READS,
            SPOTIPY_CLIENT_ID="",
            SPOTIFY_DAILY_CALLS="20",
            CLUSTER_COUNT="3",
            SPARK_MASTER="local[2]",
            JAVA_TOOL_OPTIONS="-XX:TieredStopAtLevel=1 -XX:ReservedCodeCacheSize=240m",
            SPARK_CONF_DIR=str(write_spark_conf(folder / "spark_conf")),
            # Only rounds start runs: no schedule fires.
            REFRESH_CRON=f"{far_time.minute} {far_time.hour} * * *",
            RECENTLY_PLAYED_CRON=f"{far_time.minute} {far_time.hour} * * *",
        )

    def wait_until_up(self) -> None:
        """Wait for the first refresh and the runs that follow it."""
        while not self._is_published():
            time.sleep(1)
        self.server = postgres.start_server(self.state)
        disable_fsync(self.server)
        self.wait_until_idle()

    def find_victims(self, victim: str) -> list[psutil.Process]:
        """Return the processes to kill, empty if none exist now."""
        if victim == DATABASE_SERVER:
            pid = postgres.find_running_pid(self.server.installation)
            return [psutil.Process(pid)] if pid is not None else []
        if victim in _PROCESS_NAMES:
            return self._find_process(_PROCESS_NAMES[victim])
        workers = [child for parent_process in self._find_process("scheduler") for child in parent_process.children()]
        tasks = [child for worker in workers for child in worker.children()]
        if victim == TASK_SUPERVISOR:
            return [worker for worker in workers if worker.children()][:1]
        if victim == TASK_PROCESS:
            return tasks[:1]
        # Java that tasks share is a child of its server; without a task, a kill of it would interrupt nothing.
        parents = [*tasks, *(self._find_driver_servers() if tasks else [])]
        descendants = [process for parent in parents for process in parent.children(recursive=True)]
        if victim == SPARK_JVM:
            return [candidate for candidate in descendants if candidate.name() == "java"][:1]
        return [
            candidate
            for candidate in descendants
            if candidate.name() != "java" and "pyspark.daemon" in " ".join(candidate.cmdline())
        ][-1:]

    def _find_driver_servers(self) -> list[psutil.Process]:
        return [
            process
            for process in psutil.process_iter(["cmdline", "environ"])
            if "etl.engines.driver_server" in (process.info["cmdline"] or ())
            and (process.info["environ"] or {}).get("STATE_DIR") == str(self.state)
        ]

    def _find_process(self, name: str) -> list[psutil.Process]:
        session_lines = (self.state / "run" / "sessions.jsonl").read_text(encoding="utf-8").splitlines()
        pids = [session["pid"] for session in map(json.loads, session_lines) if session["name"] == name]
        return [psutil.Process(pids[-1])] if pids and psutil.pid_exists(pids[-1]) else []

    def list_running_tasks(self) -> list[str]:
        """Return the running tasks in Airflow's database, empty if it does not respond."""
        statement = "select dag_id || '.' || task_id as name from task_instance where state = 'running' order by 1"
        try:
            with database.connect(self.server.build_url("airflow", "airflow")) as connection:
                return [str(row["name"]) for row in database.fetch_rows(connection, statement)]
        except EtlError:
            return []

    def wait_until_idle(self, killer: "ProcessKiller | None" = None) -> None:
        """Wait until no task runs and none is due, and let a killer kill processes during the wait.

        :raises NeedsOperatorError: if bin/run ends, or the product does not become idle.
        """
        deadline, quiet_since, looked_at = time.monotonic() + _REST_TIMEOUT_SECONDS, None, 0.0
        while True:
            now = time.monotonic()
            if self._process.poll() is not None:
                raise NeedsOperatorError(f"bin/run has ended: {self.read_report().strip()[-600:]}")
            if now > deadline:
                raise NeedsOperatorError(
                    f"no rest after {_REST_TIMEOUT_SECONDS:.0f} s; running: {self.list_running_tasks()}"
                )
            if killer is not None:
                killer.kill_if_due()
            if now - looked_at >= 1:
                looked_at = now
                quiet_since = (quiet_since or now) if self._is_idle() else None
            if quiet_since is not None and now - quiet_since >= _QUIET_SECONDS and self.api.get_health():
                return
            time.sleep(0.05)

    def _is_idle(self) -> bool:
        try:
            with database.connect(self.server.build_url("airflow", "airflow")) as connection:
                if database.fetch_rows(connection, _DUE_RUNS_QUERY)[0]["it"]:
                    return False
            with database.connect(self.server.build_url("loader", _DATABASE)) as connection:
                return not database.fetch_rows(connection, _UNBUILT_MARTS_QUERY)[0]["it"]
        except EtlError:
            return False

    def start_run(self, dag_id: str, conf: dict[str, object]) -> None:
        """Start a run; if the API server was killed, wait for it."""
        self._retry_request(lambda: self.api.start_run(dag_id, conf))

    def list_failed_runs(self) -> set[tuple[str, str]]:
        """Return all failed runs, by DAG and id."""
        with database.connect(self.server.build_url("airflow", "airflow")) as connection:
            rows = database.fetch_rows(connection, "select dag_id, run_id from dag_run where state = 'failed'")
        return {(str(row["dag_id"]), str(row["run_id"])) for row in rows}

    def describe_failure(self, dag_id: str, run_id: str) -> str:
        """Return the failed tasks of a run, and the last log lines of each."""
        failed_tasks = [task for task in self.api.list_tasks(dag_id, run_id) if task.state == "failed"]
        task_messages = [
            f"{task.task_id} at try {task.try_number}: {self._read_last_message(dag_id, run_id, task)}"
            for task in failed_tasks
        ]
        return f"{dag_id}: {'; '.join(task_messages)}"

    def _read_last_message(self, dag_id: str, run_id: str, task: TaskState) -> str:
        try:
            return self.api.find_failure_reason(dag_id, run_id, task)[:200]
        except EtlError as error:
            return str(error)[:200]

    def set_simulated_day(self, number: int) -> None:
        """Set the simulated day of the mock API."""

        def put_simulated_day() -> None:
            (process,) = self._find_process("stand-in")
            arguments = process.cmdline()
            url = f"http://127.0.0.1:{arguments[arguments.index('--port') + 1]}/stand-in/night"
            with requests.Session() as session:
                session.trust_env = False
                session.put(url, json={"number": number}, timeout=60).raise_for_status()

        self._retry_request(put_simulated_day)

    def _retry_request(self, request: Callable[[], object]) -> None:
        deadline = time.monotonic() + 300
        while True:
            try:
                request()
            except (EtlError, requests.RequestException, psutil.Error, ValueError):
                if time.monotonic() > deadline:
                    raise
                time.sleep(1)
            else:
                return

    def save_snapshot(self, name: str) -> None:
        """Save a snapshot of lake and warehouse."""
        shutil.copytree(self.state / "lake", self.folder / name)
        copy_database(self.server, _DATABASE, name)

    def restore_snapshot(self, name: str) -> None:
        """Restore a snapshot."""
        shutil.rmtree(self.state / "lake")
        shutil.copytree(self.folder / name, self.state / "lake")
        copy_database(self.server, name, _DATABASE)

    def get_warehouse_url(self, name: str = _DATABASE) -> str:
        """Return the URL of the warehouse, or of one in a snapshot."""
        return self.server.build_url("loader", name)


class ProcessKiller:
    """Killer of victims one after the other, each at a random time.

    It waits for a task's process, and kills it up to ``_MAX_DELAY_SECONDS`` after its start, so that kills hit every
    phase of a task.
    """

    _MAX_DELAY_SECONDS = 20.0

    def __init__(self, product: KilledProduct, victims: list[str], gap_s: float, rng: random.Random) -> None:
        self.kills: list[tuple[str, float, list[str]]] = []
        self._product, self._victims, self._gap_s, self._rng = product, list(victims), gap_s, rng
        self._began = time.monotonic()
        self._next_at = self._began + rng.uniform(0, gap_s)
        self._is_late = False

    def kill_if_due(self) -> None:
        """Kill the next victim if its time has come."""
        if not self._victims or time.monotonic() < self._next_at:
            return
        victim = self._victims[0]
        try:
            processes = self._product.find_victims(victim)
            if not processes:
                self._is_late = True
                return
            if self._is_late and victim in TASK_VICTIMS:
                self._is_late = False
                self._next_at = time.monotonic() + self._rng.uniform(0, self._MAX_DELAY_SECONDS)
                return
            running = self._product.list_running_tasks()
            for process in processes:
                process.send_signal(signal.SIGKILL)
        except psutil.Error:
            return
        elapsed_s = round(time.monotonic() - self._began, 1)
        self.kills.append((victim, elapsed_s, running))
        print(f"  {victim} killed at {elapsed_s} s; running: {', '.join(running) or 'nothing'}", flush=True)
        self._victims.pop(0)
        self._is_late = False
        self._next_at = time.monotonic() + self._rng.uniform(0, 2 * self._gap_s)


@contextmanager
def start_killed_product(folder: Path) -> Iterator[KilledProduct]:
    """Start the product; it ends with the context."""
    with KilledProduct(folder) as product:
        product.wait_until_up()
        yield product
