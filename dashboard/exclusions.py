"""The page of plays that are left out of the counts: listeners choose among their own, analysts for any user."""

from datetime import date
from functools import partial
from typing import Any

import pandas as pd
import streamlit as st

from dashboard.name_search import choose_by_name, clear_search, join_present
from dashboard.page import Page, choose_user, escape_markdown, format_number, show_nothing_yet
from dashboard.submission import draw_result, submit_change
from dashboard.warehouse_reader import Login, WarehouseReader
from etl.load import statements

_MAX_ROWS = 100
_MAX_LISTED = 500
"""The most playlists and platforms to choose from."""
_DEVICES = {
    "MOBILE": "phones",
    "DESKTOP": "computers",
    "TABLET": "tablets",
    "SMART_SPEAKER": "smart speakers",
}
_SEARCHES = {"artist": "Artist", "track": "Song"}
_DATES = {"first_date": "From this day on", "last_date": "Up to this day"}
_EMPTY_FIELDS: dict[str, Any] = {
    "is_private_session": False,
    "playlist_id": None,
    "device_type": None,
    "platform": None,
    "first_date": None,
    "last_date": None,
    "note": "",
}
_EFFECT = "The counts follow with the next build of the marts."


def _draw_page(login: Login, reader: WarehouseReader) -> None:
    st.title("Left out")
    user_id = login.user_id if login.is_listener else choose_user(reader)
    if not user_id:
        show_nothing_yet("There is no listener yet.", "Load events, then let the DAG build_marts build the marts.")
        return
    whose = "your" if login.is_listener else "this listener's"
    st.write(f"What is left out changes {whose} counts as if it had not been played. The plays themselves stay.")
    _draw_form(login, reader, user_id)
    draw_result()
    _draw_exclusions(login, reader, user_id)


def _draw_form(login: Login, reader: WarehouseReader, user_id: str) -> None:
    with st.container(border=True):
        st.caption("Fill in one field or several: what meets all of them is left out.")
        st.checkbox(
            "Private sessions",
            key=_get_key("is_private_session"),
            help="Only account exports tell which sessions were private.",
        )
        chosen_ids = {}
        for column, (kind, label) in zip(st.columns(2), _SEARCHES.items(), strict=True):
            with column:
                row = choose_by_name(label, _get_key(kind), partial(_find_items, reader, user_id, kind), _describe_item)
                chosen_ids[f"{kind}_id"] = None if row is None else str(row["item_id"])
        playlist_column, device_column, platform_column = st.columns(3)
        with playlist_column:
            _choose_listed(reader, user_id, "playlist", "playlist_id", "Playlist")
        device_column.selectbox(
            "Kind of device",
            list(_DEVICES),
            index=None,
            format_func=lambda name: _DEVICES[name].capitalize(),
            placeholder="Any",
            key=_get_key("device_type"),
        )
        with platform_column:
            _choose_listed(reader, user_id, "platform", "platform", "Device or app by name")
        for column, (name, label) in zip(st.columns(2), _DATES.items(), strict=True):
            column.date_input(label, None, min_value=date(1900, 1, 1), max_value=date(2100, 12, 31), key=_get_key(name))
        st.text_input("Why (optional)", key=_get_key("note"), max_chars=500)
        stated_for = None if login.is_listener else user_id
        st.button(
            "Leave out",
            type="primary",
            icon=":material/block:",
            on_click=_submit_exclusion,
            args=(login, stated_for, chosen_ids),
        )


def _get_key(name: str) -> str:
    return f"exclusion_{name}"


def _find_items(reader: WarehouseReader, user_id: str, kind: str, words: str) -> pd.DataFrame:
    return reader.read_table("played_items", user_id=user_id, kind=kind, words=words, max_rows=30)


def _describe_item(row: pd.Series) -> str:
    return join_present(row["name"], row["artist_name"], _format_plays(row["plays"]), row["item_id"])


def _format_plays(plays: int) -> str:
    return "1 play" if plays == 1 else f"{format_number(plays)} plays"


def _choose_listed(reader: WarehouseReader, user_id: str, kind: str, name: str, label: str) -> None:
    """Draw a choice among all items of a kind of which a user has played few."""
    rows = reader.read_table("played_items", user_id=user_id, kind=kind, words="", max_rows=_MAX_LISTED)
    labels = {row["item_id"]: join_present(row["name"], _format_plays(row["plays"])) for _, row in rows.iterrows()}
    st.selectbox(
        label,
        list(labels),
        index=None,
        format_func=lambda item_id: labels.get(item_id, item_id),
        placeholder="Any" if labels else "No play names one",
        disabled=not labels,
        key=_get_key(name),
    )


def _submit_exclusion(login: Login, user_id: str | None, chosen_ids: dict[str, str | None]) -> None:
    conditions = chosen_ids | {name: st.session_state[_get_key(name)] or empty for name, empty in _EMPTY_FIELDS.items()}
    conditions["note"] = str(conditions["note"]).strip() or None
    change = partial(statements.leave_out_plays, login.url, user_id, conditions)
    if submit_change(change, f"Left out. {_EFFECT}"):
        for name, empty in _EMPTY_FIELDS.items():
            st.session_state[_get_key(name)] = empty
        for kind in _SEARCHES:
            clear_search(_get_key(kind))


def _draw_exclusions(login: Login, reader: WarehouseReader, user_id: str) -> None:
    st.subheader("What is left out")
    with_revoked = st.checkbox("Also what counts again")
    exclusions = reader.read_table(
        "play_exclusions", user_id=user_id, with_revoked=with_revoked, max_rows=_MAX_ROWS + 1
    )
    if exclusions.empty:
        show_nothing_yet("Nothing is left out.", "All plays count.")
    for row in exclusions.head(_MAX_ROWS).to_dict("records"):
        _draw_exclusion(login, row)
    if len(exclusions) > _MAX_ROWS:
        st.caption(f"The newest {_MAX_ROWS}.")


def _draw_exclusion(login: Login, row: dict[Any, Any]) -> None:
    with st.container(border=True):
        text_column, button_column = st.columns([5, 1], vertical_alignment="center")
        with text_column:
            st.markdown(describe_exclusion(row))
            st.caption(_describe_authors(row, login.is_listener))
        if pd.isna(row["revoked_at"]) and row["is_own"] == login.is_listener:
            button_column.button(
                "Count again",
                key=f"count_{row['exclusion_id']}",
                on_click=_submit_count_again,
                args=(login, row["exclusion_id"]),
            )


def describe_exclusion(row: dict[Any, Any]) -> str:
    """Return what an exclusion leaves out, as Markdown.

    :param row: of ``play_exclusions``.
    """
    parts = ["Private sessions" if row["is_private_session"] else "Plays"]
    if row["track_id"]:
        parts.append(f"of the song **{_name(row, 'track')}**")
    if row["artist_id"]:
        parts.append(f"by **{_name(row, 'artist')}**")
    if row["playlist_id"]:
        parts.append(f"from the playlist **{_name(row, 'playlist')}**")
    if row["device_type"]:
        parts.append(f"on {_DEVICES[row['device_type']]}")
    if row["platform"]:
        parts.append(f"on **{escape_markdown(row['platform'])}**")
    if not pd.isna(row["first_date"]):
        parts.append(f"from {row['first_date']:%-d %B %Y}")
    if not pd.isna(row["last_date"]):
        parts.append(f"up to {row['last_date']:%-d %B %Y}")
    return " ".join(parts)


def _name(row: dict[Any, Any], kind: str) -> str:
    return escape_markdown(row[f"{kind}_name"] or row[f"{kind}_id"])


def _describe_authors(row: dict[Any, Any], is_listener: bool) -> str:
    listener, analyst = ("you", "an analyst") if is_listener else ("the listener", row.get("stated_by"))
    author = listener if row["is_own"] else escape_markdown(analyst)
    sentence = f"Stated by {author}, {row['stated_at']:%Y-%m-%d %H:%M} UTC."
    if not pd.isna(row["revoked_at"]):
        revoker = listener if row["is_own"] else escape_markdown(row.get("revoked_by") or "an analyst")
        sentence += f" Counted again by {revoker}, {row['revoked_at']:%Y-%m-%d %H:%M} UTC."
    return f"{sentence} {escape_markdown(row['note'])}" if row["note"] else sentence


def _submit_count_again(login: Login, exclusion_id: int) -> None:
    change = partial(statements.count_plays_again, login.url, exclusion_id, login.is_listener)
    submit_change(change, f"It counts again. {_EFFECT}")


PAGE = Page(
    "Left out",
    ":material/block:",
    "left-out",
    (
        ("mart.my_play_exclusion", "mart.my_played_item"),
        ("mart.play_exclusion", "mart.played_item"),
    ),
    _draw_page,
)
