"""A supervised process counts as started when it responds, is restarted a few times, and leaves no process."""

import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from etl.errors import ActionNeededError
from launch.environment import STATE_MARKER
from launch.supervised_process import SupervisedProcess
from tests.processes import find_free_port, list_marked_processes

SERVE = [sys.executable, "-m", "http.server", "--bind", "127.0.0.1"]


@pytest.fixture
def kept(tmp_path: Path) -> Iterator[Callable[..., SupervisedProcess]]:
    """Yield a function that creates supervised processes; stop them afterwards, and check that none is left."""
    made: list[SupervisedProcess] = []
    environ = {**os.environ, STATE_MARKER: str(tmp_path), "AIRFLOW_HOME": str(tmp_path)}

    def make(command: list[str], health_url: str | None = None) -> SupervisedProcess:
        made.append(
            SupervisedProcess(
                "part", "The part", command, environ, tmp_path, health_url=health_url, after_loss="So be it."
            )
        )
        return made[-1]

    yield make
    for part in made:
        part.stop()
    assert not list_marked_processes(tmp_path)


def kill_process(part: SupervisedProcess) -> None:
    part._child.process.kill()
    part._child.process.wait()


def test_one_that_answers_is_started_and_runs_until_it_is_stopped(kept: Callable[..., SupervisedProcess]) -> None:
    port = find_free_port()
    part = kept([*SERVE, str(port)], f"http://127.0.0.1:{port}/")
    part.start()
    assert part.is_running() and part.restart_if_ended() is None and not part.has_given_up
    part.stop()
    part.stop()
    assert not part.is_running() and part.restart_if_ended() is None


def test_one_that_ends_before_it_answers_is_told_with_its_last_words(kept: Callable[..., SupervisedProcess]) -> None:
    part = kept([sys.executable, "-c", "exit('no room')"], "http://127.0.0.1:9/")
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
