"""
### Account import
Imports an account export into the lake: the listening history, saved tracks and playlists that Spotify sends on request
(privacy page of the account), or the history of another service. The import is atomic: all files or none. Several
exports may be imported; a play that several contain is counted once.

| kind of export | files that are read |
| --- | --- |
| Extended streaming history | `Streaming_History_*.json`, audio and video; formerly `endsong_*.json`; to the second |
| Account data | `StreamingHistory*.json`, music, podcasts and audiobooks. One year, to the minute, without ids |
| | `YourLibrary.json`: saved tracks and followed artists; `Playlist1.json`, `Playlist2.json`, … |
| ListenBrainz | the zip file of its export, or a file of listens |
| Last.fm | tables and JSON of the usual tools |
| Apple Music | `Apple Music Play Activity.csv`, also within Apple's zip files |
| YouTube Music | `watch-history.json` of Google Takeout |

All other files (profile, searches, payments, …) are listed in the log and not copied. IP addresses, login names and
user agents are removed before anything is written. Afterwards `load_events` starts by itself.

**If it fails**: read the last line of the task's log. It names the file and what to do; nothing was imported.
`docs/exports.md` explains each message.

**Is a rerun safe?** Yes. The same export changes nothing. A later export of the same listener adds what is new and
replaces the playlists. `bin/import-history` does the same from a shell.
"""

from datetime import timedelta
from typing import Any

from airflow.sdk import DAG, Param, task

from dags.common.assets import EXPORT_INPUTS
from dags.common.params import render_doc_page
from dags.common.retries import build_default_args
from dags.common.run_context import get_run_id


@task(outlets=[EXPORT_INPUTS])
def import_account_export(**context: Any) -> dict[str, Any]:
    """Import an export; return its inputs and the files that were skipped."""
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
    description="Import the listening history, saved tracks and playlists of an account export into the lake",
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
            description="The zip file that the service sent, a folder of its files, or one of them.",
        ),
        "user": Param(
            type="string",
            pattern="^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$",
            title="User",
            description="The listener's user_id in warehouse.dim_user, or a new id, which later exports use too.",
        ),
        "timezone": Param(
            type="string",
            minLength=1,
            title="Timezone",
            description="The listener's timezone as an IANA name, such as Europe/Berlin.",
        ),
    },
):
    import_account_export()
