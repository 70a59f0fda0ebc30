"""Playlists that a listener asks for by link: the next refresh of the listener's account reads them."""

import re
from collections.abc import Callable
from functools import partial

import streamlit as st

from dashboard.page import grid, plain
from dashboard.reading import Login, Reading, write
from etl.errors import EtlError

_PLAYLIST = re.compile(
    r"(?:(?:https://open\.spotify\.com/(?:intl-\w+/)?playlist/)|spotify:playlist:)?([A-Za-z0-9]{22})(?:\?\S*)?"
)

_LINK, _ANSWER = "wish_link", "wish_answer"


def draw_wishes(login: Login, reader: Reading) -> None:
    """Draw the form and what was asked for, where the login may ask."""
    if not login.may_read("mart.my_playlist_wish"):
        return
    st.subheader("Add a playlist")
    with st.form("wish", clear_on_submit=True, border=True):
        st.text_input("Link of a Spotify playlist", placeholder="https://open.spotify.com/playlist/…", key=_LINK)
        st.caption("It shows once a refresh of your own account has read it; an account signs in with bin/sign-in.")
        # Called before the page is drawn: what a page reads is of the moment at which its drawing begins.
        st.form_submit_button("Add", icon=":material/add:", on_click=_wish, args=(login,))
        if answer := st.session_state.pop(_ANSWER, None):
            answer()
    wishes = reader.table("wishes")
    if not wishes.empty:
        wishes["playlist"] = wishes["playlist"].fillna("comes with the next refresh")
        grid(wishes)


def _wish(login: Login) -> None:
    """Keep a wish, and leave the answer for the form."""
    st.session_state[_ANSWER] = _answer(login, st.session_state[_LINK])


def _answer(login: Login, link: str) -> Callable[[], object]:
    found = _PLAYLIST.fullmatch(link.strip())
    if found is None:
        return partial(
            st.warning, "That is no link of a playlist: in Spotify, choose Share, then Copy link to playlist."
        )
    try:
        write(login, "wish", playlist_id=found[1])
    except EtlError as error:
        return partial(st.error, f"The wish was not kept. {plain(error)}")
    return partial(st.success, "Noted: it comes with the next refresh of your account.", icon=":material/check:")
