"""The marts equal the results of another engine for the same events.

With a million events: ``EQUAL_EVENTS=1000000 pytest tests/marts/test_by_duckdb.py``.
"""

import os

import pytest
from sqlalchemy import text

from etl.database import connect
from launch import postgres
from tests.conftest import copy_database
from tests.marts.by_duckdb import DUCKDB_QUERIES, MART_QUERIES, query_duckdb, query_marts
from tests.marts.listening import fill_dimensions, insert_events, make_events, rebuild

EVENTS = int(os.environ.get("EQUAL_EVENTS", "2200"))


@pytest.fixture(scope="module")
def both_results(embedded_server: postgres.Server, migrated_template: str) -> tuple[dict, dict]:
    with copy_database(embedded_server, migrated_template) as url:
        with connect(url) as connection:
            users = 6 + EVENTS // 500
            fill_dimensions(connection, users)
            insert_events(connection, make_events(1, users=users, size=EVENTS * 2 // 3))
        rebuild(url)
        with connect(url) as connection:
            insert_events(connection, make_events(2, users=users, days=70, size=EVENTS // 3))
            connection.execute(
                text(
                    "insert into warehouse.exclusion (kind, id)"
                    " values ('artist', 'a3'), ('track', 't2'), ('user', 'u5')"
                )
            )
            connection.execute(text("delete from warehouse.fact_event where user_key = 2 and date_key < 20260110"))
            connection.execute(text("update warehouse.dim_track set recording_key = 4 where track_key = 6"))
        assert not rebuild(url)
        return query_duckdb(url), query_marts(url)


def test_every_question_is_asked_of_both() -> None:
    assert DUCKDB_QUERIES.keys() == MART_QUERIES.keys()


@pytest.mark.parametrize("name", DUCKDB_QUERIES)
def test_the_marts_say_what_another_engine_says(both_results: tuple[dict, dict], name: str) -> None:
    expected, actual = (results[name] for results in both_results)
    assert len(actual) > 5
    assert actual == expected
