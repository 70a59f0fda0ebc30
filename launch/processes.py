"""Child processes of bin/run: each in a session of its own, none left behind.

A process of this STATE_DIR is recognised by the marker in its environment. Processes may hide their environment: so
STATE_DIR/run also has the sessions that were opened, with the start time of their leaders. Names are never used.
"""

import json
import os
import signal
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil

from launch.environment import STATE_MARKER
from launch.secrets_store import make_private_folder

_CLOCK_TOLERANCE_SECONDS = 2.0


@dataclass(frozen=True)
class ChildProcess:
    """A child process and its log."""

    name: str
    process: subprocess.Popen[bytes]
    log: Path

    def is_running(self) -> bool:
        """Return whether it is running."""
        return self.process.poll() is None


def start_process(name: str, command: list[str], environ: dict[str, str], state: Path) -> ChildProcess:
    """Start ``command`` in a session of its own; its output is appended to STATE_DIR/logs/<name>.log."""
    log = make_private_folder(state / "logs") / f"{name}.log"
    with log.open("ab") as output:
        process = subprocess.Popen(
            command,
            env=environ,
            cwd=environ["AIRFLOW_HOME"],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
            umask=0o077,
        )
    try:
        _record_session(state, name, process.pid)
    except OSError:  # a full disk: a process without a record could outlive a killed start
        process.kill()
        process.wait()
        raise
    return ChildProcess(name, process, log)


def run_logged(name: str, command: list[str], environ: dict[str, str], state: Path) -> tuple[int, str]:
    """Run ``command`` to its end, with its output in a log.

    :returns: its exit code and the last line of its output.
    """
    child = start_process(name, command, environ, state)
    return child.process.wait(), read_last_line(child.log)


def read_last_line(log: Path) -> str:
    """Return the last line of a log that is not blank."""
    if not log.exists():
        return ""
    with log.open("rb") as file:
        file.seek(max(0, log.stat().st_size - 8192))
        lines = [line.strip() for line in file.read().decode("utf-8", "replace").splitlines() if line.strip()]
    return lines[-1] if lines else ""


def end_process(child: ChildProcess, grace_seconds: float) -> None:
    """Terminate a child process; after ``grace_seconds`` kill it and its whole session."""
    # Popen.wait would never return after a signal handler has raised within Popen.poll, which leaves its lock held.
    if child.is_running():
        process = psutil.Process(child.process.pid)
        process.terminate()
        try:
            process.wait(grace_seconds)
        except psutil.TimeoutExpired:
            process.kill()
            process.wait()
    for member in _list_session_processes({child.process.pid: 0.0}):
        _kill_process(member)


def end_orphaned_processes(state: Path) -> int:
    """Kill all orphaned processes of this STATE_DIR, except this process and its parents.

    :returns: the number of processes.
    """
    protected_pids = {os.getpid(), *(parent.pid for parent in psutil.Process().parents())}
    count = 0
    # Repeat until no orphan is left: a process may start another one during the search.
    for _ in range(20):
        orphans = [process for process in _find_orphans(state) if process.pid not in protected_pids]
        if not orphans:
            break
        for process in orphans:
            _kill_process(process)
        psutil.wait_procs(orphans, timeout=5)
        count += len(orphans)
    (state / "run" / "sessions.jsonl").unlink(missing_ok=True)
    return count


def _find_orphans(state: Path) -> list[psutil.Process]:
    orphans = {process.pid: process for process in _list_session_processes(_read_recorded_sessions(state))}
    for process in psutil.process_iter():
        try:
            if process.environ().get(STATE_MARKER) == str(state) and process.status() != psutil.STATUS_ZOMBIE:
                orphans[process.pid] = process
        except (psutil.NoSuchProcess, psutil.AccessDenied, psutil.ZombieProcess, OSError):
            continue
    return list(orphans.values())


def _list_session_processes(sessions: dict[int, float]) -> list[psutil.Process]:
    """Return the processes of this user in ``sessions``, which has the leader's start time by its pid.

    If a leader with another start time lives, its pid was reused, and the session is not one of these.
    """
    sessions = {pid: started_at for pid, started_at in sessions.items() if not _is_pid_reused(pid, started_at)}
    members = []
    for process in psutil.process_iter():
        try:
            session = os.getsid(process.pid)
            if session not in sessions or process.status() == psutil.STATUS_ZOMBIE:
                continue
            if process.uids().real == os.getuid() and process.create_time() >= sessions[session] - 1:
                members.append(process)
        except (ProcessLookupError, psutil.NoSuchProcess, psutil.AccessDenied):
            continue
    return members


def _is_pid_reused(pid: int, started_at: float) -> bool:
    try:
        return abs(psutil.Process(pid).create_time() - started_at) > _CLOCK_TOLERANCE_SECONDS
    except psutil.NoSuchProcess:
        return False


def _record_session(state: Path, name: str, pid: int) -> None:
    with (make_private_folder(state / "run") / "sessions.jsonl").open("a", encoding="utf-8") as file:
        started_at, boot = psutil.Process(pid).create_time(), psutil.boot_time()
        file.write(json.dumps({"name": name, "pid": pid, "started_at": started_at, "boot": boot}) + "\n")


def _read_recorded_sessions(state: Path) -> dict[int, float]:
    path = state / "run" / "sessions.jsonl"
    if not path.exists():
        return {}
    records = [_parse_session_record(line) for line in path.read_bytes().splitlines()]
    return {
        record["pid"]: record["started_at"]
        for record in records
        if record and abs(record["boot"] - psutil.boot_time()) < 60
    }


def _parse_session_record(line: bytes) -> dict[str, Any]:
    try:
        record: dict[str, Any] = json.loads(line)
    except ValueError:  # truncated by a full disk or a power loss; the marker finds most of these processes
        return {}
    return record


def _kill_process(process: psutil.Process) -> None:
    try:
        process.send_signal(signal.SIGKILL)
    except psutil.NoSuchProcess:
        return
