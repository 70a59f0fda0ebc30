"""Sign-in with a login of the database. Name and password stay in the memory of the browser's session."""

import os

import streamlit as st

from dashboard.page import escape_markdown
from dashboard.warehouse_reader import InvalidCredentialsError, Login, sign_in
from etl.errors import EtlError

_LOGIN_KEY = "login"
_NO_WAREHOUSE_MESSAGE = "This dashboard does not know where the warehouse is: start it with bin/run or bin/dashboard."


def get_login() -> Login | None:
    """Return the login of this session, None before sign-in."""
    login: Login | None = st.session_state.get(_LOGIN_KEY)
    return login


def sign_out() -> None:
    """Clear the login and all choices of the session."""
    st.session_state.clear()


def ask_for_login() -> None:
    """Draw the sign-in form; after a successful sign-in the pages appear at once."""
    _, middle, _ = st.columns([1, 2, 1])
    with middle:
        st.title("Listening warehouse")
        st.write("Your year, your playlists, your audience: sign in with your login of the database.")
        with st.form("sign-in", border=True):
            name = st.text_input("Name", autocomplete="username")
            password = st.text_input("Password", type="password", autocomplete="current-password")
            is_sent = st.form_submit_button("Sign in", type="primary", width="stretch")
        st.caption("No login yet? The operator of the warehouse makes one with `bin/add-login`.")
        if is_sent:
            _try_sign_in(name.strip(), password)


def _try_sign_in(name: str, password: str) -> None:
    url = os.environ.get("WAREHOUSE_URL")
    if not url:
        st.error(_NO_WAREHOUSE_MESSAGE)
    elif not (name and password):
        st.warning("Both the name and the password are needed.")
    else:
        try:
            st.session_state[_LOGIN_KEY] = sign_in(url, name, password)
        except EtlError as error:
            st.error(_describe_error(error))
        else:
            st.rerun()


def _describe_error(error: EtlError) -> str:
    message = str(error)
    if isinstance(error, InvalidCredentialsError):
        return message
    if "authentication failed" in message:
        return "The database has no login with this name and password. Check upper and lower case, then try again."
    if "permission denied for database" in message:
        return "This name is not let into the warehouse: ask for a login made with bin/add-login."
    return f"The warehouse could not be opened. {escape_markdown(message)} Is it running? bin/run starts it."
