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

from dags.defaults import MARTS, default_args, page, table
from dags.runs import run_id_of, skip_at_first_try


@task(outlets=[MARTS], execution_timeout=timedelta(hours=12))
def build_marts(**context: Any) -> dict[str, int]:
    """Rows written, by table."""
    from etl.config import settings
    from etl.jobs import marts

    params = context["params"]
    since = date.fromisoformat(params["since"]) if params.get("since") else None
    written = marts.build_marts(run_id_of(context), params["what"], since, settings())
    if not written:
        skip_at_first_try(context, "Nothing was touched since the last build.")
    return written


with DAG(
    dag_id="build_marts",
    description="Bring the marts up to date with the star",
    schedule=table("warehouse.fact_event") | table("warehouse.dim_track"),
    catchup=False,
    max_active_runs=1,
    dagrun_timeout=timedelta(hours=12),
    default_args=default_args(),
    doc_md=page(__doc__),
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
