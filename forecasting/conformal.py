"""Prediction intervals from a model's own past errors (split conformal prediction), by buckets of the horizon.

An error is divided by the spread that the model gave for its step. The intervals of a step are its spread times
quantiles of those ratios, over all series and past windows of the group, so series of different sizes share what was
learnt.
"""

from collections.abc import Sequence

import numpy as np

from forecasting.models.interface import QUANTILES, Forecast
from forecasting.panels import FloatArray

LEAST_RATIOS = 28
"""With fewer past errors in a bucket, those of all steps count; with fewer in all, there is no interval."""

_WIDENING = (32.0, 16.0, 0.0, 16.0, 32.0)
"""By quantile: intervals are wider by these numbers over the third power of the count of windows. Weeks have about four
windows in half a year, and the next one is often unlike them; days have seven. Chosen on real series."""
_LEAST_WINDOWS = 3.0


def list_buckets(horizon: int, steps_per_week: int) -> list[slice]:
    """Return the parts of the horizon that share their quantiles: weeks of days, pairs of weeks."""
    width = steps_per_week if steps_per_week > 1 else 2
    return [slice(first, min(first + width, horizon)) for first in range(0, horizon, width)]


def measure_factors(ratios: FloatArray, buckets: Sequence[slice], window_count: float) -> FloatArray:
    """Return the quantiles of past ratios for each bucket, shape (buckets, quantiles); the median's is zero.

    :param ratios: error / spread, shape (windows, series, steps), NaN where unknown.
    :param window_count: past windows that do not overlap: overlapping ones share their surprises. So do the series of
        a group, which is why their number does not count.
    """
    widening = 1 + np.array(_WIDENING) / max(window_count, _LEAST_WINDOWS) ** 3
    factors = np.full((len(buckets), len(QUANTILES)), np.nan)
    every = ratios[np.isfinite(ratios)]
    for index, bucket in enumerate(buckets):
        known = ratios[..., bucket]
        known = known[np.isfinite(known)]
        if every.size >= LEAST_RATIOS:
            factors[index] = widening * _measure_quantiles(known if known.size >= LEAST_RATIOS else every)
    return factors


def apply_factors(forecast: Forecast, factors: FloatArray, buckets: Sequence[slice]) -> FloatArray:
    """Return the quantiles of each step, shape (series, steps, quantiles): ascending and never negative.

    A forecast below zero is zero: the values are counts and minutes.
    """
    by_step = np.concatenate(
        [np.repeat(factors[None, index], _get_length(bucket), axis=0) for index, bucket in enumerate(buckets)]
    )
    quantiles = forecast.median[..., None] + forecast.spread[..., None] * by_step
    return np.asarray(np.maximum(np.sort(quantiles, axis=-1), 0.0))


def _measure_quantiles(ratios: FloatArray) -> FloatArray:
    # The correction for few ratios moves each end outwards: the next value comes from n + 1 equally likely places.
    levels = np.array(QUANTILES)
    corrected = np.clip(0.5 + (levels - 0.5) * (ratios.size + 1) / ratios.size, 0.0, 1.0)
    factors = np.quantile(ratios, corrected)
    middle = QUANTILES.index(0.5)
    factors[middle] = 0.0
    factors[:middle] = np.minimum(factors[:middle], 0.0)
    factors[middle + 1 :] = np.maximum(factors[middle + 1 :], 0.0)
    return np.asarray(factors)


def _get_length(bucket: slice) -> int:
    return int(bucket.stop - bucket.start)
