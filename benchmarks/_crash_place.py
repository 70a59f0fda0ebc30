"""What the crash benchmark has to itself: a server, a stand-in, a state folder, and what they were after each step."""

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

from benchmarks._crash_steps import ENDED
from benchmarks._product import free_port
from etl import warehouse
from etl.config import CHECKOUT
from etl.errors import TryAgainError
from etl.load.migrate import migrate
from etl.simulate import catalogue
from launch import postgres
from launch.jars import lend_jars
from launch.kept import KeptPart
from launch.stand_in import asking_stand_in, command

DATABASE = "warehouse"
_KEPT = ("lake", "accounts", "stand_in", "made_up", "forgetting")
"""What steps leave for steps under STATE_DIR; the rest is scratch and logs."""
_PLAYS = 120
_RECOVERY_SECONDS = 300
_LISTENED_EVERY = timedelta(minutes=47)


class Place:
    """A warehouse and a state folder in which steps run, each in a process of its own."""

    def __init__(self, folder: Path, server: postgres.Server, stand_in: KeptPart, now: datetime) -> None:
        self.folder, self.server, self.stand_in = folder, server, stand_in
        self.state = folder / "state"
        self.now = now
        self.url = server.url("loader", DATABASE)
        own = {
            **{name: os.environ[name] for name in ("PATH", "HOME", "LANG", "JAVA_HOME") if name in os.environ},
            "STATE_DIR": str(self.state),
            "PYTHONPATH": str(CHECKOUT),
            "WAREHOUSE_URL": self.url,
            "SPOTIFY_DAILY_CALLS": "20",
            "CLUSTER_COUNT": "3",
            "SPARK_MASTER": "local[2]",
            "JAVA_TOOL_OPTIONS": "-XX:TieredStopAtLevel=1",
            "SPARK_CONF_DIR": str(write_spark_conf(folder / "spark_conf")),
            "CRASH_NOW": now.isoformat(),
            "CRASH_EXPORT": str(_write_export(folder / "export", now)),
        }
        self._environ = asking_stand_in(own, f"http://127.0.0.1:{_kept_port(folder)}")
        migrate(self.url)

    def start(self, step: str, log: Path) -> subprocess.Popen[bytes]:
        """A step in a process of its own, which says what it says in ``log``."""
        command = [sys.executable, "-m", "benchmarks._crash_steps", step]
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
    def worker(self) -> Iterator["Worker"]:
        """A process that runs one step after the other, at less cost than one for each."""
        command = [sys.executable, "-m", "benchmarks._crash_steps"]
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
                yield Worker(process)
            finally:
                process.terminate()

    def mend(self) -> None:
        """Start again what has ended, as bin/run does, which gives up a stand-in that ends again and again."""
        postgres.mend(self.server)
        if not self.stand_in.is_running():
            self.stand_in.start()

    def settle(self) -> None:
        """Start again what has ended, and wait until PostgreSQL has recovered."""
        self.mend()
        deadline = time.monotonic() + _RECOVERY_SECONDS
        while True:
            try:
                with warehouse.connect(self.url):
                    return
            except TryAgainError:
                if time.monotonic() > deadline:
                    raise
                time.sleep(1)

    def keep(self, name: str) -> None:
        """Keep what is there now under a name."""
        for part in _KEPT:
            if (self.state / part).exists():
                shutil.copytree(self.state / part, self.folder / name / part)
        copy_database(self.server, DATABASE, f"after_{name}")

    def restore(self, name: str) -> None:
        """Put what was kept under a name in place of what is there."""
        for part in _KEPT:
            shutil.rmtree(self.state / part, ignore_errors=True)
            if (self.folder / name / part).exists():
                shutil.copytree(self.folder / name / part, self.state / part)
        copy_database(self.server, f"after_{name}", DATABASE)

    def kept_url(self, name: str) -> str:
        """Of the warehouse as it was kept."""
        return self.server.url("loader", f"after_{name}")


class Worker:
    """A process that stays and runs steps."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process

    def run(self, step: str) -> tuple[int, str]:
        """Run a step to its end.

        :returns: its exit code, and the last line that it said.
        """
        if self._process.stdin is None or self._process.stdout is None:
            raise RuntimeError("The worker was started without pipes.")
        self._process.stdin.write(f"{step}\n")
        self._process.stdin.flush()
        said = ""
        for line in self._process.stdout:
            if line.startswith(ENDED):
                return int(line.removeprefix(ENDED)), said
            said = line.strip() or said
        raise RuntimeError(f"The worker has ended in {step}: {said}")


@contextmanager
def temporary_folder() -> Iterator[Path]:
    """A folder for a place, gone afterwards with its server."""
    with tempfile.TemporaryDirectory() as name:
        try:
            yield Path(name)
        finally:
            postgres.remove(Path(name) / "server")


@contextmanager
def place(folder: Path, now: datetime) -> Iterator[Place]:
    """A place in ``folder``; what it started has ended after it."""
    with ExitStack() as stack:
        server_state, state = folder / "server", folder / "state"
        for path in (server_state, state):
            path.mkdir(parents=True, exist_ok=True)
        lend_jars(state)
        server = postgres.start(server_state)
        stack.callback(postgres.stop, server)
        sync_nothing(server)
        stand_in = _stand_in(state, _kept_port(folder))
        stand_in.start()
        stack.callback(stand_in.stop)
        yield Place(folder, server, stand_in, now)


def _stand_in(state: Path, port: int) -> KeptPart:
    environ = {**os.environ, "STATE_DIR": str(state), "AIRFLOW_HOME": str(state), "PYTHONPATH": str(CHECKOUT)}
    url = f"http://127.0.0.1:{port}/stand-in/calls"
    return KeptPart("stand-in", "The stand-in", command(state, environ, port), environ, state, health_url=url)


def _kept_port(folder: Path) -> int:
    """The port of the stand-in, the same each time: its answers name it, and an input's id is a hash of them."""
    kept = folder / "port"
    if not kept.exists():
        kept.write_text(str(free_port()), encoding="utf-8")
    return int(kept.read_text(encoding="utf-8"))


def copy_database(server: postgres.Server, source: str, target: str) -> None:
    """Put a copy of a database in the place of another; whoever is connected to either is sent away."""
    with _as_superuser(server) as connection:
        others = "select pg_terminate_backend(pid) from pg_stat_activity where datname in (:source, :target)"
        connection.execute(text(others), {"source": source, "target": target})
        connection.execute(text(f"drop database if exists {target} with (force)"))
        connection.execute(text(f"create database {target} template {source} owner loader"))


def sync_nothing(server: postgres.Server) -> None:
    """Leave syncing to the kernel, which outlives all that is killed here: of a warehouse's copies there are dozens."""
    with _as_superuser(server) as connection:
        connection.execute(text("alter system set fsync = off"))
        connection.execute(text("select pg_reload_conf()"))


@contextmanager
def _as_superuser(server: postgres.Server) -> Iterator[Connection]:
    there = warehouse.engine(server.url("postgres", "postgres"))
    with there.execution_options(isolation_level="AUTOCOMMIT").connect() as connection:
        yield connection


def write_spark_conf(folder: Path) -> Path:
    """Settings with which less of plans is compiled, which costs most of a step on so few rows."""
    folder.mkdir(exist_ok=True)
    (folder / "spark-defaults.conf").write_text("spark.sql.codegen.wholeStage false\n", encoding="utf-8")
    return folder


def _write_export(folder: Path, now: datetime) -> Path:
    """An extended export: plays of tracks of the made-up catalogue, and of tracks that nobody else knows."""
    folder.mkdir(exist_ok=True)
    chosen = random.Random(7)
    known = [path for path in catalogue.write_catalogue(folder.with_name("catalogue"), 1) if "tracks" in path.name]
    with known[0].open(newline="", encoding="utf-8") as file:
        ids = [row["track_id"] for row in csv.DictReader(file)]
    ids += ["".join(chosen.choices(string.ascii_letters + string.digits, k=22)) for _ in range(_PLAYS)]
    plays = [
        {
            "ts": f"{now - _LISTENED_EVERY * number:%Y-%m-%dT%H:%M:%SZ}",
            "platform": chosen.choice(("android", "ios", "web_player")),
            "ms_played": chosen.randrange(1_000, 300_000),
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
            "reason_end": chosen.choice(("trackdone", "fwdbtn")),
            "shuffle": False,
            "skipped": False,
            "offline": False,
            "offline_timestamp": None,
            "incognito_mode": False,
        }
        for number, track_id in enumerate(chosen.sample(ids, _PLAYS), start=30)
    ]
    (folder / "Streaming_History_Audio_2026.json").write_text(json.dumps(plays), encoding="utf-8")
    return folder


def today() -> datetime:
    """The moment that steps take for now."""
    return datetime.now(UTC).replace(microsecond=0)
