"""
### Forget a user
Erases all data of a user from the accounts, the lake and the warehouse. **This cannot be undone.**

| where | what happens |
| --- | --- |
| sign-in | the account's file with its tokens is deleted first: the account is no longer read |
| lake | exports and API responses are deleted; feeds and other responses are rewritten without the user |
| star | the user's events, playlists with their history, and all versions of the user are deleted |
| audit | rejected rows, fetches and gaps are deleted; "somebody" replaces names in messages; counts stay |

The next refresh rebuilds the state of API resources from the remaining responses. A refresh or load that runs at the
same time may fail with a message and must be started again: start this DAG when none is running. `docs/production.md`
lists what is not covered: backups, Airflow's own records, imported source files, and Spotify itself.

**If it fails**: the last line of the log says why. Start it again with the same user; it continues with the rest.

**Is a rerun safe?** Yes. If no data of the user is left, nothing happens.
"""

from datetime import timedelta
from typing import Any

from airflow.sdk import DAG, Param, task
from airflow.sdk.exceptions import AirflowSkipException

from dags.common.params import render_doc_page
from dags.common.retries import build_default_args
from dags.common.run_context import get_run_id


@task(execution_timeout=timedelta(hours=6))
def forget_user(**context: Any) -> dict[str, int]:
    """Return the numbers of erased accounts, inputs and events."""
    from etl.jobs import erasure
    from etl.settings import read_settings

    erased_counts = erasure.forget_user(context["params"]["user"], get_run_id(context), read_settings())
    if not any(erased_counts.values()):
        raise AirflowSkipException("There is no data of a user with this id.")
    return erased_counts


with DAG(
    dag_id="forget_user",
    description="Erase all data of a user from the lake and the warehouse",
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
            description="The user_id in warehouse.dim_user of the user to erase. This cannot be undone.",
        ),
    },
):
    forget_user()
