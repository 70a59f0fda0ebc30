"""Forecasts in words."""

from datetime import date, timedelta

import pandas as pd
import pytest

from dashboard.forecast_words import (
    Series,
    describe_age,
    describe_drift,
    describe_expectation,
    find_next_target,
    format_value,
)

_FRIDAY = date(2026, 2, 6)
_DAYS = Series("sessions", "day", "total", "", "")
_WEEKS = Series("minutes", "week", "total", "", "")


def make_accuracy(
    mase: float,
    coverage: float,
    targets: int = 28,
    backtest_mase: float | None = 0.8,
    backtest_naive_mase: float | None = None,
) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "target_date": [_FRIDAY],
            "targets": [targets],
            "mase": [mase],
            "naive_mase": [1.1],
            "backtest_mase": [backtest_mase],
            "backtest_naive_mase": [backtest_naive_mase],
            "coverage_80": [coverage],
        }
    )


@pytest.mark.parametrize(
    ("series", "sentence"),
    [
        (_DAYS, "Expect **1,234 sessions** on Friday 6 February 2026, 80 % between **1,100** and **1,380**."),
        (
            Series("minutes", "week", "continent", "South America", "South America"),
            "Expect **1,234 minutes** in South America in the week from Monday 2 February 2026, 80 % between"
            " **1,100** and **1,380**.",
        ),
        (
            Series("active_users", "day", "continent_plan", "Asia/family", "Asia/family"),
            "Expect **1,234 active users** in Asia on the plan family on Friday 6 February 2026, 80 % between **1,100**"
            " and **1,380**.",
        ),
        (
            Series("sessions", "day", "continent_plan", "Asia/duo/trial", "Asia/duo/trial"),
            "Expect **1,234 sessions** in Asia on the plan duo/trial on Friday 6 February 2026, 80 % between **1,100**"
            " and **1,380**.",
        ),
        (
            Series("active_users", "day", "artist", "7", "*Moon*"),
            "Expect **1,234 listeners** with \\*Moon\\* on Friday 6 February 2026, 80 % between **1,100** and"
            " **1,380**.",
        ),
    ],
)
def test_an_expectation_names_value_segment_date_and_interval(series: Series, sentence: str) -> None:
    target_date = _FRIDAY if series.grain == "day" else date(2026, 2, 2)
    target = pd.Series({"q50": 1234.4, "q10": 1099.7, "q90": 1380.2, "target_date": target_date})
    assert describe_expectation(series, target).replace("\u00a0", " ") == sentence


@pytest.mark.parametrize(
    ("grain", "today", "position"),
    [
        ("day", date(2026, 2, 1), 0),
        ("day", date(2026, 2, 2), 0),
        ("day", date(2026, 2, 5), 1),
        ("day", date(2026, 2, 17), None),
        ("week", date(2026, 2, 8), 0),
        ("week", date(2026, 2, 9), 1),
        ("week", date(2026, 2, 23), None),
    ],
)
def test_the_next_target_is_not_over(grain: str, today: date, position: int | None) -> None:
    target_dates = [date(2026, 2, day) for day in (2, 9, 16)]
    assert find_next_target(grain, pd.DataFrame({"target_date": target_dates}), today) == position


@pytest.mark.parametrize(
    ("value", "shown"), [(0.0, "0"), (0.04, "0.0"), (3.14, "3.1"), (7.0, "7"), (9.96, "10.0"), (1234.5, "1,234")]
)
def test_small_values_have_a_decimal(value: float, shown: str) -> None:
    assert format_value(value) == shown


@pytest.mark.parametrize(
    ("mase", "coverage", "is_drifting", "words"),
    [
        (0.99, 0.65, False, "No drift"),
        (1.01, 0.80, True, "the error is 1.3 times that of the backtest: MASE 1.01 (0.80 in the backtest"),
        (0.80, 0.64, True, "only 64 % of the values fell within the 80 % interval: MASE"),
        (1.60, 0.20, True, "the error is 2.0 times that of the backtest and only 20 % of the values"),
    ],
)
def test_forecasts_drift_beyond_the_limits(mase: float, coverage: float, is_drifting: bool, words: str) -> None:
    drift = describe_drift(_DAYS, make_accuracy(mase, coverage))
    assert drift.is_drifting is is_drifting
    assert words in drift.message.replace("\u00a0", " ")


@pytest.mark.parametrize(("series", "targets"), [(_DAYS, 13), (_WEEKS, 5)])
def test_a_few_days_tell_nothing(series: Series, targets: int) -> None:
    early = describe_drift(series, make_accuracy(9, 0.1, targets))
    assert early.is_drifting is None and f"values of {targets} {series.grain}s" in early.message
    assert describe_drift(series, make_accuracy(9, 0.1, targets + 1)).is_drifting
    assert describe_drift(series, make_accuracy(9, 0.1).iloc[:0]).is_drifting is None


def test_coverage_tells_of_drift_without_a_backtest() -> None:
    assert describe_drift(_DAYS, make_accuracy(9, 0.8, backtest_mase=None)).is_drifting is False
    assert describe_drift(_DAYS, make_accuracy(9, 0.6, backtest_mase=None)).is_drifting is True


@pytest.mark.parametrize(("naive_mase", "is_said"), [(0.85, True), (0.95, False), (None, False)])
def test_a_drift_says_if_the_values_became_harder_to_predict(naive_mase: float | None, is_said: bool) -> None:
    drift = describe_drift(_DAYS, make_accuracy(1.6, 0.8, backtest_naive_mase=naive_mase))
    assert drift.is_drifting and ("Repeating the last week became 1.3 times worse, too" in drift.message) is is_said


def test_a_constant_history_has_no_error_to_compare() -> None:
    accuracy = make_accuracy(1, 0.9).assign(mase=None, naive_mase=None)
    drift = describe_drift(_DAYS, accuracy)
    assert drift.is_drifting is False and "nan" not in drift.message


def test_a_drift_counts_the_anomalous_days_of_its_28_days() -> None:
    days = [_FRIDAY - timedelta(days=age) for age in (0, 27, 28)]
    assert "Of these days, 2 were anomalous." in describe_drift(_DAYS, make_accuracy(2, 0.8), days).message
    assert "anomalous" not in describe_drift(_DAYS, make_accuracy(2, 0.8), days[2:]).message


@pytest.mark.parametrize(("age", "is_old"), [(0, False), (3, False), (4, True)])
def test_a_forecast_that_does_not_know_the_newest_days_is_old(age: int, is_old: bool) -> None:
    assert (describe_age(_FRIDAY, _FRIDAY + timedelta(days=age)) is not None) is is_old
    assert describe_age(_FRIDAY, None) is None
