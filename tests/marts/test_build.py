"""Whatever came late, twice, corrected or was taken back: the marts are as if built from nothing."""

from collections.abc import Callable

import pytest
from sqlalchemy import Connection, text

from etl.warehouse import connect
from tests.load.star_frames import table
from tests.marts.listening import DEFINITION, add, fill, held, rebuild, some


@pytest.fixture
def url(warehouse_url: str) -> str:
    with connect(warehouse_url) as connection:
        fill(connection)
        add(connection, some(1))
    rebuild(warehouse_url)
    return warehouse_url


def _same_from_nothing(url: str) -> None:
    followed = held(url)
    assert rebuild(url, is_from_nothing=True)
    anew = held(url)
    for name, expected in anew.items():
        assert followed[name] == expected, name
    assert all(expected for name, expected in anew.items() if name != "applied_exclusion")


def test_what_came_later_is_counted_as_if_it_had_always_been_there(url: str) -> None:
    with connect(url) as connection:
        add(connection, some(2, days=80, size=300))
    assert not rebuild(url)
    _same_from_nothing(url)


def test_nothing_new_writes_nothing(url: str) -> None:
    before = held(url)
    assert not rebuild(url)
    assert held(url) == before
    assert table(url, "select count(*) as n from audit.touched_day") == [{"n": 0}]
