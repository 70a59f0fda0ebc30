"""The environment of the program: made once, and shared by all tests of a machine."""

import os
from pathlib import Path

import pytest

from etl.engines.forecast_program import ensure_environment, get_python_path
from etl.settings import CHECKOUT


@pytest.fixture(scope="session")
def forecast_python() -> Path:
    """Return the interpreter that has the libraries of the forecasts."""
    state_dir = Path(os.environ.get("STATE_DIR") or CHECKOUT / ".state")
    ensure_environment(state_dir)
    return get_python_path(state_dir)
