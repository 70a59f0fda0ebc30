"""The class of a page, and the functions that pages share."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import pandas as pd
import streamlit as st

from dashboard.warehouse_reader import Login, WarehouseReader, open_reader
from etl.errors import EtlError

_AUTOLINK_TRIGGER = re.compile(r"(?=://|@)|(?<=www)(?=\.)", re.IGNORECASE)
"""The positions at which Markdown turns an address into a link without link syntax, escaped or not."""
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]+")
_WORD_JOINER = "\u2060"
"""An invisible character."""


@dataclass(frozen=True)
class Page:
    """A page. ``reads`` are alternatives, each with the tables and views that the page needs."""

    title: str
    icon: str
    path: str
    reads: tuple[tuple[str, ...], ...]
    draw: Callable[[Login, WarehouseReader], None]

    def is_allowed(self, login: Login) -> bool:
        """Return whether the login may use the page."""
        return any(login.can_read(*relations) for relations in self.reads)

    def make_drawer(self, login: Login) -> Callable[[], None]:
        """Return the function that draws the page for a login, or an error message if the warehouse fails."""

        return partial(_draw_or_report, login, self.draw)


def draw_repeatedly(login: Login, draw: Callable[[Login, WarehouseReader], None], seconds: float) -> None:
    """Draw a part of a page, and again every few seconds, each time from a new snapshot of the warehouse."""

    def draw_part() -> None:
        _draw_or_report(login, draw)

    st.fragment(draw_part, run_every=seconds)()


def _draw_or_report(login: Login, draw: Callable[[Login, WarehouseReader], None]) -> None:
    try:
        with open_reader(login) as reader:
            draw(login, reader)
    except EtlError as error:
        st.error(f"The warehouse did not answer. {escape_markdown(error)}", icon=":material/cloud_off:")
        st.caption("Reload the page to sign in again; where that does not help, is bin/run still running?")


def show_nothing_yet(reason: str, to_do: str) -> None:
    """Draw a message that there is nothing to show yet, with what to do about it."""
    st.info(f"**{reason}** {to_do}", icon=":material/hourglass_empty:")


def choose_user(reader: WarehouseReader) -> str | None:
    """Draw the choice of a listener for a login that sees all; return the user_id."""
    return st.selectbox(
        "Listener",
        list(reader.read_table("listeners")["user_id"]),
        accept_new_options=True,
        help="The fifty with most plays; type any other user_id of warehouse.dim_user.",
    )


def escape_markdown(text: object) -> str:
    """Return text of other users as Markdown that shows the same characters, on one line."""
    unlinked = _AUTOLINK_TRIGGER.sub(_WORD_JOINER, _CONTROL.sub(" ", str(text)))
    return "".join(f"\\{letter}" if letter in "\\`*_{}[]<>()#+-.!|$:~&" else letter for letter in unlinked)


def show_table(frame: pd.DataFrame, **columns: str) -> None:
    """Draw a table with readable headers and times.

    :param columns: formats of columns, as Streamlit writes them.
    """
    shown = frame.copy()
    for name in shown.select_dtypes(include=["datetime", "datetimetz"]):
        shown[name] = shown[name].dt.strftime("%Y-%m-%d %H:%M")
    heads = {name: str(name).replace("_", " ") for name in shown}
    formats: dict[str, Any] = {
        heads[name]: st.column_config.NumberColumn(format=number_format) for name, number_format in columns.items()
    }
    st.dataframe(shown.rename(columns=heads), hide_index=True, column_config=formats, placeholder="–")


def format_number(value: float) -> str:
    """Return a number with separators of thousands."""
    return f"{value:,.0f}"
