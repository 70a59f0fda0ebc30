"""The entry point: a signed-in login gets the pages that it may use."""

from pathlib import Path

import streamlit as st

from dashboard import anomalies, artist, charts, decisions, exclusions, forecast, live, operations, playlists, wrapped
from dashboard.page import escape_markdown
from dashboard.sign_in import ask_for_login, get_login, sign_out

_ICON = Path(__file__).with_name("icon.svg")
_PAGES = (
    wrapped.PAGE,
    playlists.PAGE,
    artist.PAGE,
    charts.PAGE,
    forecast.PAGE,
    live.PAGE,
    decisions.PAGE,
    exclusions.PAGE,
    anomalies.PAGE,
    operations.PAGE,
)


def main() -> None:
    """Draw the requested page."""
    st.set_page_config(page_title="Listening warehouse", page_icon=str(_ICON), layout="wide")
    login = get_login()
    if login is None:
        st.navigation([st.Page(ask_for_login, title="Sign in", url_path="sign-in")], position="hidden").run()
        return
    pages = [
        st.Page(page.make_drawer(login), title=page.title, icon=page.icon, url_path=page.path)
        for page in _PAGES
        if page.is_allowed(login)
    ]
    with st.sidebar:
        st.caption(f"Signed in as **{escape_markdown(login.name)}**")
        st.button("Sign out", on_click=sign_out, icon=":material/logout:")
    if pages:
        st.navigation(pages).run()
    else:
        st.warning(
            f"{escape_markdown(login.name)} may read nothing here. Either the warehouse has no tables yet: bin/run "
            "creates them. Or the login has no role: the operator makes logins with bin/add-login."
        )


main()
