"""No process of the product is left behind, and no other process is ended."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from threading import Thread

import psutil
import pytest

from launch.environment import STATE_MARKER
from launch.processes import (
    ChildProcess,
    end_orphaned_processes,
    end_process,
    read_last_line,
    run_logged,
    start_process,
)

SLEEP = [sys.executable, "-c", "import time; time.sleep(600)"]
PARENT = "import os, subprocess, sys, time; subprocess.Popen(['sleep', '600'], {}); time.sleep(600)"


@pytest.fixture
def bystander() -> Iterator["subprocess.Popen[bytes]"]:
    process = subprocess.Popen(SLEEP, env={**os.environ, STATE_MARKER: "/somewhere/else"}, start_new_session=True)
    yield process
    process.kill()
    process.wait()


def make_environ(state: Path) -> dict[str, str]:
    return {**os.environ, STATE_MARKER: str(state), "AIRFLOW_HOME": str(state)}


def wait_for_child(part: ChildProcess) -> psutil.Process:
    parent = psutil.Process(part.process.pid)
    while not parent.children():
        assert part.is_running()
    return parent.children()[0]


def test_a_marked_process_is_found_in_whatever_session(tmp_path: Path, bystander: "subprocess.Popen[bytes]") -> None:
    stray = subprocess.Popen(SLEEP, env=make_environ(tmp_path), start_new_session=True)
    assert end_orphaned_processes(tmp_path) == 1
    assert stray.wait(10) is not None and not psutil.pid_exists(stray.pid)
    assert bystander.poll() is None


def test_a_process_that_dropped_the_marker_is_found_by_its_session(tmp_path: Path) -> None:
    command = [sys.executable, "-c", PARENT.replace("{}", "env={'PATH': os.environ['PATH']}")]
    part = start_process("parent", command, make_environ(tmp_path), tmp_path)
    child = wait_for_child(part)
    part.process.kill()
    part.process.wait()
    assert end_orphaned_processes(tmp_path) == 1
    assert not child.is_running()
    assert end_orphaned_processes(tmp_path) == 0


def test_a_session_number_that_was_given_again_is_left_alone(
    tmp_path: Path, bystander: "subprocess.Popen[bytes]"
) -> None:
    """Check a reused number from a process file, and one of a component that has ended."""
    _write_process_file(tmp_path, bystander.pid, psutil.Process(bystander.pid).create_time() - 3600)
    assert end_orphaned_processes(tmp_path) == 0
    with subprocess.Popen(["true"]) as ended:
        ended.wait()
    ended.pid = bystander.pid
    end_process(ChildProcess("ended", ended, tmp_path / "log"), grace_seconds=5)
    assert bystander.poll() is None


@pytest.mark.parametrize(
    "torn", [b'{"name": "scheduler", "pid": 1, "sta', b"\0" * 40, b'{"name": "\xc3'], ids=["half", "zeros", "letter"]
)
def test_a_torn_note_hides_no_other_one(tmp_path: Path, bystander: "subprocess.Popen[bytes]", torn: bytes) -> None:
    _write_process_file(tmp_path, bystander.pid, psutil.Process(bystander.pid).create_time())
    with (tmp_path / "run" / "sessions.jsonl").open("ab") as file:
        file.write(torn)
    assert end_orphaned_processes(tmp_path) == 1
    assert bystander.wait(10) is not None
    assert not (tmp_path / "run" / "sessions.jsonl").exists()


def _write_process_file(state: Path, pid: int, started_at: float) -> None:
    (state / "run").mkdir()
    note = {"name": "scheduler", "pid": pid, "started_at": started_at, "boot": psutil.boot_time()}
    (state / "run" / "sessions.jsonl").write_text(json.dumps(note) + "\n", encoding="utf-8")


def test_ending_a_part_ends_its_children(tmp_path: Path) -> None:
    command = [sys.executable, "-c", PARENT.replace(", {}", "")]
    part = start_process("parent", command, make_environ(tmp_path), tmp_path)
    child = wait_for_child(part)
    end_process(part, grace_seconds=5)
    assert not part.is_running()
    psutil.wait_procs([child], timeout=5)
    assert not child.is_running()


def test_a_process_ends_though_a_signal_interrupted_a_look_at_it(tmp_path: Path) -> None:
    part = start_process("part", SLEEP, make_environ(tmp_path), tmp_path)
    # What is left if a signal handler raises an error in Popen.poll: its lock is held for ever.
    assert part.process._waitpid_lock.acquire(False)  # type: ignore[attr-defined]
    ending = Thread(target=end_process, args=(part, 3.0), daemon=True)
    ending.start()
    ending.join(30)
    assert not ending.is_alive()
    assert not psutil.pid_exists(part.process.pid)


def test_output_goes_to_a_log_that_others_cannot_read(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    command = [sys.executable, "-c", "print('one', '', 'two', '', sep=chr(10)); exit(3)"]
    code, words = run_logged("talker", command, make_environ(tmp_path), tmp_path)
    assert (code, words) == (3, "two")
    assert capfd.readouterr() == ("", "")
    assert (tmp_path / "logs").stat().st_mode & 0o077 == 0
    assert read_last_line(tmp_path / "logs" / "talker.log") == "two"
