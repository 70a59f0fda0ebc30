"""What the marts say is what another engine makes of the same events.

Of a million by hand: ``EQUAL_EVENTS=1000000 pytest tests/marts/test_by_duckdb.py``.
"""

import os

import pytest
from sqlalchemy import text

from etl.database import connect
from launch import postgres
from tests.conftest import database
from tests.marts.by_duckdb import ANSWERS, HELD, answers, held_answers
from tests.marts.listening import add, fill, rebuild, some

EVENTS = int(os.environ.get("EQUAL_EVENTS", "2200"))


@pytest.fixture(scope="module")
def both(embedded_server: postgres.Server, migrated_template: str) -> tuple[dict, dict]:
    with database(embedded_server, migrated_template) as url:
        with connect(url) as connection:
            users = 6 + EVENTS // 500
            fill(connection, users)
            add(connection, some(1, users=users, size=EVENTS * 2 // 3))
        rebuild(url)
        with connect(url) as connection:
            add(connection, some(2, users=users, days=70, size=EVENTS // 3))
            connection.execute(
                text(
                    "insert into warehouse.exclusion (kind, id)"
                    " values ('artist', 'a3'), ('track', 't2'), ('user', 'u5')"
                )
            )
            connection.execute(text("delete from warehouse.fact_event where user_key = 2 and date_key < 20260110"))
            connection.execute(text("update warehouse.dim_track set recording_key = 4 where track_key = 6"))
        assert not rebuild(url)
        return answers(url), held_answers(url)


def test_every_question_is_asked_of_both() -> None:
    assert ANSWERS.keys() == HELD.keys()


@pytest.mark.parametrize("name", ANSWERS)
def test_the_marts_say_what_another_engine_says(both: tuple[dict, dict], name: str) -> None:
    expected, found = (one[name] for one in both)
    assert len(found) > 5
    assert found == expected
