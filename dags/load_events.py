"""
### Load events
Loads new events from the lake into the star: from feeds, account exports and API responses (saved tracks as LIKE,
followed artists as FOLLOW, played tracks as PLAY). Starts by itself when such an input arrives, and with Kafka when
landed messages have waited for `LOAD_SECONDS` or are `LOAD_RECORDS`.

| step | what it does |
| --- | --- |
| `plan_events` | makes a feed of landed messages; compares lake and `audit.run`; skips the load if nothing is new |
| `load_events` | rejects invalid records with a reason, publishes dimension members, then the events |
| `write_report` | logs how many events were added, late, duplicate and rejected |
| `outcome` | has the state of the run: it fails if a step before the report has failed |

`nightly_refresh` loads the catalogue of API responses, and this DAG their events: the audit has such an input by its id
there, and by `<id>.events` here.

Each record becomes a row of `warehouse.fact_event` or `warehouse.fact_spoken_event`, a duplicate, or a row of
`audit.rejected_row`; `audit.row_count` has the totals. Late events are stored under the day on which they happened;
`audit.arrival` counts them. Unknown users, tracks, artists and playlists become inferred members (`is_inferred`), which
later inputs complete under the same key.

**If it fails**: the last line of the failed task's log says what happened and what to do. A failed check has published
no event; its query is in `sql/check/events`.

**Is a rerun safe?** Yes, also several at once: an event that is already loaded counts as a duplicate.
"""

from datetime import timedelta
from typing import Any

from airflow.sdk import DAG, task
from airflow.sdk.exceptions import AirflowSkipException

from dags.common.assets import EVENT_TABLES, EXPORT_INPUTS, FEED_INPUTS, RECENTLY_PLAYED_INPUTS, REFRESH_END
from dags.common.params import render_doc_page
from dags.common.refresh_tasks import end_with_report
from dags.common.retries import build_default_args
from dags.common.run_context import get_reference_date, get_run_id, skip_on_first_try


@task
def plan_events(**context: Any) -> int:
    """Return the number of new inputs; the run ends here without any."""
    from etl.jobs import events
    from etl.settings import read_settings

    input_count = events.plan_events(get_run_id(context), read_settings())
    if not input_count:
        raise AirflowSkipException("Nothing new: the warehouse already has all events of the lake.")
    return input_count


@task(outlets=EVENT_TABLES, execution_timeout=timedelta(hours=12))
def load_events(**context: Any) -> dict[str, int]:
    """Return the rows added, by table."""
    from etl.jobs import events
    from etl.settings import read_settings

    added_rows = events.load_events(get_run_id(context), get_reference_date(context), read_settings())
    if not added_rows:
        skip_on_first_try(context, "All events are already loaded: nothing was added.")
    return added_rows


with DAG(
    dag_id="load_events",
    description="Load new events into the star",
    # Saved tracks and followed artists are loaded after the tracks and artists of the same responses.
    schedule=FEED_INPUTS | EXPORT_INPUTS | RECENTLY_PLAYED_INPUTS | REFRESH_END,
    catchup=False,
    max_active_runs=1,
    dagrun_timeout=timedelta(hours=12),
    default_args=build_default_args(),
    doc_md=render_doc_page(__doc__),
    tags=["load", "events"],
):
    load_task = load_events()
    plan_events() >> load_task
    end_with_report(load_task)
