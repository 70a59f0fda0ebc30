"""The part of the page Wrapped that puts a year's taste in words."""

import os

import streamlit as st

from dashboard.page import escape_markdown
from dashboard.warehouse_reader import Login, WarehouseReader
from etl.errors import ActionNeededError
from etl.taste_text.figures import parse_figures
from etl.taste_text.language_model import LanguageModel, read_language_model, rewrite_profile
from etl.taste_text.profile import TasteText, write_profile


def draw_taste(login: Login, reader: WarehouseReader, user_id: str, year: int) -> None:
    """Draw the profile of a year in words; all time has none, because it has no year before."""
    if not year:
        return
    prefix, user = ("my_", {}) if login.is_listener else ("", {"user_id": user_id})
    rows = reader.read_table(f"{prefix}taste_figures", year=year, **user)
    if rows.empty:
        return
    profile = write_profile(parse_figures(rows.iloc[0].to_dict(), year), user_id)
    try:
        language_model = read_language_model(os.environ)
    except ActionNeededError as error:
        st.caption(escape_markdown(error))
        language_model = None
    st.subheader("Your taste in words")
    place = st.empty()
    text, remark = profile.text, ""
    if language_model:
        text, remark = _ask_language_model(profile, year, language_model)
    place.markdown(escape_markdown(text))
    if remark:
        st.caption(remark)


def _ask_language_model(profile: TasteText, year: int, language_model: LanguageModel) -> tuple[str, str]:
    """Return the text to show, and a remark on who wrote it. A model is asked only after its button is pressed."""
    rewritten: dict[str, str] = st.session_state.setdefault("rewritten_profiles", {})
    is_asked = st.button(
        "Have it written by the language model",
        help="Sends the figures of this text, with artists and genres, to TASTE_TEXT_URL: no user id and no name.",
        icon=":material/edit_note:",
    )
    if is_asked and (text := rewrite_profile(profile, year, language_model)):
        rewritten[profile.text] = text
    if profile.text in rewritten:
        return rewritten[profile.text], "Written by your language model; its numbers are those of the figures."
    return profile.text, "The language model gave no usable text: this one is by the rules." if is_asked else ""
