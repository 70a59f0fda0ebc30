"""bin/test: what the tests are told of the caller's environment."""

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
    assert checks.main(["tests/test_house.py"]) == 0
    (environ,) = given
    assert not SETTINGS & environ.keys()
    assert environ["STATE_DIR"] == "where the tests' own packages are"
