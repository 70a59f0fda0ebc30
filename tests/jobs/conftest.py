"""What tests of jobs share: a little stock for stand-ins, and one session for all steps."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from pyspark.sql import SparkSession

import etl.spark
from etl.jobs import feed, refresh, stand_in
from etl.simulate.spotify_api import write_stock
from tests.simulate.spotify_api.little import little_rows


@pytest.fixture(scope="session")
def stock(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("stock") / "stock.sqlite"
    write_stock(*little_rows(), path, seed=1)
    return path


@pytest.fixture
def one_session(spark: SparkSession, monkeypatch: pytest.MonkeyPatch) -> None:
    """The session of all tests in place of one for each step."""

    @contextmanager
    def shared(*_: Any) -> Iterator[SparkSession]:
        yield spark

    for module in (etl.spark, feed, refresh, stand_in):
        monkeypatch.setattr(module, "session", shared)
