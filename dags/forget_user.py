"""
### Forget a user
Takes all that is known of a person out of the accounts, the lake and the warehouse. This cannot be undone.

| what | what becomes of it |
| --- | --- |
| sign-in | the account's file goes first, tokens included: nobody asks Spotify for this person any more |
| lake | exports and answers of the person go whole; feeds and others' answers are written anew without them |
| star | the person's events, playlists with their history, and all versions of the user go |
| audit | refused rows, fetches, gaps; sentences say "somebody". What was counted stays counted |

What the API's answers taught is learned anew by the next refresh, from the answers that are left. A refresh or load
that is in progress fails with a sentence and is started again; better wait until none runs. `docs/production.md` says
what lies outside: backups, Airflow's own records, files that were imported, and Spotify itself.

**When it fails**, the last line of the log says why. Start it again with the same user: the rest is done.

**Running it again** is always safe: where nothing is left of the person, nothing is done.
"""

from datetime import timedelta
from typing import Any

from airflow.sdk import DAG, Param, task
from airflow.sdk.exceptions import AirflowSkipException

from dags.common.defaults import build_default_args, render_doc_page
from dags.common.run_context import get_run_id


@task(execution_timeout=timedelta(hours=6))
def forget_user(**context: Any) -> dict[str, int]:
    """How many accounts, inputs and events went."""
    from etl.jobs import erasure
    from etl.settings import read_settings

    erased_counts = erasure.forget_user(context["params"]["user"], get_run_id(context), read_settings())
    if not any(erased_counts.values()):
        raise AirflowSkipException("Nothing here belongs to a user of that id.")
    return erased_counts


with DAG(
    dag_id="forget_user",
    description="Take all that is known of a person out of lake and warehouse",
    schedule=None,
    catchup=False,
    max_active_runs=1,
    dagrun_timeout=timedelta(hours=12),
    default_args=build_default_args(),
    doc_md=render_doc_page(__doc__),
    tags=["account", "privacy"],
    params={
        "user": Param(
            type="string",
            minLength=1,
            maxLength=255,
            title="User",
            description="Whom to forget: the user_id in warehouse.dim_user. This cannot be undone.",
        ),
    },
):
    forget_user()
