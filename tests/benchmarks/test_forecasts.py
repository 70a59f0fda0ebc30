"""The benchmark of forecasts: panels of exports and text files, and the figures of a set."""

import json
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from benchmarks import _forecast_panels
from benchmarks.forecasts import add_total, measure_level, read_sets


def _write_export(folder: Path, first_day: str, day_count: int, seed: int) -> None:
    """Write an account export with two sessions of two plays a day, three at weekends."""
    folder.mkdir(parents=True)
    rows = []
    rng = np.random.default_rng(seed)
    for day in pd.date_range(first_day, periods=day_count):
        for hour in (8, 12, 18)[: 3 if day.dayofweek >= 5 else 2]:
            for minute in (10, 20):
                end = day + pd.Timedelta(hours=hour, minutes=minute)
                rows.append({"endTime": f"{end:%Y-%m-%d %H:%M}", "msPlayed": int(rng.integers(60_000, 300_000))})
    (folder / "StreamingHistory0.json").write_text(json.dumps(rows), encoding="utf-8")


def _run_panels(monkeypatch: pytest.MonkeyPatch, *arguments: object) -> None:
    monkeypatch.setattr(sys, "argv", ["panels", *map(str, arguments)])
    _forecast_panels.main()


def test_exports_become_counts_of_numbered_people(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    _write_export(tmp_path / "exports" / "someone", "2021-03-01", 380, seed=1)
    _write_export(tmp_path / "exports" / "other", "2023-01-01", 380, seed=2)
    _write_export(tmp_path / "exports" / "copy of other", "2023-01-01", 380, seed=2)
    _write_export(tmp_path / "exports" / "short", "2023-01-01", 200, seed=3)
    _run_panels(monkeypatch, tmp_path / "panels", "--exports", tmp_path / "exports")
    sets = {read.name: read for read in read_sets(tmp_path / "panels")}
    assert set(sets) == {"people_sessions_day", "people_minutes_day"}
    sessions = sets["people_sessions_day"].frame.pivot(index="target_date", columns="segment", values="value")
    assert list(sessions.columns) == ["person 01", "person 02"] and len(sessions) == 364
    assert sessions.index[-1].dayofweek == 6
    assert sessions.groupby(sessions.index.dayofweek).mean().to_numpy().tolist() == [[2, 2]] * 5 + [[3, 3]] * 2


def test_lines_become_series_that_begin_or_end_together(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    file = tmp_path / "lines.txt"
    file.write_text("1,nan,3\n4,5\n", encoding="utf-8")
    begin = ("--lines", "one", "day", "2024-01-01", file)
    _run_panels(monkeypatch, tmp_path / "panels", *begin, "--lines", "two", "week-end", "2024-01-15", file)
    one, two = (
        read.frame.pivot(index="target_date", columns="segment", values="value")
        for read in read_sets(tmp_path / "panels")
    )
    assert one.index.day.tolist() == [1, 2, 3] and two.index.day.tolist() == [1, 8, 15]
    np.testing.assert_array_equal(one["one 001"], [1, np.nan, 3])
    np.testing.assert_array_equal(one["one 002"], [4, 5, np.nan])
    np.testing.assert_array_equal(two["two 002"], [np.nan, 4, 5])


def test_a_total_is_added_where_nearly_all_values_are_known() -> None:
    dates = pd.date_range("2024-01-01", periods=100)
    frame = pd.DataFrame({"segment": ["a"] * 100 + ["b"] * 100, "target_date": [*dates, *dates], "value": 3.0})
    total = add_total(frame).query("level == 'total'")
    assert len(total) == 100 and (total["value"] == 6).all()
    assert add_total(frame.iloc[:150])["level"].unique().tolist() == ["continent"]


def test_figures_of_a_level() -> None:
    origin = pd.Timestamp("2024-01-07")
    keys = {"level": "total", "segment": "", "origin_date": origin}
    scores = pd.DataFrame(
        [
            {**keys, "model": "seasonal_naive", "mase": 2.0, "naive_mase": 2.0},
            {**keys, "model": "ets", "mase": 1.5, "naive_mase": 2.0},
        ]
    )
    forecasts = pd.DataFrame(
        {**keys, "model": "ets", "value": [10.0, 20.0], "q50": [11.0, 22.0], "naive": [12.0, 22.0]}
    )
    forecasts = forecasts.assign(q10=[9.0, 21.0], q90=[12.0, 23.0], q025=[8.0, 19.0], q975=[13.0, 24.0])
    figures = measure_level(forecasts, scores)
    assert figures.published == pytest.approx(0.75)
    assert figures.of_best_single == pytest.approx(1.0)
    assert (figures.coverage_80, figures.coverage_95) == (0.5, 1.0)
