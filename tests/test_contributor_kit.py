"""The tools of contributors work: public CI, pre-commit hooks, lock files, pages about naming."""

import importlib.util
import re
import shlex
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml
from packaging.requirements import Requirement

CHECKOUT = Path(__file__).resolve().parents[1]
LOCKS = {
    "requirements.txt": (),
    "tests/requirements.txt": ("test",),
    "benchmarks/requirements.txt": ("bench",),
}
FORECAST_LOCK = "forecasting/requirements.txt"


def _load_yaml(path: str) -> dict[Any, Any]:
    loaded: dict[Any, Any] = yaml.safe_load((CHECKOUT / path).read_text(encoding="utf-8"))
    return loaded


def test_public_ci_calls_the_two_commands_of_the_readme() -> None:
    jobs = _load_yaml(".github/workflows/ci.yml")["jobs"]
    commands = {name: [step["run"] for step in job["steps"] if "run" in step] for name, job in jobs.items()}
    assert (commands["test"], commands["run"]) == (["bin/test"], ["bin/run --exit"])
    assert all("timeout-minutes" in job and job["runs-on"].startswith("ubuntu-") for job in jobs.values())


def test_public_ci_runs_the_campaign_of_containers_and_audits_both_lock_files() -> None:
    jobs = _load_yaml(".github/workflows/ci.yml")["jobs"]
    campaign = [step["run"] for step in jobs["containers"]["steps"] if "campaigns.containers" in step.get("run", "")]
    assert campaign and importlib.util.find_spec("campaigns.containers")
    audited = {step["run"].split()[-1] for step in jobs["audit"]["steps"] if "--requirement" in step.get("run", "")}
    assert audited == {"requirements.txt", FORECAST_LOCK}


def test_public_ci_may_only_read() -> None:
    workflow = _load_yaml(".github/workflows/ci.yml")
    assert workflow["permissions"] == {"contents": "read"}
    assert {"push", "pull_request"} == set(workflow[True])  # YAML parses the key "on" as true


def test_public_ci_runs_supported_versions_of_python() -> None:
    supported = {"3.11", "3.12", "3.13"}
    jobs = _load_yaml(".github/workflows/ci.yml")["jobs"]
    assert set(jobs["test"]["strategy"]["matrix"]["python"]) <= supported
    assert jobs["run"]["steps"][1]["with"]["python-version"] in supported


def test_hooks_run_what_the_project_s_environment_holds() -> None:
    (repository,) = _load_yaml(".pre-commit-config.yaml")["repos"]
    hooks = {hook["id"]: hook for hook in repository["hooks"]}
    assert (repository["repo"], set(hooks)) == ("local", {"ruff", "ruff-format", "mypy", "sqruff"})
    test_extra = {Requirement(line).name for line in _read_project()["optional-dependencies"]["test"]}
    for hook in hooks.values():
        program, *arguments = shlex.split(hook["entry"])
        tool = arguments[1] if arguments[0] == "-m" else Path(program).name
        assert program.startswith(".state/venv/bin/") and tool in test_extra and hook["language"] == "system"


def _read_project() -> dict[str, Any]:
    project: dict[str, Any] = _read_pyproject()["project"]
    return project


def _read_pyproject() -> dict[str, Any]:
    return tomllib.loads((CHECKOUT / "pyproject.toml").read_text(encoding="utf-8"))


@pytest.mark.parametrize("lock", [*LOCKS, FORECAST_LOCK])
def test_a_lock_file_holds_names_versions_and_hashes(lock: str) -> None:
    text = (CHECKOUT / lock).read_text(encoding="utf-8")
    assert "://" not in text and "--index" not in text and "--find-links" not in text
    pins = re.split(r"\n(?=\w)", re.sub(r"(?m)^#.*\n", "", text))
    assert len(pins) > (30 if lock == FORECAST_LOCK else 100)
    unlike = r"[a-z0-9._-]+(\[[a-z,-]+\])?==[\w.+!]+( ; [^\\]+)? \\\n(    --hash=sha256:[0-9a-f]{64}( \\)?\n?)+"
    assert not [pin.splitlines()[0] for pin in pins if not re.fullmatch(unlike, pin)]


@pytest.mark.parametrize("lock", LOCKS)
def test_a_lock_file_pins_what_the_project_asks_for(lock: str) -> None:
    text = (CHECKOUT / lock).read_text(encoding="utf-8")
    pinned = dict(re.findall(r"(?m)^([a-z0-9._-]+)==([\w.+!]+)", text))
    extras = [line for extra in LOCKS[lock] for line in _read_project()["optional-dependencies"][extra]]
    for requirement in map(Requirement, [*_read_project()["dependencies"], *extras]):
        name = re.sub(r"[-_.]+", "-", requirement.name).lower()
        assert name in pinned and requirement.specifier.contains(pinned[name]), f"{lock}: run launch/lock.sh for {name}"


def test_the_forecasts_have_the_products_versions_of_what_both_use() -> None:
    locks = {
        lock: dict(re.findall(r"(?m)^([a-z0-9._-]+)==([\w.+!]+)", (CHECKOUT / lock).read_text(encoding="utf-8")))
        for lock in ("requirements.txt", FORECAST_LOCK)
    }
    product, forecasts = locks.values()
    assert {Requirement(line).name for line in _read_pyproject()["dependency-groups"]["forecast"]} <= forecasts.keys()
    assert "apache-airflow" not in forecasts and {"numpy", "pandas", "pyarrow"} <= product.keys() & forecasts.keys()
    assert not {name for name in product.keys() & forecasts.keys() if product[name] != forecasts[name]}
