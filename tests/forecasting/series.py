"""Series for tests of forecasts, and folders with requests."""

import json
from collections.abc import Iterable
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from forecasting.files import SERIES, write_table
from forecasting.panels import FloatArray, GroupKey, Panel

AS_OF_DATE = date(2026, 11, 29)
"""A Sunday."""
TOTAL = GroupKey("sessions", "day", "total")
CONTINENTS = GroupKey("sessions", "day", "continent")


def make_panel(values: FloatArray, key: GroupKey = CONTINENTS) -> Panel:
    """Return a panel of series that end on AS_OF_DATE (days) or in its week."""
    rows = np.atleast_2d(np.asarray(values, dtype=float))
    step = 1 if key.grain == "day" else 7
    last = np.datetime64(AS_OF_DATE) - (0 if key.grain == "day" else 6)
    dates = last - step * np.arange(rows.shape[1])[::-1]
    return Panel(key, tuple(f"segment {index}" for index in range(len(rows))), dates, rows)


def draw_counts(day_count: int, mean: float, series_count: int = 1, seed: int = 1) -> FloatArray:
    """Return Poisson counts a day, a quarter more at weekends, that end on a Sunday: nothing else can be forecast."""
    weekday = np.arange(day_count)[::-1] % 7  # 0 on Sundays
    return (
        np.random.default_rng(seed)
        .poisson(mean * np.where(weekday <= 1, 1.25, 1.0), (series_count, day_count))
        .astype(float)
    )


def list_rows(panel: Panel) -> pa.Table:
    """Return the rows of series.arrow of a panel: known values alone."""
    series, steps = np.nonzero(~np.isnan(panel.values))
    columns: dict[str, Any] = {name: [text] * len(series) for name, text in panel.key._asdict().items()}
    columns["segment"] = [panel.segments[index] for index in series]
    columns["target_date"] = panel.dates[steps]
    columns["value"] = panel.values[series, steps]
    return pa.table(columns).cast(SERIES)


def write_folder(folder: Path, panels: Iterable[Panel], **fields: Any) -> Path:
    """Write a request and series into a folder, and return it."""
    folder.mkdir(parents=True, exist_ok=True)
    request = {
        "as_of_date": AS_OF_DATE.isoformat(),
        "horizons": {"day": 28, "week": 8},
        "seed": 7,
        "is_training_due": True,
        "champions": [],
        "models_folder": None,
        "settings": {},
        **fields,
    }
    (folder / "request.json").write_text(json.dumps(request), encoding="utf-8")
    write_table(folder / "series.arrow", pa.concat_tables([SERIES.empty_table(), *map(list_rows, panels)]))
    return folder
