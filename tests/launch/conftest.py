"""Fixtures of the launcher's tests: servers and folders that are removed at the end."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from launch import postgres


@pytest.fixture
def state(tmp_path: Path) -> Iterator[Path]:
    """Yield a new STATE_DIR; remove any server in it at the end."""
    folder = tmp_path / "state"
    folder.mkdir()
    yield folder
    postgres.remove_servers(folder)
