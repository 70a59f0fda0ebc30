"""The page of charts: the most played items by country and period, and the number of listeners."""

from datetime import date

import streamlit as st

from dashboard.country_locations import get_country_name
from dashboard.figures import make_bar_chart, make_line_chart, show_chart
from dashboard.page import Page, show_nothing_yet, show_table
from dashboard.warehouse_reader import Login, WarehouseReader

_BAR_COUNT = 20
_KINDS = {"recording": "Songs", "artist": "Artists", "genre": "Genres"}
_PERIODS = ("year", "month", "week", "day")


def _draw_page(login: Login, reader: WarehouseReader) -> None:
    st.title("Charts")
    locations = reader.read_table("chart_places")
    if locations.empty:
        show_nothing_yet("There are no charts yet.", "Load events, then let the DAG build_marts build the marts.")
        return
    location_kind = st.segmented_control("By", ["continent", "country"], default="continent", required=True)
    location_column, period_column, start_column = st.columns(3)
    location_names = list(locations[locations["place_kind"] == location_kind]["place"])
    with location_column:
        location = st.selectbox("Where", location_names, format_func=get_country_name)
    with period_column:
        period = st.selectbox("Period", _PERIODS)
    chart_filter = {"place_kind": location_kind, "place": location, "period": period}
    with start_column:
        starts = list(reader.read_table("chart_periods", **chart_filter)["period_start"])
        start = st.selectbox("When", starts, format_func=lambda day: format_period(day, period))
    if start is None:
        show_nothing_yet("Nothing was played there in such a period.", "Choose another place or period.")
        return
    for tab, (kind, title) in zip(st.tabs(list(_KINDS.values())), _KINDS.items(), strict=True):
        with tab:
            _draw_chart(reader, {**chart_filter, "period_start": start, "kind": kind}, title)
    if login.can_read("mart.active_users"):
        st.subheader("Who listens")
        names = {"daily_users": "by day", "weekly_users": "in 7 days", "monthly_users": "in 30 days"}
        show_chart(
            make_line_chart(reader.read_table("active_users"), "local_date", names, "users"),
            "Active users by day, week and month.",
        )


def _draw_chart(reader: WarehouseReader, chart_filter: dict[str, object], title: str) -> None:
    chart = reader.read_table("chart", **chart_filter)
    if chart.empty:
        show_nothing_yet(f"No {title.lower()} here.", "What was played there is not named in the catalogue yet.")
        return
    chart["label"] = chart["name"].where(
        chart["artist_name"].isna(), chart["name"] + " – " + chart["artist_name"].fillna("")
    )
    chart["label"] = chart["rank"].astype(str) + "  " + chart["label"]
    show_chart(make_bar_chart(chart.head(_BAR_COUNT), "label", "plays", "plays"), f"The {title.lower()} played most.")
    with st.expander(f"All {len(chart)}"):
        show_table(chart.drop(columns=["label", "item_id"]), plays="%.1f")


def format_period(start: date, period: str) -> str:
    names = {"year": f"{start:%Y}", "month": f"{start:%B %Y}", "week": f"week from {start:%-d %b %Y}"}
    return names.get(period, f"{start:%-d %b %Y}")


PAGE = Page(
    "Charts",
    ":material/leaderboard:",
    "charts",
    (("mart.top_by_continent", "mart.chart"),),
    _draw_page,
)
