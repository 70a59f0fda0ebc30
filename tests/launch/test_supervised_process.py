"""A supervised process counts as started when it responds, is restarted without a wait, and leaves no process."""

import errno
import os
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from etl.errors import ActionNeededError
from launch.environment import STATE_MARKER
from launch.supervised_process import SupervisedProcess
from tests.processes import find_free_port, list_marked_processes

SERVE = [sys.executable, "-m", "http.server", "--bind", "127.0.0.1"]


class Clock:
    """A clock that a test sets."""

    def __init__(self) -> None:
        self.now = 1000.0

    def monotonic(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr("launch.supervised_process.time", clock)
    return clock


@pytest.fixture
def kept(tmp_path: Path) -> Iterator[Callable[..., SupervisedProcess]]:
    """Yield a function that creates supervised processes; stop them afterwards, and check that none is left."""
    made: list[SupervisedProcess] = []
    environ = {**os.environ, STATE_MARKER: str(tmp_path), "AIRFLOW_HOME": str(tmp_path)}

    def make(command: list[str], **options: Any) -> SupervisedProcess:
        made.append(
            SupervisedProcess("part", "The part", command, environ, tmp_path, after_loss="So be it.", **options)
        )
        return made[-1]

    yield make
    for part in made:
        part.stop()
    deadline = time.monotonic() + 10
    while list_marked_processes(tmp_path):  # a child of a killed shell ends a moment later
        assert time.monotonic() < deadline
        time.sleep(0.05)


def kill_process(part: SupervisedProcess) -> None:
    part._child.process.kill()
    part._child.process.wait()


def test_one_that_answers_is_started_and_runs_until_it_is_stopped(kept: Callable[..., SupervisedProcess]) -> None:
    port = find_free_port()
    part = kept([*SERVE, str(port)], health_url=f"http://127.0.0.1:{port}/")
    part.start()
    assert part.is_running() and part.restart_if_ended() is None and not part.has_given_up
    part.stop()
    part.stop()
    assert not part.is_running() and part.restart_if_ended() is None


def test_one_that_ends_before_it_answers_is_told_with_its_last_words(kept: Callable[..., SupervisedProcess]) -> None:
    part = kept([sys.executable, "-c", "exit('no room')"], health_url="http://127.0.0.1:9/")
    with pytest.raises(ActionNeededError, match=r"The part did not start: no room \(log: .*part.log\)"):
        part.start()


def test_one_that_dies_each_time_comes_back_five_times_and_is_then_given_up_once(
    kept: Callable[..., SupervisedProcess],
) -> None:
    part = kept([sys.executable, "-c", "import time; time.sleep(600)"])
    part.start()
    for _ in range(5):
        kill_process(part)
        assert part.restart_if_ended() == "The part had ended (exit code -9) and was started again."
    kill_process(part)
    news = part.restart_if_ended()
    assert news is not None and "is no longer restarted" in news and news.endswith("So be it.")
    assert part.has_given_up and part.restart_if_ended() is None


def test_one_that_ends_now_and_then_always_comes_back(
    kept: Callable[..., SupervisedProcess], monkeypatch: pytest.MonkeyPatch
) -> None:
    part = kept([sys.executable, "-c", "import time; time.sleep(600)"])
    part.start()
    monkeypatch.setattr("launch.supervised_process._RESTART_WINDOW_SECONDS", 0.0)
    for _ in range(7):
        kill_process(part)
        assert part.restart_if_ended() == "The part had ended (exit code -9) and was started again."
    assert part.is_running() and not part.has_given_up


def end_and_restart(part: SupervisedProcess, clock: Clock) -> float | None:
    """Wait for the end of a process, then let the clock run to its restart.

    :returns: the delay of the restart; None if the process is given up.
    """
    part._child.process.wait()
    message = part.restart_if_ended()
    assert message is not None
    if part.has_given_up:
        return None
    assert "The part had ended (exit code 1) and will be started again in " in message and ": no room (log:" in message
    delay = float(message.split(" again in ")[1].split(" s: ")[0])
    clock.now += delay - 0.1
    assert part.restart_if_ended() is None, "it does not wait, and does not restart too early"
    clock.now += 0.1
    assert part.restart_if_ended() == "The part had ended (exit code 1) and was started again."
    return delay


def test_delays_double_up_to_a_minute_until_it_is_given_up(
    kept: Callable[..., SupervisedProcess], clock: Clock, tmp_path: Path
) -> None:
    part = kept(
        ["sh", "-c", "echo no room; exit 1"],
        first_delay_seconds=1.0,
        max_restarts=8,
        progress_file=tmp_path / "progress",
    )
    part.start()
    assert [end_and_restart(part, clock) for _ in range(9)] == [1, 2, 4, 8, 16, 32, 60, 60, None]
    clock.now += 7200
    assert part.restart_if_ended() is None


def test_progress_resets_the_count_and_the_delay(
    kept: Callable[..., SupervisedProcess], clock: Clock, tmp_path: Path
) -> None:
    script = tmp_path / "script"
    script.write_text("touch progress; echo no room; exit 1")
    part = kept(["sh", str(script)], first_delay_seconds=1.0, max_restarts=2, progress_file=tmp_path / "progress")
    part.start()
    assert [end_and_restart(part, clock) for _ in range(4)] == [1, 1, 1, 1]
    part._child.process.wait()
    script.write_text("echo no room; exit 1")
    assert [end_and_restart(part, clock) for _ in range(3)] == [1, 2, None]


def test_progress_soon_after_the_start_does_not_count(
    kept: Callable[..., SupervisedProcess], clock: Clock, tmp_path: Path
) -> None:
    script = tmp_path / "script"
    script.write_text("touch progress; echo no room; exit 1")
    options = {"first_delay_seconds": 1.0, "max_restarts": 2, "progress_file": tmp_path / "progress"}
    part = kept(["sh", str(script)], min_progress_seconds=60.0, **options)
    part.start()
    assert [end_and_restart(part, clock) for _ in range(3)] == [1, 2, None]


def test_an_error_in_the_progress_file_is_no_progress(
    kept: Callable[..., SupervisedProcess], clock: Clock, tmp_path: Path
) -> None:
    script = tmp_path / "script"
    script.write_text("""echo '{"last_error": "no room"}' > progress; echo no room; exit 1""")
    options = {"first_delay_seconds": 1.0, "max_restarts": 3, "progress_file": tmp_path / "progress"}
    part = kept(["sh", str(script)], **options)
    part.start()
    assert [end_and_restart(part, clock) for _ in range(2)] == [1, 2]
    part._child.process.wait()
    script.write_text("""echo '{"last_error": null}' > progress; sleep 600""")
    assert end_and_restart(part, clock) == 4
    wait_until_written(tmp_path / "progress", "null")
    assert part.restart_if_ended() is None, "it works again"
    (tmp_path / "progress").write_text('{"last_error": "no room"}')
    kill_process(part)
    message = part.restart_if_ended()
    assert message is not None and "will be started again in 1 s" in message


def wait_until_written(path: Path, text: str) -> None:
    deadline = time.monotonic() + 30
    while text not in path.read_text():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_one_that_does_not_respond_after_its_restart_is_started_once_more(
    kept: Callable[..., SupervisedProcess], clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    is_responding = True
    monkeypatch.setattr("launch.supervised_process._is_responding", lambda _: is_responding)
    part = kept(["sleep", "600"], health_url="http://127.0.0.1:9/")
    part.start()
    is_responding = False
    kill_process(part)
    assert part.restart_if_ended() is None and part.is_running()
    clock.now += 60
    assert part.restart_if_ended() is None and part.is_running()
    is_responding = True
    assert part.restart_if_ended() == "The part did not respond after its restart and was started again."
    assert part.restart_if_ended() is None


def test_a_full_disk_at_a_restart_is_waited_for(
    kept: Callable[..., SupervisedProcess], clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    part = kept(["sleep", "600"], first_delay_seconds=1.0)
    part.start()
    kill_process(part)
    part.restart_if_ended()

    def fail(*_: Any) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr("launch.processes._record_session", fail)
        clock.now += 1
        message = part.restart_if_ended()
    assert message is not None and "could not be started again (No space left on device) and will be" in message
    clock.now += 2
    assert part.restart_if_ended() is not None and part.is_running()
