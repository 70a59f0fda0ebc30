"""Intervals from past errors."""

import numpy as np
import pytest

from forecasting.conformal import apply_factors, list_buckets, measure_factors
from forecasting.models.interface import QUANTILES, Forecast

BUCKETS = list_buckets(28, 7)


def test_a_month_of_days_has_four_buckets_and_eight_weeks_have_four() -> None:
    assert [bucket.stop for bucket in BUCKETS] == [7, 14, 21, 28]
    assert [bucket.stop for bucket in list_buckets(8, 1)] == [2, 4, 6, 8]
    assert [bucket.stop for bucket in list_buckets(10, 7)] == [7, 10]


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_intervals_cover_what_they_say(seed: int) -> None:
    random = np.random.default_rng(seed)
    width = np.array([1.0, 3.0])[:, None]
    past = random.standard_t(4, (26, 2, 28))
    factors = measure_factors(past, BUCKETS, 26)
    actual = 1000 + width * random.standard_t(4, (200, 2, 28))
    quantiles = apply_factors(Forecast(np.full((2, 28), 1000.0), np.repeat(width, 28, axis=1)), factors, BUCKETS)
    inside_80 = ((actual >= quantiles[..., 1]) & (actual <= quantiles[..., 3])).mean()
    inside_95 = ((actual >= quantiles[..., 0]) & (actual <= quantiles[..., 4])).mean()
    assert 0.75 <= inside_80 <= 0.85 and 0.92 <= inside_95 <= 0.98


def test_later_weeks_are_as_wide_as_their_own_errors() -> None:
    past = np.random.default_rng(1).normal(size=(26, 1, 28)) * np.repeat([1, 2, 3, 4], 7)
    widths = np.diff(measure_factors(past, BUCKETS, 26)[:, [1, 3]])[:, 0]
    assert (np.diff(widths) > 0).all()


def test_quantiles_ascend_and_are_never_negative() -> None:
    factors = measure_factors(np.random.default_rng(1).normal(3, 1, (26, 1, 28)), BUCKETS, 26)  # a biased model
    quantiles = apply_factors(Forecast(np.full((1, 28), 2.0), np.ones((1, 28))), factors, BUCKETS)
    assert (np.diff(quantiles, axis=-1) >= 0).all() and (quantiles >= 0).all()
    assert (quantiles[..., QUANTILES.index(0.5)] == 2.0).all()


def test_few_errors_of_a_bucket_are_joined_by_those_of_all_steps() -> None:
    past = np.random.default_rng(1).normal(size=(2, 1, 28))
    factors = measure_factors(past, BUCKETS, 26)
    assert np.isfinite(factors).all() and (factors == factors[0]).all()


def test_without_past_errors_there_is_no_interval() -> None:
    assert np.isnan(measure_factors(np.full((4, 1, 28), np.nan), BUCKETS, 4)).all()


def test_few_windows_make_intervals_wider_and_not_the_median() -> None:
    past = np.random.default_rng(1).normal(size=(26, 1, 28))
    few, many = (measure_factors(past, BUCKETS, count) for count in (4, 400))
    assert (np.abs(few[:, [0, 1, 3, 4]]) > 1.2 * np.abs(many[:, [0, 1, 3, 4]])).all() and (few[:, 2] == 0).all()
