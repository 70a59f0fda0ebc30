"""The tiers: the needs of a test determine its tier, and a test that starts more than its tier allows fails."""

import subprocess
import sys
from pathlib import Path

import pytest

from etl.settings import CHECKOUT
from launch.bootstrap import NO_BROWSER_TIERS, NO_JAVA_TIERS
from launch.checks import TIERS
from tests.tiers import PROGRAMS, find_forbidden_program

_MODULE = """
import pytest

@pytest.fixture(scope="module")
def embedded_server():
    yield

@pytest.fixture
def spark(embedded_server):
    yield

@pytest.fixture
def place(spark):
    yield

def test_plain(): pass
def test_fixture(embedded_server): pass
def test_fixture_of_a_fixture(place): pass
@pytest.mark.postgres
def test_marker(): pass
@pytest.mark.postgres
def test_marker_and_heavier_fixture(spark): pass
@pytest.mark.browser
def test_heavier_marker_and_fixture(spark): pass
"""
_TIERS = {
    "test_plain": "unit",
    "test_fixture": "postgres",
    "test_fixture_of_a_fixture": "spark",
    "test_marker": "postgres",
    "test_marker_and_heavier_fixture": "spark",
    "test_heavier_marker_and_fixture": "browser",
}
_STARTING = """
import os, subprocess, sys
import pytest

def test_java(): subprocess.run(["java", "-version"])
def test_initdb(): subprocess.run(["setpriv", "/somewhere/bin/initdb", "--version"])
def test_chromium(): subprocess.Popen("/usr/bin/chromium")
def test_airflow(): subprocess.run([sys.executable, "-m", "airflow", "version"])
def test_swallowed():
    try:
        subprocess.run(["java", "-version"])
    except RuntimeError:
        pass
def test_by_a_process_of_its_own():
    code = "import os, subprocess; subprocess.run([os.path.join(os.environ['JAVA_HOME'], 'bin', 'java')], check=True)"
    subprocess.run([sys.executable, "-c", code], check=True)
def test_by_a_shell(): subprocess.run("java -version", shell=True, check=True)
@pytest.mark.postgres
def test_java_in_postgres(): subprocess.run(["java", "-version"])

def test_allowed(): subprocess.run(["true"], check=True)
@pytest.mark.spark
def test_java_in_spark():
    assert os.listdir(os.environ["PATH"].split(":")[0]).count("java") == 0 and "JAVA_HOME" not in os.environ
"""


def run_pytest(folder: Path, content: str, *arguments: str) -> str:
    """Return the output of pytest for a test module."""
    (folder / "test_module.py").write_text(content)
    markers = "".join(f"  {tier}\n" for tier in TIERS)
    (folder / "pytest.ini").write_text(f"[pytest]\nmarkers =\n{markers}")
    command = [sys.executable, "-m", "pytest", "-p", "tests.tiers", "-p", "no:cacheprovider", "-q", "-rA", *arguments]
    # Use a separate folder: mock programs in the tests' own folders are exempt.
    command += [f"--rootdir={folder}", f"--basetemp={folder / 'temp'}", "test_module.py"]
    environ = {"PATH": "/usr/bin:/bin", "PYTHONPATH": str(CHECKOUT), "HOME": str(folder)}
    completed = subprocess.run(command, cwd=folder, env=environ, capture_output=True, text=True, check=False)
    return completed.stdout + completed.stderr


@pytest.mark.parametrize("tier", TIERS)
def test_a_tier_selects_the_tests_whose_heaviest_need_it_is(tmp_path: Path, tier: str) -> None:
    printed = run_pytest(tmp_path, _MODULE, "--tier", tier)
    passed = {line.rpartition("::")[2] for line in printed.splitlines() if line.startswith("PASSED")}
    assert passed == {name for name, needed in _TIERS.items() if needed == tier}, printed


def test_a_test_that_starts_what_its_tier_does_not_allow_fails(tmp_path: Path) -> None:
    printed = run_pytest(tmp_path, _STARTING)
    lines = printed.splitlines()
    passed = {line.rpartition("::")[2] for line in lines if line.startswith("PASSED")}
    failed = {line.rpartition("::")[2].split(" ")[0] for line in lines if line.startswith("FAILED")}
    assert passed == {"test_allowed", "test_java_in_spark"}, printed
    assert len(failed) == 8, printed


def test_a_distributed_run_begins_with_the_files_that_may_take_longest(tmp_path: Path) -> None:
    contents = {
        "a": "def test_quick(): pass",
        "b": "@pytest.mark.timeout(900)\ndef test_long(): pass",
        "c": "def test_before(): pass\n@pytest.mark.timeout(1500)\ndef test_longest(): pass",
        "d": "@pytest.mark.airflow\ndef test_heavy(): pass",
    }
    for name, content in contents.items():
        (tmp_path / f"test_{name}.py").write_text(f"import pytest\n{content}\n")
    printed = run_pytest(
        tmp_path, "", "-n1", "--dist=loadfile", "--no-loadscope-reorder", *map("test_{}.py".format, "abcd")
    )
    passed = [line.rpartition("::")[2] for line in printed.splitlines() if line.startswith("PASSED")]
    assert passed == ["test_before", "test_longest", "test_long", "test_heavy", "test_quick"], printed


def test_every_tier_but_the_first_has_programs_of_its_own() -> None:
    assert list(dict.fromkeys(PROGRAMS.values())) == list(TIERS[1:])
    for program, tier in PROGRAMS.items():
        assert [other_tier for other_tier in TIERS if find_forbidden_program([program], other_tier, "")] == list(
            TIERS[: TIERS.index(tier)]
        )


def test_what_lies_in_the_tests_folder_only_pretends() -> None:
    assert find_forbidden_program(["/tmp/tests/bin/java"], "unit", "/tmp/tests") is None
    assert find_forbidden_program(["/usr/bin/java"], "unit", "/tmp/tests") == "/usr/bin/java"
    assert find_forbidden_program([b"/usr/bin/java", Path("x")], "unit", "") == "/usr/bin/java"


def test_the_tiers_that_are_set_up_without_java_or_browser_are_the_first_ones() -> None:
    assert TIERS[: len(NO_JAVA_TIERS)] == NO_JAVA_TIERS and TIERS[: len(NO_BROWSER_TIERS)] == NO_BROWSER_TIERS
