"""One import, one refresh and one load of events, called from Python or the shell, configured by the environment:

python -m tests.jobs.refresh_once FOLDER
"""

import sys
from datetime import UTC, date, datetime

from etl.jobs import kaggle, refresh, refresh_plan
from etl.load.migrate import migrate_warehouse
from etl.settings import Settings, read_settings
from tests.jobs.test_events import load_events, make_event, receive_feed

RUN_ID, DAY = "refresh_once", datetime(2026, 11, 1, tzinfo=UTC)


def main(folder: str, chosen: Settings) -> None:
    migrate_warehouse(chosen.warehouse_url)
    for path in kaggle.find_files(folder, chosen):
        if not path.endswith("page.csv"):
            kaggle.import_file(path, None, chosen, f"{RUN_ID}.import", DAY)
    assert refresh_plan.plan_refresh(RUN_ID, "nightly_refresh", date(2026, 11, 1), False, chosen)
    refresh.transform_catalogue(RUN_ID, chosen)
    refresh.fit_clusters(RUN_ID, chosen)
    assert refresh.load_catalogue(RUN_ID, chosen)
    records = [make_event(minute, user=f"u{minute % 7}") for minute in range(200)]
    receive_feed(chosen, "feed", [*records, make_event(user="")], files=3)
    receive_feed(chosen, "users", [{"userId": "u1", "updatedAt": DAY, "timezone": "Asia/Tokyo"}], "user")
    assert load_events(chosen, f"{RUN_ID}.events") == {"fact_event": len(records)}


if __name__ == "__main__":
    main(sys.argv[1], read_settings())
