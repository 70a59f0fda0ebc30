"""Steps that are killed at any moment and run again leave what undisturbed ones do."""

import json
import os
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

from campaigns.crash_airflow import RoundClock
from etl.settings import CHECKOUT
from simulator.jobs import mock_api
from simulator.mock_api.seed_data import get_seed_data_path
from tests.jobs.spotify_place import place

STEPS = ("import_export", "plan_events", "load_events", "build_marts")


@pytest.mark.crash
@pytest.mark.spark
@pytest.mark.timeout(1200)
def test_steps_that_are_killed_and_run_again_leave_what_undisturbed_ones_do(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "campaigns.crash", "--kills", "10", "--steps", *STEPS]
    environ = {**os.environ, "PYTHONPATH": str(CHECKOUT), "TMPDIR": str(tmp_path)}
    done = subprocess.run(command, env=environ, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "\n0 steps needed a hand" in done.stdout and "DIFFERS" not in done.stdout


@pytest.mark.crash
@pytest.mark.usefixtures("one_session")
def test_a_note_of_the_stock_that_was_cut_stops_nothing(
    tmp_path: Path, warehouse_url: str, stock: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    written: list[Path] = []
    monkeypatch.setattr(mock_api, "write_stock", lambda _tracks, _artists, path, *_, **__: written.append(path))
    with place(tmp_path, warehouse_url, stock) as here:
        note = get_seed_data_path(tmp_path).with_name("inputs.json")
        note.write_text("[", encoding="utf-8")
        for _ in range(2):
            assert mock_api.seed_mock_api(here.settings) == mock_api.MOCK_ACCOUNT_COUNT
        assert json.loads(note.read_text(encoding="utf-8")) == []
    assert written == [get_seed_data_path(tmp_path)]


@pytest.mark.crash
def test_moments_of_rounds_are_told_by_their_round_and_all_others_as_they_are() -> None:
    moments = RoundClock()
    moments.start_round(4)
    now = datetime.now(UTC)
    milliseconds = f"{int(now.timestamp() * 1000) + 1:012x}"
    event_id = f"{milliseconds[:8]}-{milliseconds[8:]}-8abc-8abc-0123456789ab"
    earlier = f'(anna,"2025-03-01 10:00:00+00",0195{event_id[4:]},infinity,17)'
    assert moments.normalise_row(earlier) == earlier
    for told in (f"{now:%Y-%m-%d %H:%M:%S.%f}+00", now.isoformat(), f"{now:%Y-%m-%d %H:%M:%S.%f}"):
        assert moments.normalise_row(f'(anna,"{told}",{event_id})') == '(anna,"round 4",event of round 4)'
    moments.start_round(5)
    assert moments.normalise_row(datetime.now(UTC).isoformat()) == "round 5"
    assert moments.normalise_row(now.isoformat()) == "round 4"
