"""Playlists that a listener requests by link: the next refresh of the listener's account fetches them."""

import re
from functools import partial

import streamlit as st

from dashboard.page import show_table
from dashboard.submission import draw_result, reject_change, submit_change
from dashboard.warehouse_reader import Login, WarehouseReader, run_statement

_PLAYLIST_LINK = re.compile(
    r"(?:(?:https://open\.spotify\.com/(?:intl-\w+/)?playlist/)|spotify:playlist:)?([A-Za-z0-9]{22})(?:\?\S*)?"
)

_LINK_KEY = "request_link"


def draw_playlist_requests(login: Login, reader: WarehouseReader) -> None:
    """Draw the form and earlier requests, if the login may request playlists."""
    if not login.can_read("mart.my_playlist_request"):
        return
    st.subheader("Add a playlist")
    with st.form("playlist_request", clear_on_submit=True, border=True):
        st.text_input("Link of a Spotify playlist", placeholder="https://open.spotify.com/playlist/…", key=_LINK_KEY)
        st.caption("It shows once a refresh of your own account has read it; an account signs in with bin/sign-in.")
        st.form_submit_button("Add", icon=":material/add:", on_click=_submit_request, args=(login,))
        draw_result()
    playlist_requests = reader.read_table("playlist_requests")
    if not playlist_requests.empty:
        playlist_requests["playlist"] = playlist_requests["playlist"].fillna("comes with the next refresh")
        show_table(playlist_requests)


def _submit_request(login: Login) -> None:
    match = _PLAYLIST_LINK.fullmatch(st.session_state[_LINK_KEY].strip())
    if match is None:
        reject_change("That is no link of a playlist: in Spotify, choose Share, then Copy link to playlist.")
        return
    submit_change(
        partial(run_statement, login, "request_playlist", playlist_id=match[1]),
        "Requested: the next refresh of your account reads it.",
    )
