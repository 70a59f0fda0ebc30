"""The environment of the crash campaign: a server, a mock API, a state folder, and their snapshots after each step."""

import csv
import json
import os
import random
import shutil
import string
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

from sqlalchemy import Connection, text

from benchmarks._running_product import find_free_port
from campaigns.crash_runs.steps import STEP_ENDED_MARKER
from etl import database
from etl.errors import TryAgainError
from etl.load.migrate import migrate_warehouse
from etl.settings import CHECKOUT
from launch import postgres
from launch.mock_api import build_command, set_mock_api_variables
from launch.spark_jars import link_jars
from launch.supervised_process import SupervisedProcess
from simulator import synthetic_catalogue

DATABASE_NAME = "warehouse"
_SNAPSHOT_FOLDERS = ("lake", "accounts", "stand_in", "made_up", "forgetting")
"""Folders below STATE_DIR that steps leave for later steps; the others hold scratch and logs."""
_EXPORTED_PLAY_COUNT = 120
_RECOVERY_TIMEOUT_SECONDS = 300
_PLAY_INTERVAL = timedelta(minutes=47)


class CrashEnvironment:
    """A warehouse and a state folder in which steps run, each in a process of its own."""

    def __init__(self, folder: Path, server: postgres.Server, mock_api: SupervisedProcess, now: datetime) -> None:
        self.folder, self.server, self.mock_api = folder, server, mock_api
        self.state = folder / "state"
        self.now = now
        self.url = server.build_url("loader", DATABASE_NAME)
        environ = {
            **{name: os.environ[name] for name in ("PATH", "HOME", "LANG", "JAVA_HOME") if name in os.environ},
            "STATE_DIR": str(self.state),
            "PYTHONPATH": str(CHECKOUT),
            "WAREHOUSE_URL": self.url,
            "SPOTIFY_DAILY_CALLS": "20",
            "CLUSTER_COUNT": "3",
            "SPARK_MASTER": "local[2]",
            "JAVA_TOOL_OPTIONS": "-XX:TieredStopAtLevel=1 -XX:ReservedCodeCacheSize=240m",
            "SPARK_CONF_DIR": str(write_spark_conf(folder / "spark_conf")),
            "CRASH_NOW": now.isoformat(),
            "CRASH_EXPORT": str(_write_export(folder / "export", now)),
        }
        self._environ = set_mock_api_variables(environ, f"http://127.0.0.1:{_read_or_choose_port(folder)}")
        migrate_warehouse(self.url)

    def start_step(self, step: str, log: Path) -> subprocess.Popen[bytes]:
        """Start a step in a process of its own, whose output goes to ``log``."""
        command = [sys.executable, "-m", "campaigns.crash_runs.steps", step]
        with log.open("wb") as output:
            return subprocess.Popen(
                command,
                env=self._environ,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                cwd=self.folder,
                start_new_session=True,
            )

    @contextmanager
    def start_worker(self) -> Iterator["StepWorker"]:
        """Open a process that runs one step after another, at less cost than one process for each."""
        command = [sys.executable, "-m", "campaigns.crash_runs.steps"]
        with subprocess.Popen(
            command,
            env=self._environ,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            cwd=self.folder,
            text=True,
        ) as process:
            try:
                yield StepWorker(process)
            finally:
                process.terminate()

    def restart_stopped(self) -> None:
        """Restart ended processes as bin/run does, which gives up a mock API that ends repeatedly."""
        postgres.restart_if_ended(self.server)
        if not self.mock_api.is_running():
            self.mock_api.start()

    def wait_until_recovered(self) -> None:
        """Restart ended processes, and wait until PostgreSQL has recovered."""
        self.restart_stopped()
        deadline = time.monotonic() + _RECOVERY_TIMEOUT_SECONDS
        while True:
            try:
                with database.connect(self.url):
                    return
            except TryAgainError:
                if time.monotonic() > deadline:
                    raise
                time.sleep(1)

    def save_snapshot(self, name: str) -> None:
        """Save a snapshot of the current state under a name."""
        for subfolder in _SNAPSHOT_FOLDERS:
            if (self.state / subfolder).exists():
                shutil.copytree(self.state / subfolder, self.folder / name / subfolder)
        copy_database(self.server, DATABASE_NAME, f"after_{name}")

    def restore_snapshot(self, name: str) -> None:
        """Restore the snapshot of a name."""
        for subfolder in _SNAPSHOT_FOLDERS:
            shutil.rmtree(self.state / subfolder, ignore_errors=True)
            if (self.folder / name / subfolder).exists():
                shutil.copytree(self.folder / name / subfolder, self.state / subfolder)
        copy_database(self.server, f"after_{name}", DATABASE_NAME)

    def get_snapshot_url(self, name: str) -> str:
        """Return the URL of the warehouse in a snapshot."""
        return self.server.build_url("loader", f"after_{name}")


class StepWorker:
    """A process that stays alive and runs steps."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process

    def run_step(self, step: str) -> tuple[int, str]:
        """Run a step to its end.

        :returns: its exit code, and the last line of its output.
        """
        if self._process.stdin is None or self._process.stdout is None:
            raise RuntimeError("The worker was started without pipes.")
        self._process.stdin.write(f"{step}\n")
        self._process.stdin.flush()
        last_line = ""
        for line in self._process.stdout:
            if line.startswith(STEP_ENDED_MARKER):
                return int(line.removeprefix(STEP_ENDED_MARKER)), last_line
            last_line = line.strip() or last_line
        raise RuntimeError(f"The worker has ended in {step}: {last_line}")


@contextmanager
def create_temporary_folder() -> Iterator[Path]:
    """Open a folder for an environment, removed at the end together with its server."""
    with tempfile.TemporaryDirectory() as name:
        try:
            yield Path(name)
        finally:
            postgres.remove_servers(Path(name) / "server")


@contextmanager
def open_environment(folder: Path, now: datetime) -> Iterator[CrashEnvironment]:
    """Open an environment in ``folder``; its processes end with it."""
    with ExitStack() as stack:
        server_state, state = folder / "server", folder / "state"
        for path in (server_state, state):
            path.mkdir(parents=True, exist_ok=True)
        link_jars(state)
        server = postgres.start_server(server_state)
        stack.callback(postgres.stop_server, server)
        disable_fsync(server)
        mock_api = _make_mock_api(state, _read_or_choose_port(folder))
        mock_api.start()
        stack.callback(mock_api.stop)
        yield CrashEnvironment(folder, server, mock_api, now)


def _make_mock_api(state: Path, port: int) -> SupervisedProcess:
    environ = {**os.environ, "STATE_DIR": str(state), "AIRFLOW_HOME": str(state), "PYTHONPATH": str(CHECKOUT)}
    url = f"http://127.0.0.1:{port}/stand-in/calls"
    return SupervisedProcess(
        "stand-in", "The mock API", build_command(state, environ, port), environ, state, health_url=url
    )


def _read_or_choose_port(folder: Path) -> int:
    """Return the mock API's port, always the same: responses contain it, and an input's id is a hash of them."""
    port_file = folder / "port"
    if not port_file.exists():
        port_file.write_text(str(find_free_port()), encoding="utf-8")
    return int(port_file.read_text(encoding="utf-8"))


def copy_database(server: postgres.Server, source: str, target: str) -> None:
    """Replace a database by a copy of another; all connections to both are terminated."""
    with _connect_as_superuser(server) as connection:
        terminate_sessions = (
            "select pg_terminate_backend(pid) from pg_stat_activity where datname in (:source, :target)"
        )
        connection.execute(text(terminate_sessions), {"source": source, "target": target})
        connection.execute(text(f"drop database if exists {target} with (force)"))
        connection.execute(text(f"create database {target} template {source} owner loader"))


def disable_fsync(server: postgres.Server) -> None:
    """Leave syncing to the kernel, which survives all kills: there are dozens of copies of the warehouse."""
    with _connect_as_superuser(server) as connection:
        connection.execute(text("alter system set fsync = off"))
        connection.execute(text("select pg_reload_conf()"))


@contextmanager
def _connect_as_superuser(server: postgres.Server) -> Iterator[Connection]:
    engine = database.make_engine(server.build_url("postgres", "postgres"))
    with engine.execution_options(isolation_level="AUTOCOMMIT").connect() as connection:
        yield connection


def write_spark_conf(folder: Path) -> Path:
    """Write settings that compile less of the plans, which takes most of a step's time with so few rows."""
    folder.mkdir(exist_ok=True)
    (folder / "spark-defaults.conf").write_text("spark.sql.codegen.wholeStage false\n", encoding="utf-8")
    return folder


def _write_export(folder: Path, now: datetime) -> Path:
    """Write an extended export: plays of tracks of the synthetic catalogue, and of tracks that are in no catalogue."""
    folder.mkdir(exist_ok=True)
    rng = random.Random(7)
    track_files = [
        path for path in synthetic_catalogue.write_catalogue(folder.with_name("catalogue"), 1) if "tracks" in path.name
    ]
    with track_files[0].open(newline="", encoding="utf-8") as file:
        ids = [row["track_id"] for row in csv.DictReader(file)]
    ids += ["".join(rng.choices(string.ascii_letters + string.digits, k=22)) for _ in range(_EXPORTED_PLAY_COUNT)]
    plays = [
        {
            "ts": f"{now - _PLAY_INTERVAL * number:%Y-%m-%dT%H:%M:%SZ}",
            "platform": rng.choice(("android", "ios", "web_player")),
            "ms_played": rng.randrange(1_000, 300_000),
            "conn_country": "DE",
            "ip_addr": "192.0.2.17",
            "master_metadata_track_name": f"Song {number}",
            "master_metadata_album_artist_name": f"Singer {number % 9}",
            "master_metadata_album_album_name": "Record",
            "spotify_track_uri": f"spotify:track:{track_id}",
            "episode_name": None,
            "episode_show_name": None,
            "spotify_episode_uri": None,
            "reason_start": "trackdone",
            "reason_end": rng.choice(("trackdone", "fwdbtn")),
            "shuffle": False,
            "skipped": False,
            "offline": False,
            "offline_timestamp": None,
            "incognito_mode": False,
        }
        for number, track_id in enumerate(rng.sample(ids, _EXPORTED_PLAY_COUNT), start=30)
    ]
    (folder / "Streaming_History_Audio_2026.json").write_text(json.dumps(plays), encoding="utf-8")
    return folder


def get_now() -> datetime:
    """Return the current time of steps."""
    return datetime.now(UTC).replace(microsecond=0)
