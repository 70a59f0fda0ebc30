"""Imports of Kaggle files as tasks do them."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from etl.config import Settings, settings
from etl.errors import WrongFileError
from etl.jobs import kaggle
from tests.dags.kaggle_files import write_dataset
from tests.load.star_frames import table


@pytest.fixture
def here(tmp_path: Path, warehouse_url: str) -> Settings:
    return settings({"STATE_DIR": str(tmp_path / "state"), "WAREHOUSE_URL": warehouse_url, "CLUSTER_COUNT": "3"})


def bring(here: Settings, path: Path, day: int) -> dict[str, Any]:
    return kaggle.import_file(str(path), None, here, f"import {day}", datetime(2026, 11, day, 3, tzinfo=UTC))


def test_the_audit_keeps_the_failure_of_an_import_until_a_later_try_succeeds(here: Settings, tmp_path: Path) -> None:
    path = tmp_path / "dataset.csv"
    failures = "select run_id, job, result from audit.run"
    for day in (1, 2):
        with pytest.raises(WrongFileError):
            bring(here, path, day)
    write_dataset(path, popularity=50)
    bring(here, path, 1)
    assert table(here.warehouse_url, failures) == [{"run_id": "import 2", "job": "kaggle_import", "result": "failed"}]
