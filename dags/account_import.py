"""
### Account import
Brings the listening history, saved tracks and playlists that Spotify sends on request (privacy page of the account)
into the lake, whole or not at all. Who asked for both kinds may import both: plays that both tell of are counted once.

| what was asked for | files that are read |
| --- | --- |
| Extended streaming history | `Streaming_History_*.json`, audio and video; once `endsong_*.json`: all, to the second |
| Account data | `StreamingHistory*.json`, music, podcasts and audiobooks: one year, to the minute, without ids |
| | `YourLibrary.json`: saved tracks and followed artists; `Playlist1.json`, `Playlist2.json`, … |

All other files (profile, searches, payments, …) are named in the log and never copied. IP addresses, login names and
user agents are removed before anything is written.

**When it fails**, the last line of the task's log names the file and what to do; nothing was kept. `docs/exports.md`
has each message with its cure. **Running it again** with the same export changes nothing; a later export of the same
listener adds what is new, and replaces the playlists. From a shell, `bin/import-history` does the same.
"""

from datetime import timedelta
from typing import Any

from airflow.sdk import DAG, Param, task

from dags.common.defaults import EXPORT_INPUTS, build_default_args, render_doc_page
from dags.common.run_context import get_run_id


@task(outlets=[EXPORT_INPUTS])
def import_account_export(**context: Any) -> dict[str, Any]:
    """The inputs that the export became, and what was left out of it."""
    from etl.jobs import account_import
    from etl.settings import read_settings

    return account_import.import_export(
        context["params"]["path"],
        context["params"]["user"],
        context["params"]["timezone"],
        read_settings(),
        received_at=context["dag_run"].run_after,
        run_id=get_run_id(context),
    )


with DAG(
    dag_id="account_import",
    description="Bring the listening history, saved tracks and playlists of an account export into the lake",
    schedule=None,
    catchup=False,
    max_active_runs=4,
    dagrun_timeout=timedelta(hours=2),
    default_args=build_default_args(),
    doc_md=render_doc_page(__doc__),
    tags=["import", "account"],
    params={
        "path": Param(
            type="string",
            minLength=1,
            title="Path",
            description="The zip file that Spotify sent, a folder of what it holds, or one of its files.",
        ),
        "user": Param(
            type="string",
            pattern="^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$",
            title="User",
            description="Whose history it is: the user_id in dim_user, else an id that you choose and keep to.",
        ),
        "timezone": Param(
            type="string",
            minLength=1,
            title="Timezone",
            description="Where the listener lives, as an IANA name, such as Europe/Berlin.",
        ),
    },
):
    import_account_export()
