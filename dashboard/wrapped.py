"""The page of a user's year: the most played items, the listening times and the personality."""

from datetime import date

import pandas as pd
import streamlit as st

from dashboard import own_history
from dashboard.figures import make_bar_chart, make_calendar, show_chart
from dashboard.own_forecast import draw_own_forecast
from dashboard.page import Page, choose_user, escape_markdown, format_number, show_nothing_yet, show_table
from dashboard.period import draw_period
from dashboard.taste_in_words import draw_taste
from dashboard.warehouse_reader import Login, WarehouseReader
from dashboard.year_picture import render_year_picture

_TOP_COUNT = 5
_ANY_PERIOD = -1
"""The choice of a period in place of a year; 0 is all time."""


def _draw_page(login: Login, reader: WarehouseReader) -> None:
    st.title("Wrapped")
    user_id = login.user_id if login.is_listener else choose_user(reader)
    years = reader.read_table("wrapped", user_id=user_id) if user_id else pd.DataFrame()
    if years.empty:
        show_nothing_yet(
            "There are no plays to tell of yet.",
            "Import an account export, or wait for the next night: what was heard for 30 seconds counts. "
            "The DAG build_marts then tells the year.",
        )
        return
    year = st.segmented_control(
        "Year",
        [*years["year"], _ANY_PERIOD],
        default=years["year"].iloc[0],
        format_func=_format_year,
        required=True,
    )
    if year == _ANY_PERIOD:
        draw_period(login, reader, str(user_id), _find_newest_day(reader, str(user_id), int(years["year"].max())))
        return
    wrapped_row = years[years["year"] == year].iloc[0]
    top_lists = {name: reader.read_table(f"wrapped_{name}", user_id=user_id, year=int(year)) for name in _NAME_COLUMNS}
    _draw_figures(wrapped_row)
    draw_taste(login, reader, str(user_id), int(year))
    picture_column, story_column = st.columns([2, 3])
    with picture_column:
        _draw_picture(login.display_name if login.is_listener else str(user_id), wrapped_row, top_lists)
    with story_column:
        for sentence in _write_story(
            wrapped_row, {name: list(frame[_NAME_COLUMNS[name]]) for name, frame in top_lists.items()}
        ):
            st.markdown(f"- {sentence}")
        if login.can_read("mart.my_user_personality" if login.is_listener else "mart.user_personality"):
            _draw_personality(reader.read_table("personality", user_id=user_id))
    _draw_days(reader.read_table("wrapped_days", user_id=user_id, year=int(year)), int(year))
    _draw_lists(top_lists)
    draw_own_forecast(login, reader)
    if login.is_listener and login.can_read(own_history.HISTORY_VIEW):
        own_history.draw_download(login, int(year))


_NAME_COLUMNS = {"track": "track_name", "artist": "artist_name", "genre": "genre"}


def _format_year(year: int) -> str:
    return "Any period" if year == _ANY_PERIOD else str(year) if year else "All time"


def _find_newest_day(reader: WarehouseReader, user_id: str, year: int) -> date:
    days = reader.read_table("wrapped_days", user_id=user_id, year=year)
    return date(year, 12, 31) if days.empty else pd.to_datetime(days["local_date"]).max().date()


def _draw_figures(wrapped_row: pd.Series) -> None:
    with st.container(horizontal=True):
        st.metric("Minutes", format_number(wrapped_row["minutes_played"]), border=True)
        st.metric("Plays", format_number(wrapped_row["plays"]), border=True)
        st.metric("Songs", format_number(wrapped_row["tracks"]), border=True)
        st.metric("Artists", format_number(wrapped_row["artists"]), border=True)
        st.metric("Days in a row", format_number(wrapped_row["longest_streak_days"]), border=True)
        if pd.notna(wrapped_row["new_artist_share"]):
            st.metric("Artists new to you", f"{wrapped_row['new_artist_share']:.0%}", border=True)


def _draw_picture(display_name: str, wrapped_row: pd.Series, top_lists: dict[str, pd.DataFrame]) -> None:
    names = {name: list(frame[_NAME_COLUMNS[name]].head(_TOP_COUNT)) for name, frame in top_lists.items()}
    picture = render_year_picture(
        _format_year(wrapped_row["year"]),
        display_name,
        {str(name): wrapped_row[name] for name in wrapped_row.index},
        names,
    )
    st.image(picture, width="stretch")
    st.download_button("Keep the picture", picture, "wrapped.svg", "image/svg+xml", icon=":material/download:")


def describe_length(milliseconds: float) -> str:
    """Return a length of time in minutes, from two hours on in hours and minutes."""
    minutes = round(milliseconds / 60_000)
    if minutes < 120:
        return f"{minutes} minute{'' if minutes == 1 else 's'}"
    return f"{minutes // 60} hours" + (f" {minutes % 60} min" if minutes % 60 else "")


def _write_story(wrapped_row: pd.Series, names: dict[str, list[str]]) -> list[str]:
    sentences = [f"It began on **{wrapped_row['first_play_on']:%-d %B %Y}**."]
    if names["artist"]:
        sentences.append(f"Nobody was closer to you than **{escape_markdown(names['artist'][0])}**.")
    if names["track"]:
        sentences.append(f"One song came back more than any other: **{escape_markdown(names['track'][0])}**.")
    if pd.notna(wrapped_row["favourite_hour"]):
        hour = int(wrapped_row["favourite_hour"])
        sentences.append(f"Your hour is **{hour}:00 to {(hour + 1) % 24}:00**, {_describe_time_of_day(hour)}.")
    if pd.notna(wrapped_row["top_audio_cluster_name"]):
        sentences.append(f"Your sound: **{escape_markdown(wrapped_row['top_audio_cluster_name'])}**.")
    if pd.notna(wrapped_row["longest_session_ms"]):
        length = describe_length(wrapped_row["longest_session_ms"])
        day = f"{wrapped_row['longest_session_on']:%-d %B %Y}"
        sentences.append(f"Your longest session lasted **{length}**, on {day}.")
    streak, began = format_number(wrapped_row["longest_streak_days"]), f"{wrapped_row['longest_streak_from']:%-d %B %Y}"
    sentences.append(f"Your longest streak: **{streak} days** from {began}.")
    return sentences


def _describe_time_of_day(hour: int) -> str:
    return "deep in the night" if hour < 6 else "in the morning" if hour < 12 else "by day" if hour < 18 else "at night"


def _draw_days(days: pd.DataFrame, year: int) -> None:
    if days.empty:
        return
    st.subheader("Your days")
    newest = pd.to_datetime(days["local_date"]).max()
    last_year = days[pd.to_datetime(days["local_date"]) > newest - pd.Timedelta(days=371)]
    show_chart(make_calendar(last_year, "local_date", "minutes", "minutes", year), "Minutes heard on each day.")


def _draw_lists(top_lists: dict[str, pd.DataFrame]) -> None:
    titles = {"track": "Songs", "artist": "Artists", "genre": "Genres"}
    for column, (name, frame) in zip(st.columns(3), top_lists.items(), strict=True):
        with column:
            st.subheader(titles[name])
            if frame.empty:
                show_nothing_yet(
                    "No names here.", "What was played is not in the catalogue yet: the next refresh completes it."
                )
                continue
            show_chart(
                make_bar_chart(frame.head(_TOP_COUNT), _NAME_COLUMNS[name], "plays", "plays"),
                f"The most played {titles[name].lower()}.",
            )
            with st.expander(f"All {len(frame)}"):
                show_table(frame.drop(columns=["ms_played"]), plays="%.1f")


def _draw_personality(frame: pd.DataFrame) -> None:
    st.subheader("Your listening personality")
    if frame.empty or pd.isna(frame.iloc[0]["letters"]):
        missing = frame.iloc[0]["what_is_missing"] if not frame.empty else None
        show_nothing_yet(
            "Too few plays to tell.", missing or "Listen on: some fifty plays of your own choice are needed."
        )
        return
    row = frame.iloc[0]
    with st.container(border=True):
        st.markdown(f"### {row['name']} · {row['letters']}")
        st.write(row["description"])
        st.caption(
            f"{row['sureness']:.0%} sure, from {format_number(row['plays'])} plays: the latest of all years, of known"
            " songs and from no playlist. The figures above are those of the chosen year."
        )


PAGE = Page(
    "Wrapped",
    ":material/auto_awesome:",
    "wrapped",
    (("mart.my_wrapped",), ("mart.wrapped", "mart.wrapped_track")),
    _draw_page,
)
