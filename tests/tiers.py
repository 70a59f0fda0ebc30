"""The tier of each test: the heaviest process that it needs.

A test's tier comes from the fixtures that it uses, directly or through others. A test that starts such a process
without a fixture names its tier by a marker (``@pytest.mark.postgres``); if both name one, the heavier tier
counts. A test may use what lighter tiers use, too; one that starts a process of a heavier tier than its own fails.
``pytest --tier NAME`` runs the tests of one tier.
"""

import os
import sys
from collections.abc import Generator, Iterable
from pathlib import Path
from typing import Any

import pytest

from launch.checks import TIERS

FIXTURES = {
    "embedded_server": "postgres",
    "spark": "spark",
    "kafka_broker": "spark",
    "product": "airflow",
    "started_browser": "browser",
}
PROGRAMS = {
    **dict.fromkeys(("initdb", "pg_ctl", "postgres"), "postgres"),
    **dict.fromkeys(("java", "spark-class", "spark-submit"), "spark"),
    "airflow": "airflow",
    **dict.fromkeys(("chromium", "chromedriver"), "browser"),
}
"""Programs, and modules that Python runs, by the tier that may start them."""
HIDDEN = ("java", "chromium", "chromedriver")
"""Programs that the processes of a test do not find if its tier may not start them."""


class _Running:
    """The running test, if any, and the forbidden programs that it started."""

    def __init__(self) -> None:
        self.tier: str | None = None
        self.folder = ""
        self.started: list[str] = []


_running = _Running()


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add ``--tier``."""
    parser.addoption("--tier", choices=TIERS, help="run the tests of this tier alone")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Select the tests of a tier; in a distributed run, put the files that may take longest first."""
    if tier := config.getoption("--tier"):
        config.hook.pytest_deselected(items=[item for item in items if get_tier(item) != tier])
        items[:] = [item for item in items if get_tier(item) == tier]
    if hasattr(config, "workerinput"):
        weights: dict[Path, tuple[float, int]] = {}
        for item in items:
            weights[item.path] = max(weights.get(item.path, (0, 0)), _get_weight(item))
        items.sort(key=lambda item: weights[item.path], reverse=True)


def get_tier(item: pytest.Item) -> str:
    """Return the heaviest of the tiers that a test's fixtures and markers name, else ``unit``."""
    by_fixture = (FIXTURES[name] for name in getattr(item, "fixturenames", ()) if name in FIXTURES)
    by_marker = (tier for tier in TIERS if item.get_closest_marker(tier))
    return max([TIERS[0], *by_fixture, *by_marker], key=TIERS.index)


def find_forbidden_program(command: Iterable[object], tier: str, folder: str) -> str | None:
    """Return the first program of a command that a test of a tier may not start.

    :param command: its first word is a program, and so may be any path in it (``setpriv … /usr/bin/initdb``), and the
        module of ``python -m``.
    :param folder: of the tests' own files: programs in it are mocks.
    """
    words = [os.fsdecode(word) for word in command if isinstance(word, str | bytes | os.PathLike)]
    modules = words[2:3] if words[1:2] == ["-m"] else []
    for word in [*words[:1], *modules, *(word for word in words[1:] if "/" in word)]:
        needed = PROGRAMS.get(word.rpartition("/")[2])
        if needed and TIERS.index(needed) > TIERS.index(tier) and not (folder and word.startswith(folder)):
            return word
    return None


def _get_weight(item: pytest.Item) -> tuple[float, int]:
    """Return the time limit of a test, then the weight of its tier."""
    marker = item.get_closest_marker("timeout")
    return float(marker.args[0]) if marker else 0.0, TIERS.index(get_tier(item))


def _audit_process_start(event: str, arguments: tuple[Any, ...]) -> None:
    if event != "subprocess.Popen" or _running.tier is None:
        return
    executable, words = arguments[:2]
    command = [words] if isinstance(words, str | bytes) else [*words] or [executable]
    if program := find_forbidden_program(command, _running.tier, _running.folder):
        _running.started.append(program)
        raise RuntimeError(_make_message(program))


def _make_message(program: str) -> str:
    return f"a test of the tier {_running.tier} must not start {program}: see tests/tiers.py"


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, object, object]:
    """Watch the programs that a test starts, and hide those that its tier may not start from its processes."""
    hidden = _hide_programs(item.config, get_tier(item))
    with pytest.MonkeyPatch.context() as patch:
        if hidden:
            patch.setenv("PATH", f"{hidden}", prepend=os.pathsep)
            if (hidden / "java").exists():
                patch.setenv("JAVA_HOME", str(hidden.parent))
        _running.tier = get_tier(item)
        _running.folder = str(item.config._tmp_path_factory.getbasetemp())  # type: ignore[attr-defined]
        try:
            return (yield)
        finally:
            _running.tier = None


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_teardown() -> None:
    """Stop watching: fixtures that heavier tests shared may end their processes after a lighter test."""
    _running.tier = None


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None, object, object]:
    """Fail a test that started a forbidden program, even if its own code ignored the error."""
    try:
        return (yield)
    finally:
        started, _running.started = _running.started, []
        if started:
            pytest.fail(_make_message(started[0]))


def _hide_programs(config: pytest.Config, tier: str) -> Path | None:
    """Return a folder of programs that only print an error, or None if the tier may start all programs."""
    names = [name for name in HIDDEN if TIERS.index(PROGRAMS[name]) > TIERS.index(tier)]
    if not names:
        return None
    factory: pytest.TempPathFactory = config._tmp_path_factory  # type: ignore[attr-defined]
    folder = factory.getbasetemp() / f"hidden-{tier}" / "bin"
    if not folder.exists():
        folder.mkdir(parents=True)
        for name in names:
            (folder / name).write_text(
                f"#!/bin/sh\necho 'a test of the tier {tier} must not start {name}' >&2\nexit 70\n"
            )
            (folder / name).chmod(0o755)
    return folder


sys.addaudithook(_audit_process_start)
