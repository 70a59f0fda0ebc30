"""What the figures draw."""

from datetime import date, timedelta

import pandas as pd
import pytest

from dashboard.figures import make_calendar


@pytest.mark.parametrize(("year", "first"), [(2026, "2026-01-01"), (2024, "2024-01-01"), (0, "2025-02-02")])
def test_a_calendar_tells_nothing_of_other_years(year: int, first: str) -> None:
    start = date(year or 2026, 1, 2)
    heard = [start + timedelta(days=number) for number in range(0, 31, 2)]
    chart = make_calendar(pd.DataFrame({"day": heard, "minutes": 5.0}), "day", "minutes", "minutes", year)
    drawn = chart.data.set_index("day")["minutes"]
    assert str(drawn.index.min().date()) == first
    assert drawn.index.max().date() == heard[-1]
    assert drawn[drawn > 0].index.date.tolist() == heard
    assert len(chart.to_dict()["encoding"]["x"]["scale"]["domain"]) == 53
