"""bin/test: the environment and the arguments of the tests."""

import re
import subprocess
from types import SimpleNamespace

import pytest

from etl.settings import CHECKOUT
from launch import checks

_TABLE = (CHECKOUT / "docs" / "settings.md").read_text(encoding="utf-8")
_OF_THE_MACHINE = {"STATE_DIR", "JAVA_HOME"}
SETTINGS = {name.replace("…", "ANY") for name in re.findall(r"(?m)^\| `([A-Z_]+…?)`", _TABLE)} - _OF_THE_MACHINE


def test_no_setting_of_the_caller_leads_the_tests_anywhere(monkeypatch: pytest.MonkeyPatch) -> None:
    assert {"WAREHOUSE_ADMIN_URL", "PLAY_MIN_MS", "AIRFLOW__ANY"} < SETTINGS
    for name in SETTINGS:
        monkeypatch.setenv(name, "the caller's")
    monkeypatch.setenv("STATE_DIR", "where the tests' own packages are")
    given: list[dict[str, str]] = []
    monkeypatch.setattr(subprocess, "run", lambda *_, env, **__: given.append(env) or SimpleNamespace(returncode=0))
    assert checks.main(["tests/test_architecture.py"]) == 0
    (environ,) = given
    assert not SETTINGS & environ.keys()
    assert environ["STATE_DIR"] == "where the tests' own packages are"


@pytest.mark.parametrize(
    ("given", "handed_on"),
    [
        (["unit"], ["--tier", "unit"]),
        (
            ["spark", "tests/engines/test_spark.py", "-k", "memory"],
            ["--tier", "spark", "tests/engines/test_spark.py", "-k", "memory"],
        ),
        (["tests/engines/test_spark.py"], ["tests/engines/test_spark.py"]),
        (["-k", "unit"], ["-k", "unit"]),
        ([], ["--numprocesses=2"]),
    ],
    ids=" ".join,
)
def test_a_tier_is_a_choice_of_tests_and_all_else_is_pytests(given: list[str], handed_on: list[str]) -> None:
    arguments = checks.pytest_arguments(given)
    assert arguments[: len(handed_on)] == handed_on
    is_shared = "--numprocesses=2" in arguments
    assert is_shared == (len(given) < 2 and given != ["tests/engines/test_spark.py"])


def test_all_is_linter_formatter_type_checker_and_every_test(monkeypatch: pytest.MonkeyPatch) -> None:
    started: list[list[str]] = []

    def run(command: list[str], **_: object) -> SimpleNamespace:
        started.append(command[2:])
        return SimpleNamespace(returncode=int(command[2] == "mypy"))

    monkeypatch.setattr(subprocess, "run", run)
    assert checks.main([]) == 1
    assert [command[0] for command in started] == ["ruff", "ruff", "mypy", "pytest"]
    assert "--tier" not in started[-1]
