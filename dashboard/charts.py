"""What is played most, by place and time, and how many listen."""

from datetime import date

import streamlit as st

from dashboard.figures import bars, lines, show
from dashboard.page import Page, grid, nothing_yet
from dashboard.places import country_name
from dashboard.reading import Login, Reading

_FIRST = 20
_KINDS = {"recording": "Songs", "artist": "Artists", "genre": "Genres"}
_PERIODS = ("year", "month", "week", "day")


def _draw(login: Login, reader: Reading) -> None:
    st.title("Charts")
    places = reader.table("chart_places")
    if places.empty:
        nothing_yet("There are no charts yet.", "Load events, then let the DAG build_marts build the marts.")
        return
    place_kind = st.segmented_control("By", ["continent", "country"], default="continent", required=True)
    left, middle, right = st.columns(3)
    found = list(places[places["place_kind"] == place_kind]["place"])
    with left:
        place = st.selectbox("Where", found, format_func=country_name)
    with middle:
        period = st.selectbox("Period", _PERIODS)
    chosen = {"place_kind": place_kind, "place": place, "period": period}
    with right:
        starts = list(reader.table("chart_periods", **chosen)["period_start"])
        start = st.selectbox("When", starts, format_func=lambda day: _period_name(day, period))
    if start is None:
        nothing_yet("Nothing was played there in such a period.", "Choose another place or period.")
        return
    for tab, (kind, title) in zip(st.tabs(list(_KINDS.values())), _KINDS.items(), strict=True):
        with tab:
            _draw_chart(reader, {**chosen, "period_start": start, "kind": kind}, title)
    if login.may_read("mart.active_users"):
        st.subheader("Who listens")
        names = {"daily_users": "by day", "weekly_users": "in 7 days", "monthly_users": "in 30 days"}
        show(lines(reader.table("active_users"), "local_date", names, "users"), "Active users by day, week and month.")


def _draw_chart(reader: Reading, chosen: dict[str, object], title: str) -> None:
    chart = reader.table("chart", **chosen)
    if chart.empty:
        nothing_yet(f"No {title.lower()} here.", "What was played there is not named in the catalogue yet.")
        return
    chart["label"] = chart["name"].where(
        chart["artist_name"].isna(), chart["name"] + " – " + chart["artist_name"].fillna("")
    )
    chart["label"] = chart["rank"].astype(str) + "  " + chart["label"]
    show(bars(chart.head(_FIRST), "label", "plays", "plays"), f"The {title.lower()} played most.")
    with st.expander(f"All {len(chart)}"):
        grid(chart.drop(columns=["label", "item_id"]), plays="%.1f")


def _period_name(start: date, period: str) -> str:
    names = {"year": f"{start:%Y}", "month": f"{start:%B %Y}", "week": f"week from {start:%-d %b %Y}"}
    return names.get(period, f"{start:%-d %b %Y}")


PAGE = Page(
    "Charts",
    ":material/leaderboard:",
    "charts",
    (("mart.top_by_continent", "mart.chart"),),
    _draw,
)
