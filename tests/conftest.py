"""Fixtures that tests share: a real Spark session, a real PostgreSQL, a lake in a temporary folder."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from pyspark.sql import SparkSession

from etl.config import Settings, settings
from etl.lake import Lake
from etl.spark import session

SHARED_DATA = Path(__file__).resolve().parents[2] / "shared" / "data"


@pytest.fixture(scope="session")
def spark(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SparkSession]:
    """One session on two cores for the whole run."""
    with session(_settings(tmp_path_factory.mktemp("spark"), SPARK_MASTER="local[2]"), "tests") as spark:
        yield spark


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    return Lake((tmp_path / "lake").as_uri())


@pytest.fixture(scope="session")
def real_kaggle() -> Path:
    """The folder of real Kaggle files; tests that need it are skipped, with this sentence, where it is absent."""
    folder = SHARED_DATA / "kaggle"
    if not folder.is_dir():
        pytest.skip(f"the real Kaggle files are not here: {folder}")
    return folder


def _settings(state_dir: Path, **environ: str) -> Settings:
    return settings({"STATE_DIR": str(state_dir), "WAREHOUSE_URL": "postgresql://unused@127.0.0.1:1/none", **environ})
