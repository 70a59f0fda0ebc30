"""Set-up under the system's Python: missing parts are installed if allowed, else named in one message."""

import fcntl
import os
import subprocess
import sys
from pathlib import Path

import pytest

from etl.settings import CHECKOUT
from launch import bootstrap


@pytest.fixture
def fakes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a folder for fake programs, which is the whole PATH."""
    folder = tmp_path / "programs"
    folder.mkdir()
    monkeypatch.setenv("PATH", str(folder))
    monkeypatch.delenv("JAVA_HOME", raising=False)
    return folder


def write_script(path: Path, script: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)


def test_a_java_that_is_old_or_incomplete_is_passed_over(tmp_path: Path) -> None:
    write_script(tmp_path / "old", "echo 'openjdk version \"11.0.2\"' >&2")
    write_script(tmp_path / "incomplete", "echo 'Error: module jdk.incubator.vector not found' >&2; exit 1")
    write_script(tmp_path / "fit", "echo 'openjdk version \"17.0.15\" 2025-04-15' >&2")
    fit = [name for name in ("old", "incomplete", "fit", "absent") if bootstrap.is_java_usable(tmp_path / name)]
    assert fit == ["fit"]


def test_no_java_and_no_right_to_install_it(fakes: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bootstrap, "find_java", lambda: None)
    with pytest.raises(bootstrap.SetupError, match=r"Java 17 or newer is needed .*apt-get install"):
        bootstrap.ensure_java(tmp_path)


def test_java_is_installed_by_the_first_package_that_there_is(
    fakes: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    write_script(fakes / "apt-get", f'echo "$@" >> {tmp_path}/asked; case "$*" in *jre-21*|*-21-*) exit 100;; esac')
    write_script(fakes / "env", 'while [ "${1#*=}" != "$1" ]; do export "$1"; shift; done; exec "$@"')
    write_script(fakes / "sudo", 'shift; exec "$@"')
    write_script(fakes / "true", "exit 0")
    asked = tmp_path / "asked"
    installed = "install -y --no-install-recommends openjdk-17-jre-headless"
    home = tmp_path / "java"
    monkeypatch.setattr(
        bootstrap, "find_java", lambda: home if asked.exists() and installed in asked.read_text() else None
    )
    assert bootstrap.ensure_java(tmp_path) == home
    assert asked.read_text().splitlines()[-1] == installed
    assert "Java (openjdk-17-jre-headless)" in capsys.readouterr().out


def test_no_network_at_the_first_start(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PIP_INDEX_URL", "http://127.0.0.1:9/simple")
    monkeypatch.setenv("PIP_FIND_LINKS", "")
    monkeypatch.setenv("PIP_RETRIES", "0")
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    with pytest.raises(bootstrap.SetupError, match="could not be installed; the first start needs the network"):
        bootstrap.make_virtual_environment(tmp_path, CHECKOUT / "requirements.txt")


def test_an_environment_that_was_made_is_not_made_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    steps: list[str] = []
    monkeypatch.setattr(bootstrap, "run_step", lambda _state, text, _commands, _failure: steps.append(text))
    (tmp_path / "venv").mkdir()
    requirements = CHECKOUT / "requirements.txt"
    bootstrap.make_virtual_environment(tmp_path, requirements)
    assert steps == ["Virtual environment", "Python packages (requirements.txt)"]
    bootstrap.make_virtual_environment(tmp_path, requirements)
    assert len(steps) == 2


def test_every_command_is_set_up_and_leads_to_a_module() -> None:
    scripts = {path.name for path in (CHECKOUT / "bin").iterdir()}
    assert set(bootstrap.COMMANDS) == scripts
    assert all((CHECKOUT / requirements).is_file() for _, requirements, _ in bootstrap.COMMANDS.values())
    assert bootstrap.COMMANDS["sign-in"] == ("launch.sign_in", "requirements.txt", False)


def test_two_set_ups_at_once(tmp_path: Path) -> None:
    with (tmp_path / "setup.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        done = subprocess.run(
            [sys.executable, str(CHECKOUT / "launch" / "bootstrap.py"), "run"],
            env={**os.environ, "STATE_DIR": str(tmp_path)},
            capture_output=True,
            text=True,
            check=False,
        )
    assert (done.returncode, done.stderr) == (1, "")
    assert "Another start is setting up this machine" in done.stdout


def test_no_python_that_is_new_enough(fakes: Path) -> None:
    for name in ("bash", "dirname", "readlink"):
        (fakes / name).symlink_to(f"/usr/bin/{name}")
    write_script(fakes / "python3", "exit 1")
    command = ["/bin/bash", str(CHECKOUT / "bin" / "run")]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "Python 3.11, 3.12 or 3.13 is needed" in done.stderr


def test_what_is_written_afterwards_is_its_owner_s_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = tmp_path / "state" / "made"
    monkeypatch.setenv("STATE_DIR", str(tmp_path / "state"))
    monkeypatch.setattr(bootstrap, "make_virtual_environment", lambda *_: os.umask(0o022))
    monkeypatch.setattr(os, "execve", lambda *_: made.write_text("what somebody listened to"))
    before = os.umask(0o022)
    try:
        bootstrap.main("psql", [])
    finally:
        os.umask(before)
    assert made.stat().st_mode & 0o777 == 0o600


def test_a_light_tier_of_the_tests_needs_neither_java_nor_browser() -> None:
    assert bootstrap.is_tier("test", ["unit", "-x"], bootstrap.NO_JAVA_TIERS)
    assert not bootstrap.is_tier("test", ["spark"], bootstrap.NO_JAVA_TIERS)
    assert bootstrap.is_tier("test", ["spark"], bootstrap.NO_BROWSER_TIERS)
    for command, arguments in (
        ("test", []),
        ("test", ["browser"]),
        ("test", ["tests/storage/test_lake.py"]),
        ("bench", ["unit"]),
    ):
        assert not bootstrap.is_tier(command, arguments, bootstrap.NO_BROWSER_TIERS)


def test_bytecode_is_cached_in_the_state_folder_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONDONTWRITEBYTECODE", "1")
    code = "import tests.processes, sys; print(sys.modules['tests.processes'].__cached__)"
    environ = bootstrap.build_environment(tmp_path)
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env=environ)
    cached = Path(done.stdout.strip())
    assert cached.is_relative_to(tmp_path) and cached.exists()
