"""A scripted server, stand-ins of a little stock in each mode, a clock that only sleeping moves."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from simulator.mock_api import write_seed_data
from tests.extract.spotify.server import Clock, ScriptedServer, scripted
from tests.simulator.mock_api.small_seed_data import little_rows


@pytest.fixture
def server() -> Iterator[ScriptedServer]:
    with scripted() as server:
        yield server


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture(scope="session")
def stock(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("stock") / "stock.sqlite"
    write_seed_data(*little_rows(), path, seed=1)
    return path
