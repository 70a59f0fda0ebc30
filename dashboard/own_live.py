"""The part of the page Live that shows artists and listeners their own plays."""

import pandas as pd
import streamlit as st

from dashboard.country_locations import get_country_name
from dashboard.figures import make_bar_chart, make_line_chart, show_chart
from dashboard.page import format_number, show_nothing_yet
from dashboard.warehouse_reader import Login, WarehouseReader

ARTIST_VIEW, LISTENER_VIEW = "mart.my_artist_live_hour", "mart.my_live_top"
_BAR_COUNT = 10
_MS_PER_MINUTE = 60_000
_DIVISIONS = {"track": "Songs", "country": "Countries"}
_KINDS = {"recording": "Songs", "artist": "Artists", "genre": "Genres"}


def draw_artist(login: Login, reader: WarehouseReader) -> None:
    """Draw the plays of an artist by hour: in groups of five listeners or more, and each hour decided once."""
    st.caption(
        "An hour appears an hour after its end and never changes. Numbers are rounded down to fives, and are of five"
        " listeners or more, of whom no one has nearly all plays; what is not shown by name stands in one row."
    )
    hours = reader.read_table("my_artist_live_hours")  # in the order of time
    totals = hours[hours["divided_by"] == "nothing"]
    if totals.empty:
        show_nothing_yet(
            "No hour of the last days has five listeners of your music yet.",
            "Hours appear while the operator runs the streams (bin/run --streams).",
        )
        return
    newest = totals.iloc[-1]
    st.metric(f"Plays in the hour from {newest['hour_start']:%-d %b %H:%M} UTC", format_number(newest["plays"]))
    # The browser would show times with a timezone in its own.
    naive = totals.assign(hour_start=totals["hour_start"].dt.tz_localize(None))
    show_chart(make_line_chart(naive, "hour_start", {"plays": "plays"}, "plays", "%-d %b %H:%M"), "Plays by hour.")
    for tab, (division, title) in zip(st.tabs(list(_DIVISIONS.values())), _DIVISIONS.items(), strict=True):
        with tab:
            _draw_division(hours[hours["divided_by"] == division], division, title)


def _draw_division(parts: pd.DataFrame, division: str, title: str) -> None:
    if parts.empty:
        show_nothing_yet(f"No {title.lower()} can be shown yet.", "Each needs five listeners in an hour.")
        return
    if division == "country":
        names = parts["item_id"].map(get_country_name, na_action="ignore")
    else:
        names = parts["track_name"].fillna(parts["item_id"])
    sums = parts.assign(label=names.fillna("all others")).groupby("label")[["plays"]].sum().reset_index()
    top = sums.nlargest(_BAR_COUNT, "plays")
    show_chart(make_bar_chart(top, "label", "plays", "plays"), f"{title} by plays in these hours.")


def draw_listener(login: Login, reader: WarehouseReader) -> None:
    """Draw what a listener has played in the newest hour or day."""
    period = st.segmented_control("In the newest", ["hour", "day"], default="day", required=True, key="own-live-period")
    top = reader.read_table("my_live_top", period=period)
    if top.empty:
        show_nothing_yet(
            "None of your plays has come through the stream in the last days.",
            "They appear while the operator runs the streams (bin/run --streams).",
        )
        return
    start = top["period_start"].iloc[0]
    songs = top[top["kind"] == "recording"]
    with st.container(horizontal=True):
        st.metric("Plays", format_number(songs["plays"].sum()), border=True)
        st.metric("Minutes", format_number(songs["ms_played"].sum() / _MS_PER_MINUTE), border=True)
        st.metric(f"The {period} from, UTC", f"{start:%-d %b %H:%M}", border=True)
    for tab, (kind, title) in zip(st.tabs(list(_KINDS.values())), _KINDS.items(), strict=True):
        with tab:
            items = top[top["kind"] == kind].head(_BAR_COUNT)
            if items.empty:
                show_nothing_yet(f"No {title.lower()} yet.", "Your plays of this time do not name any.")
            else:
                named = items.assign(label=items["name"].fillna(items["item_id"]))
                show_chart(make_bar_chart(named, "label", "plays", "plays"), f"Your {title.lower()} by plays.")
