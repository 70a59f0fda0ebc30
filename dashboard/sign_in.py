"""Signing in with a login of the database. Name and password stay in the memory of the browser's session."""

import os

import streamlit as st

from dashboard.page import plain
from dashboard.reading import Login, NotTypedError, sign_in
from etl.errors import EtlError

_LOGIN = "login"
_NO_WAREHOUSE = "This dashboard does not know where the warehouse is: start it with bin/run or bin/dashboard."


def signed_in() -> Login | None:
    """Who has signed in in this session."""
    login: Login | None = st.session_state.get(_LOGIN)
    return login


def sign_out() -> None:
    """Forget who has signed in, and all that was chosen."""
    st.session_state.clear()


def ask_for_login() -> None:
    """Draw the form; who is let in goes on at once."""
    _, middle, _ = st.columns([1, 2, 1])
    with middle:
        st.title("Listening warehouse")
        st.write("Your year, your playlists, your audience: sign in with your login of the database.")
        with st.form("sign-in", border=True):
            name = st.text_input("Name", autocomplete="username")
            password = st.text_input("Password", type="password", autocomplete="current-password")
            is_sent = st.form_submit_button("Sign in", type="primary", width="stretch")
        st.caption("No login yet? Who runs the warehouse makes one with `bin/add-login`.")
        if is_sent:
            _enter(name.strip(), password)


def _enter(name: str, password: str) -> None:
    url = os.environ.get("WAREHOUSE_URL")
    if not url:
        st.error(_NO_WAREHOUSE)
    elif not (name and password):
        st.warning("Both the name and the password are needed.")
    else:
        try:
            st.session_state[_LOGIN] = sign_in(url, name, password)
        except EtlError as error:
            st.error(_sentence(error))
        else:
            st.rerun()


def _sentence(error: EtlError) -> str:
    said = str(error)
    if isinstance(error, NotTypedError):
        return said
    if "authentication failed" in said:
        return "The database knows no such name with this password. Look for capitals, then try again."
    if "permission denied for database" in said:
        return "This name is not let into the warehouse: ask for a login made with bin/add-login."
    return f"The warehouse could not be opened. {plain(said)} Is it running? bin/run starts it."
