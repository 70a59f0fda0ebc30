"""The environment of the forecasts: made once, complete or made again, with a message if that is not possible."""

import os
import subprocess
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from etl.engines import forecast_program
from etl.engines.forecast_program import build_environ, ensure_environment, get_python_path, run_program
from etl.errors import ActionNeededError, EtlError, TryAgainError

NOTHING = "# no package\n"
UNKNOWN = "no-such-package==1.0 \\\n    --hash=sha256:" + 64 * "0" + "\n"


@pytest.fixture
def requirements(tmp_path: Path) -> Path:
    path = tmp_path / "requirements.txt"
    path.write_text(NOTHING)
    return path


def get_marker(state: Path, requirements: Path) -> Path:
    return get_python_path(state, requirements).parent.parent / "requirements.installed"


def test_it_is_made_once(tmp_path: Path, requirements: Path) -> None:
    ensure_environment(tmp_path, requirements)
    python = get_python_path(tmp_path, requirements)
    assert subprocess.run([python, "-c", "import numpy"], capture_output=True, check=False).returncode == 1
    (python.parent / "kept").touch()
    ensure_environment(tmp_path, requirements)
    assert (python.parent / "kept").exists()


def test_other_requirements_leave_the_environment_of_a_running_program(tmp_path: Path, requirements: Path) -> None:
    ensure_environment(tmp_path, requirements)
    earlier, earlier_marker = get_python_path(tmp_path, requirements), get_marker(tmp_path, requirements)
    requirements.write_text(f"{NOTHING}# changed\n")
    ensure_environment(tmp_path, requirements)
    assert get_python_path(tmp_path, requirements) != earlier
    assert subprocess.run([earlier, "-c", ""], check=False).returncode == 0
    os.utime(earlier_marker, (0, 0))
    requirements.write_text(f"{NOTHING}# changed again\n")
    ensure_environment(tmp_path, requirements)
    assert not earlier_marker.parent.exists(), "no run has asked for it for a week"
    assert len(list((tmp_path / "forecasting").glob("venv-*"))) == 2


def test_what_a_killed_process_left_is_made_again(tmp_path: Path, requirements: Path) -> None:
    python = get_python_path(tmp_path, requirements)
    python.parent.mkdir(parents=True)
    python.write_text("half of it")
    ensure_environment(tmp_path, requirements)
    assert subprocess.run([python, "-c", ""], check=False).returncode == 0


def test_two_processes_make_it_once(tmp_path: Path, requirements: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    commands: list[str] = []
    run_uv: Callable[..., Any] = forecast_program._run_uv

    def record(state: Path, *arguments: str) -> None:
        commands.append(arguments[0])
        run_uv(state, *arguments)

    monkeypatch.setattr(forecast_program, "_run_uv", record)
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(lambda _: ensure_environment(tmp_path, requirements), range(2)))
    assert commands == ["venv", "pip"]


def test_without_the_network_the_reason_is_said_and_nothing_counts_as_made(
    tmp_path: Path, requirements: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("UV_OFFLINE", "1")
    requirements.write_text(UNKNOWN)
    with pytest.raises(TryAgainError, match=r"could not be made\. It needs the network once.*: .+"):
        ensure_environment(tmp_path, requirements)
    assert not get_marker(tmp_path, requirements).exists()


def test_too_little_space_is_said_before_anything_is_fetched(
    tmp_path: Path, requirements: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(forecast_program, "_NEEDED_BYTES", 1 << 60)
    with pytest.raises(ActionNeededError, match=r"GiB on the disk of .* make room"):
        ensure_environment(tmp_path, requirements)
    assert not get_python_path(tmp_path, requirements).exists()


def test_the_program_gets_no_secret_and_its_message_is_the_error(
    tmp_path: Path, requirements: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("WAREHOUSE_URL", "postgresql://loader:a-secret-word@127.0.0.1/none")
    assert "a-secret-word" not in str(build_environ(tmp_path))
    ensure_environment(tmp_path, requirements)
    with pytest.raises(EtlError, match="No module named"):
        run_program(tmp_path / "nowhere", tmp_path, requirements)
    assert "Traceback" in caplog.text, "the lines before the last one are logged, too"
