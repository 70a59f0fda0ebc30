"""An artist's audience: where it is, what it plays, how it grows. An artist sees published groups alone."""

import pandas as pd
import streamlit as st

from dashboard.figures import bars, lines, show, world_map
from dashboard.page import Page, grid, nothing_yet, number, plain
from dashboard.places import country_name
from dashboard.reading import Login, Reading

_FEW = 10


def _draw(login: Login, reader: Reading) -> None:
    st.title("Artist")
    if login.artist_id is not None:
        st.subheader(plain(login.person), anchor=False)
        found = {name: reader.table(f"my_artist_{name}") for name in ("weeks", "countries", "tracks")}
        st.caption(
            "Numbers change every four weeks or later, are rounded down to fives, and are of five listeners or more, of"
            " whom no one has nearly all plays; what is not shown by name stands in one row."
        )
    else:
        artist_id = _choose_artist(reader)
        if artist_id is None:
            return
        found = {name: reader.table(f"artist_{name}", artist_id=artist_id) for name in ("weeks", "countries", "tracks")}
    if all(one.empty for one in found.values()):
        whom = "your music" if login.artist_id is not None else "this artist"
        nothing_yet(
            f"Nobody has played {whom} yet, as far as the loaded events tell.",
            "Listeners appear when the marts are built after a load with a play (DAG build_marts)"
            + (", each group once it has five of them." if login.artist_id is not None else "."),
        )
        return
    _draw_figures(found)
    _draw_weeks(found["weeks"])
    _draw_countries(found["countries"])
    _draw_tracks(found["tracks"])


def _choose_artist(reader: Reading) -> str | None:
    artists = reader.table("artists")
    if artists.empty:
        nothing_yet("Nobody was played yet.", "Load events, then let the DAG build_marts build the marts.")
        return None
    names = dict(zip(artists["artist_id"], artists["artist_name"], strict=True))
    chosen = st.selectbox(
        "Artist",
        list(names),
        format_func=lambda one: names.get(one, one),
        accept_new_options=True,
        help="The fifty played most; type any other artist's name or id.",
    )
    if chosen in names:
        return chosen
    found = reader.table("artist_named", named=chosen)
    if found.empty:
        st.warning(f"No artist is called {plain(repr(chosen))}: look at the spelling, or type the id.")
        return None
    return str(found["artist_id"].iloc[0])


def _draw_figures(found: dict[str, pd.DataFrame]) -> None:
    weeks = found["weeks"]
    newest = weeks[weeks["week_start"].notna()].tail(1)
    with st.container(horizontal=True):
        # All three divide the same plays; where one shows no group it is empty, and each row of an artist's is rounded.
        st.metric("Plays", number(max(one["plays"].sum() for one in found.values())), border=True)
        if not newest.empty:
            st.metric("Listeners in the newest week", number(newest["listeners"].iloc[0]), border=True)
            st.metric("Newest week from", f"{newest['week_start'].iloc[0]:%-d %b %Y}", border=True)


def _draw_weeks(weeks: pd.DataFrame) -> None:
    st.subheader("Listeners over time")
    told = weeks[weeks["week_start"].notna()]
    if told.empty:
        nothing_yet("No week has five listeners yet.", "The weeks appear as the audience grows.")
        return
    names = {"listeners": "listeners", "new_listeners": "new", "returning_listeners": "returning"}
    show(lines(told, "week_start", names, "listeners"), "Listeners by week: all, new and returning.")


def _draw_countries(countries: pd.DataFrame) -> None:
    st.subheader("Where they are")
    told = countries[countries["country"].notna()]
    if told.empty:
        nothing_yet("No country has five listeners yet.", "Countries appear as the audience grows.")
        return
    named = told.assign(country_name=told["country"].map(country_name))
    left, right = st.columns([3, 2])
    with left:
        show(world_map(told, "listeners", "listeners"), "Listeners by country on a map of the world.")
    with right:
        show(bars(named.head(_FEW), "country_name", "listeners", "listeners"), "Countries with most listeners.")
    with st.expander("All countries"):
        grid(countries.assign(country=countries["country"].fillna("too few to show").map(country_name)))


def _draw_tracks(tracks: pd.DataFrame) -> None:
    st.subheader("What they play")
    told = tracks[tracks["recording_id"].notna()]
    if told.empty:
        nothing_yet("No song has five listeners yet.", "Songs appear as the audience grows.")
        return
    show(bars(told.head(_FEW), "track_name", "plays", "plays"), "The most played songs.")
    with st.expander("All songs"):
        grid(tracks.assign(track_name=tracks["track_name"].fillna("all others")))


PAGE = Page(
    "Artist",
    ":material/artist:",
    "artist",
    (
        ("mart.my_artist_audience", "mart.my_artist_country", "mart.my_artist_track"),
        ("mart.artist_audience", "mart.artist_audience_country", "mart.artist_audience_track", "warehouse.dim_artist"),
    ),
    _draw,
)
