"""Charts, as the pages share them; all are drawn in the browser from what is handed over, nothing is fetched."""

import altair as alt
import pandas as pd
import streamlit as st

ACCENT = "#1db954"
HEIGHT_A_BAR = 30


def show(chart: alt.Chart | alt.LayerChart | alt.FacetChart | alt.HConcatChart, told: str) -> None:
    """Draw a chart as wide as the page.

    :param told: what it shows, for those who do not see it.
    """
    st.altair_chart(chart.properties(description=told), width="stretch")


def bars(frame: pd.DataFrame, label: str, value: str, title: str) -> alt.LayerChart:
    """Bars in the order of the rows, with name and value written on them."""
    # Two of the same name are two bars: the place tells them apart.
    placed = frame.assign(
        place=range(len(frame)),
        words=[f"{name}  ·  {amount:,.0f}" for name, amount in zip(frame[label], frame[value], strict=True)],
    )
    base = alt.Chart(placed, height=HEIGHT_A_BAR * max(len(frame), 2)).encode(
        y=alt.Y("place:O", title=None, axis=None),
        x=alt.X(f"{value}:Q", title=None, axis=None, scale=alt.Scale(domainMin=0)),
        tooltip=[alt.Tooltip(f"{label}:N", title="name"), alt.Tooltip(f"{value}:Q", title=title, format=",.1~f")],
    )
    drawn = base.mark_bar(color=ACCENT, opacity=0.4, cornerRadiusEnd=4)
    written = base.mark_text(align="left", dx=6, limit=260).encode(text="words:N", x=alt.value(0))
    return drawn + written


def lines(frame: pd.DataFrame, time: str, values: dict[str, str], title: str) -> alt.Chart:
    """A line a column over time.

    :param values: columns and what they are called.
    """
    long = frame[[time, *values]].rename(columns=values).melt(time, var_name="what", value_name="value")
    long[time] = pd.to_datetime(long[time])
    return (
        alt.Chart(long, height=280)
        .mark_line(point=True)
        .encode(
            x=alt.X(f"{time}:T", title=None),
            y=alt.Y("value:Q", title=title),
            color=alt.Color("what:N", title=None, legend=alt.Legend(orient="top")),
            tooltip=[alt.Tooltip(f"{time}:T"), "what:N", alt.Tooltip("value:Q", format=",.0f")],
        )
    )


def calendar(frame: pd.DataFrame, day: str, value: str, title: str) -> alt.Chart:
    """A square a day, a column a week, darker where there is more."""
    days = frame.assign(**{day: pd.to_datetime(frame[day])})
    days["week"] = days[day] - pd.to_timedelta(days[day].dt.weekday, unit="D")
    days["weekday"] = days[day].dt.strftime("%a")
    names = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"]
    return (
        alt.Chart(days, height=170)
        .mark_rect(cornerRadius=3, stroke="white", strokeWidth=2)
        .encode(
            x=alt.X("yearmonthdate(week):O", title=None, axis=alt.Axis(format="%-d %b", labelOverlap=True)),
            y=alt.Y(
                "weekday:O", sort=names, title=None, scale=alt.Scale(domain=names), axis=alt.Axis(labelOverlap=False)
            ),
            color=alt.Color(f"{value}:Q", title=title, legend=None, scale=alt.Scale(scheme="greens")),
            tooltip=[alt.Tooltip(f"{day}:T", title="day"), alt.Tooltip(f"{value}:Q", title=title, format=",.0f")],
        )
    )
