"""Processes that bin/run starts: each in a session of its own, none left behind.

What belongs to us is known by two signs, never by a name: the marker in a process's environment, and, for processes
that hide theirs, the session that one of our parts once opened (noted in STATE_DIR/run, with the moment it began).
"""

import json
import os
import signal
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil

from launch.environment import MARKER
from launch.secrets_store import private_folder

_CLOCKS_DIFFER_SECONDS = 2.0


@dataclass(frozen=True)
class Part:
    """A running part and where its output goes."""

    name: str
    process: subprocess.Popen[bytes]
    log: Path

    def is_running(self) -> bool:
        """Whether it has not ended."""
        return self.process.poll() is None


def start_part(name: str, command: list[str], environ: dict[str, str], state: Path) -> Part:
    """Start ``command`` in a session of its own; its output is appended to STATE_DIR/logs/<name>.log."""
    log = private_folder(state / "logs") / f"{name}.log"
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
    _note_session(state, name, process.pid)
    return Part(name, process, log)


def run_logged(name: str, command: list[str], environ: dict[str, str], state: Path) -> tuple[int, str]:
    """Run ``command`` to its end like a part.

    :returns: its exit code and the last line that it said.
    """
    part = start_part(name, command, environ, state)
    return part.process.wait(), last_line(part.log)


def last_line(log: Path) -> str:
    """The last line of a log that says something."""
    if not log.exists():
        return ""
    with log.open("rb") as file:
        file.seek(max(0, log.stat().st_size - 8192))
        lines = [line.strip() for line in file.read().decode("utf-8", "replace").splitlines() if line.strip()]
    return lines[-1] if lines else ""


def end_part(part: Part, grace_seconds: float) -> None:
    """Ask a part to end; after ``grace_seconds`` its whole session ends without being asked."""
    if part.is_running():
        part.process.terminate()
    try:
        part.process.wait(grace_seconds)
    except subprocess.TimeoutExpired:
        part.process.kill()
        part.process.wait()
    for process in _session_members({part.process.pid: 0.0}):
        _kill(process)


def end_strays(state: Path) -> int:
    """End every process of this STATE_DIR that bin/run or its parts have left, this one and its parents spared.

    :returns: how many there were.
    """
    spared = {os.getpid(), *(parent.pid for parent in psutil.Process().parents())}
    count = 0
    # Again until nothing is found: a process may start another one while we look.
    for _ in range(20):
        found = [process for process in _strays(state) if process.pid not in spared]
        if not found:
            break
        for process in found:
            _kill(process)
        psutil.wait_procs(found, timeout=5)
        count += len(found)
    (state / "run" / "sessions.jsonl").unlink(missing_ok=True)
    return count


def _strays(state: Path) -> list[psutil.Process]:
    found = {process.pid: process for process in _session_members(_noted_sessions(state))}
    for process in psutil.process_iter():
        try:
            if process.environ().get(MARKER) == str(state) and process.status() != psutil.STATUS_ZOMBIE:
                found[process.pid] = process
        except (psutil.NoSuchProcess, psutil.AccessDenied, psutil.ZombieProcess, OSError):
            continue
    return list(found.values())


def _session_members(sessions: dict[int, float]) -> list[psutil.Process]:
    """Living processes of our own user in one of ``sessions`` (leader's pid: when it was started).

    A session whose leader lives and was started at another time is a stranger's: the number was given again.
    """
    sessions = {pid: started_at for pid, started_at in sessions.items() if not _is_given_again(pid, started_at)}
    found = []
    for process in psutil.process_iter():
        try:
            session = os.getsid(process.pid)
            if session not in sessions or process.status() == psutil.STATUS_ZOMBIE:
                continue
            if process.uids().real == os.getuid() and process.create_time() >= sessions[session] - 1:
                found.append(process)
        except (ProcessLookupError, psutil.NoSuchProcess, psutil.AccessDenied):
            continue
    return found


def _is_given_again(pid: int, started_at: float) -> bool:
    try:
        return abs(psutil.Process(pid).create_time() - started_at) > _CLOCKS_DIFFER_SECONDS
    except psutil.NoSuchProcess:
        return False


def _note_session(state: Path, name: str, pid: int) -> None:
    with (private_folder(state / "run") / "sessions.jsonl").open("a", encoding="utf-8") as file:
        started_at, boot = psutil.Process(pid).create_time(), psutil.boot_time()
        file.write(json.dumps({"name": name, "pid": pid, "started_at": started_at, "boot": boot}) + "\n")


def _noted_sessions(state: Path) -> dict[int, float]:
    path = state / "run" / "sessions.jsonl"
    if not path.exists():
        return {}
    notes = [_read_note(line) for line in path.read_bytes().splitlines()]
    return {note["pid"]: note["started_at"] for note in notes if note and abs(note["boot"] - psutil.boot_time()) < 60}


def _read_note(line: bytes) -> dict[str, Any]:
    try:
        note: dict[str, Any] = json.loads(line)
    except ValueError:  # torn by a full disk or a power loss; the marker finds most of what it told of
        return {}
    return note


def _kill(process: psutil.Process) -> None:
    try:
        process.send_signal(signal.SIGKILL)
    except psutil.NoSuchProcess:
        return
