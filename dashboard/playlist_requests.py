"""Playlists that a listener requests by link: the next refresh of the listener's account fetches them."""

import re
from collections.abc import Callable
from functools import partial

import streamlit as st

from dashboard.page import escape_markdown, show_table
from dashboard.warehouse_reader import Login, WarehouseReader, run_statement
from etl.errors import EtlError

_PLAYLIST_LINK = re.compile(
    r"(?:(?:https://open\.spotify\.com/(?:intl-\w+/)?playlist/)|spotify:playlist:)?([A-Za-z0-9]{22})(?:\?\S*)?"
)

_LINK_KEY, _RESULT_KEY = "request_link", "request_result"


def draw_playlist_requests(login: Login, reader: WarehouseReader) -> None:
    """Draw the form and earlier requests, if the login may request playlists."""
    if not login.can_read("mart.my_playlist_request"):
        return
    st.subheader("Add a playlist")
    with st.form("playlist_request", clear_on_submit=True, border=True):
        st.text_input("Link of a Spotify playlist", placeholder="https://open.spotify.com/playlist/…", key=_LINK_KEY)
        st.caption("It shows once a refresh of your own account has read it; an account signs in with bin/sign-in.")
        # A callback runs before the page is drawn: a page reads the snapshot at which its drawing begins.
        st.form_submit_button("Add", icon=":material/add:", on_click=_submit_request, args=(login,))
        if show_result := st.session_state.pop(_RESULT_KEY, None):
            show_result()
    playlist_requests = reader.read_table("playlist_requests")
    if not playlist_requests.empty:
        playlist_requests["playlist"] = playlist_requests["playlist"].fillna("comes with the next refresh")
        show_table(playlist_requests)


def _submit_request(login: Login) -> None:
    """Store a playlist request, and leave its result for the form."""
    st.session_state[_RESULT_KEY] = _request_playlist(login, st.session_state[_LINK_KEY])


def _request_playlist(login: Login, link: str) -> Callable[[], object]:
    match = _PLAYLIST_LINK.fullmatch(link.strip())
    if match is None:
        return partial(
            st.warning, "That is no link of a playlist: in Spotify, choose Share, then Copy link to playlist."
        )
    try:
        run_statement(login, "request_playlist", playlist_id=match[1])
    except EtlError as error:
        return partial(st.error, f"The request was not stored. {escape_markdown(error)}")
    return partial(st.success, "Requested: the next refresh of your account reads it.", icon=":material/check:")
