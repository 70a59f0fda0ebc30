"""The lines of steps and their seconds."""

from io import StringIO

import pytest
from rich.console import Console

from launch.console import Screen


def test_a_step_may_have_seconds_of_its_own_and_those_of_a_name_add_up() -> None:
    screen = Screen(Console(file=StringIO(), width=120))
    for seconds in (29.4, 16.0):
        with screen.show_step("load_events") as step:
            step.seconds = seconds
    with pytest.raises(OSError), screen.show_step("PostgreSQL"):
        raise OSError
    lines = screen.console.file.getvalue().splitlines()  # type: ignore[attr-defined]
    assert [line.split() for line in lines[:2]] == [
        ["✓", "load_events", "29.4", "s"],
        ["✓", "load_events", "16.0", "s"],
    ]
    assert lines[2].startswith("✗ PostgreSQL")
    assert screen.seconds["load_events"] == pytest.approx(45.4) and 0 <= screen.seconds["PostgreSQL"] < 5
