"""Fixtures of the launcher's tests: servers and folders that are gone afterwards."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from launch import postgres


@pytest.fixture
def state(tmp_path: Path) -> Iterator[Path]:
    """A STATE_DIR of its own; whatever server it has is removed afterwards."""
    folder = tmp_path / "state"
    folder.mkdir()
    yield folder
    postgres.remove_servers(folder)
