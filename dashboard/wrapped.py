"""A year's story: what a user played most, when, and what it says of them."""

import pandas as pd
import streamlit as st

from dashboard.figures import bars, calendar, show
from dashboard.page import Page, grid, nothing_yet, number, plain
from dashboard.picture import year_picture
from dashboard.reading import Login, Reading

_TOP = 5


def _draw(login: Login, reader: Reading) -> None:
    st.title("Wrapped")
    user_id = login.user_id if login.is_listener else _choose_user(reader)
    years = reader.table("wrapped", user_id=user_id) if user_id else pd.DataFrame()
    if years.empty:
        nothing_yet(
            "There are no plays to tell of yet.",
            "Import an account export, or wait for the next night: what was heard for 30 seconds counts. "
            "The DAG build_marts then tells the year.",
        )
        return
    year = st.segmented_control(
        "Year", list(years["year"]), default=years["year"].iloc[0], format_func=_year_name, required=True
    )
    told = years[years["year"] == year].iloc[0]
    found = {name: reader.table(f"wrapped_{name}", user_id=user_id, year=int(year)) for name in _LISTS}
    _draw_figures(told)
    left, right = st.columns([2, 3])
    with left:
        _draw_picture(login.person if login.is_listener else str(user_id), told, found)
    with right:
        for sentence in _story(told, {name: list(frame[_LISTS[name]]) for name, frame in found.items()}):
            st.markdown(f"- {sentence}")
        if login.may_read("mart.my_user_personality" if login.is_listener else "mart.user_personality"):
            _draw_personality(reader.table("personality", user_id=user_id))
    _draw_days(reader.table("wrapped_days", user_id=user_id, year=int(year)), int(year))
    _draw_lists(found)


_LISTS = {"track": "track_name", "artist": "artist_name", "genre": "genre"}


def _choose_user(reader: Reading) -> str | None:
    users = list(reader.table("listeners")["user_id"])
    return st.selectbox(
        "Listener",
        users,
        accept_new_options=True,
        help="The fifty with most plays; type any other user_id of warehouse.dim_user.",
    )


def _year_name(year: int) -> str:
    return str(year) if year else "All time"


def _draw_figures(told: pd.Series) -> None:
    with st.container(horizontal=True):
        st.metric("Minutes", number(told["minutes_played"]), border=True)
        st.metric("Plays", number(told["plays"]), border=True)
        st.metric("Songs", number(told["tracks"]), border=True)
        st.metric("Artists", number(told["artists"]), border=True)
        st.metric("Days in a row", number(told["longest_streak_days"]), border=True)
        if pd.notna(told["new_artist_share"]):
            st.metric("Artists new to you", f"{told['new_artist_share']:.0%}", border=True)


def _draw_picture(person: str, told: pd.Series, found: dict[str, pd.DataFrame]) -> None:
    names = {name: list(frame[_LISTS[name]].head(_TOP)) for name, frame in found.items()}
    picture = year_picture(_year_name(told["year"]), person, {str(name): told[name] for name in told.index}, names)
    st.image(picture, width="stretch")
    st.download_button("Keep the picture", picture, "wrapped.svg", "image/svg+xml", icon=":material/download:")


def _story(told: pd.Series, names: dict[str, list[str]]) -> list[str]:
    story = [f"It began on **{told['first_play_on']:%-d %B %Y}**."]
    if names["artist"]:
        story.append(f"Nobody was closer to you than **{plain(names['artist'][0])}**.")
    if names["track"]:
        story.append(f"One song came back more than any other: **{plain(names['track'][0])}**.")
    if pd.notna(told["favourite_hour"]):
        hour = int(told["favourite_hour"])
        story.append(f"Your hour is **{hour}:00 to {(hour + 1) % 24}:00**, {_part_of_day(hour)}.")
    if pd.notna(told["top_audio_cluster_name"]):
        story.append(f"Your sound: **{plain(told['top_audio_cluster_name'])}**.")
    if pd.notna(told["longest_session_ms"]):
        minutes = told["longest_session_ms"] / 60000
        story.append(
            f"Your longest sitting lasted **{number(minutes)} minutes**, on {told['longest_session_on']:%-d %B %Y}."
        )
    streak, began = number(told["longest_streak_days"]), f"{told['longest_streak_from']:%-d %B %Y}"
    story.append(f"Your longest streak: **{streak} days** from {began}.")
    return story


def _part_of_day(hour: int) -> str:
    return "deep in the night" if hour < 6 else "in the morning" if hour < 12 else "by day" if hour < 18 else "at night"


def _draw_days(days: pd.DataFrame, year: int) -> None:
    if days.empty:
        return
    st.subheader("Your days")
    newest = pd.to_datetime(days["local_date"]).max()
    last_year = days[pd.to_datetime(days["local_date"]) > newest - pd.Timedelta(days=371)]
    show(calendar(last_year, "local_date", "minutes", "minutes", year), "Minutes heard on each day.")


def _draw_lists(found: dict[str, pd.DataFrame]) -> None:
    titles = {"track": "Songs", "artist": "Artists", "genre": "Genres"}
    for column, (name, frame) in zip(st.columns(3), found.items(), strict=True):
        with column:
            st.subheader(titles[name])
            if frame.empty:
                nothing_yet(
                    "No names here.", "What was played is not in the catalogue yet: the next refresh completes it."
                )
                continue
            show(bars(frame.head(_TOP), _LISTS[name], "plays", "plays"), f"The most played {titles[name].lower()}.")
            with st.expander(f"All {len(frame)}"):
                grid(frame.drop(columns=["ms_played"]), plays="%.1f")


def _draw_personality(frame: pd.DataFrame) -> None:
    st.subheader("Your listening personality")
    if frame.empty or pd.isna(frame.iloc[0]["letters"]):
        missing = frame.iloc[0]["what_is_missing"] if not frame.empty else None
        nothing_yet("Too few plays to tell.", missing or "Listen on: some fifty plays of your own choice are needed.")
        return
    row = frame.iloc[0]
    with st.container(border=True):
        st.markdown(f"### {row['name']} · {row['letters']}")
        st.write(row["description"])
        st.caption(f"{row['sureness']:.0%} sure, from {number(row['plays'])} plays.")


PAGE = Page(
    "Wrapped",
    ":material/auto_awesome:",
    "wrapped",
    (("mart.my_wrapped",), ("mart.wrapped", "mart.wrapped_track")),
    _draw,
)
