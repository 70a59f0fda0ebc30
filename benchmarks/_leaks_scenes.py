"""What is done to the running product: good inputs, hostile ones, and each kind of failure that could tell a secret."""

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy import text

from benchmarks._leaks_inputs import HOSTILE
from etl import warehouse
from etl.errors import ActionNeededError
from etl.extract import feed
from etl.extract.kaggle import find_files, receive_file
from etl.lake import Lake
from launch.airflow_api import ENDED, AirflowApi
from launch.postgres import Server

_PATIENCE_SECONDS = 1800
_HARMFUL = " ".join((HOSTILE[0], HOSTILE[2], HOSTILE[3], HOSTILE[5]))
_FORMS: dict[str, tuple[str, dict[str, object]]] = {
    "kaggle_import": ("path", {"refresh": False}),
    "account_import": ("path", {"user": "ada", "timezone": "UTC"}),
    "account_import.timezone": ("timezone", {"path": "/nowhere", "user": "ada"}),
    "account_import.user": ("user", {"path": "/nowhere", "timezone": "UTC"}),
    "forget_user": ("user", {}),
    "simulate_feed.start": ("start", {}),
    "simulate_feed.mix": ("mix", {}),
    "build_marts.since": ("since", {"what": "since"}),
    "build_marts.what": ("what", {}),
    "maintenance": ("keep_days", {}),
    "fit_clusters": ("seed", {}),
}
"""The fields of forms that take a text, and those that should take none, with what else the form needs."""


def run(api: AirflowApi, dag_id: str, conf: Mapping[str, object]) -> str:
    """Start a DAG by its form and wait.

    :returns: how it ended.
    """
    return wait(api, [(dag_id, api.trigger(dag_id, conf))])[0]


def wait(api: AirflowApi, runs: list[tuple[str, str]]) -> list[str]:
    """Wait for runs.

    :returns: how they ended.
    """
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while True:
        states = [str(api.run(dag_id, run_id)["state"]) for dag_id, run_id in runs]
        if all(state in ENDED for state in states):
            return states
        if time.monotonic() > deadline:
            raise TimeoutError(f"{runs} are {states}")
        time.sleep(1)


def fill_forms(api: AirflowApi) -> tuple[int, int]:
    """Put a harmful text into each field of each form.

    :returns: how many runs Airflow let in, and how many it refused.
    """
    runs, refused = [], 0
    for place, (field, rest) in _FORMS.items():
        dag_id = place.partition(".")[0]
        value: object = {_HARMFUL: 1} if field == "mix" else _HARMFUL
        try:
            runs.append((dag_id, api.trigger(dag_id, {**rest, field: value})))
        except ActionNeededError:
            refused += 1
    wait(api, runs)
    return len(runs), refused


def bring_into_lake(state: Path, kaggle: Path, feeds: Path) -> None:
    """What the first refresh and the load of events after it find in the lake."""
    lake, now = Lake((state / "lake").as_uri()), datetime.now(UTC)
    for file in find_files(str(kaggle)):
        receive_file(file, None, lake, now)
    for file in feed.find_files(str(feeds)):
        feed.receive_file(file, lake, now)


@contextmanager
def other_password(server: Server, password: str) -> Iterator[None]:
    """The loader with another password than the product knows."""
    own = server.url("loader", "warehouse").split(":")[2].split("@")[0]
    with warehouse.connect(server.url("postgres", "warehouse")) as connection:
        connection.execute(text(f"alter role loader password '{password}'"))
    try:
        yield
    finally:
        with warehouse.connect(server.url("postgres", "warehouse")) as connection:
            connection.execute(text(f"alter role loader password '{own}'"))


def tables(url: str) -> list[str]:
    """All tables and views of ours with their columns: what hostile inputs must leave as it is."""
    statement = """
        select format('%I.%I.%I', table_schema, table_name, column_name) as name
        from information_schema.columns
        where table_schema in ('warehouse', 'mart', 'audit', 'simulation')
            and table_name !~ '_[0-9]{4}'
        order by 1
    """
    with warehouse.connect(url) as connection:
        return [str(row["name"]) for row in warehouse.rows(connection, statement)]


_COUNT = """
    select count(distinct h) as n
    from warehouse.{table_name} as t
    inner join unnest(cast(:hostile as text[])) as h on starts_with(t.{column_name}, h)
"""


def kept_word_for_word(url: str) -> dict[str, int]:
    """How many different hostile texts stand in each text column of the star as they came."""
    columns = """
        select table_name, column_name from information_schema.columns
        where table_schema = 'warehouse' and data_type = 'text' and table_name like 'dim%'
    """
    found = {}
    with warehouse.connect(url) as connection:
        for row in warehouse.rows(connection, columns):
            statement = _COUNT.format(**row)  # names from the database's own catalogue
            count = int(str(warehouse.rows(connection, statement, hostile=list(HOSTILE))[0]["n"]))
            if count:
                found[f"{row['table_name']}.{row['column_name']}"] = count
    return found
