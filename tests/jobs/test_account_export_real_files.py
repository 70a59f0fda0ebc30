"""Real account exports from file to star: exact row counts, and no new events the second time."""

from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from etl.jobs import events
from etl.jobs.account_import import import_export
from etl.settings import read_settings
from tests.load.star_frames import select_rows
from tests.transform.account_export.test_real_files import ROWS

pytestmark = [pytest.mark.real_data, pytest.mark.timeout(1200), pytest.mark.usefixtures("one_session")]

ACCOUNTS = """
select source, rows_in, rows_loaded, rows_duplicate, rows_rejected
from audit.row_count where step = 'load_events' and run_id = :run order by source
"""


def test_a_real_export_is_imported_whole_and_a_second_time_without_a_new_row(
    real_exports: Path, tmp_path: Path, warehouse_url: str
) -> None:
    settings = read_settings({"STATE_DIR": str(tmp_path), "WAREHOUSE_URL": warehouse_url})

    def load_export(run_id: str, timezone: str) -> dict[str, int]:
        """Load the export, and return the counts of the load; another timezone makes the same export another input."""
        import_export(str(real_exports), "ada", timezone, settings, datetime(2026, 11, 1, tzinfo=UTC))
        return events.load_events(run_id, date(2026, 11, 21), settings) if events.plan_events(run_id, settings) else {}

    added = load_export("first", "Europe/Berlin")
    assert sum(added.values()) == sum(ROWS.values())
    expected = [
        {**_fetch_row_counts(name), "rows_loaded": count, "rows_duplicate": 0} for name, count in sorted(ROWS.items())
    ]
    assert select_rows(warehouse_url, ACCOUNTS, run="first") == expected
    stars = "select count(*) as n from warehouse.fact_event union all select count(*) from warehouse.fact_spoken_event"
    before = select_rows(warehouse_url, stars)
    assert load_export("the same again", "Europe/Berlin") == {}
    assert sum(load_export("packed anew", "America/New_York").values()) == 0
    repeated = [
        {**_fetch_row_counts(name), "rows_loaded": 0, "rows_duplicate": count} for name, count in sorted(ROWS.items())
    ]
    assert select_rows(warehouse_url, ACCOUNTS, run="packed anew") == repeated
    assert select_rows(warehouse_url, stars) == before


def _fetch_row_counts(name: str) -> dict[str, object]:
    return {"source": name, "rows_in": ROWS[name], "rows_rejected": 0}
