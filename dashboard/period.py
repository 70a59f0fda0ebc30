"""The part of the page Wrapped that shows any period, compared with an earlier one."""

from datetime import date
from typing import Literal

import pandas as pd
import streamlit as st

from dashboard.figures import make_bar_chart, show_chart
from dashboard.page import format_number, show_nothing_yet, show_table
from dashboard.period_choice import (
    CHOSEN,
    COMPARISONS,
    PRESETS,
    Period,
    describe_change,
    describe_rank_change,
    resolve_comparison,
    resolve_preset,
)
from dashboard.warehouse_reader import Login, WarehouseReader

_TOP_COUNT = 5
_LISTS = {"track": "Songs", "artist": "Artists", "album": "Albums", "genre": "Genres"}
_FIGURES = {
    "minutes_played": "Minutes",
    "plays": "Plays",
    "tracks": "Songs",
    "albums": "Albums",
    "artists": "Artists",
    "new_artists": "New artists",
    "days_with_plays": "Days with music",
}
_SPOKEN_FIGURES = {"spoken_minutes": "Minutes", "spoken_plays": "Episodes and chapters", "shows": "Shows"}


def draw_period(login: Login, reader: WarehouseReader, user_id: str, newest_day: date) -> None:
    """Draw the choice of a period and what the user played in it.

    :param newest_day: the user's last day with plays, at which presets end.
    """
    period, earlier = _choose_periods(newest_day)
    if period is None or earlier is None:
        st.info("Choose a first and a last day.", icon=":material/date_range:")
        return
    st.markdown(f"From **{period}**, compared with {earlier}.")
    st.caption("A day of which no plays were loaded counts as a day without music.")
    prefix, user = ("my_", {}) if login.is_listener else ("", {"user_id": user_id})
    figures, earlier_figures = (
        reader.read_table(f"{prefix}period_figures", first_date=days.first, last_date=days.last, **user).iloc[0]
        for days in (period, earlier)
    )
    top = reader.read_table(
        f"{prefix}period_top",
        **{"first_date": period.first, "last_date": period.last},
        **{"earlier_first_date": earlier.first, "earlier_last_date": earlier.last},
        **user,
    )
    top["change"] = [
        describe_rank_change(int(rank), earlier_rank)
        for rank, earlier_rank in zip(top["rank"], top["earlier_rank"], strict=True)
    ]
    if not figures["plays"]:
        show_nothing_yet("No music in these days.", f"The last day with plays is {newest_day:%-d %B %Y}.")
    else:
        _draw_figures(_FIGURES, figures, earlier_figures)
        _draw_lists(top)
    _draw_spoken(top[top["kind"] == "show"], figures, earlier_figures)


def _choose_periods(newest_day: date) -> tuple[Period | None, Period | None]:
    period_column, comparison_column = st.columns(2)
    with period_column:
        preset = str(st.selectbox("Period", PRESETS, help="A preset ends with the last day that has plays."))
        period: Period | None = resolve_preset(preset, newest_day)
        if preset == CHOSEN and period:
            period = _choose_dates("From and to", period, "period_dates")
    if period is None:
        return None, None
    with comparison_column:
        comparison = str(st.selectbox("Compared with", COMPARISONS))
        earlier: Period | None = resolve_comparison(comparison, period)
        if comparison == CHOSEN and earlier:
            earlier = _choose_dates("Compared with the days from and to", earlier, "earlier_dates")
    return period, earlier


def _choose_dates(label: str, period: Period, key: str) -> Period | None:
    """Return the chosen days; None while only the first is chosen."""
    chosen = st.date_input(
        label, (period.first, period.last), min_value=date(1900, 1, 1), max_value=date(2100, 12, 31), key=key
    )
    return Period(*chosen) if isinstance(chosen, tuple) and len(chosen) == 2 else None


def _draw_figures(labels: dict[str, str], figures: pd.Series, earlier_figures: pd.Series) -> None:
    with st.container(horizontal=True):
        for name, label in labels.items():
            change = describe_change(figures[name], earlier_figures[name])
            arrow: Literal["auto", "off"] = "auto" if figures[name] != earlier_figures[name] else "off"
            # Grey, because fewer minutes are not bad.
            st.metric(label, format_number(figures[name]), change, "off", delta_arrow=arrow, border=True)


def _draw_lists(top: pd.DataFrame) -> None:
    titles = list(_LISTS.items())
    for pair in (titles[:2], titles[2:]):
        for column, (kind, title) in zip(st.columns(2), pair, strict=True):
            with column:
                st.subheader(title)
                _draw_list(top[top["kind"] == kind], title, "plays")


def _draw_list(rows: pd.DataFrame, title: str, value: str) -> None:
    if rows.empty:
        show_nothing_yet(f"No {title.lower()} here.", "The next refresh completes what the catalogue lacks.")
        return
    rows = rows.assign(name=rows["name"].fillna("Unnamed show" if title == "Shows" else "(no name)"))
    chart = make_bar_chart(rows.head(_TOP_COUNT), "name", value, value, "change")
    show_chart(chart, f"{title} by {value}, with the change of rank.")
    with st.expander(f"All {len(rows)}"):
        columns = ["rank", "change", "name", *(["artist_name"] if rows["artist_name"].notna().any() else [])]
        shown = rows[[*columns, "plays", "minutes"]].rename(columns={"artist_name": "artist"})
        if rows["kind"].iloc[0] == "artist":
            shown = shown.drop(columns="artist")
        show_table(shown, plays="%.1f" if rows["kind"].iloc[0] == "genre" else "%d", minutes="%.0f")


def _draw_spoken(shows: pd.DataFrame, figures: pd.Series, earlier_figures: pd.Series) -> None:
    st.subheader("Podcasts and audiobooks")
    if shows.empty:
        st.caption("None in these days. They come with an account export, and never count as music.")
        return
    _draw_figures(_SPOKEN_FIGURES, figures, earlier_figures)
    unnamed = (
        " One without a name: its source gives only the link of the episode." if shows["name"].isna().any() else ""
    )
    st.caption(f"Shows by minutes.{unnamed}")
    _draw_list(shows, "Shows", "minutes")
