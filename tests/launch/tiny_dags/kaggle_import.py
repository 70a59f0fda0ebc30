"""A small DAG that replaces the import: the same number of mapped tasks, one of which fails if the path requests it."""

import os

from airflow.sdk import DAG, Param, get_current_context, task

from etl.errors import ActionNeededError


@task
def find_files():
    return ["good.csv", "bad.csv"] if os.environ.get("KAGGLE_PATH") == "http://bad" else ["good.csv"]


@task(map_index_template="{{ file_name }}")
def import_file(path):
    get_current_context()["file_name"] = path
    if path.startswith("bad"):
        raise ActionNeededError(f"{path} is no file that we know.")


with DAG(
    "kaggle_import",
    schedule=None,
    params={
        "path": Param(None, type=["null", "string"]),
        "format": Param(None, type=["null", "string"]),
        "refresh": False,
    },
):
    import_file.expand(path=find_files())
