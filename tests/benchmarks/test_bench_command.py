"""bin/bench: the benchmarks that it starts, and the arguments that it passes on to them."""

import subprocess
import sys
from types import SimpleNamespace

import pytest

from benchmarks.__main__ import BENCHMARK_MODULES, main


@pytest.fixture
def started_commands(monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    """Return the list to which each start of a benchmark adds its module and arguments."""
    commands: list[list[str]] = []

    def record_command(command: list[str], check: bool) -> SimpleNamespace:
        assert command[:2] == [sys.executable, "-m"] and not check
        commands.append(command[2:])
        return SimpleNamespace(returncode=int("--fails" in command))

    monkeypatch.setattr(subprocess, "run", record_command)
    return commands


def _run_bench(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> int:
    monkeypatch.setattr(sys, "argv", ["bin/bench", *arguments])
    return main()


def test_options_after_one_name_are_its_own(monkeypatch: pytest.MonkeyPatch, started_commands: list[list[str]]) -> None:
    assert _run_bench(monkeypatch, "crash", "--steps", "transform", "load", "--kills", "5") == 0
    assert _run_bench(monkeypatch, "mutation", "--list", "--fails") == 1
    assert _run_bench(monkeypatch, "crash", "--help") == 0
    assert started_commands == [
        ["campaigns.crash", "--steps", "transform", "load", "--kills", "5"],
        ["campaigns.mutation", "--list", "--fails"],
        ["campaigns.crash", "--help"],
    ]


def test_names_alone_are_started_in_turn(monkeypatch: pytest.MonkeyPatch, started_commands: list[list[str]]) -> None:
    assert _run_bench(monkeypatch, "marts", "events") == 0
    assert started_commands == [["benchmarks.marts"], ["benchmarks.events"]]


def test_without_a_name_all_are_started(monkeypatch: pytest.MonkeyPatch, started_commands: list[list[str]]) -> None:
    assert _run_bench(monkeypatch) == 0
    assert started_commands == [[module] for module in BENCHMARK_MODULES.values()]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["crash", "disk", "--seed", "1"], "--seed would be an option of 2 benchmarks: name the one that it is for"),
        (["no_such", "--seed", "1"], "there is no benchmark no_such: choose from"),
        (["--seed", "1"], "unrecognized arguments: --seed"),
    ],
    ids=["several", "unknown", "none"],
)
def test_options_that_belong_to_no_single_benchmark_are_refused(
    arguments: list[str],
    message: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    started_commands: list[list[str]],
) -> None:
    with pytest.raises(SystemExit) as end:
        _run_bench(monkeypatch, *arguments)
    assert end.value.code == 2 and not started_commands
    assert message in capsys.readouterr().err


def test_a_list_says_what_each_measures(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], started_commands: list[list[str]]
) -> None:
    assert _run_bench(monkeypatch, "--list") == 0
    assert [line.split()[0] for line in capsys.readouterr().out.splitlines()] == list(BENCHMARK_MODULES)
    assert not started_commands
