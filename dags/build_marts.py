"""
### Build marts
Brings the schema `mart` up to date with the star. Starts by itself after a load of events or tracks.

| step | what it does |
| --- | --- |
| `build_marts` | builds the marts for changed users, days, artists and playlists, and publishes all marts at once |

| scope | what is built |
| --- | --- |
| changed | all changes since the last build |
| since | these changes, and all days from the first day on: use it after a manual change of a mart |
| full_refresh | all rows; readers see the old rows until the end |

The first build after a day is complete starts the DAG `forecast`.

Changed settings (`PLAY_MIN_MS`, `SESSION_GAP_MINUTES`) and new marts cause a full refresh by themselves. A row in
`warehouse.exclusion` removes a user, an artist or a track from the marts with the next build: start that build here.

**If it fails**: the marts are unchanged. The last line of the task's log says what to do.

**Is a rerun safe?** Yes, also several at once. Without changes, nothing is built.
"""

from datetime import UTC, date, datetime, timedelta
from typing import Any

from airflow.sdk import DAG, Param, task

from dags.common.assets import FORECAST_DUE, FORECAST_DUE_ALIAS, MART_TABLES, make_table_asset
from dags.common.params import render_doc_page
from dags.common.retries import build_default_args
from dags.common.run_context import get_run_id, skip_on_first_try


@task(outlets=[MART_TABLES, FORECAST_DUE_ALIAS], execution_timeout=timedelta(hours=12))
def build_marts(**context: Any) -> dict[str, int]:
    """Return the rows written, by table; start the forecasts if a day is complete."""
    from etl.jobs import forecasts, marts
    from etl.settings import read_settings

    params, settings = context["params"], read_settings()
    since = date.fromisoformat(params["since"]) if params.get("since") else None
    written_rows = marts.build_marts(get_run_id(context), params["scope"], since, settings)
    if forecasts.is_forecast_due(settings, datetime.now(UTC)):
        context["outlet_events"][FORECAST_DUE_ALIAS].add(FORECAST_DUE)
    if not written_rows:
        skip_on_first_try(context, "Nothing has changed since the last build.")
    return written_rows


with DAG(
    dag_id="build_marts",
    description="Bring the marts up to date with the star",
    schedule=make_table_asset("warehouse.fact_event") | make_table_asset("warehouse.dim_track"),
    catchup=False,
    max_active_runs=1,
    dagrun_timeout=timedelta(hours=12),
    default_args=build_default_args(),
    doc_md=render_doc_page(__doc__),
    tags=["marts"],
    params={
        "scope": Param(
            "changed",
            type="string",
            enum=["changed", "since", "full_refresh"],
            title="Scope",
            description="Build changes only, also all days from a first day on, or all rows.",
        ),
        "since": Param(
            None,
            type=["null", "string"],
            format="date",
            title="Since",
            description="The first day; only with the scope 'since'.",
        ),
    },
):
    build_marts()
