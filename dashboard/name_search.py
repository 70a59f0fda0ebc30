"""The choice of an artist, a song or a playlist by its name, so that no user has to know an id."""

from collections.abc import Callable
from typing import Any

import pandas as pd
import streamlit as st

from dashboard.page import escape_markdown


def choose_by_name(
    label: str, key: str, find: Callable[[str], pd.DataFrame], describe: Callable[[pd.Series], str]
) -> pd.Series | None:
    """Draw a field for a part of a name, and below it what has that name; return the chosen row.

    :param find: returns the rows for some words, with the column item_id.
    :param describe: returns what tells a row from others of the same name.
    """
    words = st.text_input(label, key=f"{key}_words", placeholder="A part of the name").strip()
    if not words:
        return None
    rows = find(words)
    if rows.empty:
        st.caption(f"Nothing has “{escape_markdown(words)}” in its name.")
        return None
    labels = {row["item_id"]: describe(row) for _, row in rows.iterrows()}
    chosen_id = st.selectbox(
        f"{label}: which one",
        list(labels),
        index=0 if len(labels) == 1 else None,
        format_func=lambda item_id: labels.get(item_id, item_id),
        placeholder=f"Choose one of {len(labels)}",
        key=f"{key}_{words}",
    )
    if chosen_id is None:
        return None
    st.caption(escape_markdown(labels[chosen_id]))  # a phone cuts the option
    chosen: pd.Series = rows[rows["item_id"] == chosen_id].iloc[0]
    return chosen


def clear_search(key: str) -> None:
    """Empty the field of a search; for callbacks."""
    st.session_state[f"{key}_words"] = ""


def join_present(*parts: Any) -> str:
    """Return the parts that are present, separated by a middle dot."""
    return " · ".join(str(part) for part in parts if part is not None and not pd.isna(part) and str(part))
