"""Imports of Kaggle files as tasks run them, and their effect on the next refresh."""

from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest

from etl.errors import WrongFileError
from etl.jobs import kaggle, refresh, refresh_plan
from etl.settings import Settings, read_settings
from etl.storage.lake import Lake
from tests.dags.kaggle_files import make_track_id, write_dataset
from tests.load.star_frames import select_rows


@pytest.fixture
def settings(tmp_path: Path, warehouse_url: str) -> Settings:
    return read_settings({"STATE_DIR": str(tmp_path / "state"), "WAREHOUSE_URL": warehouse_url, "CLUSTER_COUNT": "3"})


def import_file(settings: Settings, path: Path, day: int) -> dict[str, Any]:
    return kaggle.import_file(str(path), None, settings, f"import {day}", datetime(2026, 11, day, 3, tzinfo=UTC))


def plan_run(settings: Settings, run_id: str) -> bool:
    return refresh_plan.plan_refresh(run_id, "nightly_refresh", date(2026, 11, 20), False, settings)


def publish_run(settings: Settings, run_id: str) -> int:
    """Publish a run, and return the resulting popularity of track 7."""
    assert plan_run(settings, run_id)
    refresh.transform_catalogue(run_id, settings)
    refresh.fit_clusters(run_id, settings)
    refresh.load_catalogue(run_id, settings)
    statement = "select popularity from warehouse.dim_track where track_id = :id"
    return int(select_rows(settings.warehouse_url, statement, id=make_track_id(7))[0]["popularity"])


@pytest.mark.usefixtures("one_session")
def test_an_earlier_file_that_comes_back_takes_its_place_back(settings: Settings, tmp_path: Path) -> None:
    path = tmp_path / "dataset.csv"
    write_dataset(path, popularity=50)
    first = import_file(settings, path, 1)
    assert publish_run(settings, "first") == 50
    write_dataset(path, popularity=99)
    second = import_file(settings, path, 2)
    assert publish_run(settings, "second") == 99 and not plan_run(settings, "nothing new")
    write_dataset(path, popularity=50)
    for day in (1, 2):  # a cleared task of an earlier import restores nothing
        assert import_file(settings, path, day) == first and not plan_run(settings, f"nothing new {day}")
    for _ in range(2):
        assert import_file(settings, path, 3) == first
    (current,) = refresh_plan.list_current_inputs(Lake(settings.lake_url))
    assert current.input_id == first["input_id"] != second["input_id"]
    assert len(Lake(settings.lake_url).inputs.find_inputs(["kaggle"])) == 2
    assert publish_run(settings, "third") == 50 and not plan_run(settings, "nothing new again")
    import_file(settings, path, 4)
    assert not plan_run(settings, "nothing new at last")


def test_the_same_bytes_by_another_name_take_nobodys_place(settings: Settings, tmp_path: Path) -> None:
    path, copy = tmp_path / "dataset.csv", tmp_path / "kept.csv"
    for kaggle_file in (path, copy):
        write_dataset(kaggle_file, popularity=50)
    import_file(settings, path, 1)
    write_dataset(path, popularity=99)
    second = import_file(settings, path, 2)
    import_file(settings, copy, 3)
    (current,) = refresh_plan.list_current_inputs(Lake(settings.lake_url))
    assert current.input_id == second["input_id"]


def test_the_audit_keeps_the_failure_of_an_import_until_a_later_try_succeeds(
    settings: Settings, tmp_path: Path
) -> None:
    path = tmp_path / "dataset.csv"
    failures = "select run_id, job, result from audit.run"
    for day in (1, 2):
        with pytest.raises(WrongFileError):
            import_file(settings, path, day)
    write_dataset(path, popularity=50)
    import_file(settings, path, 1)
    assert select_rows(settings.warehouse_url, failures) == [
        {"run_id": "import 2", "job": "kaggle_import", "result": "failed"}
    ]
