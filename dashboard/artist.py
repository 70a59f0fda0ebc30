"""An artist's audience: where it is, what it plays, how it grows. An artist sees published groups only."""

import pandas as pd
import streamlit as st

from dashboard.country_locations import get_country_name
from dashboard.figures import make_bar_chart, make_line_chart, make_world_map, show_chart
from dashboard.own_forecast import draw_artist_forecast
from dashboard.page import Page, escape_markdown, format_number, show_nothing_yet, show_table
from dashboard.warehouse_reader import Login, WarehouseReader

_TOP_COUNT = 10


def _draw_page(login: Login, reader: WarehouseReader) -> None:
    st.title("Artist")
    if login.artist_id is not None:
        st.subheader(escape_markdown(login.display_name), anchor=False)
        frames = {name: reader.read_table(f"my_artist_{name}") for name in ("weeks", "countries", "tracks")}
        st.caption(
            "Numbers change every four weeks or later, are rounded down to fives, and are of five listeners or more, of"
            " whom no one has nearly all plays; what is not shown by name stands in one row."
        )
    else:
        artist_id = _choose_artist(reader)
        if artist_id is None:
            return
        frames = {
            name: reader.read_table(f"artist_{name}", artist_id=artist_id) for name in ("weeks", "countries", "tracks")
        }
    if all(frame.empty for frame in frames.values()):
        subject = "your music" if login.artist_id is not None else "this artist"
        show_nothing_yet(
            f"The loaded events have no plays of {subject} yet.",
            "Listeners appear when the marts are built after a load with a play (DAG build_marts)"
            + (", each group once it has five of them." if login.artist_id is not None else "."),
        )
        return
    _draw_figures(frames)
    _draw_weeks(frames["weeks"])
    draw_artist_forecast(login, reader, frames["weeks"])
    _draw_countries(frames["countries"])
    _draw_tracks(frames["tracks"])


def _choose_artist(reader: WarehouseReader) -> str | None:
    artists = reader.read_table("artists")
    if artists.empty:
        show_nothing_yet("No artist has been played yet.", "Load events, then let the DAG build_marts build the marts.")
        return None
    names = dict(zip(artists["artist_id"], artists["artist_name"], strict=True))
    choice = st.selectbox(
        "Artist",
        list(names),
        format_func=lambda artist_id_option: names.get(artist_id_option, artist_id_option),
        accept_new_options=True,
        help="The fifty played most; type any other artist's name or id.",
    )
    if choice in names:
        return choice
    matches = reader.read_table("artist_named", named=choice)
    if matches.empty:
        st.warning(f"No artist is called {escape_markdown(repr(choice))}: look at the spelling, or type the id.")
        return None
    return str(matches["artist_id"].iloc[0])


def _draw_figures(frames: dict[str, pd.DataFrame]) -> None:
    weeks = frames["weeks"]
    newest_week = weeks[weeks["week_start"].notna()].tail(1)
    with st.container(horizontal=True):
        # All three divide the same plays; a part without a published group is empty, and an artist's rows are rounded.
        st.metric("Plays", format_number(max(frame["plays"].sum() for frame in frames.values())), border=True)
        if not newest_week.empty:
            st.metric("Listeners in the newest week", format_number(newest_week["listeners"].iloc[0]), border=True)
            st.metric("Newest week from", f"{newest_week['week_start'].iloc[0]:%-d %b %Y}", border=True)


def _draw_weeks(weeks: pd.DataFrame) -> None:
    st.subheader("Listeners over time")
    published = weeks[weeks["week_start"].notna()]
    if published.empty:
        show_nothing_yet("No week has five listeners yet.", "The weeks appear as the audience grows.")
        return
    names = {"listeners": "listeners", "new_listeners": "new", "returning_listeners": "returning"}
    show_chart(
        make_line_chart(published, "week_start", names, "listeners"), "Listeners by week: all, new and returning."
    )


def _draw_countries(countries: pd.DataFrame) -> None:
    st.subheader("Where they are")
    published = countries[countries["country"].notna()]
    if published.empty:
        show_nothing_yet("No country has five listeners yet.", "Countries appear as the audience grows.")
        return
    named_countries = published.assign(country_name=published["country"].map(get_country_name))
    map_column, bar_column = st.columns([3, 2])
    with map_column:
        show_chart(make_world_map(published, "listeners", "listeners"), "Listeners by country on a map of the world.")
    with bar_column:
        show_chart(
            make_bar_chart(named_countries.head(_TOP_COUNT), "country_name", "listeners", "listeners"),
            "Countries with most listeners.",
        )
    with st.expander("All countries"):
        show_table(countries.assign(country=countries["country"].fillna("too few to show").map(get_country_name)))


def _draw_tracks(tracks: pd.DataFrame) -> None:
    st.subheader("What they play")
    published = tracks[tracks["recording_id"].notna()]
    if published.empty:
        show_nothing_yet("No song has five listeners yet.", "Songs appear as the audience grows.")
        return
    show_chart(make_bar_chart(published.head(_TOP_COUNT), "track_name", "plays", "plays"), "The most played songs.")
    with st.expander("All songs"):
        show_table(tracks.assign(track_name=tracks["track_name"].fillna("all others")))


PAGE = Page(
    "Artist",
    ":material/artist:",
    "artist",
    (
        ("mart.my_artist_audience", "mart.my_artist_country", "mart.my_artist_track"),
        ("mart.artist_audience", "mart.artist_audience_country", "mart.artist_audience_track", "warehouse.dim_artist"),
    ),
    _draw_page,
)
