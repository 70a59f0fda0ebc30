"""
### Kaggle import
Brings Kaggle files into the lake, each by a task of its own: a file that cannot be used fails alone, and the last line
of its log names the file and what is wrong with it. Then, if the form says so, a nightly refresh publishes them.

Where the stand-in answers in Spotify's place, `stock_stand_in` gives it the imported catalogue to serve and signs its
accounts in.

| format | recognised by |
| --- | --- |
| `tracks_by_genre` | "Spotify Tracks Dataset" (dataset.csv): a row for each track and genre |
| `tracks_1921_2020`, `artists_1921_2020` | "Spotify Dataset 1921-2020, 600k+ Tracks": tracks.csv, artists.csv |
| `playlist_songs` | "30,000 Spotify Songs" (spotify_songs.csv): tracks with their playlists |
| `top_2000s` | "Top 2000s" (Spotify-2000.csv): no ids, found by name |
| `user_behavior` | "Spotify User Behavior" survey (xlsx or csv) |

Comma, semicolon, tab or bar; any encoding; with or without BOM; also zipped.

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

from dags.defaults import KAGGLE_INPUTS, default_args, page
from dags.runs import run_id_of

FORMATS = ["tracks_by_genre", "tracks_1921_2020", "artists_1921_2020", "playlist_songs", "top_2000s", "user_behavior"]


@task
def find_files(**context: Any) -> list[str]:
    """Paths or URLs of the files to bring in."""
    from etl.config import settings
    from etl.jobs import kaggle

    return kaggle.find_files(context["params"]["path"], settings())


@task(outlets=[KAGGLE_INPUTS], map_index_template="{{ task.op_kwargs.path.rstrip('/').split('/')[-1].split('?')[0] }}")
def import_file(path: str, **context: Any) -> dict[str, Any]:
    """Name, format and number of rows of the file, now in the lake."""
    from etl.config import settings
    from etl.jobs import kaggle

    return kaggle.import_file(
        path,
        context["params"]["format"],
        settings(),
        run_id=f"{run_id_of(context)}.{context['task_instance'].map_index}",
        received_at=context["dag_run"].run_after,
    )


@task(trigger_rule="all_done_min_one_success", inlets=[KAGGLE_INPUTS])
def stock_stand_in() -> int:
    """How many accounts the stand-in has, now that it serves what was imported; a failed file does not stop it."""
    from etl.config import settings

    if not settings().is_stand_in:
        raise AirflowSkipException("Spotify itself answers: there is no stand-in to be given anything.")
    from etl.jobs import stand_in

    return stand_in.stock_stand_in(settings())


@task.short_circuit(trigger_rule="all_done")
def is_refresh_wanted(imported: Sequence[dict[str, Any]], **context: Any) -> bool:
    """Whether a file came in and the form asks for a refresh afterwards."""
    return bool(context["params"]["refresh"]) and len(imported or ()) > 0


with DAG(
    dag_id="kaggle_import",
    description="Bring Kaggle files into the lake",
    schedule=None,
    catchup=False,
    max_active_runs=4,
    dagrun_timeout=timedelta(hours=6),
    default_args=default_args(),
    doc_md=page(__doc__),
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
        "refresh": Param(True, type="boolean", title="Refresh", description="Publish afterwards by a nightly refresh."),
    },
):
    imported = import_file.expand(path=find_files())
    stocked = stock_stand_in()
    imported >> stocked
    is_wanted = is_refresh_wanted(imported)
    stocked >> is_wanted >> TriggerDagRunOperator(task_id="start_refresh", trigger_dag_id="nightly_refresh")
    [imported, stocked] >> EmptyOperator(task_id="every_file_imported", trigger_rule="none_failed")
