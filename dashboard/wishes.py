"""Playlists that a listener asks for by link: the next refresh of the listener's account reads them."""

import re

import streamlit as st

from dashboard.page import grid, plain
from dashboard.reading import Login, Reading, write
from etl.errors import EtlError

_PLAYLIST = re.compile(
    r"(?:(?:https://open\.spotify\.com/(?:intl-\w+/)?playlist/)|spotify:playlist:)?([A-Za-z0-9]{22})(?:\?\S*)?"
)


def draw_wishes(login: Login, reader: Reading) -> None:
    """Draw the form and what was asked for, where the login may ask."""
    if not login.may_read("mart.my_playlist_wish"):
        return
    st.subheader("Add a playlist")
    with st.form("wish", clear_on_submit=True, border=True):
        link = st.text_input("Link of a Spotify playlist", placeholder="https://open.spotify.com/playlist/…")
        st.caption("The next refresh of your account reads it; an account signs in with bin/sign-in.")
        if st.form_submit_button("Add", icon=":material/add:"):
            _wish(login, link)
    wishes = reader.table("wishes")
    if not wishes.empty:
        wishes["playlist"] = wishes["playlist"].fillna("comes with the next refresh")
        grid(wishes)


def _wish(login: Login, link: str) -> None:
    found = _PLAYLIST.fullmatch(link.strip())
    if found is None:
        st.warning("That is no link of a playlist: in Spotify, choose Share, then Copy link to playlist.")
        return
    try:
        write(login, "wish", user_id=login.user_id, playlist_id=found[1])
    except EtlError as error:
        st.error(f"The wish was not kept. {plain(error)}")
    else:
        st.success("Noted: it comes with the next refresh of your account.", icon=":material/check:")
