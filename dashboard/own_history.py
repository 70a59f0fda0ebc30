"""The part of the page Wrapped with which listeners download their own plays."""

import io
import json
import zipfile
from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial
from typing import Any

import pandas as pd
import streamlit as st

from dashboard.page import format_number
from dashboard.warehouse_reader import Login, open_reader
from etl.formats.history_records import build_extended_record, build_listen

HISTORY_VIEW = "mart.my_event"
MAX_PLAYS = 200_000
"""The most plays of one file, because it is made in memory: some 150 MB."""

_ALL_YEARS = (datetime(1900, 1, 1, tzinfo=UTC), datetime(2101, 1, 1, tzinfo=UTC))


def draw_download(login: Login, year: int) -> None:
    """Draw the choice of a format and the button; the file is made when the button is pressed.

    :param year: 0 for all years.
    """
    st.subheader("Your plays as a file")
    format_name = st.selectbox(
        "Format", list(ENCODERS), help="ListenBrainz reads the first, Spotify writes the second."
    )
    encode, file_name, mime = ENCODERS[format_name]
    st.download_button(
        "Download my plays",
        partial(make_file, login, year, encode),
        file_name,
        mime,
        icon=":material/download:",
        on_click="ignore",
    )
    years = f"{year} (UTC)" if year else "all years"
    st.caption(
        f"Music only, of {years}, and at most the {format_number(MAX_PLAYS)} newest plays: choose a year for older"
        " ones. The file has your plays alone. Spotify's format has no plays of unknown length: they are a second file"
        " in its zip."
    )


def make_file(login: Login, year: int, encode: Callable[[list[dict[str, Any]]], bytes]) -> bytes:
    """Return the plays of a signed-in listener in a year (UTC; 0 for all) as a file.

    :raises EtlError: as ``warehouse_reader.open_reader`` does.
    """
    start, end = (datetime(year, 1, 1, tzinfo=UTC), datetime(year + 1, 1, 1, tzinfo=UTC)) if year else _ALL_YEARS
    with open_reader(login) as reader:
        frame = reader.read_table("own_history", start=start, end=end, max_plays=MAX_PLAYS)
    return encode(_to_plays(frame))


def _to_plays(frame: pd.DataFrame) -> list[dict[str, Any]]:
    """Return the rows with None in place of missing values, and whole numbers as such."""
    objects = frame.astype(object).where(frame.notna(), None)
    plays = [{str(name): value for name, value in row.items()} for row in objects.to_dict("records")]
    for play in plays:
        play["ms_played"] = None if play["ms_played"] is None else int(play["ms_played"])
    return plays


def _encode_listens(plays: list[dict[str, Any]]) -> bytes:
    listens = (build_listen(play, play["play_min_ms"]) for play in plays)
    return "".join(json.dumps(listen, ensure_ascii=False) + "\n" for listen in listens if listen).encode()


def _encode_extended_history(plays: list[dict[str, Any]]) -> bytes:
    """Return a zip file of two files, because Spotify's format cannot have plays without a length."""
    records = [record for play in plays if (record := build_extended_record(play))]
    without_length = [{**play, "play_min_ms": 0} for play in plays if play["ms_played"] is None]
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(
            "Streaming_History_Audio_0.json", json.dumps(records, ensure_ascii=False, separators=(",", ":"))
        )
        if without_length:
            archive.writestr("listens_without_length.jsonl", _encode_listens(without_length))
    return content.getvalue()


def _encode_parquet(plays: list[dict[str, Any]]) -> bytes:
    content = io.BytesIO()
    pd.DataFrame(plays).to_parquet(content, index=False)
    return content.getvalue()


ENCODERS: dict[str, tuple[Callable[[list[dict[str, Any]]], bytes], str, str]] = {
    "ListenBrainz (JSON lines)": (_encode_listens, "listens.jsonl", "application/jsonl"),
    "Spotify's extended history (zip)": (_encode_extended_history, "my_extended_history.zip", "application/zip"),
    "Parquet": (_encode_parquet, "plays.parquet", "application/vnd.apache.parquet"),
}
