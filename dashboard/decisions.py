"""The page of decisions: analysts state that two ids are one recording or artist, or that they are not."""

from functools import partial
from typing import Any

import pandas as pd
import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from dashboard.name_search import choose_by_name, clear_search, join_present
from dashboard.page import Page, escape_markdown, show_nothing_yet
from dashboard.submission import draw_result, reject_change, submit_change
from dashboard.warehouse_reader import Login, WarehouseReader
from etl.load import statements

_MAX_ROWS = 50
_KINDS = {"recording": "Recordings", "artist": "Artists"}
_VERDICTS = {True: "are one", False: "are not one"}
_NOTE_KEY = "decision_note"


def _draw_page(login: Login, reader: WarehouseReader) -> None:
    st.title("Decisions")
    st.write("State what no source knows: which ids are one recording or artist, and which are not. The facts stay.")
    _draw_form(login, reader)
    draw_result()
    _draw_decisions(login, reader)


def _draw_form(login: Login, reader: WarehouseReader) -> None:
    with st.container(border=True):
        kind_column, verdict_column = st.columns(2)
        kind = kind_column.segmented_control(
            "What", list(_KINDS), default="recording", format_func=lambda name: _KINDS[name], required=True
        )
        is_match = verdict_column.segmented_control(
            "The two", list(_VERDICTS), default=True, format_func=lambda verdict: _VERDICTS[verdict], required=True
        )
        chosen = [
            _choose_item(reader, column, str(kind), bool(is_match), position)
            for position, column in enumerate(st.columns(2))
        ]
        first, second = chosen
        if first is not None and second is not None:
            is_one = first["counts_as"] == second["counts_as"]
            st.caption(f"They count as {'one' if is_one else 'two'} now.")
        st.text_input("Why (optional)", key=_NOTE_KEY, max_chars=500)
        st.button(
            "State it",
            type="primary",
            icon=":material/gavel:",
            on_click=_submit_decision,
            args=(login, str(kind), bool(is_match), [None if row is None else str(row["item_id"]) for row in chosen]),
        )


def _choose_item(
    reader: WarehouseReader, column: DeltaGenerator, kind: str, is_match: bool, position: int
) -> pd.Series | None:
    ordinal = ("First", "Second")[position]
    key = f"decision_{kind}_{position}"
    with column:
        if kind == "artist":
            label = ("The artist that counts", "Counted as the first")[position] if is_match else f"{ordinal} artist"
            return choose_by_name(
                label,
                key,
                lambda words: reader.read_table("artists_named", words=words, with_names=not is_match),
                _describe_artist,
            )
        artist = st.text_input(f"{ordinal}: artist (optional)", key=f"{key}_artist", placeholder="Narrows the songs")
        return choose_by_name(
            f"{ordinal} song",
            key,
            lambda words: reader.read_table(
                "recordings_named", words=words, artist=artist.strip(), with_names=not is_match
            ),
            _describe_recording,
        )


def _describe_artist(row: pd.Series) -> str:
    if row["is_name_alone"]:
        return join_present(row["name"], "tracks credited to the name alone", row["item_id"])
    followers = None if pd.isna(row["followers"]) else f"{row['followers']:,.0f} followers"
    return join_present(row["name"], followers, row["source"], row["item_id"])


def _describe_recording(row: pd.Series) -> str:
    if row["is_name_alone"]:
        return join_present(row["name"], row["artist_names"], "rows of files without an id", row["item_id"])
    year = None if pd.isna(row["year"]) else int(row["year"])
    seconds = None if pd.isna(row["duration_ms"]) else int(row["duration_ms"]) // 1000
    length = None if seconds is None else f"{seconds // 60}:{seconds % 60:02}"
    return join_present(
        row["name"], row["artist_names"], row["album_name"], year, length, row["source"], row["item_id"]
    )


def _submit_decision(login: Login, kind: str, is_match: bool, ids: list[str | None]) -> None:
    first_id, second_id = ids
    if first_id is None or second_id is None:
        reject_change("Choose two: type a part of a name, then choose below it.")
        return
    note = st.session_state[_NOTE_KEY].strip() or None
    change = partial(statements.state_decision, login.url, kind, (first_id, second_id), is_match, note)
    if submit_change(change, f"The decision holds. {statements.describe_effect(kind, is_match)}"):
        st.session_state[_NOTE_KEY] = ""
        for position in range(2):
            clear_search(f"decision_{kind}_{position}")


def _draw_decisions(login: Login, reader: WarehouseReader) -> None:
    st.subheader("Earlier decisions")
    words_column, revoked_column = st.columns([2, 1], vertical_alignment="bottom")
    words = words_column.text_input("Find", key="decisions_words", placeholder="A name, an id or a word of a note")
    with_revoked = revoked_column.checkbox("Also those taken back")
    decisions = reader.read_table(
        "match_decisions", words=words.strip(), with_revoked=with_revoked, max_rows=_MAX_ROWS + 1
    )
    if decisions.empty:
        show_nothing_yet("No decision here.", "State one above, or look for another name.")
    for row in decisions.head(_MAX_ROWS).to_dict("records"):
        _draw_decision(login, row)
    if len(decisions) > _MAX_ROWS:
        st.caption(f"The newest {_MAX_ROWS}; find older ones by a name.")


def _draw_decision(login: Login, row: dict[Any, Any]) -> None:
    holds = bool(pd.isna(row["revoked_at"]))
    with st.container(border=True):
        text_column, button_column = st.columns([5, 1], vertical_alignment="center")
        with text_column:
            st.markdown(_describe_decision(row))
            st.caption(_describe_authors(row))
        if holds:
            button_column.button(
                "Take back", key=f"revoke_{row['decision_id']}", on_click=_submit_revocation, args=(login, row)
            )


def _describe_decision(row: dict[Any, Any]) -> str:
    first, second = (
        f"**{escape_markdown(row[f'{name}_name'] or '(no name)')}** ({escape_markdown(row[f'{name}_id'])})"
        for name in ("first", "second")
    )
    if row["kind"] == "artist" and row["is_match"]:
        return f"{second} is counted as the artist {first}."
    return f"{first} and {second} {_VERDICTS[bool(row['is_match'])]} {row['kind']}."


def _describe_authors(row: dict[Any, Any]) -> str:
    sentence = (
        f"Decision {row['decision_id']}, {escape_markdown(row['decided_by'])}, {row['decided_at']:%Y-%m-%d %H:%M} UTC."
    )
    if not pd.isna(row["revoked_at"]):
        sentence += f" Taken back by {escape_markdown(row['revoked_by'])}, {row['revoked_at']:%Y-%m-%d %H:%M} UTC."
    return f"{sentence} {escape_markdown(row['note'])}" if row["note"] else sentence


def _submit_revocation(login: Login, row: dict[Any, Any]) -> None:
    number = int(str(row["decision_id"]))
    effect = statements.describe_effect(str(row["kind"]), bool(row["is_match"]))
    submit_change(
        partial(statements.revoke_decision, login.url, number), f"Decision {number} no longer holds. {effect}"
    )


PAGE = Page("Decisions", ":material/gavel:", "decisions", (("warehouse.match_decision",),), _draw_page)
