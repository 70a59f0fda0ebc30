"""Windows of series as the network sees them: scaled departures from the recent weekday pattern.

A window has no level and no unit: each value is its departure from the mean of the same weekday over the last eight
weeks, divided by the window's own unit. So one network serves series of every size, and what it learns is how much of
such a mean to believe.
"""

import warnings
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from forecasting.panels import SEASON_LENGTHS, FloatArray, Panel

IntArray = npt.NDArray[np.int64]
Float32Array = npt.NDArray[np.float32]

BASE_WEEKS = 8
"""Weeks of the mean that the network departs from."""
LEAST_UNIT = 0.5
"""The least unit of a window, in units of its series: near-silent windows would explode without it."""
LARGEST_DEPARTURE = 8.0
"""Departures beyond it, in units, are cut off: outages and records teach nothing."""
LEAST_WEEKS = 4
"""Weeks that a window must hold."""


@dataclass(frozen=True)
class WindowShape:
    """How long the windows of a grain are.

    :param length: steps of a window.
    :param patch: steps that the recurrent layer reads at once: a week of days, two weeks of weeks.
    """

    length: int
    patch: int


SHAPES: Mapping[str, WindowShape] = {"day": WindowShape(112, 7), "week": WindowShape(52, 2)}


@dataclass(frozen=True)
class Windows:
    """Windows of series, one a row.

    :param patches: scaled departures and which of them are unknown, shape (windows, patches, 2 × patch).
    :param context: what is known beside them, shape (windows, features): the weekday pattern, weekday and time of year
        as sine and cosine, and the size in units.
    :param base: the weekday means of the last eight weeks, repeated over the horizon, shape (windows, horizon).
    :param unit: the unit of each window, shape (windows,); 0 for constant ones.
    """

    patches: Float32Array
    context: Float32Array
    base: FloatArray
    unit: FloatArray


@dataclass(frozen=True)
class SeriesHistory:
    """Series of one panel, padded so that windows may reach beyond their begin and end."""

    values: FloatArray
    padding: int
    first_day: int
    grain: str
    unit: FloatArray
    has_year: bool

    @classmethod
    @np.errstate(invalid="ignore")
    def pad(cls, panel: Panel, values: FloatArray, horizon: int, has_year: bool) -> "SeriesHistory":
        """Return the history of values at the dates of a panel: its own, or sums of them.

        :param has_year: whether the network may use the time of the year; False leaves it out of the windows.
        """
        shape, season = SHAPES[panel.key.grain], panel.season_length
        return cls(
            np.pad(values, ((0, 0), (shape.length, horizon)), constant_values=np.nan),
            shape.length,
            int(panel.dates[0].astype("datetime64[D]").astype(np.int64)),
            panel.key.grain,
            np.nan_to_num(_average(np.abs(values[:, season:] - values[:, :-season]), 1)),
            has_year,
        )

    def take(self, rows: IntArray, ends: IntArray, begin: int, end: int) -> FloatArray:
        """Return the values of rows, from ``begin`` to ``end`` steps after the end of each window."""
        return np.asarray(self.values[rows[:, None], ends[:, None] + self.padding + np.arange(begin, end)])


@np.errstate(invalid="ignore")  # NaN is unknown, and stays unknown in each sum
def build_windows(history: SeriesHistory, rows: IntArray, ends: IntArray, horizon: int) -> Windows:
    """Return the windows of rows that end before a step each: a window knows no value of that step or later."""
    shape, season = SHAPES[history.grain], SEASON_LENGTHS[history.grain]
    recent_count = BASE_WEEKS * season
    values = history.take(rows, ends, -shape.length, 0)
    base, level = _average_by_weekday(values[:, -recent_count:], season)
    change = np.abs(values[:, season:] - values[:, :-season])[:, -12 * season :]
    unit = np.maximum(np.nan_to_num(_average(change, 1)), LEAST_UNIT * history.unit[rows])
    divisor = np.where(unit > 0, unit, 1.0)[:, None]
    departures = _scale((values - _repeat(base, shape.length)) / divisor)
    is_unknown = np.isnan(values)
    as_patches = (len(rows), -1, shape.patch)
    patches = np.concatenate([departures.reshape(as_patches), is_unknown.reshape(as_patches)], axis=2)

    context = [
        *([_scale(base / divisor - (level[:, None] / divisor))] if season > 1 else []),
        _describe_dates(history, ends, season),
        np.log(np.maximum(level[:, None] / divisor, 0.05)),
    ]
    return Windows(
        patches.astype(np.float32), np.concatenate(context, axis=1).astype(np.float32), _repeat(base, horizon), unit
    )


@np.errstate(invalid="ignore")
def build_targets(
    history: SeriesHistory, rows: IntArray, ends: IntArray, windows: Windows
) -> tuple[Float32Array, Float32Array]:
    """Return what came after each window, scaled as the window, and which of it is known (1 or 0)."""
    horizon = windows.base.shape[1]
    divisor = np.where(windows.unit > 0, windows.unit, 1.0)[:, None]
    departures = (history.take(rows, ends, 0, horizon) - windows.base) / divisor
    return _scale(departures).astype(np.float32), (~np.isnan(departures)).astype(np.float32)


def _describe_dates(history: SeriesHistory, ends: IntArray, season: int) -> FloatArray:
    days = history.first_day + ends * (7 // season)
    turns = [history.has_year * days / 365.25, *([days / 7] if season > 1 else [])]
    return np.stack([wave(2 * np.pi * turn) for turn in turns for wave in (np.sin, np.cos)], axis=1)


def _average_by_weekday(values: FloatArray, season: int) -> tuple[FloatArray, FloatArray]:
    """Return the mean by weekday, and of all (0 if none is known); a weekday without a value has the mean of all."""
    weeks = values.reshape(len(values), -1, season)
    level = np.nan_to_num(_average(weeks, (1, 2)))
    base = _average(weeks, 1)
    return np.where(np.isnan(base), level[:, None], base), level


def _scale(departures: FloatArray) -> FloatArray:
    return np.clip(np.nan_to_num(departures), -LARGEST_DEPARTURE, LARGEST_DEPARTURE)


def _repeat(season: FloatArray, length: int) -> FloatArray:
    """Return weekday values, repeated over the steps of a window or of a horizon."""
    return np.tile(season, -(-length // season.shape[1]))[:, :length]


def _average(values: FloatArray, axis: int | tuple[int, ...]) -> FloatArray:
    """Return the mean of the known values, NaN where none is known."""
    with warnings.catch_warnings(action="ignore", category=RuntimeWarning):
        return np.asarray(np.nanmean(values, axis=axis))
