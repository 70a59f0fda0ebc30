"""Pages and form fields of the DAGs."""

import os

from airflow.sdk import Param


def render_doc_page(text: str) -> str:
    """Return a DAG's page from its docstring, with a notice if the mock Spotify API is in use."""
    is_mock_api = os.environ.get("IS_STAND_IN") == "true"
    return f"{text}\n**The mock Spotify API is in use**: SPOTIPY_CLIENT_ID is not set.\n" if is_mock_api else text


def make_fraction_param(title: str, description: str, section: str) -> Param:
    """Return a form field for a fraction from 0 to 1, with the default 0."""
    return Param(0.0, type="number", minimum=0, maximum=1, title=title, description=description, section=section)


def make_timestamp_param(title: str, description: str) -> Param:
    """Return an optional form field for a timestamp."""
    return Param(None, type=["null", "string"], format="date-time", title=title, description=description)
