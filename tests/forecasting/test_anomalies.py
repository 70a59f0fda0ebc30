"""Anomalous days: few false alarms, and real departures found."""

import numpy as np
import pytest

from forecasting.anomalies import find_anomalous_days
from forecasting.panels import FloatArray
from tests.forecasting.series import TOTAL, draw_counts, make_panel

THRESHOLD = 3.5
SERIES_COUNT = 40


def _draw_totals(user_count: int, day_count: int = 200) -> FloatArray:
    """Return totals of users with 1.2 sessions a day, with a slow drift and overdispersion of 3 %."""
    random = np.random.default_rng(5)
    drift = np.exp(np.cumsum(random.normal(0, 0.004, (SERIES_COUNT, day_count)), axis=1))
    noise = random.normal(1, 0.03, (SERIES_COUNT, day_count))
    return random.poisson(draw_counts(day_count, 1e6) / 1e6 * 1.2 * user_count * drift * noise).astype(float)


@pytest.mark.parametrize("user_count", [200, 2000])
def test_ordinary_totals_have_at_most_one_false_alarm_in_thirty_days(user_count: int) -> None:
    days = find_anomalous_days(make_panel(_draw_totals(user_count), TOTAL), THRESHOLD)
    judged = SERIES_COUNT * (200 - 56)
    assert len(days) / judged * 30 <= 0.3


@pytest.mark.parametrize(("user_count", "factor", "least"), [(200, 0.5, 0.95), (2000, 0.5, 0.95), (2000, 0.8, 0.9)])
def test_a_lower_day_is_found(user_count: int, factor: float, least: float) -> None:
    values = _draw_totals(user_count)
    values[:, 180] = np.round(values[:, 180] * factor)
    panel = make_panel(values, TOTAL)
    found = [day for day in find_anomalous_days(panel, THRESHOLD) if day.target_date == panel.dates[180]]
    assert len(found) >= least * SERIES_COUNT
    assert all(day.score < -THRESHOLD and day.value < day.expected for day in found)


def test_the_reason_is_in_words() -> None:
    values = np.full(100, 1000.0)
    values[-1] = 500
    (day,) = find_anomalous_days(make_panel(values, TOTAL), THRESHOLD)
    assert day.reason == (
        "500 sessions on Sunday 29 November 2026, 50 % less than the median of the last eight Sundays (1,000): "
        "21.9 times the usual deviation."
    )


def test_an_outage_does_not_hide_the_next_one() -> None:
    values = draw_counts(200, 1000)
    values[0, [150, 157, 164]] /= 3
    panel = make_panel(values, TOTAL)
    days = {day.target_date for day in find_anomalous_days(panel, THRESHOLD)}
    assert days >= set(panel.dates[[150, 157, 164]])


def test_a_new_level_is_ordinary_after_two_weeks() -> None:
    values = draw_counts(260, 1000)
    values[0, 150:] *= 0.6
    days = find_anomalous_days(make_panel(values, TOTAL), THRESHOLD)
    indexes = [int((day.target_date - make_panel(values, TOTAL).dates[0]).astype(int)) for day in days]
    assert min(indexes) == 150 and max(indexes) < 150 + 35


def test_unknown_days_and_small_counts_are_not_judged() -> None:
    values = draw_counts(200, 1000)
    values[0, 100:110] = np.nan
    assert not find_anomalous_days(make_panel(values, TOTAL), THRESHOLD)
    assert not find_anomalous_days(make_panel(draw_counts(200, 3, series_count=20), TOTAL), THRESHOLD)


def test_a_day_of_zero_is_found() -> None:
    values = draw_counts(200, 1000)
    values[0, 150] = 0
    (day,) = find_anomalous_days(make_panel(values, TOTAL), THRESHOLD)
    assert day.value == 0 and np.isfinite(day.score)
