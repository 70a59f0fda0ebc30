"""Measures of forecasts, over the last axis (steps); unknown actual values (NaN) do not count.

The formulas are those of utilsforecast.losses (mase, quantile_loss, coverage), over arrays instead of long tables.
"""

import warnings

import numpy as np

from forecasting.models.interface import QUANTILES
from forecasting.panels import FloatArray


def measure_naive_scale(values: FloatArray, season_length: int) -> FloatArray:
    """Return the mean absolute error of repeating the last season inside a history: the scale of MASE."""
    scale = average(np.abs(values[:, season_length:] - values[:, :-season_length]))
    return np.where(scale > 0, scale, np.nan)


def measure_mase(actual: FloatArray, median: FloatArray, scale: FloatArray) -> FloatArray:
    """Return the mean absolute scaled error (Hyndman and Koehler, 2006). NaN if the history is constant."""
    return average(np.abs(actual - median)) / scale


def measure_weighted_quantile_loss(actual: FloatArray, quantiles: FloatArray) -> FloatArray:
    """Return twice the pinball loss of all quantiles, averaged, per unit of what came.

    :param quantiles: shape (…, steps, quantiles).
    """
    error = actual[..., None] - quantiles
    levels = np.array(QUANTILES)
    pinball = np.maximum(levels * error, (levels - 1) * error).mean(axis=-1)
    total = np.nansum(np.abs(actual), axis=-1)
    return np.where(total > 0, 2 * np.nansum(pinball, axis=-1) / np.where(total > 0, total, 1), np.nan)


def measure_coverage(actual: FloatArray, low: FloatArray, high: FloatArray) -> FloatArray:
    """Return the fraction of known values inside an interval, its ends included; NaN without an interval."""
    is_known = np.isfinite(actual) & np.isfinite(low)
    return average(np.where(is_known, (actual >= low) & (actual <= high), np.nan))


def average(values: FloatArray, axis: int | tuple[int, ...] = -1) -> FloatArray:
    """Return the mean of the known values; NaN where none is known."""
    with warnings.catch_warnings(action="ignore", category=RuntimeWarning):
        return np.asarray(np.nanmean(values, axis=axis))
