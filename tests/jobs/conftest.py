"""A little stock for stand-ins."""

from pathlib import Path

import pytest

from etl.simulate.spotify_api import write_stock
from tests.simulate.spotify_api.little import little_rows


@pytest.fixture(scope="session")
def stock(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("stock") / "stock.sqlite"
    write_stock(*little_rows(), path, seed=1)
    return path
