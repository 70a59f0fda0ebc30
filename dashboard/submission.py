"""Changes that a login makes by a form or button, and their results."""

from collections.abc import Callable
from functools import partial

import streamlit as st

from dashboard.page import escape_markdown
from etl.errors import EtlError

_RESULT_KEY = "submission_result"


def submit_change(change: Callable[[], object], success: str) -> bool:
    """Make a change in the warehouse, leave its result for ``draw_result``, and return whether it was made.

    Call it from a callback, which runs before the page is drawn: a page reads the snapshot at which its drawing begins.

    :param success: what to tell the user once it is made.
    """
    try:
        change()
    except EtlError as error:
        reject_change(f"Nothing was changed. {error}")
        return False
    st.session_state[_RESULT_KEY] = partial(st.success, escape_markdown(success), icon=":material/check:")
    return True


def reject_change(reason: str) -> None:
    """Leave the reason for ``draw_result`` why a change was not made."""
    st.session_state[_RESULT_KEY] = partial(st.error, escape_markdown(reason), icon=":material/block:")


def draw_result() -> None:
    """Draw the result of the change that was made before this drawing of the page, if there was one."""
    if show_result := st.session_state.pop(_RESULT_KEY, None):
        show_result()
