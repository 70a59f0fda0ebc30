"""Steps that are killed at any moment and run again leave what undisturbed ones do."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from etl.config import CHECKOUT

STEPS = ("import_export", "plan_events", "load_events", "build_marts")
KILLS = 10


@pytest.mark.crash
def test_steps_that_are_killed_and_run_again_leave_what_undisturbed_ones_do(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "benchmarks.crash", "--kills", str(KILLS), "--steps", *STEPS]
    environ = {**os.environ, "PYTHONPATH": str(CHECKOUT), "TMPDIR": str(tmp_path)}
    done = subprocess.run(command, env=environ, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "all tables are equal" in done.stdout and "DIFFERS" not in done.stdout
