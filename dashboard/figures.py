"""Charts, as the pages share them; all are drawn in the browser from what is handed over, nothing is fetched."""

import math

import altair as alt
import pandas as pd
import streamlit as st

from dashboard.places import country_places

ACCENT = "#1db954"
HEIGHT_A_BAR = 30

Layers = alt.LayerChart | alt.FacetChart
"""What Altair makes of layers."""


def show(chart: alt.Chart | alt.LayerChart | alt.FacetChart | alt.HConcatChart, told: str) -> None:
    """Draw a chart as wide as the page.

    :param told: what it shows, for those who do not see it.
    """
    st.altair_chart(chart.properties(description=told), width="stretch")


def bars(frame: pd.DataFrame, label: str, value: str, title: str) -> Layers:
    """Bars in the order of the rows, with name and value written on them."""
    # Two of the same name are two bars: the place tells them apart.
    words = [f"{name}  ·  {amount:,.0f}" for name, amount in zip(frame[label], frame[value], strict=True)]
    base = alt.Chart(
        frame.assign(place=range(len(frame)), words=words), height=HEIGHT_A_BAR * max(len(frame), 2)
    ).encode(
        y=alt.Y("place:O", title=None, axis=None),
        x=alt.X(f"{value}:Q", title=None, axis=None, scale=alt.Scale(domainMin=0)),
        tooltip=[alt.Tooltip(f"{label}:N", title="name"), alt.Tooltip(f"{value}:Q", title=title, format=",.1~f")],
    )
    drawn = base.mark_bar(color=ACCENT, opacity=0.4, cornerRadiusEnd=4)
    written = base.mark_text(align="left", dx=6, limit=260).encode(text="words:N", x=alt.value(0))
    return alt.layer(drawn, written)


def lines(frame: pd.DataFrame, time: str, values: dict[str, str], title: str) -> alt.Chart:
    """A line a column over time.

    :param values: columns and what they are called.
    """
    long = frame[[time, *values]].rename(columns=values).melt(time, var_name="what", value_name="value")
    long[time] = pd.to_datetime(long[time])
    chart: alt.Chart = (
        alt.Chart(long, height=280)
        .mark_line(point=True)
        .encode(
            x=alt.X(f"{time}:T", title=None),
            y=alt.Y("value:Q", title=title),
            color=alt.Color("what:N", title=None, legend=alt.Legend(orient="top")),
            tooltip=[alt.Tooltip(f"{time}:T"), "what:N", alt.Tooltip("value:Q", format=",.0f")],
        )
    )
    return chart


def calendar(frame: pd.DataFrame, day: str, value: str, title: str) -> alt.Chart:
    """A square a day, a column a week, darker where there is more."""
    days = frame.assign(**{day: pd.to_datetime(frame[day])})
    days["week"] = days[day] - pd.to_timedelta(days[day].dt.weekday, unit="D")
    days["weekday"] = days[day].dt.strftime("%a")
    names = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"]
    chart: alt.Chart = (
        alt.Chart(days, height=170)
        .mark_rect(cornerRadius=3, stroke="white", strokeWidth=2)
        .encode(
            x=alt.X("yearmonthdate(week):O", title=None, axis=alt.Axis(format="%-d %b", labelOverlap=True)),
            y=alt.Y("weekday:O", title=None, scale=alt.Scale(domain=names), axis=alt.Axis(labelOverlap=False)),
            color=alt.Color(f"{value}:Q", title=title, legend=None, scale=alt.Scale(scheme="greens")),
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
    color = alt.Color("name:N", title=None, legend=alt.Legend(orient="bottom", columns=1, labelLimit=300))
    tips = ["name:N", "attribute:N", alt.Tooltip("mean:Q", format=".2f")]
    drawn = (
        alt.Chart(closed, height=380)
        .mark_line(point=True, strokeWidth=2.5)
        .encode(x=x, y=y, color=color, order="place:Q", tooltip=tips)
    )
    return alt.layer(grid, written, drawn)


def distributions(frame: pd.DataFrame) -> alt.FacetChart:
    """Small charts, one an ``attribute``: the ``share`` of each ``name``'s tracks from ``bin_start`` to ``bin_end``."""
    chart = (
        alt.Chart(frame, width=240, height=110)
        .mark_area(opacity=0.35, line=True, interpolate="monotone")
        .encode(
            x=alt.X("bin_start:Q", title=None, axis=alt.Axis(tickCount=4)),
            y=alt.Y("share:Q", title=None, stack=None, axis=alt.Axis(format="%", tickCount=3)),
            color=alt.Color("name:N", title=None, legend=alt.Legend(orient="top", columns=1, labelLimit=300)),
            tooltip=["name:N", "attribute:N", "bin_start:Q", "bin_end:Q", alt.Tooltip("share:Q", format=".0%")],
        )
    )
    faceted: alt.FacetChart = chart.facet(
        facet=alt.Facet("attribute:N", title=None, header=alt.Header(labelFontSize=13)), columns=3
    ).resolve_scale(x="independent", y="independent")
    return faceted


def shares(frame: pd.DataFrame, value: str, part: str) -> alt.Chart:
    """A bar a ``name``, divided into ``part``s."""
    chart: alt.Chart = (
        alt.Chart(frame, height=max(HEIGHT_A_BAR * 2, 40 * frame["name"].nunique()))
        .mark_bar()
        .encode(
            y=alt.Y("name:N", title=None, axis=alt.Axis(labelLimit=120)),
            x=alt.X(f"{value}:Q", title=None, stack="normalize", axis=alt.Axis(format="%", tickCount=4)),
            color=alt.Color(f"{part}:N", title=None, legend=alt.Legend(orient="bottom", columns=2, labelLimit=250)),
            tooltip=["name:N", f"{part}:N", alt.Tooltip(f"{value}:Q", format=".0%")],
        )
    )
    return chart


def world_map(frame: pd.DataFrame, value: str, title: str) -> Layers:
    """A dot a country at its chief place, as large as its ``value``; all chief places of the world make the ground.

    :param frame: has ``country`` as ISO 3166-1 codes it; countries that are not known are left out.
    """
    ground = country_places()
    known = ground.drop_duplicates("country").merge(frame, on="country")
    dots = (
        alt.Chart(ground).mark_circle(color="#9aa5a0", size=14, opacity=0.7).encode(longitude="lon:Q", latitude="lat:Q")
    )
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
    return alt.layer(net, dots, heard).project("equalEarth").properties(height=420)
