"""Models that need no fitting."""

import warnings
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from forecasting.models.interface import Forecast
from forecasting.panels import FloatArray, Panel

WINDOW_WEEKS = 8


@dataclass(frozen=True)
class SeasonalNaive:
    """Repeat the last week: the last known value of the same weekday; of weeks, the last known week."""

    name: str = "seasonal_naive"

    def forecast(self, panel: Panel, horizon: int) -> Forecast:
        """Return the last season, repeated."""
        return _forecast_by_season(panel, horizon, _get_last_known)


@dataclass(frozen=True)
class WindowMean:
    """The mean of the last eight weeks, by weekday."""

    name: str = "mean_8_weeks"

    def forecast(self, panel: Panel, horizon: int) -> Forecast:
        """Return the mean of each weekday's last eight values."""
        return _forecast_by_season(panel, horizon, _get_mean)


@dataclass(frozen=True)
class WindowMedian:
    """The median of the last eight weeks, by weekday."""

    name: str = "median_8_weeks"

    def forecast(self, panel: Panel, horizon: int) -> Forecast:
        """Return the median of each weekday's last eight values."""
        return _forecast_by_season(panel, horizon, _get_median)


def fold_seasons(panel: Panel, season_count: int) -> FloatArray:
    """Return the last seasons of a panel, shape (series, seasons, season length), NaN before the first value."""
    length = panel.season_length
    missing = max(season_count * length - panel.values.shape[1], 0)
    values = np.pad(panel.values, ((0, 0), (missing, 0)), constant_values=np.nan)
    return values[:, -season_count * length :].reshape(len(values), season_count, length)


def measure_spread(panel: Panel) -> FloatArray:
    """Return the recent error of repeating last week, by series: mean of eight weeks, never below a count's own noise.

    The floor is the square root of the mean (a Poisson count's standard deviation), and one.
    """
    seasons = fold_seasons(panel, WINDOW_WEEKS)
    error = _average(np.abs(np.diff(seasons, axis=1)), axis=(1, 2))
    floor = np.sqrt(np.abs(_average(seasons, axis=(1, 2))))
    return np.asarray(np.maximum(np.nan_to_num(np.fmax(error, floor), nan=1.0), 1.0))


def _forecast_by_season(panel: Panel, horizon: int, summarize: Callable[[FloatArray], FloatArray]) -> Forecast:
    seasons = fold_seasons(panel, WINDOW_WEEKS)
    season = summarize(seasons)
    # A weekday that is never known, as when a load fails every Monday, has the mean of the others.
    season = np.where(np.isnan(season), _average(seasons, axis=(1, 2))[:, None], season)
    median = np.asarray(np.tile(season, -(-horizon // panel.season_length))[:, :horizon])
    return Forecast(median, np.repeat(measure_spread(panel)[:, None], horizon, axis=1))


def _get_last_known(seasons: FloatArray) -> FloatArray:
    result = seasons[:, 0]
    for index in range(1, seasons.shape[1]):
        result = np.where(np.isnan(seasons[:, index]), result, seasons[:, index])
    return np.asarray(result)


def _get_mean(seasons: FloatArray) -> FloatArray:
    return _average(seasons, axis=1)


def _get_median(seasons: FloatArray) -> FloatArray:
    with warnings.catch_warnings(action="ignore", category=RuntimeWarning):  # a weekday without a known value
        return np.asarray(np.nanmedian(seasons, axis=1))


def _average(values: FloatArray, axis: int | tuple[int, ...]) -> FloatArray:
    """Return the mean of the known values, NaN where none is known."""
    return np.asarray(np.ma.masked_invalid(values).mean(axis=axis).filled(np.nan))
