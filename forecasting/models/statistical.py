"""Models that are fitted to each series by statsforecast: exponential smoothing and Theta."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from forecasting.models.interface import Forecast
from forecasting.models.naive import WindowMean
from forecasting.panels import FloatArray, Panel

LONGEST_WEEKS = 104
"""Older values change a fit little and make it slower."""


@dataclass(frozen=True)
class StatisticalModel:
    """A model of statsforecast, fitted to each series.

    A series that the model cannot be fitted to (constant, too short) gets the mean of eight weeks.

    :param make: returns statsforecast's model for a season length.
    """

    name: str
    make: Callable[[int], Any]

    def forecast(self, panel: Panel, horizon: int) -> Forecast:
        """Return the forecasts of one fit per series."""
        fallback = WindowMean().forecast(panel, horizon)
        model = self.make(panel.season_length)
        steps = LONGEST_WEEKS * panel.steps_per_week
        median = fallback.median.copy()
        for row, values in enumerate(panel.values):
            history = fill_unknown(values[-steps:], panel.season_length)
            if len(history) > 2 * panel.season_length and np.ptp(history) > 0:
                try:
                    result = np.asarray(model.forecast(y=history, h=horizon)["mean"])
                except Exception:  # statsforecast has no class of its own for a series that it cannot fit
                    continue
                if np.isfinite(result).all():
                    median[row] = result
        return Forecast(np.maximum(median, 0.0), fallback.spread)


def make_ets() -> StatisticalModel:
    """Return exponential smoothing of level and season, additive and without a trend (Hyndman et al., 2008).

    On real series of listening a damped trend, or logarithms, made its errors larger.
    """
    from statsforecast.models import AutoETS

    return StatisticalModel("ets", lambda season: AutoETS(season, model="ANA" if season > 1 else "ANN"))


def make_ets_with_trend() -> StatisticalModel:
    """Return exponential smoothing of level and, where the history has one, trend; errors and trend as fit best.

    For weeks, which have no season here: a trend shows over eight weeks, and hardly over 28 days.
    """
    from statsforecast.models import AutoETS

    return StatisticalModel("ets_trend", lambda season: AutoETS(season, model="ZZN"))


def make_theta() -> StatisticalModel:
    """Return the Theta method (Assimakopoulos and Nikolopoulos, 2000), after removing the season."""
    from statsforecast.models import Theta

    return StatisticalModel("theta", lambda season: Theta(season))


def fill_unknown(values: FloatArray, season_length: int) -> FloatArray:
    """Return a series from its first known value on; each unknown value takes the nearest earlier one of its weekday.

    Without an earlier one, it takes the mean of the series.
    """
    known = np.flatnonzero(~np.isnan(values))
    if not len(known):
        return np.empty(0)
    filled = values[known[0] :].copy()
    mean = np.nanmean(filled)
    for index in np.flatnonzero(np.isnan(filled)):
        filled[index] = filled[index - season_length] if index >= season_length else mean
    return filled
