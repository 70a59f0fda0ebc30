"""
### Kaggle import
Brings Kaggle files into the lake, each by a task of its own: a file that cannot be used fails alone, and the last line
of its log names the file and what is wrong with it. Then, if the form says so, a nightly refresh publishes them.

Where the stand-in answers in Spotify's place, `seed_mock_api` gives it the imported catalogue to serve and signs its
accounts in.

| format | recognised by |
| --- | --- |
| `tracks_by_genre` | "Spotify Tracks Dataset" (dataset.csv): a row for each track and genre |
| `tracks_1921_2020`, `artists_1921_2020` | "Spotify Dataset 1921-2020, 600k+ Tracks": tracks.csv, artists.csv |
| `playlist_songs` | "30,000 Spotify Songs" (spotify_songs.csv): tracks with their playlists |
| `top_2000s` | "Top 2000s" (Spotify-2000.csv): no ids, found by name |
| `user_behavior` | "Spotify User Behavior" survey (xlsx or csv) |

Comma, semicolon, tab or bar; with or without BOM; decimal points or commas; also packed by gzip or zip. Of an archive
of several files each is imported by its columns; those of no known format are named and left out.

**Encoding**: Unicode tells itself. Any other one is a guess, which the log and the report name with some of the words
as they are read. Where they are wrong, choose the encoding here and import the file again; the choice holds for these
bytes from then on.

A file of which nearly every row would be refused is not imported: the message says how many, why, and gives examples.

**When it fails**, look at the failed files' logs; mend or leave out those files and start it again. The other files are
in the lake already and are published all the same. **Running it again** with the same files changes nothing; a file of
the same name and format takes the earlier one's place, also one that was there before and comes back.
"""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from airflow.providers.standard.operators.empty import EmptyOperator
from airflow.providers.standard.operators.trigger_dagrun import TriggerDagRunOperator
from airflow.sdk import DAG, Param, task
from airflow.sdk.exceptions import AirflowSkipException

from dags.common.defaults import KAGGLE_INPUTS, build_default_args, render_doc_page
from dags.common.run_context import get_run_id

ENCODINGS = [
    *("cp1252", "iso-8859-15", "cp1250", "cp1254", "iso-8859-2", "cp1257", "mac_roman", "cp850", "cp852"),
    *("cp1251", "koi8-r", "iso-8859-5", "cp866", "mac_cyrillic", "cp1253", "iso-8859-7", "cp1255", "cp1256", "cp874"),
    *("cp932", "gb18030", "big5", "cp949", "euc_jp", "iso-8859-1", "iso-8859-9", "iso-8859-13", "cp437", "koi8-u"),
    *("shift_jis", "euc_kr"),
]
FORMATS = ["tracks_by_genre", "tracks_1921_2020", "artists_1921_2020", "playlist_songs", "top_2000s", "user_behavior"]


@task
def find_files(**context: Any) -> list[str]:
    """Paths or URLs of the files to bring in."""
    from etl.settings import read_settings
    from simulator.jobs import catalogue_files

    return catalogue_files.find_or_write_files(context["params"]["path"], read_settings())


@task(outlets=[KAGGLE_INPUTS], map_index_template="{{ task.op_kwargs.path.rstrip('/').split('/')[-1].split('?')[0] }}")
def import_file(path: str, **context: Any) -> dict[str, Any]:
    """Name, format and number of rows of the file, now in the lake, and what was guessed or left out."""
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
    """How many accounts the stand-in has, now that it serves what was imported; a failed file does not stop it."""
    from etl.settings import read_settings

    if not read_settings().is_mock_api:
        raise AirflowSkipException("Spotify itself answers: there is no stand-in to be given anything.")
    from simulator.jobs import mock_api

    return mock_api.seed_mock_api(read_settings())


@task.short_circuit(trigger_rule="all_done")
def is_refresh_wanted(imported_files: Sequence[dict[str, Any]], **context: Any) -> bool:
    """Whether a file came in and the form asks for a refresh afterwards."""
    return bool(context["params"]["refresh"]) and len(imported_files or ()) > 0


with DAG(
    dag_id="kaggle_import",
    description="Bring Kaggle files into the lake",
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
            description="A file, a folder or a URL. Empty: what KAGGLE_PATH names, else the made-up catalogue. "
            "A URL with a token belongs into KAGGLE_PATH: Airflow keeps what a form says.",
        ),
        "format": Param(
            None,
            type=["null", "string"],
            enum=[None, *FORMATS],
            title="Format",
            description="Empty: found by the columns of each file.",
        ),
        "encoding": Param(
            "guess",
            type="string",
            enum=["guess", *ENCODINGS],
            title="Encoding",
            description="Of text that is no Unicode, by Python's names: cp1252 is Windows-1252 (Western Europe).",
        ),
        "refresh": Param(True, type="boolean", title="Refresh", description="Publish afterwards by a nightly refresh."),
    },
):
    imported_files = import_file.expand(path=find_files())
    seeded = seed_mock_api()
    imported_files >> seeded
    refresh_gate = is_refresh_wanted(imported_files)
    seeded >> refresh_gate >> TriggerDagRunOperator(task_id="start_refresh", trigger_dag_id="nightly_refresh")
    [imported_files, seeded] >> EmptyOperator(task_id="every_file_imported", trigger_rule="none_failed")
