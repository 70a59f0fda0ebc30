"""A step that runs, its victims, and the processes that it leaves."""

import os
import shutil
import signal
import time
from pathlib import Path

import psutil

from campaigns.crash_runs import steps
from campaigns.crash_runs.environment import CrashEnvironment
from launch import postgres
from launch.processes import read_last_line

_POLL_SECONDS = 0.02
_RESTART_CHECK_SECONDS = 1.0


def run_and_kill(
    environment: CrashEnvironment, step: str, log: Path, victim: str | None, at_s: float, timeout_s: float
) -> tuple[float | None, int | None]:
    """Run a step; kill the victim as soon as it exists after ``at_s`` seconds.

    :returns: the second of the kill, None if the step had ended; the exit code, None if the step hung.
    """
    process, began, killed_at_s, restarted_at_s = environment.start_step(step, log), time.monotonic(), None, 0.0
    try:
        while process.poll() is None:
            elapsed_s = time.monotonic() - began
            if elapsed_s > timeout_s:
                return killed_at_s, None
            if victim and killed_at_s is None and elapsed_s >= at_s and _kill_victim(environment, process.pid, victim):
                killed_at_s = elapsed_s
            if elapsed_s - restarted_at_s >= _RESTART_CHECK_SECONDS:
                environment.restart_stopped()
                restarted_at_s = elapsed_s
            time.sleep(_POLL_SECONDS)
    finally:
        if process.poll() is None:  # the step hangs, or the campaign is stopped
            _kill_process_tree(psutil.Process(process.pid))
            process.wait()
    environment.restart_stopped()
    return killed_at_s, process.returncode


def _kill_victim(environment: CrashEnvironment, pid: int, victim: str) -> bool:
    """Kill a victim; return False if none exists now."""
    try:
        step = psutil.Process(pid)
        if victim == steps.PROCESS_TREE:
            _kill_process_tree(step)
            return True
        processes = _find_victims(environment, step, victim)
        for process in processes:
            process.send_signal(signal.SIGKILL)
        return bool(processes)
    except psutil.Error:
        return False


def _find_victims(environment: CrashEnvironment, step: psutil.Process, victim: str) -> list[psutil.Process]:
    children = step.children(recursive=True)
    if victim == steps.STEP_PROCESS:
        return [step]
    if victim == steps.SPARK_JVM:
        return [process for process in children if process.name() == "java"][:1]
    if victim == steps.PYTHON_WORKER:
        return [
            process for process in children if "pyspark" in " ".join(process.cmdline()) and process.name() != "java"
        ][-1:]
    if victim == steps.MOCK_API:
        own_children = psutil.Process().children()
        return [process for process in own_children if "simulator.mock_api" in process.cmdline()]
    server = postgres.find_running_pid(environment.server.installation)
    if server is None:
        return []
    if victim == steps.DATABASE_SERVER:
        return [psutil.Process(server)]
    backends = [process for process in psutil.Process(server).children() if " loader " in " ".join(process.cmdline())]
    return backends[-1:]


def _kill_process_tree(step: psutil.Process) -> None:
    for process in [step, *step.children(recursive=True)]:
        try:
            process.send_signal(signal.SIGKILL)
        except psutil.NoSuchProcess:
            continue


def describe_exit(code: int | None, log: Path) -> str:
    """Return how a step ended; with its message if it failed."""
    if code is None:
        return "hung"
    return "done" if code == 0 else f"exit code {code}: {read_last_line(log)[:200]}"


def find_orphans(environment: CrashEnvironment) -> list[psutil.Process]:
    """Return processes that killed steps have left running."""
    orphans = []
    for process in psutil.process_iter():
        try:
            if process.environ().get("CRASH_EXPORT") and process.environ().get("STATE_DIR") == str(environment.state):
                orphans.append(process)
        except (psutil.Error, OSError):
            continue
    return [process for process in orphans if process.pid != os.getpid() and process.status() != psutil.STATUS_ZOMBIE]


def kill_orphans(environment: CrashEnvironment) -> None:
    """Kill what killed steps have left running, and remove the files of their Spark sessions."""
    for process in find_orphans(environment):
        process.kill()
    shutil.rmtree(environment.state / "spark", ignore_errors=True)
