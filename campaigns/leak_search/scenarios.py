"""Actions on the running product: good inputs, hostile ones, and each kind of failure that could reveal a secret."""

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy import text

from campaigns.leak_search.hostile_inputs import HOSTILE_TEXTS
from etl import database
from etl.errors import ActionNeededError
from etl.extract import feed
from etl.extract.kaggle import receive_file
from etl.extract.source_files import find_files
from etl.storage.lake import Lake
from launch.airflow_api import ENDED_STATES, AirflowApi
from launch.postgres import Server

_RUN_TIMEOUT_SECONDS = 1800
_HOSTILE_TEXT = " ".join((HOSTILE_TEXTS[0], HOSTILE_TEXTS[2], HOSTILE_TEXTS[3], HOSTILE_TEXTS[5]))
_FORM_FIELDS: dict[str, tuple[str, dict[str, object]]] = {
    "kaggle_import": ("path", {"refresh": False}),
    "account_import": ("path", {"user": "ada", "timezone": "UTC"}),
    "account_import.timezone": ("timezone", {"path": "/nowhere", "user": "ada"}),
    "account_import.user": ("user", {"path": "/nowhere", "timezone": "UTC"}),
    "forget_user": ("user", {}),
    "simulate_feed.start": ("start", {}),
    "simulate_feed.mix": ("mix", {}),
    "build_marts.since": ("since", {"scope": "since"}),
    "build_marts.scope": ("scope", {}),
    "maintenance": ("keep_days", {}),
    "fit_clusters": ("seed", {}),
}
"""The form fields that accept a text, and those that should accept none, with the other fields that the form needs."""


def run_dag(api: AirflowApi, dag_id: str, conf: Mapping[str, object]) -> str:
    """Start a DAG with form values and wait.

    :returns: the final state of the run.
    """
    return wait_for_runs(api, [(dag_id, api.start_run(dag_id, conf))])[0]


def wait_for_runs(api: AirflowApi, runs: list[tuple[str, str]]) -> list[str]:
    """Wait for runs.

    :returns: the final states of the runs.
    """
    deadline = time.monotonic() + _RUN_TIMEOUT_SECONDS
    while True:
        states = [str(api.get_run(dag_id, run_id)["state"]) for dag_id, run_id in runs]
        if all(state in ENDED_STATES for state in states):
            return states
        if time.monotonic() > deadline:
            raise TimeoutError(f"{runs} are {states}")
        time.sleep(1)


def fill_forms(api: AirflowApi) -> tuple[int, int]:
    """Submit a harmful text in each field of each form.

    :returns: the number of runs that Airflow accepted, and the number that it rejected.
    """
    runs, rejected_count = [], 0
    for form_name, (field, other_fields) in _FORM_FIELDS.items():
        dag_id = form_name.partition(".")[0]
        value: object = {_HOSTILE_TEXT: 1} if field == "mix" else _HOSTILE_TEXT
        try:
            runs.append((dag_id, api.start_run(dag_id, {**other_fields, field: value})))
        except ActionNeededError:
            rejected_count += 1
    wait_for_runs(api, runs)
    return len(runs), rejected_count


def receive_inputs(state: Path, kaggle: Path, feeds: Path) -> None:
    """Receive the inputs of the first refresh and of the load of events after it into the lake."""
    lake, now = Lake((state / "lake").as_uri()), datetime.now(UTC)
    for file in find_files(str(kaggle)):
        receive_file(file, None, lake, now)
    for file in feed.find_files(str(feeds)):
        feed.receive_file(file, lake, now)


@contextmanager
def change_password(server: Server, password: str) -> Iterator[None]:
    """Give the loader another password than the product has, until the context ends."""
    original_password = server.build_url("loader", "warehouse").split(":")[2].split("@")[0]
    with database.connect(server.build_url("postgres", "warehouse")) as connection:
        connection.execute(text(f"alter role loader password '{password}'"))
    try:
        yield
    finally:
        with database.connect(server.build_url("postgres", "warehouse")) as connection:
            connection.execute(text(f"alter role loader password '{original_password}'"))


def list_columns(url: str) -> list[str]:
    """Return all tables and views of the product with their columns, which hostile inputs must not change."""
    statement = """
        select format('%I.%I.%I', table_schema, table_name, column_name) as name
        from information_schema.columns
        where table_schema in ('warehouse', 'mart', 'audit', 'simulation')
            and table_name !~ '_[0-9]{4}'
        order by 1
    """
    with database.connect(url) as connection:
        return [str(row["name"]) for row in database.fetch_rows(connection, statement)]


_COUNT_QUERY = """
    select count(distinct h) as n
    from warehouse.{table_name} as t
    inner join unnest(cast(:hostile as text[])) as h on starts_with(t.{column_name}, h)
"""


def count_unchanged_texts(url: str) -> dict[str, int]:
    """Return the number of different hostile texts in each text column of the star that are unchanged."""
    columns = """
        select table_name, column_name from information_schema.columns
        where table_schema = 'warehouse' and data_type = 'text' and table_name like 'dim%'
    """
    counts = {}
    with database.connect(url) as connection:
        for row in database.fetch_rows(connection, columns):
            statement = _COUNT_QUERY.format(**row)  # names from the database's own catalogue
            count = int(str(database.fetch_rows(connection, statement, hostile=list(HOSTILE_TEXTS))[0]["n"]))
            if count:
                counts[f"{row['table_name']}.{row['column_name']}"] = count
    return counts
