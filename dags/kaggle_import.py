"""
### Kaggle import
Imports Kaggle files into the lake, each in a task of its own: a file with errors fails alone. Afterwards, if the form
says so, a nightly refresh publishes them.

With the mock Spotify API, `seed_mock_api` gives it the imported catalogue to serve and signs its accounts in.

| format | recognised by |
| --- | --- |
| `tracks_by_genre` | "Spotify Tracks Dataset" (dataset.csv): a row for each track and genre |
| `tracks_1921_2020`, `artists_1921_2020` | "Spotify Dataset 1921-2020, 600k+ Tracks": tracks.csv, artists.csv |
| `playlist_songs` | "30,000 Spotify Songs" (spotify_songs.csv): tracks with their playlists |
| `top_2000s` | "Top 2000s" (Spotify-2000.csv): no ids, matched by name |
| `user_behavior` | "Spotify User Behavior" survey (xlsx or csv) |

Separators: comma, semicolon, tab or bar; with or without BOM; decimal points or commas; also compressed by gzip or zip.
Each file of an archive is recognised by its columns; files of an unknown format are listed in the log and skipped.

**Encoding**: Unicode is detected reliably. Any other encoding is a guess: the log and the report show it with sample
words. If these are wrong, choose the encoding in the form and import the file again; the choice then applies to this
file for good.

A file with nearly all rows invalid is not imported: the message has the number of such rows, the reasons and examples.

**If it fails**: look at the logs of the failed files. The last line names the file and the error. Repair or remove
these files and start it again. The other files are already in the lake and are published.

**Is a rerun safe?** Yes. The same files change nothing. A file with the same name and format replaces the earlier one,
also if it is an older version that comes back.
"""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from airflow.providers.standard.operators.empty import EmptyOperator
from airflow.providers.standard.operators.trigger_dagrun import TriggerDagRunOperator
from airflow.sdk import DAG, Param, task
from airflow.sdk.exceptions import AirflowSkipException

from dags.common.assets import KAGGLE_INPUTS
from dags.common.params import render_doc_page
from dags.common.retries import build_default_args
from dags.common.run_context import get_run_id

ENCODINGS = [
    *("cp1252", "iso-8859-15", "cp1250", "cp1254", "iso-8859-2", "cp1257", "mac_roman", "cp850", "cp852"),
    *("cp1251", "koi8-r", "iso-8859-5", "cp866", "mac_cyrillic", "cp1253", "iso-8859-7", "cp1255", "cp1256", "cp874"),
    *("cp932", "gb18030", "big5", "cp949", "euc_jp", "iso-8859-1", "iso-8859-9", "iso-8859-13", "cp437", "koi8-u"),
    *("shift_jis", "euc_kr"),
]
FORMATS = ["tracks_1921_2020", "artists_1921_2020", "tracks_by_genre", "playlist_songs", "top_2000s", "user_behavior"]


@task
def find_files(**context: Any) -> list[str]:
    """Return the paths or URLs of the files to import."""
    from etl.settings import read_settings
    from simulator.jobs import catalogue_files

    return catalogue_files.find_or_write_files(context["params"]["path"], read_settings())


@task(outlets=[KAGGLE_INPUTS], map_index_template="{{ task.op_kwargs.path.rstrip('/').split('/')[-1].split('?')[0] }}")
def import_file(path: str, **context: Any) -> dict[str, Any]:
    """Import a file; return its name, format and number of rows, with guesses and skipped parts."""
    from etl.jobs import kaggle
    from etl.settings import read_settings

    return kaggle.import_file(
        path,
        context["params"]["format"],
        read_settings(),
        run_id=f"{get_run_id(context)}.{context['task_instance'].map_index}",
        received_at=context["dag_run"].run_after,
        encoding=None if context["params"]["encoding"] == "guess" else context["params"]["encoding"],
    )


@task(trigger_rule="all_done_min_one_success", inlets=[KAGGLE_INPUTS])
def seed_mock_api() -> int:
    """Give the mock API the imported catalogue; return its number of accounts. Failed files do not prevent this."""
    from etl.settings import read_settings

    if not read_settings().is_mock_api:
        raise AirflowSkipException("The real Spotify API is in use: there is no mock API to seed.")
    from simulator.jobs import mock_api

    return mock_api.seed_mock_api(read_settings())


@task.short_circuit(trigger_rule="all_done")
def is_refresh_wanted(imported_files: Sequence[dict[str, Any]], **context: Any) -> bool:
    """Return whether a file was imported and the form asks for a refresh."""
    return bool(context["params"]["refresh"]) and len(imported_files or ()) > 0


with DAG(
    dag_id="kaggle_import",
    description="Import Kaggle files into the lake",
    schedule=None,
    catchup=False,
    max_active_runs=4,
    dagrun_timeout=timedelta(hours=6),
    default_args=build_default_args(),
    doc_md=render_doc_page(__doc__),
    tags=["import", "kaggle"],
    params={
        "path": Param(
            None,
            type=["null", "string"],
            title="Path or URL",
            description="A file, a folder or a URL. Empty: KAGGLE_PATH, else the synthetic catalogue. "
            "Put a URL with a token into KAGGLE_PATH instead: Airflow stores the values of forms.",
        ),
        "format": Param(
            None,
            type=["null", "string"],
            enum=[None, *FORMATS],
            title="Format",
            description="Empty: detected by the columns of each file.",
        ),
        "encoding": Param(
            "guess",
            type="string",
            enum=["guess", *ENCODINGS],
            title="Encoding",
            description="Of text that is not Unicode, by Python's names: cp1252 is Windows-1252 (Western Europe).",
        ),
        "refresh": Param(
            True,
            type="boolean",
            title="Refresh",
            description="Start a nightly refresh afterwards, which publishes the files.",
        ),
    },
):
    imported_files = import_file.expand(path=find_files())
    seeded = seed_mock_api()
    imported_files >> seeded
    refresh_gate = is_refresh_wanted(imported_files)
    seeded >> refresh_gate >> TriggerDagRunOperator(task_id="start_refresh", trigger_dag_id="nightly_refresh")
    [imported_files, seeded] >> EmptyOperator(task_id="every_file_imported", trigger_rule="none_failed")
