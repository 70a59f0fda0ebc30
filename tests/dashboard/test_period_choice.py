"""The choice of a period, and the words of its comparison."""

from datetime import date

import pytest

from dashboard.period_choice import (
    CHOSEN,
    COMPARISONS,
    DAYS_BEFORE,
    PRESETS,
    YEAR_BEFORE,
    Period,
    describe_change,
    describe_rank_change,
    resolve_comparison,
    resolve_preset,
)

NEWEST = date(2024, 2, 29)


@pytest.mark.parametrize(
    ("preset", "first", "days"),
    [
        ("Last 4 weeks", date(2024, 2, 2), 28),
        ("Last 6 months", date(2023, 9, 1), 182),
        ("Last 12 months", date(2023, 3, 2), 365),
        ("This month", date(2024, 2, 1), 29),
        ("This year", date(2024, 1, 1), 60),
        (CHOSEN, date(2024, 2, 2), 28),
    ],
)
def test_a_preset_ends_with_the_newest_day(preset: str, first: date, days: int) -> None:
    period = resolve_preset(preset, NEWEST)
    assert (period.first, period.last, period.days) == (first, NEWEST, days)


@pytest.mark.parametrize("preset", PRESETS)
@pytest.mark.parametrize("comparison", COMPARISONS)
def test_an_earlier_period_lies_before(preset: str, comparison: str) -> None:
    period = resolve_preset(preset, NEWEST)
    earlier = resolve_comparison(comparison, period)
    assert earlier.first <= earlier.last < period.last
    assert comparison == YEAR_BEFORE or (earlier.days == period.days and earlier.last < period.first)


def test_a_year_before_a_leap_day() -> None:
    leap_day = Period(NEWEST, NEWEST)
    assert resolve_comparison(YEAR_BEFORE, leap_day) == Period(date(2023, 2, 28), date(2023, 2, 28))
    assert resolve_comparison(DAYS_BEFORE, leap_day) == Period(date(2024, 2, 28), date(2024, 2, 28))


def test_words_of_a_period() -> None:
    assert str(Period(NEWEST, NEWEST)) == "29 February 2024"
    assert str(Period(date(2024, 1, 1), NEWEST)) == "1 January to 29 February 2024"
    assert str(Period(date(2023, 12, 31), NEWEST)) == "31 December 2023 to 29 February 2024"


def test_words_of_changes() -> None:
    assert [describe_rank_change(3, earlier) for earlier in (5, 2, 3, None, float("nan"))] == [
        "▲ 2",
        "▼ 1",
        "=",
        "new",
        "new",
    ]
    assert [describe_change(value, earlier) for value, earlier in ((1500, 1), (0, 20), (5, 0), (7, 7))] == [
        "+1,499",
        "-20",
        None,
        "as before",
    ]
