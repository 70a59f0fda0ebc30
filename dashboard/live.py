"""The page of the live tables, which refreshes itself: provisional counts, straight from the topic of events."""

from datetime import datetime, timedelta

import pandas as pd
import streamlit as st

from dashboard.figures import make_bar_chart, make_line_chart, make_state_grid, show_chart
from dashboard.own_live import ARTIST_VIEW, LISTENER_VIEW, draw_artist, draw_listener
from dashboard.page import Page, draw_repeatedly, escape_markdown, format_number, show_nothing_yet, show_table
from dashboard.warehouse_reader import Login, WarehouseReader

_REFRESH_SECONDS = 5
_BAR_COUNT = 10
_SECONDS_PER_MINUTE = 60
_KINDS = {"recording": "Songs", "artist": "Artists", "genre": "Genres"}
_PERIODS = {"hour": timedelta(hours=1), "day": timedelta(days=1)}
_ALL = "all continents"
_CHECK_TABLE = "audit.stream_check"
_STATES = {"open": "#bfd3e6", "closed": "#12805c", "differs from the star": "#b4436c"}
"""The states of an hour of a continent, and their colours."""


def _draw_page(login: Login, reader: WarehouseReader) -> None:
    st.title("Live")
    st.warning(
        "**Provisional.** These counts come straight from the stream and change until an hour is closed. The star and"
        " the marts have the final ones. All times are UTC.",
        icon=":material/bolt:",
    )
    if login.artist_id is not None:
        draw_repeatedly(login, draw_artist, _REFRESH_SECONDS)
    elif login.is_listener:
        draw_repeatedly(login, draw_listener, _REFRESH_SECONDS)
    else:
        draw_repeatedly(login, _draw_live_tables, _REFRESH_SECONDS)


def _draw_live_tables(login: Login, reader: WarehouseReader) -> None:
    progress = reader.read_table("live_progress")
    if progress.empty:
        show_nothing_yet(
            "No stream has been read yet.",
            "Start the product with bin/run --streams, and simulated events with bin/simulate-stream.",
        )
        return
    minutes = reader.read_table("live_minutes")
    _draw_figures(progress, minutes)
    _draw_minutes(minutes)
    _draw_top(reader, sorted(progress["continent"].unique()))
    _draw_completeness(reader, login)
    _draw_partitions(progress, reader, login)


def _draw_figures(progress: pd.DataFrame, minutes: pd.DataFrame) -> None:
    by_minute = minutes.groupby("minute_start")[["events", "listeners"]].sum()
    # The newest minute is still being counted.
    last_full = by_minute.iloc[-2] if len(by_minute) > 1 else by_minute.sum()
    with st.container(horizontal=True):
        st.metric("Events a second", f"{last_full['events'] / _SECONDS_PER_MINUTE:,.1f}", border=True)
        st.metric("Active listeners", format_number(last_full["listeners"]), border=True)
        st.metric("Late events", format_number(progress["late_events"].sum()), border=True)
        st.metric("Duplicates", format_number(progress["duplicate_events"].sum()), border=True)
        st.metric("Rejected", format_number(progress["rejected_messages"].sum()), border=True)
        st.metric("Last batch", f"{_format_age(progress['seconds_ago'].min())} ago", border=True)


def _draw_minutes(minutes: pd.DataFrame) -> None:
    if minutes.empty:
        show_nothing_yet("No event of the last half hour has arrived.", "Start bin/simulate-stream for simulated ones.")
        return
    events_column, listeners_column = st.columns(2)
    with events_column:
        st.subheader("Events a second")
        rates = _pivot_continents(minutes.assign(rate=minutes["events"] / _SECONDS_PER_MINUTE), "rate")
        _show_minutes(rates, "events a second", "Events a second by minute and continent.")
    with listeners_column:
        st.subheader("Active listeners")
        _show_minutes(_pivot_continents(minutes, "listeners"), "listeners", "Active listeners by minute and continent.")


def _pivot_continents(minutes: pd.DataFrame, value: str) -> pd.DataFrame:
    """Return a row for each minute with a column for each continent."""
    # The browser would show times with a timezone in its own.
    naive = minutes.assign(minute_start=minutes["minute_start"].dt.tz_localize(None))
    wide = naive.pivot_table(value, "minute_start", "continent", "sum", fill_value=0)
    return wide.asfreq("min", fill_value=0).reset_index()


def _show_minutes(wide: pd.DataFrame, title: str, description: str) -> None:
    continents = {str(name): str(name) for name in wide.columns if name != "minute_start"}
    show_chart(make_line_chart(wide, "minute_start", continents, title, "%H:%M"), description)


def _draw_top(reader: WarehouseReader, continents: list[str]) -> None:
    st.subheader("Played most")
    newest = reader.read_table("live_periods").iloc[0]
    period_column, continent_column = st.columns(2)
    with period_column:
        period = st.segmented_control("In the newest", list(_PERIODS), default="hour", required=True, key="live-period")
    with continent_column:
        choices = [_ALL, *continents, "unknown"]
        continent = st.selectbox("Continent", choices, key="live-continent")
    start: datetime | None = newest[f"{period}_start"]
    if start is None or pd.isna(start):
        show_nothing_yet("Nothing was played yet.", "A play counts once it is as long as PLAY_MIN_MS.")
        return
    st.caption(
        f"From {start:%-d %b %H:%M} to {start + _PERIODS[period]:%-d %b %H:%M} UTC, so far; late plays included."
    )
    for tab, (kind, title) in zip(st.tabs(list(_KINDS.values())), _KINDS.items(), strict=True):
        with tab:
            top = reader.read_table(
                "live_top",
                period_start=start,
                period_end=start + _PERIODS[period],
                continents=choices[1:] if continent == _ALL else [continent],
                kind=kind,
            )
            _draw_chart(top.head(_BAR_COUNT), title)


def _draw_chart(top: pd.DataFrame, title: str) -> None:
    if top.empty:
        show_nothing_yet(f"No {title.lower()} yet.", "Choose another continent or period.")
        return
    names = top["name"].fillna(top["item_id"])
    top["label"] = names.where(top["artist_name"].isna(), names + " – " + top["artist_name"].fillna(""))
    show_chart(make_bar_chart(top, "label", "plays", "plays"), f"The {title.lower()} played most.")


def _draw_completeness(reader: WarehouseReader, login: Login) -> None:
    st.subheader("How complete")
    hours = reader.read_table("live_hours")
    if hours.empty:
        show_nothing_yet("No hour has events yet.", "An hour is closed once the watermark of its continent has passed.")
        return
    hours["state"] = hours["is_closed"].map({True: "closed", False: "open"})
    if login.can_read("audit.live_difference"):
        differing = set(reader.read_table("live_differing_hours")["hour_start"])
        hours.loc[hours["is_closed"] & hours["hour_start"].isin(differing), "state"] = "differs from the star"
    show_chart(make_state_grid(hours, "hour_start", "continent", _STATES), "Which hours of the continents are closed.")
    st.caption(
        "A closed hour takes no more events in time: those that still come are counted as late in the same row. Closed"
        " hours are compared with the star once their events are loaded."
    )


def _draw_partitions(progress: pd.DataFrame, reader: WarehouseReader, login: Login) -> None:
    st.subheader("Partitions")
    shown = progress[["continent", "partition", "watermark"]]
    if login.can_read(_CHECK_TABLE):
        checks = reader.read_table("stream_checks")
        _draw_checks(checks)
        details = {row["check_name"]: row["details"] for row in checks.to_dict("records")}
        for name in ("landing_lag", "live_lag"):
            lag = {int(partition): count for partition, count in details.get(name, {}).items()}
            shown = shown.assign(**{name: shown["partition"].map(lag)})
    counts = [name for name in progress.columns.astype(str) if name.endswith(("_events", "_messages"))]
    show_table(pd.concat([shown, progress[counts]], axis=1))
    behind = progress[progress["minutes_behind"].notna()]
    if not behind.empty:
        show_chart(
            make_bar_chart(behind, "continent", "minutes_behind", "minutes"),
            "How many minutes the watermark of each continent is behind now.",
        )
        st.caption("Minutes by which the watermark of each continent is behind now; hours before it are closed.")


def _draw_checks(checks: pd.DataFrame) -> None:
    if checks.empty:
        st.info("watch_streams has not checked the streams yet: it does so every five minutes.", icon=":material/info:")
        return
    failed = checks[~checks["is_passed"]]
    for row in failed.to_dict("records"):
        st.error(escape_markdown(row["message"]), icon=":material/error:")
    checked_at = checks["checked_at"].max()
    if failed.empty:
        st.success(f"All checks passed at {checked_at:%H:%M} UTC.", icon=":material/check:")
    st.caption(f"The lag of landing and live query is that of the checks at {checked_at:%Y-%m-%d %H:%M} UTC.")


def _format_age(seconds: float) -> str:
    minutes, rest = divmod(int(seconds), _SECONDS_PER_MINUTE)
    return f"{minutes} min" if minutes else f"{rest} s"


PAGE = Page(
    "Live",
    ":material/bolt:",
    "live",
    (
        ("live.progress", "live.active_minute", "live.continent_hour", "live.track"),
        (ARTIST_VIEW,),
        (LISTENER_VIEW,),
    ),
    _draw_page,
)
