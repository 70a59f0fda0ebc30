"""Imports of Kaggle files as tasks do them, and what the next refresh makes of them."""

from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest

from etl.errors import WrongFileError
from etl.jobs import kaggle, refresh
from etl.settings import Settings, read_settings
from etl.storage.lake import Lake
from tests.dags.kaggle_files import track_id, write_dataset
from tests.load.star_frames import table


@pytest.fixture
def here(tmp_path: Path, warehouse_url: str) -> Settings:
    return read_settings({"STATE_DIR": str(tmp_path / "state"), "WAREHOUSE_URL": warehouse_url, "CLUSTER_COUNT": "3"})


def bring(here: Settings, path: Path, day: int) -> dict[str, Any]:
    return kaggle.import_file(str(path), None, here, f"import {day}", datetime(2026, 11, day, 3, tzinfo=UTC))


def plan(here: Settings, run_id: str) -> int:
    return refresh.plan_refresh(run_id, "nightly_refresh", date(2026, 11, 20), False, here)


def publish(here: Settings, run_id: str) -> int:
    """The popularity that track 7 has afterwards."""
    assert plan(here, run_id) == 1
    refresh.transform_catalogue(run_id, here)
    refresh.fit_clusters(run_id, here)
    refresh.load_catalogue(run_id, here)
    statement = "select popularity from warehouse.dim_track where track_id = :id"
    return int(table(here.warehouse_url, statement, id=track_id(7))[0]["popularity"])


@pytest.mark.usefixtures("one_session")
def test_an_earlier_file_that_comes_back_takes_its_place_back(here: Settings, tmp_path: Path) -> None:
    path = tmp_path / "dataset.csv"
    write_dataset(path, popularity=50)
    first = bring(here, path, 1)
    assert publish(here, "first") == 50
    write_dataset(path, popularity=99)
    second = bring(here, path, 2)
    assert publish(here, "second") == 99 and plan(here, "nothing new") == 0
    write_dataset(path, popularity=50)
    for day in (1, 2):  # a task of an earlier import that is cleared brings nothing back
        assert bring(here, path, day) == first and plan(here, f"nothing new {day}") == 0
    for _ in range(2):
        assert bring(here, path, 3) == first
    (current,) = refresh.list_current_inputs(Lake(here.lake_url))
    assert current.input_id == first["input_id"] != second["input_id"]
    assert len(Lake(here.lake_url).inputs.find_inputs(["kaggle"])) == 2
    assert publish(here, "third") == 50 and plan(here, "nothing new again") == 0
    bring(here, path, 4)
    assert plan(here, "nothing new at last") == 0


def test_the_same_bytes_by_another_name_take_nobodys_place(here: Settings, tmp_path: Path) -> None:
    path, copy = tmp_path / "dataset.csv", tmp_path / "kept.csv"
    for one in (path, copy):
        write_dataset(one, popularity=50)
    bring(here, path, 1)
    write_dataset(path, popularity=99)
    second = bring(here, path, 2)
    bring(here, copy, 3)
    (current,) = refresh.list_current_inputs(Lake(here.lake_url))
    assert current.input_id == second["input_id"]


def test_the_audit_keeps_the_failure_of_an_import_until_a_later_try_succeeds(here: Settings, tmp_path: Path) -> None:
    path = tmp_path / "dataset.csv"
    failures = "select run_id, job, result from audit.run"
    for day in (1, 2):
        with pytest.raises(WrongFileError):
            bring(here, path, day)
    write_dataset(path, popularity=50)
    bring(here, path, 1)
    assert table(here.warehouse_url, failures) == [{"run_id": "import 2", "job": "kaggle_import", "result": "failed"}]
