"""Series of one group as a matrix."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Literal, NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa

FloatArray = npt.NDArray[np.float64]
DateArray = npt.NDArray[np.datetime64]
Grain = Literal["day", "week"]

DAYS_BY_STEP: Mapping[str, int] = {"day": 1, "week": 7}
SEASON_LENGTHS: Mapping[str, int] = {"day": 7, "week": 1}
"""Steps after which a pattern repeats. Weeks have none that two years of history could show."""
OWN_LEVELS = ("artist", "published_artist", "listener")
"""Levels whose series no model is trained on: a model outlives the right to use them."""

BATCHED_LEVELS = ("published_artist",)
"""Levels whose values become known weeks later, many weeks at once."""


class GroupKey(NamedTuple):
    """What the series of a group have in common. They share one champion."""

    metric: str
    grain: str
    level: str

    def describe(self) -> str:
        """Return the key in words."""
        return f"{self.metric} by {self.grain}, {self.level}"


@dataclass(frozen=True)
class Panel:
    """The series of one group, at dates without gaps.

    :param dates: days or Mondays, ascending, one step apart; datetime64[D], shape (time,).
    :param values: float64, shape (series, time); NaN where a value is unknown (before the first value, or a missing
        load). Zero means that nothing happened.
    """

    key: GroupKey
    segments: tuple[str, ...]
    dates: DateArray
    values: FloatArray

    @property
    def season_length(self) -> int:
        """Steps of one season: 7 days, or 1 week (none)."""
        return SEASON_LENGTHS[self.key.grain]

    @property
    def steps_per_week(self) -> int:
        """Steps of one week: 7 or 1."""
        return 7 // DAYS_BY_STEP[self.key.grain]

    def cut(self, step_count: int) -> "Panel":
        """Return the part that was known after the first steps: a copy, so that no later value can be reached."""
        return replace(self, dates=self.dates[:step_count].copy(), values=self.values[:, :step_count].copy())

    def select(self, rows: npt.NDArray[np.intp] | npt.NDArray[np.bool_]) -> "Panel":
        """Return some of the series."""
        segments = tuple(np.array(self.segments, dtype=object)[rows])
        return replace(self, segments=segments, values=self.values[rows])

    def list_future_dates(self, horizon: int) -> DateArray:
        """Return the dates of the next steps."""
        step = np.timedelta64(DAYS_BY_STEP[self.key.grain], "D")
        return np.asarray(self.dates[-1] + step * np.arange(1, horizon + 1))


def build_panels(series: pa.Table, as_of_date: date) -> list[Panel]:
    """Return the groups of a table of series, in the order of their keys, each up to the last complete step.

    Numbers that are published in batches end with the last published week: the weeks after it are not late, and from
    past dates such a series is forecast from a known week, too.

    :param series: metric, grain, level, segment, target_date, value; unique but for value, no later than as_of_date.
    """
    frame = series.to_pandas(date_as_object=False)
    panels = []
    for key, rows in frame.groupby(["metric", "grain", "level"], sort=True):
        step = DAYS_BY_STEP[key[1]]
        last = np.datetime64(as_of_date if key[1] == "day" else _get_last_monday(as_of_date))
        first, latest = rows["target_date"].agg(["min", "max"]).to_numpy().astype("datetime64[D]")
        if key[2] in BATCHED_LEVELS:
            last = latest
        dates = np.arange(first, last + 1, step, dtype="datetime64[D]")
        segments = sorted(rows["segment"].unique())
        values = np.full((len(segments), len(dates)), np.nan)
        columns = (rows["target_date"].to_numpy().astype("datetime64[D]") - first).astype(int) // step
        # A row without a number is not an unknown day, which has no row: infinity marks it for validation.
        values[np.searchsorted(segments, rows["segment"]), columns] = rows["value"].fillna(np.inf)
        panels.append(Panel(GroupKey(*key), tuple(segments), dates, values))
    return panels


def find_panel(panels: Iterable[Panel], key: GroupKey) -> Panel | None:
    """Return the panel of a group, or None."""
    return next((panel for panel in panels if panel.key == key), None)


def _get_last_monday(last_day: date) -> date:
    """Return the Monday of the last week that is complete on a day."""
    return last_day - timedelta(days=(last_day.weekday() + 1) % 7 + 6)
