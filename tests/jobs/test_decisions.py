"""A decision about two ids starts a refresh without a new file, and reaches the star; taken back, it leaves again."""

from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from etl.jobs import kaggle, refresh, refresh_plan
from etl.load import statements
from etl.settings import read_settings
from tests.dags.kaggle_files import make_track_id, write_dataset
from tests.load.star_frames import select_rows


@pytest.mark.usefixtures("one_session")
def test_a_decision_is_news_for_a_refresh_and_can_be_taken_back(tmp_path: Path, warehouse_url: str) -> None:
    settings = read_settings({"STATE_DIR": str(tmp_path / "state"), "WAREHOUSE_URL": warehouse_url})

    def plan_run(run_id: str) -> bool:
        return refresh_plan.plan_refresh(run_id, "nightly_refresh", date(2026, 11, 20), False, settings)

    def publish_run(run_id: str) -> set[int]:
        """Publish a run, and return the recordings of tracks 7 and 8."""
        assert plan_run(run_id)
        refresh.transform_catalogue(run_id, settings)
        refresh.fit_clusters(run_id, settings)
        refresh.load_catalogue(run_id, settings)
        statement = "select recording_key from warehouse.dim_track where track_id = any(:ids)"
        return {int(row["recording_key"]) for row in select_rows(warehouse_url, statement, ids=ids)}

    ids = [make_track_id(7), make_track_id(8)]
    write_dataset(tmp_path / "dataset.csv", popularity=50)
    kaggle.import_file(str(tmp_path / "dataset.csv"), None, settings, "import", datetime(2026, 11, 1, 3, tzinfo=UTC))
    assert len(publish_run("first")) == 2
    assert not plan_run("nothing new")
    decision = statements.state_decision(warehouse_url, "recording", (ids[0], ids[1]), True, None)
    assert len(publish_run("decided")) == 1
    assert not plan_run("nothing new again")
    methods = "select method, score from audit.reconciliation where from_id = any(:ids)"
    assert select_rows(warehouse_url, methods, ids=ids) == [{"method": "decision", "score": 1.0}]
    statements.revoke_decision(warehouse_url, decision)
    assert len(publish_run("undone")) == 2
