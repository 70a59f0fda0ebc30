"""Charts that the pages share. The browser draws them from the data in the page and fetches nothing."""

import json
import math
from functools import cache
from pathlib import Path

import altair as alt
import pandas as pd
import streamlit as st

from dashboard.country_locations import read_country_locations

ACCENT = "#1db954"
COLORS = ["#12805c", "#e08e45", "#3b6fb6", "#b4436c", "#7a5ea8", "#8a8d3f", "#4aa3a2", "#9c6644", "#d46a9a", "#6b7780"]
"""Colours of adjacent groups, in this order; they also differ in lightness."""

BAR_HEIGHT = 30
_CHANGE_WIDTH = 34
_VALUE_WIDTH = 70
_MAP_HEIGHT = 240
"""The height of the globe at the width of its column on a desktop."""
_MAX_MARKED_POINTS = 60
_WEEKS_PER_YEAR = 52
_LEGEND_COLUMNS = 3
_LAND_FILE = Path(__file__).with_name("land.json")
"""TopoJSON of land-110m of the npm package world-atlas 2.0.2, from Natural Earth (public domain)."""

Layers = alt.LayerChart | alt.FacetChart
"""The types that Altair's layered charts have."""


def show_chart(chart: alt.Chart | alt.LayerChart | alt.FacetChart, description: str) -> None:
    """Draw a chart as wide as the page.

    :param description: the content of the chart, for users of screen readers.
    """
    st.altair_chart(chart.properties(description=description), width="stretch")


def make_bar_chart(frame: pd.DataFrame, label: str, value: str, title: str, change: str | None = None) -> Layers:
    """Return bars in the order of the rows, with the name written on them and the value at the end of the line.

    :param change: a column of a few letters, written in grey before the names.
    """
    indent = _CHANGE_WIDTH if change else 0
    # Two rows of the same name are two bars: the index distinguishes them.
    base = alt.Chart(frame.assign(place=range(len(frame))), height=BAR_HEIGHT * len(frame) + 20).encode(
        y=alt.Y("place:O", title=None, axis=None),
        x=alt.X(f"{value}:Q", title=None, axis=None, scale=alt.Scale(domainMin=0)),
        tooltip=[alt.Tooltip(f"{label}:N", title="name"), alt.Tooltip(f"{value}:Q", title=title, format=",.1~f")],
    )
    bar_marks = base.mark_bar(color=ACCENT, opacity=0.35, cornerRadiusEnd=4)
    names = base.mark_text(
        align="left", dx=8 + indent, limit=alt.ExprRef(f"width - {_VALUE_WIDTH + indent}"), fontSize=13
    ).encode(text=f"{label}:N", x=alt.value(0))
    values = base.mark_text(align="right", dx=-6, fontSize=13, fontWeight="bold").encode(
        text=alt.Text(f"{value}:Q", format=",.0f"), x=alt.value("width")
    )
    if not change:
        return alt.layer(bar_marks, names, values)
    changes = base.mark_text(align="left", dx=8, fontSize=12, color="#4d5652").encode(
        text=f"{change}:N", x=alt.value(0)
    )
    return alt.layer(bar_marks, changes, names, values)


def make_line_chart(
    frame: pd.DataFrame, time: str, values: dict[str, str], title: str, time_format: str = "%-d %b %y"
) -> alt.Chart:
    """Return a line a column over time.

    :param values: columns and their labels.
    :param time_format: of the labels of the time, as d3 writes it.
    """
    long_frame = frame[[time, *values]].rename(columns=values).melt(time, var_name="what", value_name="value")
    long_frame[time] = pd.to_datetime(long_frame[time])
    is_whole = bool((long_frame["value"].dropna() % 1 == 0).all())
    legend = alt.Legend(orient="top", columns=_LEGEND_COLUMNS if len(values) > _LEGEND_COLUMNS else alt.Undefined)
    chart: alt.Chart = (
        alt.Chart(long_frame, height=280)
        .mark_line(point=len(frame) <= _MAX_MARKED_POINTS, strokeWidth=2)
        .encode(
            x=alt.X(f"{time}:T", title=None, axis=make_time_axis(long_frame[time], time_format, 8)),
            y=alt.Y(
                "value:Q", title=title, axis=alt.Axis(format=",.2~f", tickMinStep=1 if is_whole else alt.Undefined)
            ),
            color=_make_color("what", list(values.values()), legend),
            tooltip=[
                alt.Tooltip(f"{time}:T", format=time_format),
                alt.Tooltip("what:N"),
                alt.Tooltip("value:Q", format=",.1~f"),
            ],
        )
    )
    return chart


def make_time_axis(dates: pd.Series, time_format: str, tick_count: int) -> alt.Axis:
    """Return an axis of days or weeks.

    Vega begins weeks on Sundays, so the labels of weeks are those of dates in the data.

    :param time_format: of the labels, as d3 writes it.
    """
    axis = alt.Axis(format=time_format, tickCount=tick_count, labelOverlap=True)
    weeks = pd.to_datetime(dates).drop_duplicates().sort_values()
    if len(weeks) < 2 or weeks.dt.weekday.nunique() > 1:
        return axis
    labelled = weeks[:: math.ceil(len(weeks) / tick_count)]
    axis["values"] = [alt.DateTime(year=week.year, month=week.month, date=week.day) for week in labelled]
    return axis


def make_calendar(frame: pd.DataFrame, day: str, value: str, title: str, year: int) -> alt.Chart:
    """Return a square a day until the last of ``frame``, a column a week, darker for higher values.

    :param year: the year of all days; the chart covers it from 1 January to its end. 0 means the last 52 weeks.
    """
    day_values = pd.to_datetime(frame[day])
    last = day_values.max()
    first = pd.Timestamp(year, 1, 1) if year else min(day_values.min(), last - pd.Timedelta(weeks=_WEEKS_PER_YEAR))
    days = pd.DataFrame({day: pd.date_range(first, last)})
    days = days.merge(frame.assign(**{day: day_values}), how="left", on=day).fillna({value: 0})
    monday = days[day] - pd.to_timedelta(days[day].dt.weekday, unit="D")
    days["week"], days["weekday"] = monday.dt.strftime("%Y-%m-%d"), days[day].dt.strftime("%a")
    mondays = pd.date_range(monday.min(), pd.Timestamp(year, 12, 31) if year else last, freq="7D")
    weeks = [f"{monday_date:%Y-%m-%d}" for monday_date in mondays]
    firsts = [week for week, monday_date in zip(weeks, mondays, strict=True) if monday_date.day <= 7]
    names = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"]
    month = "timeFormat(toDate(datum.value + 'T00:00'), '%b')"
    axis = alt.Axis(values=firsts, labelExpr=month, labelAngle=0, ticks=False)
    greens = alt.Scale(range=["#edf1ee", "#bfe3cd", "#1db954", "#0b3d2e"])
    chart: alt.Chart = (
        alt.Chart(days, height=160)
        .mark_rect(cornerRadius=2, stroke="white", strokeWidth=1)
        .encode(
            x=alt.X("week:O", title=None, scale=alt.Scale(domain=weeks), axis=axis),
            y=alt.Y("weekday:O", title=None, scale=alt.Scale(domain=names), axis=alt.Axis(values=names[::2])),
            color=alt.Color(f"{value}:Q", title=title, legend=None, scale=greens),
            tooltip=[alt.Tooltip(f"{day}:T", title="day"), alt.Tooltip(f"{value}:Q", title=title, format=",.0f")],
        )
    )
    return chart


def make_radar_chart(frame: pd.DataFrame) -> Layers:
    """Return a closed line for each ``name`` over its ``attribute``s; ``share``, 0 to 1, is a point's distance."""
    spokes = list(frame["attribute"].drop_duplicates())
    angle_by_attribute = {attribute: math.tau * index / len(spokes) for index, attribute in enumerate(spokes)}
    angles = frame["attribute"].map(angle_by_attribute)
    points = frame.assign(
        x=frame["share"] * angles.map(math.sin),
        y=frame["share"] * angles.map(math.cos),
        place=frame["attribute"].map(spokes.index),
    )
    closed = pd.concat([points, points[points["place"] == 0].assign(place=len(spokes))])
    labels = pd.DataFrame(
        [
            {"attribute": attribute_name, "x": 1.18 * math.sin(angle), "y": 1.18 * math.cos(angle)}
            for attribute_name, angle in angle_by_attribute.items()
        ]
    )
    rings = pd.DataFrame(
        [
            {"ring": ring, "place": index, "x": ring * math.sin(angle), "y": ring * math.cos(angle)}
            for ring in (0.25, 0.5, 0.75, 1.0)
            for index, angle in enumerate([*angle_by_attribute.values(), 0.0])
        ]
    )
    x = alt.X("x:Q", axis=None, scale=alt.Scale(domain=[-1.6, 1.6]))
    y = alt.Y("y:Q", axis=None, scale=alt.Scale(domain=[-1.3, 1.3]))
    ring_marks = (
        alt.Chart(rings).mark_line(color="#cccccc", strokeWidth=1).encode(x=x, y=y, detail="ring:N", order="place:Q")
    )
    label_marks = alt.Chart(labels).mark_text(fontSize=12).encode(x=x, y=y, text="attribute:N")
    color = _make_color("name", _list_unique(frame["name"]), alt.Legend(orient="bottom", columns=1, labelLimit=300))
    tips = ["name:N", "attribute:N", alt.Tooltip("mean:Q", format=".2f")]
    line_marks = (
        alt.Chart(closed, height=380)
        .mark_line(point=True, strokeWidth=2.5)
        .encode(x=x, y=y, color=color, order="place:Q", tooltip=tips)
    )
    return alt.layer(ring_marks, label_marks, line_marks)


def make_distribution_chart(frame: pd.DataFrame) -> alt.Chart:
    """Return the ``share`` of each ``name``'s tracks from ``bin_start`` to ``bin_end``, in the radar's colours."""
    chart: alt.Chart = (
        alt.Chart(frame, height=120)
        .mark_area(opacity=0.3, line={"strokeWidth": 1.5}, interpolate="step-after")
        .encode(
            x=alt.X("bin_start:Q", title=None, axis=alt.Axis(tickCount=4, grid=False)),
            y=alt.Y("share:Q", title=None, stack=None, axis=alt.Axis(format=".0%", tickCount=3)),
            color=_make_color("name", _list_unique(frame["name"]), None),
            tooltip=["name:N", "bin_start:Q", "bin_end:Q", alt.Tooltip("share:Q", format=".0%")],
        )
    )
    return chart


def make_stacked_bars(frame: pd.DataFrame, value: str, category_column: str) -> alt.Chart:
    """Return a bar a ``name``, divided into the values of ``category_column``."""
    names, categories = _list_unique(frame["name"]), _list_unique(frame[category_column])
    chart: alt.Chart = (
        # The legend takes its height from the bars.
        alt.Chart(frame, height=44 * len(names) + 24 * len(categories) + 50)
        .mark_bar(opacity=0.85)
        .encode(
            y=alt.Y("name:N", title=None, sort=names, axis=alt.Axis(labelLimit=120)),
            x=alt.X(f"{value}:Q", title=None, stack="normalize", axis=alt.Axis(format=".0%", tickCount=4)),
            color=_make_color(category_column, categories, alt.Legend(orient="bottom", columns=1, labelLimit=300)),
            tooltip=["name:N", f"{category_column}:N", alt.Tooltip(f"{value}:Q", format=".0%")],
        )
    )
    return chart


def make_state_grid(frame: pd.DataFrame, time: str, row: str, colors: dict[str, str]) -> alt.Chart:
    """Return a square for each hour and ``row``, coloured by ``state``.

    :param colors: the colour of each state, in the order of the legend.
    """
    rows = _list_unique(frame[row].sort_values())
    chart: alt.Chart = (
        alt.Chart(frame.assign(hour=frame[time].dt.strftime("%a %H:00")), height=30 * len(rows) + 110)
        .mark_rect(cornerRadius=3, stroke="white", strokeWidth=2)
        .encode(
            x=alt.X("hour:O", title=None, sort=None, axis=alt.Axis(labelAngle=0, labelOverlap=True, ticks=False)),
            y=alt.Y(f"{row}:N", title=None, scale=alt.Scale(domain=rows)),
            color=alt.Color(
                "state:N",
                title=None,
                legend=alt.Legend(orient="top"),
                scale=alt.Scale(domain=list(colors), range=list(colors.values())),
            ),
            tooltip=[
                alt.Tooltip("hour:O"),
                alt.Tooltip(f"{row}:N"),
                alt.Tooltip("state:N"),
                alt.Tooltip("events:Q", format=",.0f"),
                alt.Tooltip("late_events:Q", title="late events", format=",.0f"),
            ],
        )
    )
    return chart


def _make_color(field: str, domain: list[str], legend: alt.Legend | None) -> alt.Color:
    return alt.Color(f"{field}:N", title=None, legend=legend, scale=alt.Scale(domain=domain, range=COLORS))


def _list_unique(names: pd.Series) -> list[str]:
    return list(names.drop_duplicates())


def make_world_map(frame: pd.DataFrame, value: str, title: str) -> Layers:
    """Return a map of the land with a dot at each country's chief location, sized by ``value``.

    :param frame: has ``country`` as an ISO 3166-1 code; unknown countries are left out.
    """
    located = read_country_locations().drop_duplicates("country").merge(frame, on="country")
    globe = alt.Chart(alt.sphere()).mark_geoshape(fill="#f4f7f5", stroke="#dfe6e2")
    graticule = alt.Chart(alt.graticule(step=[30, 30])).mark_geoshape(stroke="#e3e8e5", strokeWidth=0.7)
    land = alt.Chart(_read_land()).mark_geoshape(fill="#d3ddd7", stroke="#b4c2ba", strokeWidth=0.5)
    value_marks = (
        alt.Chart(located)
        .mark_circle(color=ACCENT, opacity=0.65, stroke="#0b3d2e")
        .encode(
            longitude="lon:Q",
            latitude="lat:Q",
            size=alt.Size(f"{value}:Q", title=title, scale=alt.Scale(range=[60, 1400]), legend=None),
            tooltip=["name:N", alt.Tooltip(f"{value}:Q", title=title, format=",.0f")],
        )
    )
    return alt.layer(globe, graticule, land, value_marks).project("equalEarth").properties(height=_MAP_HEIGHT)


@cache
def _read_land() -> alt.InlineData:
    """Return the outlines of the land, which the page brings along: the browser fetches nothing."""
    topology = json.loads(_LAND_FILE.read_text(encoding="utf-8"))
    return alt.InlineData(values=topology, format=alt.TopoDataFormat(feature="land", type="topojson"))
