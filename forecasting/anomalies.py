"""Anomalous days: days that depart from their own recent weekdays far more than days usually do."""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from forecasting.panels import FloatArray, Panel

WINDOW_WEEKS = 8
LEAST_WEEKS = 4
"""Known weeks of the same weekday without which a day is not judged."""
LEAST_EXPECTED = 20.0
"""Below this many a day, chance alone makes days look anomalous."""
LEAST_DEVIATION = 0.01
_MAD_TO_SIGMA = 1.4826
_NEW_LEVEL_DAYS = 14
"""After so many anomalous days in a row the series has a new level, and its days count again."""


class AnomalousDay(NamedTuple):
    """A day that is far from what its weekday usually brings.

    :param expected: the median of the same weekday over the last eight weeks.
    :param score: log ratio to it in robust standard deviations; negative below.
    """

    segment: str
    target_date: np.datetime64
    value: float
    expected: float
    score: float
    reason: str


def find_anomalous_days(panel: Panel, threshold: float) -> list[AnomalousDay]:
    """Return the anomalous days of a panel of days, by series and date.

    The baseline of a day is what was known before it, without days that were anomalous themselves.
    """
    days = []
    for segment, values in zip(panel.segments, panel.values, strict=True):
        for index, expected, score in _judge_days(values, threshold):
            reason = _describe(panel, index, values[index], expected, score)
            days.append(AnomalousDay(segment, panel.dates[index], values[index], expected, score, reason))
    return days


def _judge_days(values: FloatArray, threshold: float) -> Iterator[tuple[int, float, float]]:
    """Yield index, expected value and score of the anomalous days of one series."""
    baseline = values.copy()  # anomalous days become NaN
    departures = np.full(len(values), np.nan)
    anomalous_run = 0
    for index in range(LEAST_WEEKS * 7, len(values)):
        weekdays = baseline[index - 7 : max(index - 7 * WINDOW_WEEKS - 1, 0) : -7]
        weekdays = weekdays[~np.isnan(weekdays)]
        if len(weekdays) < LEAST_WEEKS or np.isnan(values[index]):
            continue
        expected = float(np.median(weekdays))
        if expected < LEAST_EXPECTED:
            continue
        departure = np.log(max(values[index], 0.5) / expected)
        recent = departures[max(index - 7 * WINDOW_WEEKS, 0) : index]
        recent = recent[~np.isnan(recent)]
        departures[index] = departure
        if len(recent) < LEAST_WEEKS * 7:
            continue
        deviation = max(_MAD_TO_SIGMA * float(np.median(np.abs(recent))), 1 / np.sqrt(expected), LEAST_DEVIATION)
        score = float(departure / deviation)
        if abs(score) <= threshold:
            anomalous_run = 0
            continue
        anomalous_run += 1
        yield index, expected, score
        if anomalous_run < _NEW_LEVEL_DAYS:
            baseline[index] = departures[index] = np.nan
        elif anomalous_run == _NEW_LEVEL_DAYS:
            baseline[index - _NEW_LEVEL_DAYS : index] = values[index - _NEW_LEVEL_DAYS : index]


def _describe(panel: Panel, index: int, value: float, expected: float, score: float) -> str:
    day = panel.dates[index].item()
    change = 100 * abs(value / expected - 1)
    direction = "more" if value > expected else "less"
    metric = panel.key.metric.replace("_", " ")
    return (
        f"{value:,.0f} {metric} on {day:%A} {day.day} {day:%B %Y}, {change:.0f} % {direction} than the median of the "
        f"last eight {day:%A}s ({expected:,.0f}): {abs(score):.1f} times the usual deviation."
    )
