"""The dates of a year's story use the listener's calendar."""

from collections.abc import Iterator
from datetime import UTC, datetime
from uuid import uuid4

import pytest
from streamlit.testing.v1 import AppTest

from dashboard.wrapped import describe_length
from etl.database import connect
from etl.load.access.logins import add_login
from etl.load.migrate import migrate_warehouse
from launch import postgres
from tests.conftest import copy_database, run_as_superuser
from tests.marts.listening import StarEvent, fill_dimensions, insert_events, rebuild

_IN_TOKYO = 5
_EVENTS = (
    StarEvent(1, _IN_TOKYO, datetime(2025, 12, 31, 14, 58, tzinfo=UTC), 1, 180_000),
    StarEvent(2, _IN_TOKYO, datetime(2025, 12, 31, 15, 2, tzinfo=UTC), 1, 180_000),
    StarEvent(3, _IN_TOKYO, datetime(2026, 1, 31, 15, 30, tzinfo=UTC), 1, 600_000),
)
"""A session across the turn of the year, and a longer one in the first hour of February."""


@pytest.fixture
def logins(embedded_server: postgres.Server, migrated_template: str) -> Iterator[list[tuple[str, str, str]]]:
    """Yield warehouse, name and password of an analyst and of the only listener with plays."""
    whose = {"analyst": None, "listener": f"u{_IN_TOKYO}"}
    names = {kind: f"{kind}_{uuid4().hex[:8]}" for kind in whose}
    with copy_database(embedded_server, migrated_template) as url:
        migrate_warehouse(url)  # privileges on a database are not copied with it
        with connect(url) as connection:
            fill_dimensions(connection)
            insert_events(connection, _EVENTS)
        rebuild(url)
        admin = embedded_server.build_url("postgres", url.rsplit("/", 1)[1])
        yield [(url, name, add_login(admin, kind, name, whose[kind])) for kind, name in names.items()]
    for name in names.values():
        run_as_superuser(embedded_server, f"drop role {name}")


def test_dates_are_the_listeners_own(logins: list[tuple[str, str, str]]) -> None:
    for login in logins:
        app = AppTest.from_function(_draw_story, args=login).run(timeout=60)
        assert not app.exception and not app.error
        texts = [element.value for element in app.markdown]
        assert "- It began on **1 January 2026**." in texts
        assert "- Your longest session lasted **10 minutes**, on 1 February 2026." in texts


@pytest.mark.parametrize(
    ("milliseconds", "words"),
    [
        (60_000, "1 minute"),
        (7_169_999, "119 minutes"),
        (7_170_000, "2 hours"),
        (38_580_130, "10 hours 43 min"),
    ],
)
def test_long_sessions_are_told_in_hours(milliseconds: int, words: str) -> None:
    assert describe_length(milliseconds) == words


def _draw_story(url: str, name: str, password: str) -> None:
    from dashboard.warehouse_reader import sign_in
    from dashboard.wrapped import PAGE

    PAGE.make_drawer(sign_in(url, name, password))()
