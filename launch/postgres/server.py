"""The embedded server's life: made where it is missing, started, mended, stopped, removed.

It has a session of its own, so that neither Ctrl-C nor the end of whoever started it reaches it.
"""

import fcntl
import os
import random
import re
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import psutil

from etl.errors import ActionNeededError
from launch.postgres import roles
from launch.postgres.folder import initialise, last_words
from launch.postgres.place import Place, find_place
from launch.postgres.running import HOST, Server, pid_file, processes, running_pid
from launch.secrets_store import private_folder

_READY_SECONDS = 600
_STOP_SECONDS = 60
_GIB = 1 << 30
_LAST_LINES = 20
_LARGEST_LOG = 64 << 20
_STARTS = 5
_NO_SPACE = "No space left on device"
_HEALED_BY_ANOTHER_START = re.compile('could not create file "base/[0-9/]+": File exists')
"""A backend that outlives its server rolls back: of an unlogged table that it has just made, an empty file stays and
the file that tells of it goes. Recovery makes that one anew and stumbles over the other; the next one does not."""


def start(state_dir: Path, major: int = 18) -> Server:
    """Start the server of ``state_dir`` where it is not running, and make it where it does not exist.

    Safe to call again and from several processes at once; heals what a killed server left behind.

    :raises ActionNeededError: where it cannot be started; the text says why and where the log is.
    """
    place = find_place(state_dir, major)
    with _locked(place):
        bound_log(state_dir)
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
        if not done.exists() or done.read_text(encoding="utf-8") != roles.set_up_id():
            roles.make_roles_and_databases(server)
            done.touch(0o600)
            done.write_text(roles.set_up_id(), encoding="utf-8")
    return server


def mend(server: Server) -> str | None:
    """Start the server again where it has ended.

    :returns: a sentence where it had.
    :raises ActionNeededError: as ``start`` says.
    """
    if running_pid(server.place) is not None:
        bound_log(server.state_dir)
        return None
    start(server.state_dir, server.major)
    return "The embedded PostgreSQL had ended and was started again; nothing committed was lost."


def bound_log(state_dir: Path) -> None:
    """Empty the server's log where it has grown large, and keep a copy; the server goes on writing to the same file.

    bin/run calls it once a second, so that a client that makes the server log without a pause does not fill the disk.
    """
    log = _log_path(state_dir)
    if log.exists() and log.stat().st_size > _LARGEST_LOG:
        with suppress(OSError):  # a disk that is full has no room for the copy
            shutil.copyfile(log, log.with_name(f"{log.name}.1"))
        os.truncate(log, 0)


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
    failure = ActionNeededError("The embedded PostgreSQL cannot be started.")
    for _ in range(_STARTS):
        port = _free_port(place)
        command = [str(place.binaries / "postgres"), "-D", str(place.data), "-p", str(port)]
        for name, value in _server_settings(int(place.data.name)).items():
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
        except ActionNeededError as error:
            failure = error
            if _is_free(port) and not _HEALED_BY_ANOTHER_START.search(str(error)):
                raise
    raise failure


def _server_settings(major: int) -> dict[str, str]:
    memory = psutil.virtual_memory().total
    shared = "512MB" if memory >= 8 * _GIB else "128MB"
    roomy = shutil.disk_usage("/dev/shm").total >= _GIB if Path("/dev/shm").is_dir() else False
    # A login that listens in a transaction without an end keeps what others notify: 512 kB of it, not 8 GB.
    notifications = {"max_notify_queue_pages": "64"} if major >= 17 else {}
    return {
        "listen_addresses": HOST,
        "unix_socket_directories": "",
        "max_connections": "200",
        # For loader and airflow, however many logins connect.
        "reserved_connections": "40",
        "max_prepared_transactions": "0",
        # A session that reads all partitions and indexes there are takes hundreds.
        "max_locks_per_transaction": "256",
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
        **notifications,
    }


def _wait_until_ready(place: Place, process: psutil.Process, log: Path) -> int:
    """The port, as soon as the server takes connections."""
    deadline = time.monotonic() + _READY_SECONDS
    while time.monotonic() < deadline:
        if not process.is_running() or process.status() == psutil.STATUS_ZOMBIE:
            break
        fields = pid_file(place)
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


def _clear_remains(place: Place) -> None:
    """End what a killed server left: its children, and the file that names a process which is gone."""
    remains = processes(place)
    for process in remains:
        process.kill()
    psutil.wait_procs(remains, timeout=_STOP_SECONDS)
    (place.data / "postmaster.pid").unlink(missing_ok=True)


@contextmanager
def _locked(place: Place) -> Iterator[None]:
    with os.fdopen(os.open(place.home / "lock", os.O_RDWR | os.O_CREAT, 0o600), "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _log_path(state_dir: Path) -> Path:
    return private_folder(state_dir / "logs") / "postgres.log"
