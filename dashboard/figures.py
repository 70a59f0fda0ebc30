"""Charts, as the pages share them; all are drawn in the browser from what is handed over, nothing is fetched."""

import math

import altair as alt
import pandas as pd
import streamlit as st

from dashboard.places import country_places

ACCENT = "#1db954"
COLORS = ["#12805c", "#e08e45", "#3b6fb6", "#b4436c", "#7a5ea8", "#8a8d3f", "#4aa3a2", "#9c6644", "#d46a9a", "#6b7780"]
"""Of what stands side by side, in this order; they differ in lightness too."""

HEIGHT_A_BAR = 30
_FEW_POINTS = 60
_WEEKS = 52

Layers = alt.LayerChart | alt.FacetChart
"""What Altair makes of layers."""


def show(chart: alt.Chart | alt.LayerChart | alt.FacetChart, told: str) -> None:
    """Draw a chart as wide as the page.

    :param told: what it shows, for those who do not see it.
    """
    st.altair_chart(chart.properties(description=told), width="stretch")


def bars(frame: pd.DataFrame, label: str, value: str, title: str) -> Layers:
    """Bars in the order of the rows, with the name written on them and the value at the end of the line."""
    # Two of the same name are two bars: the place tells them apart.
    base = alt.Chart(frame.assign(place=range(len(frame))), height=HEIGHT_A_BAR * len(frame) + 20).encode(
        y=alt.Y("place:O", title=None, axis=None),
        x=alt.X(f"{value}:Q", title=None, axis=None, scale=alt.Scale(domainMin=0)),
        tooltip=[alt.Tooltip(f"{label}:N", title="name"), alt.Tooltip(f"{value}:Q", title=title, format=",.1~f")],
    )
    drawn = base.mark_bar(color=ACCENT, opacity=0.35, cornerRadiusEnd=4)
    names = base.mark_text(align="left", dx=8, limit=215, fontSize=13).encode(text=f"{label}:N", x=alt.value(0))
    values = base.mark_text(align="right", dx=-6, fontSize=13, fontWeight="bold").encode(
        text=alt.Text(f"{value}:Q", format=",.0f"), x=alt.value("width")
    )
    return alt.layer(drawn, names, values)


def lines(frame: pd.DataFrame, time: str, values: dict[str, str], title: str) -> alt.Chart:
    """A line a column over time.

    :param values: columns and what they are called.
    """
    long = frame[[time, *values]].rename(columns=values).melt(time, var_name="what", value_name="value")
    long[time] = pd.to_datetime(long[time])
    chart: alt.Chart = (
        alt.Chart(long, height=280)
        .mark_line(point=len(frame) <= _FEW_POINTS, strokeWidth=2)
        .encode(
            x=alt.X(f"{time}:T", title=None, axis=alt.Axis(format="%-d %b %y", tickCount=8, labelOverlap=True)),
            y=alt.Y("value:Q", title=title, axis=alt.Axis(format=",d", tickMinStep=1)),
            color=_color("what", list(values.values()), alt.Legend(orient="top")),
            tooltip=[alt.Tooltip(f"{time}:T"), "what:N", alt.Tooltip("value:Q", format=",.0f")],
        )
    )
    return chart


def calendar(frame: pd.DataFrame, day: str, value: str, title: str, year: int) -> alt.Chart:
    """A square a day until the last of ``frame``, a column a week, darker where there is more.

    :param year: of which all days are; it begins on 1 January and has room until its end. 0 is the last 52 weeks.
    """
    known = pd.to_datetime(frame[day])
    last = known.max()
    first = pd.Timestamp(year, 1, 1) if year else min(known.min(), last - pd.Timedelta(weeks=_WEEKS))
    days = pd.DataFrame({day: pd.date_range(first, last)})
    days = days.merge(frame.assign(**{day: known}), how="left", on=day).fillna({value: 0})
    monday = days[day] - pd.to_timedelta(days[day].dt.weekday, unit="D")
    days["week"], days["weekday"] = monday.dt.strftime("%Y-%m-%d"), days[day].dt.strftime("%a")
    mondays = pd.date_range(monday.min(), pd.Timestamp(year, 12, 31) if year else last, freq="7D")
    weeks = [f"{one:%Y-%m-%d}" for one in mondays]
    firsts = [week for week, one in zip(weeks, mondays, strict=True) if one.day <= 7]
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


def radar(frame: pd.DataFrame) -> Layers:
    """A closed line for each ``name`` over its ``attribute``s; ``share`` is how far out a point lies, 0 to 1."""
    spokes = list(frame["attribute"].drop_duplicates())
    turn = {attribute: math.tau * place / len(spokes) for place, attribute in enumerate(spokes)}
    angles = frame["attribute"].map(turn)
    points = frame.assign(
        x=frame["share"] * angles.map(math.sin),
        y=frame["share"] * angles.map(math.cos),
        place=frame["attribute"].map(spokes.index),
    )
    closed = pd.concat([points, points[points["place"] == 0].assign(place=len(spokes))])
    labels = pd.DataFrame(
        [{"attribute": one, "x": 1.18 * math.sin(angle), "y": 1.18 * math.cos(angle)} for one, angle in turn.items()]
    )
    rings = pd.DataFrame(
        [
            {"ring": ring, "place": place, "x": ring * math.sin(angle), "y": ring * math.cos(angle)}
            for ring in (0.25, 0.5, 0.75, 1.0)
            for place, angle in enumerate([*turn.values(), 0.0])
        ]
    )
    x = alt.X("x:Q", axis=None, scale=alt.Scale(domain=[-1.6, 1.6]))
    y = alt.Y("y:Q", axis=None, scale=alt.Scale(domain=[-1.3, 1.3]))
    grid = alt.Chart(rings).mark_line(color="#cccccc", strokeWidth=1).encode(x=x, y=y, detail="ring:N", order="place:Q")
    written = alt.Chart(labels).mark_text(fontSize=12).encode(x=x, y=y, text="attribute:N")
    color = _color("name", _in_order(frame["name"]), alt.Legend(orient="bottom", columns=1, labelLimit=300))
    tips = ["name:N", "attribute:N", alt.Tooltip("mean:Q", format=".2f")]
    drawn = (
        alt.Chart(closed, height=380)
        .mark_line(point=True, strokeWidth=2.5)
        .encode(x=x, y=y, color=color, order="place:Q", tooltip=tips)
    )
    return alt.layer(grid, written, drawn)


def distribution(frame: pd.DataFrame) -> alt.Chart:
    """The ``share`` of each ``name``'s tracks from ``bin_start`` to ``bin_end``, in the colours of ``radar``."""
    chart: alt.Chart = (
        alt.Chart(frame, height=120)
        .mark_area(opacity=0.3, line={"strokeWidth": 1.5}, interpolate="step-after")
        .encode(
            x=alt.X("bin_start:Q", title=None, axis=alt.Axis(tickCount=4, grid=False)),
            y=alt.Y("share:Q", title=None, stack=None, axis=alt.Axis(format=".0%", tickCount=3)),
            color=_color("name", _in_order(frame["name"]), None),
            tooltip=["name:N", "bin_start:Q", "bin_end:Q", alt.Tooltip("share:Q", format=".0%")],
        )
    )
    return chart


def shares(frame: pd.DataFrame, value: str, part: str) -> alt.Chart:
    """A bar a ``name``, divided into ``part``s."""
    names, parts = _in_order(frame["name"]), _in_order(frame[part])
    chart: alt.Chart = (
        # The legend takes its height from the bars.
        alt.Chart(frame, height=44 * len(names) + 24 * len(parts) + 50)
        .mark_bar(opacity=0.85)
        .encode(
            y=alt.Y("name:N", title=None, sort=names, axis=alt.Axis(labelLimit=120)),
            x=alt.X(f"{value}:Q", title=None, stack="normalize", axis=alt.Axis(format=".0%", tickCount=4)),
            color=_color(part, parts, alt.Legend(orient="bottom", columns=1, labelLimit=300)),
            tooltip=["name:N", f"{part}:N", alt.Tooltip(f"{value}:Q", format=".0%")],
        )
    )
    return chart


def _color(field: str, domain: list[str], legend: alt.Legend | None) -> alt.Color:
    return alt.Color(f"{field}:N", title=None, legend=legend, scale=alt.Scale(domain=domain, range=COLORS))


def _in_order(names: pd.Series) -> list[str]:
    return list(names.drop_duplicates())


def world_map(frame: pd.DataFrame, value: str, title: str) -> Layers:
    """A dot a country at its chief place, as large as its ``value``; all chief places of the world make the ground.

    :param frame: has ``country`` as ISO 3166-1 codes it; countries that are not known are left out.
    """
    ground = country_places()
    known = ground.drop_duplicates("country").merge(frame, on="country")
    dots = (
        alt.Chart(ground).mark_circle(color="#9aa5a0", size=14, opacity=0.7).encode(longitude="lon:Q", latitude="lat:Q")
    )
    globe = alt.Chart(alt.sphere()).mark_geoshape(fill="#f4f7f5", stroke="#dfe6e2")
    net = alt.Chart(alt.graticule(step=[30, 30])).mark_geoshape(stroke="#e3e8e5", strokeWidth=0.7)
    heard = (
        alt.Chart(known)
        .mark_circle(color=ACCENT, opacity=0.65, stroke="#0b3d2e")
        .encode(
            longitude="lon:Q",
            latitude="lat:Q",
            size=alt.Size(f"{value}:Q", title=title, scale=alt.Scale(range=[60, 1400]), legend=None),
            tooltip=["name:N", alt.Tooltip(f"{value}:Q", title=title, format=",.0f")],
        )
    )
    return alt.layer(globe, net, dots, heard).project("equalEarth").properties(height=300)
