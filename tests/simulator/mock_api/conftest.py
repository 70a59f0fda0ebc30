"""Mock APIs with small seed data, one in each mode."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from simulator.mock_api import write_seed_data
from tests.simulator.mock_api.small_seed_data import make_small_rows, run_mock_api


@pytest.fixture(scope="session")
def little_stock(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("stock") / "stock.sqlite"
    write_seed_data(*make_small_rows(), path, seed=1)
    return path


@pytest.fixture(scope="session", params=["development", "extended"])
def mode(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="session")
def url(little_stock: Path, mode: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Yield the address of a read-only mock API, in each mode."""
    with run_mock_api(little_stock, tmp_path_factory.mktemp(mode) / "state", "--mode", mode) as url:
        yield url
