"""The embedded server: create, start, restart, stop and remove it.

It runs in a session of its own, so that neither Ctrl-C nor the end of the process that started it stops it.
"""

import fcntl
import os
import re
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import psutil

from etl.errors import ActionNeededError
from launch.ports import choose_port, is_port_free
from launch.postgres import roles
from launch.postgres.data_directory import create_data_directory, find_last_line
from launch.postgres.installation import Installation, find_installation
from launch.postgres.running_server import HOST, Server, find_running_pid, list_processes, read_pid_file
from launch.secrets_store import make_private_folder

_READY_SECONDS = 600
_STOP_SECONDS = 60
_GIB = 1 << 30
_LAST_LINES = 20
_LARGEST_LOG = 64 << 20
_START_ATTEMPTS = 5
_NO_SPACE = "No space left on device"
_HEALED_BY_RESTART = re.compile('could not create file "base/[0-9/]+": File exists')
"""A backend that outlives its server rolls back. Of an unlogged table that it has just created, the init fork is
removed but an empty main file stays. Recovery recreates the table and fails on that file once, not the next time."""


def start_server(state_dir: Path, major: int = 18) -> Server:
    """Start the server of ``state_dir`` unless it is running; create it if it does not exist.

    It may be called repeatedly and from several processes; it cleans up after a killed server.

    :raises ActionNeededError: if it cannot be started; the message has the reason and the log's path.
    """
    installation = find_installation(state_dir, major)
    with _lock_installation(installation):
        truncate_log(state_dir)
        if not installation.data.exists():
            create_data_directory(state_dir, installation)
        pid = find_running_pid(installation)
        if pid is None:
            _clear_leftovers(installation)
            port = _start_process(state_dir, installation)
        else:
            port = _wait_until_ready(installation, psutil.Process(pid), _get_log_path(state_dir))
        server = Server(state_dir, major, installation, port)
        # The marker is beside the passwords: if these are deleted and generated again, the roles get the new ones.
        setup_marker = state_dir / "secrets" / f"postgres-{major}.done"
        if not setup_marker.exists() or setup_marker.read_text(encoding="utf-8") != roles.compute_setup_hash():
            roles.make_roles_and_databases(server)
            setup_marker.touch(0o600)
            setup_marker.write_text(roles.compute_setup_hash(), encoding="utf-8")
    return server


def restart_if_ended(server: Server) -> str | None:
    """Restart the server if it has ended.

    :returns: a message if it had.
    :raises ActionNeededError: as ``start_server`` does.
    """
    if find_running_pid(server.installation) is not None:
        truncate_log(server.state_dir)
        return None
    start_server(server.state_dir, server.major)
    return "The embedded PostgreSQL had ended and was started again; nothing committed was lost."


def truncate_log(state_dir: Path) -> None:
    """Truncate the server's log if it is large, and keep a copy; the server continues to write to the same file.

    bin/run calls this once a second, so that a client that causes many log lines does not fill the disk.
    """
    log = _get_log_path(state_dir)
    if log.exists() and log.stat().st_size > _LARGEST_LOG:
        with suppress(OSError):  # a full disk has no space for the copy
            shutil.copyfile(log, log.with_name(f"{log.name}.1"))
        os.truncate(log, 0)


def stop_server(server: Server) -> None:
    """Stop the server if it runs: open transactions are rolled back, committed ones are durable."""
    with _lock_installation(server.installation):
        pid = find_running_pid(server.installation)
        if pid is not None:
            _end_process(psutil.Process(pid))
        _clear_leftovers(server.installation)


def remove_servers(state_dir: Path) -> None:
    """Stop all servers of ``state_dir`` and delete their data for good."""
    home = (state_dir / "postgres").resolve()
    for data in home.glob("[0-9][0-9]"):
        installation = find_installation(state_dir, int(data.name))
        stop_server(Server(state_dir, int(data.name), installation, 0))
        (state_dir / "secrets" / f"postgres-{data.name}.done").unlink(missing_ok=True)
    shutil.rmtree(home, ignore_errors=True)
    if (state_dir / "postgres").is_symlink():
        (state_dir / "postgres").unlink()


def _end_process(process: psutil.Process) -> None:
    try:
        process.send_signal(signal.SIGINT)
        try:
            process.wait(_STOP_SECONDS)
        except psutil.TimeoutExpired:
            process.send_signal(signal.SIGQUIT)
            process.wait(_STOP_SECONDS)
    except psutil.NoSuchProcess:
        return


def _start_process(state_dir: Path, installation: Installation) -> int:
    failure = ActionNeededError("The embedded PostgreSQL cannot be started.")
    for _ in range(_START_ATTEMPTS):
        port = choose_port(installation.home / f"{installation.data.name}.port")
        command = [str(installation.binaries / "postgres"), "-D", str(installation.data), "-p", str(port)]
        for name, value in _build_server_settings(int(installation.data.name)).items():
            command += ["-c", f"{name}={value}"]
        with _get_log_path(state_dir).open("ab") as log:
            process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
                cwd="/",
                env={"PATH": os.defpath, "TZ": "UTC"},
                umask=0o077,
                user=installation.user,
                group=installation.user,
                extra_groups=None if installation.user is None else [],
            )
        try:
            return _wait_until_ready(installation, psutil.Process(process.pid), _get_log_path(state_dir))
        except ActionNeededError as error:
            failure = error
            if is_port_free(port) and not _HEALED_BY_RESTART.search(str(error)):
                raise
    raise failure


def _build_server_settings(major: int) -> dict[str, str]:
    total_ram = psutil.virtual_memory().total
    shared_buffers = "512MB" if total_ram >= 8 * _GIB else "128MB"
    has_large_shared_memory = shutil.disk_usage("/dev/shm").total >= _GIB if Path("/dev/shm").is_dir() else False
    # A login that listens in an endless transaction keeps all notifications: at most 512 kB of them, not 8 GB.
    notifications = {"max_notify_queue_pages": "64"} if major >= 17 else {}
    return {
        "listen_addresses": HOST,
        "unix_socket_directories": "",
        "max_connections": "200",
        # Reserved for loader and airflow, however many logins connect.
        "reserved_connections": "40",
        "max_prepared_transactions": "0",
        # A session that reads all partitions and their indexes takes hundreds of locks.
        "max_locks_per_transaction": "256",
        "shared_buffers": shared_buffers,
        "dynamic_shared_memory_type": "posix" if has_large_shared_memory else "mmap",
        "maintenance_work_mem": "128MB",
        "work_mem": "16MB",
        # The server has no replicas, and loads write in bursts.
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


def _wait_until_ready(installation: Installation, process: psutil.Process, log: Path) -> int:
    """Wait until the server accepts connections; return its port."""
    deadline = time.monotonic() + _READY_SECONDS
    while time.monotonic() < deadline:
        if not process.is_running() or process.status() == psutil.STATUS_ZOMBIE:
            break
        fields = read_pid_file(installation)
        if len(fields) >= 8 and int(fields[0]) == process.pid and fields[7].strip() == "ready":
            return int(fields[3])
        time.sleep(0.02)
    raise ActionNeededError(f"The embedded PostgreSQL did not start: {_find_failure_reason(log)} (log: {log})")


def _find_failure_reason(log: Path) -> str:
    """Return the last error in the log of a server that has ended, with a remedy for a full disk."""
    lines = log.read_text(encoding="utf-8", errors="replace").splitlines()[-_LAST_LINES:]
    reasons = [line for line in lines if "FATAL:" in line or "PANIC:" in line]
    last_line = find_last_line("\n".join(reasons or lines))
    return f"{last_line}. Free some space on its disk, then start again" if _NO_SPACE in last_line else last_line


def _clear_leftovers(installation: Installation) -> None:
    """Clean up after a killed server: kill its children and delete its pid file."""
    leftovers = list_processes(installation)
    for process in leftovers:
        process.kill()
    psutil.wait_procs(leftovers, timeout=_STOP_SECONDS)
    (installation.data / "postmaster.pid").unlink(missing_ok=True)


@contextmanager
def _lock_installation(installation: Installation) -> Iterator[None]:
    with os.fdopen(os.open(installation.home / "lock", os.O_RDWR | os.O_CREAT, 0o600), "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _get_log_path(state_dir: Path) -> Path:
    return make_private_folder(state_dir / "logs") / "postgres.log"
