"""Steps that are killed at a random point and restarted leave the same result as undisturbed ones."""

import os
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

from campaigns.crash_airflow import RoundClock
from etl.settings import CHECKOUT

STEPS = ("import_export", "plan_events", "load_events", "build_marts")


@pytest.mark.crash
@pytest.mark.spark
@pytest.mark.timeout(1200)
def test_steps_that_are_killed_and_run_again_leave_what_undisturbed_ones_do(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "campaigns.crash", "--kills", "10", "--steps", *STEPS]
    environ = {**os.environ, "PYTHONPATH": str(CHECKOUT), "TMPDIR": str(tmp_path)}
    done = subprocess.run(command, env=environ, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "\n0 steps needed an operator" in done.stdout and "DIFFERS" not in done.stdout


@pytest.mark.crash
def test_moments_of_rounds_are_told_by_their_round_and_all_others_as_they_are() -> None:
    clock = RoundClock()
    clock.start_round(4)
    current_time = datetime.now(UTC)
    milliseconds = f"{int(current_time.timestamp() * 1000) + 1:012x}"
    event_id = f"{milliseconds[:8]}-{milliseconds[8:]}-8abc-8abc-0123456789ab"
    earlier = f'(anna,"2025-03-01 10:00:00+00",0195{event_id[4:]},infinity,17)'
    assert clock.normalise_row(earlier) == earlier
    for text in (
        f"{current_time:%Y-%m-%d %H:%M:%S.%f}+00",
        current_time.isoformat(),
        f"{current_time:%Y-%m-%d %H:%M:%S.%f}",
    ):
        assert clock.normalise_row(f'(anna,"{text}",{event_id})') == '(anna,"round 4",event of round 4)'
    clock.start_round(5)
    assert clock.normalise_row(datetime.now(UTC).isoformat()) == "round 5"
    assert clock.normalise_row(current_time.isoformat()) == "round 4"
