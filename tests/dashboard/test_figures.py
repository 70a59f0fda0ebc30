"""The content of the figures."""

from datetime import date, timedelta

import pandas as pd
import pytest

from dashboard.figures import make_calendar


@pytest.mark.parametrize(("year", "first"), [(2026, "2026-01-01"), (2024, "2024-01-01"), (0, "2025-02-02")])
def test_a_calendar_tells_nothing_of_other_years(year: int, first: str) -> None:
    start = date(year or 2026, 1, 2)
    days = [start + timedelta(days=number) for number in range(0, 31, 2)]
    chart = make_calendar(pd.DataFrame({"day": days, "minutes": 5.0}), "day", "minutes", "minutes", year)
    minutes_by_day = chart.data.set_index("day")["minutes"]
    assert str(minutes_by_day.index.min().date()) == first
    assert minutes_by_day.index.max().date() == days[-1]
    assert minutes_by_day[minutes_by_day > 0].index.date.tolist() == days
    assert len(chart.to_dict()["encoding"]["x"]["scale"]["domain"]) == 53
