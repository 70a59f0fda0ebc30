"""
### Build marts
Brings the schema `mart` up to date with the star. Starts by itself when events or tracks have been loaded.

| step | what it does |
| --- | --- |
| `build_marts` | works on the users, days, artists and playlists that were touched, and publishes all marts at once |

| choice | what is worked on |
| --- | --- |
| touched | what has changed since the last build |
| since | all days from the first day on, too: where somebody has changed a mart by hand |
| from nothing | everything; who reads a mart meanwhile has the old rows |

Other settings (`PLAY_MIN_MS`, `SESSION_GAP_MINUTES`) and new marts build from nothing by themselves. A row in
`warehouse.exclusion` takes a user, an artist or a track out of the marts with the next build: start it by hand.

**When it fails** the marts are as they were; the last line of the log says what to do.

**Running it again** is always safe, also twice at once: where nothing was touched, nothing is done.
"""

from datetime import date, timedelta
from typing import Any

from airflow.sdk import DAG, Param, task

from dags.common.defaults import MART_TABLES, build_default_args, make_table_asset, render_doc_page
from dags.common.run_context import get_run_id, skip_on_first_try


@task(outlets=[MART_TABLES], execution_timeout=timedelta(hours=12))
def build_marts(**context: Any) -> dict[str, int]:
    """Rows written, by table."""
    from etl.jobs import marts
    from etl.settings import read_settings

    params = context["params"]
    since = date.fromisoformat(params["since"]) if params.get("since") else None
    written_rows = marts.build_marts(get_run_id(context), params["what"], since, read_settings())
    if not written_rows:
        skip_on_first_try(context, "Nothing was touched since the last build.")
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
        "what": Param(
            "touched",
            type="string",
            enum=["touched", "since", "from nothing"],
            title="What",
            description="What to work on: what was touched, all days since one, or everything.",
        ),
        "since": Param(
            None, type=["null", "string"], format="date", title="Since", description="The first day, for 'since' alone."
        ),
    },
):
    build_marts()
