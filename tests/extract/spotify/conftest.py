"""A scripted server, mock APIs with small seed data, and a clock that advances only by sleeping."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from simulator.mock_api import write_seed_data
from tests.extract.spotify.scripted_server import Clock, ScriptedServer, run_scripted_server
from tests.simulator.mock_api.small_seed_data import make_small_rows


@pytest.fixture
def server() -> Iterator[ScriptedServer]:
    with run_scripted_server() as server:
        yield server


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture(scope="session")
def stock(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("stock") / "stock.sqlite"
    write_seed_data(*make_small_rows(), path, seed=1)
    return path
