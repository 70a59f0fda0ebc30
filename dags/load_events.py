"""
### Load events
Brings into the star what the lake holds of events and the warehouse does not yet know: feeds, account exports, and of
the Spotify API's answers tracks saved (LIKE), artists followed (FOLLOW) and tracks played (PLAY). Starts by itself when
something of that kind has come in.

| step | what it does |
| --- | --- |
| `plan_events` | compares the lake with `audit.run`; where nothing is new the steps below are skipped |
| `load_events` | refuses broken records with their reason, makes known what events name, stages, checks and publishes |
| `write_report` | says in its log what this run added, what came late, what was told twice and what was refused |
| `outcome` | fails where a step above the report failed: the run's state is this step's, never the report's |

API answers are loaded for the catalogue by `nightly_refresh`, and here for their events: the audit knows an input of
them by its id there, and by `<id>.events` here.

Every record becomes a row of `warehouse.fact_event` or `warehouse.fact_spoken_event`, a duplicate, or a line of
`audit.rejected_row`; `audit.row_count` has the sums. Late events go to their own day, and `audit.arrival` counts them.
Users, tracks, artists and playlists that nobody knew before are made with `is_inferred`, and completed under the same
key when somebody does know them.

**When it fails**, the last line of the failed task's log says what happened and what to do. A failed check has
published no event; its query stands in `sql/check/events`.

**Running it again** is always safe, also twice at once: an event that is there already is a duplicate.
"""

from datetime import timedelta
from typing import Any

from airflow.sdk import DAG, task
from airflow.sdk.exceptions import AirflowSkipException

from dags.common.defaults import (
    EVENT_TABLES,
    EXPORT_INPUTS,
    FEED_INPUTS,
    RECENTLY_PLAYED_INPUTS,
    REFRESH_END,
    build_default_args,
    render_doc_page,
)
from dags.common.refresh_tasks import end_with_report
from dags.common.run_context import get_reference_date, get_run_id, skip_on_first_try


@task
def plan_events(**context: Any) -> int:
    """How many inputs are new; none ends the run here."""
    from etl.jobs import events
    from etl.settings import read_settings

    input_count = events.plan_events(get_run_id(context), read_settings())
    if not input_count:
        raise AirflowSkipException("Nothing new: the warehouse already holds the events that the lake holds.")
    return input_count


@task(outlets=EVENT_TABLES, execution_timeout=timedelta(hours=12))
def load_events(**context: Any) -> dict[str, int]:
    """Rows added, by table."""
    from etl.jobs import events
    from etl.settings import read_settings

    added_rows = events.load_events(get_run_id(context), get_reference_date(context), read_settings())
    if not added_rows:
        skip_on_first_try(context, "Every event was there already: nothing was added.")
    return added_rows


with DAG(
    dag_id="load_events",
    description="Load the events that came in",
    # What accounts saved and followed comes after the tracks and artists that the same answers tell of.
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
