"""Shared fixtures of the job tests: small seed data for mock APIs, and one session for all steps."""

import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import pytest
from pyspark.sql import SparkSession
from sqlalchemy import Connection

import etl.engines.spark
from benchmarks._shared_session import changed_options
from etl.database import locks
from etl.jobs import avro_export, refresh
from etl.settings import Settings
from simulator.jobs import external_feed, feed, mock_api
from simulator.mock_api import write_seed_data
from tests.conftest import LARGE_INPUT_OPTIONS
from tests.simulator.mock_api.small_seed_data import make_small_rows


@pytest.fixture(scope="session")
def seed_data_path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("stock") / "stock.sqlite"
    write_seed_data(*make_small_rows(), path, seed=1)
    return path


@pytest.fixture
def one_session(spark: SparkSession, monkeypatch: pytest.MonkeyPatch) -> None:
    """Use the session of all tests instead of one for each step.

    No step may take the lock of the warehouse while it has a session: see ``load_frames_under_lock``.
    """
    local = threading.local()
    take_lock = locks._take_lock

    def take_lock_without_session(connection: Connection, wait_seconds: float) -> None:
        assert not getattr(local, "session_count", 0), "the lock is taken while a session may have all cores"
        take_lock(connection, wait_seconds)

    @contextmanager
    def open_shared_session(
        _settings: Settings, _name: str, options: Mapping[str, str] | None = None
    ) -> Iterator[SparkSession]:
        local.session_count = getattr(local, "session_count", 0) + 1
        try:
            with changed_options(spark, {**LARGE_INPUT_OPTIONS, **(options or {})}):
                yield spark
        finally:
            local.session_count -= 1

    for module in (etl.engines.spark, avro_export, external_feed, feed, refresh, mock_api):
        monkeypatch.setattr(module, "open_session", open_shared_session)
    monkeypatch.setattr(locks, "_take_lock", take_lock_without_session)
