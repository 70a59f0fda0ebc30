"""The embedded PostgreSQL: one server a STATE_DIR, on loopback, with passwords from its first second.

Roles: ``postgres`` (superuser), ``loader`` (owner of the database ``warehouse``) and ``airflow`` (owner of the
database ``airflow``); their passwords are in STATE_DIR/secrets. The group roles of sql/access are made beside them, so
that ``loader`` needs no right to make any. The server has a session of its own, so that
neither Ctrl-C nor the end of whoever started it reaches it.
"""

import fcntl
import hashlib
import os
import random
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil

from etl.config import CHECKOUT
from etl.errors import ActionNeededError
from launch.postgres_folder import initialise, last_words
from launch.postgres_place import Place, find_place
from launch.secrets_store import private_folder, secret

HOST = "127.0.0.1"
OWNERS = {"warehouse": "loader", "airflow": "airflow"}
_GROUP_ROLES = CHECKOUT / "sql" / "access" / "roles.sql"
_READY_SECONDS = 600
_STOP_SECONDS = 60
_GIB = 1 << 30
_LAST_LINES = 20
_NO_SPACE = "No space left on device"

_ROLES_AND_DATABASES = r"""
\set ON_ERROR_STOP on
\getenv password ROLE_PASSWORD
select format('create role %I login', :'role')
where not exists (select from pg_roles where rolname = :'role') \gexec
select format('alter role %I password %L', :'role', :'password') \gexec
select format('create database %I owner %I', :'database', :'role')
where not exists (select from pg_database where datname = :'database') \gexec
revoke all on database :"database" from public;
revoke all on database postgres, template1 from public;
"""


@dataclass(frozen=True)
class Server:
    """A running embedded server."""

    state_dir: Path
    major: int
    place: Place
    port: int

    def url(self, role: str, database: str) -> str:
        """A SQLAlchemy URL, password included, for a role (postgres, loader, airflow) and a database."""
        return f"postgresql://{role}:{secret(self.state_dir, f'postgres-{role}')}@{HOST}:{self.port}/{database}"

    def program(self, name: str) -> str:
        """The path of one of PostgreSQL's own programs, such as psql or pg_dump."""
        return str(self.place.binaries / name)


def start(state_dir: Path, major: int = 18) -> Server:
    """Start the server of ``state_dir`` where it is not running, and make it where it does not exist.

    Safe to call again and from several processes at once; heals what a killed server left behind.

    :raises ActionNeededError: where it cannot be started; the text says why and where the log is.
    """
    place = find_place(state_dir, major)
    with _locked(place):
        if not place.data.exists():
            initialise(state_dir, place)
        pid = running_pid(place)
        if pid is None:
            _clear_remains(place)
            port = _launch(state_dir, place)
        else:
            port = _wait_until_ready(place, psutil.Process(pid), _log_path(state_dir))
        server = Server(state_dir, major, place, port)
        # Beside the passwords: where these are lost and made anew, the roles are told.
        done = state_dir / "secrets" / f"postgres-{major}.done"
        if not done.exists() or done.read_text(encoding="utf-8") != _set_up_id():
            _make_roles_and_databases(server)
            done.touch(0o600)
            done.write_text(_set_up_id(), encoding="utf-8")
    return server


def mend(server: Server) -> str | None:
    """Start the server again where it has ended.

    :returns: a sentence where it had.
    :raises ActionNeededError: as ``start`` says.
    """
    if running_pid(server.place) is not None:
        return None
    start(server.state_dir, server.major)
    return "The embedded PostgreSQL had ended and was started again; nothing committed was lost."


def stop(server: Server) -> None:
    """Stop the server: open transactions are rolled back, nothing committed is lost. Again does nothing."""
    with _locked(server.place):
        pid = running_pid(server.place)
        if pid is not None:
            _end(psutil.Process(pid))
        _clear_remains(server.place)


def remove(state_dir: Path) -> None:
    """Stop all servers of ``state_dir`` and delete their data, wherever it lies. There is no way back."""
    home = (state_dir / "postgres").resolve()
    for data in home.glob("[0-9][0-9]"):
        place = find_place(state_dir, int(data.name))
        stop(Server(state_dir, int(data.name), place, 0))
        (state_dir / "secrets" / f"postgres-{data.name}.done").unlink(missing_ok=True)
    shutil.rmtree(home, ignore_errors=True)
    if (state_dir / "postgres").is_symlink():
        (state_dir / "postgres").unlink()


def client_count(server: Server) -> int:
    """How many connections others hold at this moment."""
    statement = (
        "select count(*) from pg_stat_activity where backend_type = 'client backend' and pid <> pg_backend_pid()"
    )
    return int(_psql(server, ["--command", statement]).strip())


def running_pid(place: Place) -> int | None:
    """The process id of the server where it runs, judged by what the process is and not by its number alone."""
    fields = _pid_file(place)
    if not fields:
        return None
    return int(fields[0]) if int(fields[0]) in {process.pid for process in _processes(place)} else None


def _end(process: psutil.Process) -> None:
    try:
        process.send_signal(signal.SIGINT)
        try:
            process.wait(_STOP_SECONDS)
        except psutil.TimeoutExpired:
            process.send_signal(signal.SIGQUIT)
            process.wait(_STOP_SECONDS)
    except psutil.NoSuchProcess:
        return


def _launch(state_dir: Path, place: Place) -> int:
    for _ in range(5):
        port = _free_port(place)
        command = [str(place.binaries / "postgres"), "-D", str(place.data), "-p", str(port)]
        for name, value in _server_settings().items():
            command += ["-c", f"{name}={value}"]
        with _log_path(state_dir).open("ab") as log:
            process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
                cwd="/",
                env={"PATH": os.defpath, "TZ": "UTC"},
                umask=0o077,
                user=place.user,
                group=place.user,
                extra_groups=None if place.user is None else [],
            )
        try:
            return _wait_until_ready(place, psutil.Process(process.pid), _log_path(state_dir))
        except ActionNeededError:
            if _is_free(port):
                raise
    raise ActionNeededError("The embedded PostgreSQL found no free port on 127.0.0.1.")


def _server_settings() -> dict[str, str]:
    memory = psutil.virtual_memory().total
    shared = "512MB" if memory >= 8 * _GIB else "128MB"
    roomy = shutil.disk_usage("/dev/shm").total >= _GIB if Path("/dev/shm").is_dir() else False
    return {
        "listen_addresses": HOST,
        "unix_socket_directories": "",
        "max_connections": "200",
        "shared_buffers": shared,
        "dynamic_shared_memory_type": "posix" if roomy else "mmap",
        "maintenance_work_mem": "128MB",
        "work_mem": "16MB",
        # Nobody replicates an embedded server, and loads write much in bursts.
        "wal_level": "minimal",
        "max_wal_senders": "0",
        "max_wal_size": "4GB",
        "checkpoint_timeout": "15min",
        "jit": "off",
        "log_checkpoints": "off",
        "log_line_prefix": "%m [%p] ",
        "log_timezone": "UTC",
        "timezone": "UTC",
    }


def _wait_until_ready(place: Place, process: psutil.Process, log: Path) -> int:
    """The port, as soon as the server takes connections."""
    deadline = time.monotonic() + _READY_SECONDS
    while time.monotonic() < deadline:
        if not process.is_running() or process.status() == psutil.STATUS_ZOMBIE:
            break
        fields = _pid_file(place)
        if len(fields) >= 8 and int(fields[0]) == process.pid and fields[7].strip() == "ready":
            return int(fields[3])
        time.sleep(0.02)
    raise ActionNeededError(f"The embedded PostgreSQL did not start: {_why(log)} (log: {log})")


def _why(log: Path) -> str:
    """What a server that ended said of it, and whether its disk has no room."""
    lines = log.read_text(encoding="utf-8", errors="replace").splitlines()[-_LAST_LINES:]
    reasons = [line for line in lines if "FATAL:" in line or "PANIC:" in line]
    words = last_words("\n".join(reasons or lines))
    return f"{words}. Make room on its disk, then start again" if _NO_SPACE in words else words


def _free_port(place: Place) -> int:
    """The port kept from an earlier start where it is still free, else another one, kept from now on."""
    kept = place.home / f"{place.data.name}.port"
    if kept.exists() and _is_free(int(kept.read_text())):
        return int(kept.read_text())
    # Below the range from which the system takes ports for outgoing connections.
    port = next(port for port in random.sample(range(20_000, 32_000), 2_000) if _is_free(port))
    draft = kept.with_suffix(".part")
    draft.write_text(str(port))
    draft.replace(kept)
    return port


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            return False
    return True


def _set_up_id() -> str:
    """Changes with what a server is to be given."""
    return hashlib.sha256(f"{_ROLES_AND_DATABASES} {OWNERS} {_GROUP_ROLES.read_text()}".encode()).hexdigest()


def _make_roles_and_databases(server: Server) -> None:
    _psql(server, ["--set", "ON_ERROR_STOP=1"], statements=_GROUP_ROLES.read_text(encoding="utf-8"))
    for database, role in OWNERS.items():
        _psql(
            server,
            ["--set", f"role={role}", "--set", f"database={database}"],
            statements=_ROLES_AND_DATABASES,
            ROLE_PASSWORD=secret(server.state_dir, f"postgres-{role}"),
        )


def _psql(server: Server, arguments: list[str], statements: str = "", **environ: str) -> str:
    command = [server.program("psql"), "--no-psqlrc", "--quiet", "--tuples-only", "--host", HOST]
    command += ["--port", str(server.port), "--username", "postgres", "--dbname", "postgres", *arguments]
    environ["PGPASSWORD"] = secret(server.state_dir, "postgres-postgres")
    environ["PGREQUIREAUTH"] = "scram-sha-256"
    environ["PGOPTIONS"] = "-c log_min_error_statement=panic"  # statements hold passwords
    done = subprocess.run(command, input=statements, env=environ, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise ActionNeededError(f"The embedded PostgreSQL refused its own set-up: {last_words(done.stderr)}")
    return done.stdout


def _processes(place: Place) -> list[psutil.Process]:
    """All processes of the server: those that work in its data folder, which no other process does."""
    found = []
    for process in psutil.process_iter():
        try:
            if process.name().startswith("postgres") and process.cwd() == str(place.data):
                found.append(process)
        except (psutil.NoSuchProcess, psutil.AccessDenied, psutil.ZombieProcess):
            continue
    return found


def _clear_remains(place: Place) -> None:
    """End what a killed server left: its children, and the file that names a process which is gone."""
    remains = _processes(place)
    for process in remains:
        process.kill()
    psutil.wait_procs(remains, timeout=_STOP_SECONDS)
    (place.data / "postmaster.pid").unlink(missing_ok=True)


def _pid_file(place: Place) -> list[str]:
    try:
        return (place.data / "postmaster.pid").read_text().splitlines()
    except FileNotFoundError:
        return []


@contextmanager
def _locked(place: Place) -> Iterator[None]:
    with os.fdopen(os.open(place.home / "lock", os.O_RDWR | os.O_CREAT, 0o600), "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _log_path(state_dir: Path) -> Path:
    return private_folder(state_dir / "logs") / "postgres.log"
