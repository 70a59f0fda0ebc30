"""The content of the figures."""

from datetime import date, timedelta

import pandas as pd
import pytest

from dashboard.figures import make_bar_chart, make_calendar, make_time_axis, make_world_map


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


def test_a_map_shows_land_and_the_countries_that_are_known() -> None:
    frame = pd.DataFrame({"country": ["DE", "ZZ"], "listeners": [5, 7]})
    specification = make_world_map(frame, "listeners", "listeners").to_dict()
    (land,) = [layer for layer in specification["layer"] if layer["data"].get("format")]
    topology = specification["datasets"][land["data"]["name"]]
    assert land["data"]["format"] == {"feature": "land", "type": "topojson"}
    assert topology["type"] == "Topology" and topology["objects"].keys() == {"land"} and len(topology["arcs"]) > 100
    dots = specification["datasets"][specification["layer"][-1]["data"]["name"]]
    assert [(row["country"], row["listeners"]) for row in dots] == [("DE", 5)]


@pytest.mark.parametrize(("weeks", "every"), [(2, 1), (8, 1), (9, 2), (30, 4)])
def test_labels_of_weeks_are_their_first_days(weeks: int, every: int) -> None:
    mondays = [date(2026, 1, 5) + timedelta(weeks=number) for number in range(weeks)]
    labelled = make_time_axis(pd.Series(mondays), "%-d %b", 8).to_dict()["values"]
    assert [date(label["year"], label["month"], label["date"]) for label in labelled] == mondays[::every]


def test_labels_of_days_are_chosen_by_the_browser() -> None:
    days = pd.Series([date(2026, 1, 5) + timedelta(days=number) for number in range(30)])
    assert "values" not in make_time_axis(days, "%-d %b", 8).to_dict()
    assert "values" not in make_time_axis(days.head(1), "%-d %b", 8).to_dict()


def test_a_change_stands_before_the_name() -> None:
    frame = pd.DataFrame({"name": ["Moby Dick", "History"], "plays": [2, 1], "change": ["new", "="]})
    layers = make_bar_chart(frame, "name", "plays", "plays", "change").to_dict()["layer"]
    starts = {
        layer["encoding"]["text"]["field"]: layer["mark"]["dx"] for layer in layers if "text" in layer["encoding"]
    }
    assert starts["change"] == 8 and starts["name"] > 40
    layers = make_bar_chart(frame, "name", "plays", "plays").to_dict()["layer"]
    assert [layer["mark"].get("dx") for layer in layers] == [None, 8, -6]
