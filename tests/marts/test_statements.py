"""What analysts and listeners state changes the marts as if the facts had always been so, and can be taken back."""

from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import text

from etl.database import connect
from etl.load.marts import has_changes
from launch import postgres
from tests.conftest import copy_database
from tests.load.star_frames import select_rows
from tests.marts.listening import DEFINITION, fetch_mart_rows, fill_dimensions, insert_events, make_events, rebuild

_CONTEXTS = """
insert into warehouse.dim_playlist (playlist_key, playlist_id, name, source)
select 90 + n, 'x' || n, 'List ' || n, 's' from generate_series(1, 2) as n;

insert into warehouse.dim_play_context (context_key, platform, is_incognito)
values (1, 'Speaker', false), (2, 'Speaker', true), (3, 'Phone', null);

update warehouse.fact_event
set playlist_key = coalesce(90 + nullif(ms_played % 7 % 3, 0), 0),
    context_key = extract(minute from event_time)::integer % 4
"""
_STATED = {"applied_play_exclusion", "applied_artist_merge"}


@pytest.fixture(scope="module")
def built(embedded_server: postgres.Server, migrated_template: str) -> Iterator[str]:
    """Yield the name of a database with events in playlists and contexts, whose marts are built."""
    with copy_database(embedded_server, migrated_template) as url:
        with connect(url) as connection:
            fill_dimensions(connection)
            insert_events(connection, make_events(1))
        _execute_statements(url, _CONTEXTS)
        assert rebuild(url)
        yield url.rsplit("/", 1)[-1]


@pytest.fixture
def url(embedded_server: postgres.Server, built: str) -> Iterator[str]:
    with copy_database(embedded_server, built) as url:
        yield url


EXCLUSIONS = {
    "a playlist": ("playlist_id => 'x1'", "playlist_key = 91"),
    "private sessions": ("is_private_session => true", "context_key = 2"),
    "a kind of device": ("device_type => 'TABLET'", "device_type = 'TABLET'"),
    "a device by its name": ("platform => 'Speaker'", "context_key in (1, 2)"),
    "an artist": ("artist_id => 'a2'", "artist_key = 2"),
    "a recording of two ids": ("track_id => 't12'", "track_key in (11, 12)"),
    "a range of days": (
        "first_date => '2026-01-02', last_date => '2026-01-20'",
        "local_time >= '2026-01-02' and local_time < '2026-01-21'",
    ),
    "all from a day on": ("first_date => '2026-01-02'", "local_time >= '2026-01-02'"),
    "a playlist in a private session until a day": (
        "playlist_id => 'x2', is_private_session => true, last_date => '2026-01-15'",
        "playlist_key = 92 and context_key = 2 and local_time < '2026-01-16'",
    ),
}


@pytest.mark.parametrize(("conditions", "fact_condition"), EXCLUSIONS.values(), ids=EXCLUSIONS.keys())
def test_what_is_left_out_is_counted_as_if_it_had_not_happened(
    embedded_server: postgres.Server, built: str, url: str, conditions: str, fact_condition: str
) -> None:
    before = fetch_mart_rows(url)
    facts = select_rows(url, "select count(*) as n from warehouse.fact_event")
    (row,) = select_rows(url, f"select mart.leave_out_plays('u1', {conditions}) as exclusion_id")
    with connect(url) as connection:
        assert has_changes(connection, DEFINITION)
    assert not rebuild(url)
    left_out = fetch_mart_rows(url)
    with copy_database(embedded_server, built) as other_url:
        _execute_statements(other_url, f"delete from warehouse.fact_event where user_key = 1 and {fact_condition}")
        assert not rebuild(other_url)
        _assert_equal(left_out, fetch_mart_rows(other_url))
    assert left_out["listener_day"] != before["listener_day"]
    assert rebuild(url, is_from_nothing=True)
    _assert_equal(fetch_mart_rows(url), left_out)
    assert select_rows(url, "select count(*) as n from warehouse.fact_event") == facts

    _execute_statements(url, f"select mart.count_plays_again({row['exclusion_id']})")
    assert not rebuild(url)
    assert fetch_mart_rows(url) == before
    with connect(url) as connection:
        assert not has_changes(connection, DEFINITION)


def test_events_that_come_later_are_left_out_too(url: str) -> None:
    _execute_statements(url, "select mart.leave_out_plays('u1', device_type => 'TABLET')")
    assert not rebuild(url)
    with connect(url) as connection:
        insert_events(connection, make_events(2, days=80, size=300))
    assert not rebuild(url)
    shown = "select count(*) as n from mart.play where user_id = :user and device_type = 'TABLET'"
    assert select_rows(url, shown, user="u1") == [{"n": 0}]
    assert select_rows(url, shown, user="u2") != [{"n": 0}]
    followed = fetch_mart_rows(url)
    assert rebuild(url, is_from_nothing=True)
    _assert_equal(fetch_mart_rows(url), followed)


def test_a_statement_waits_for_a_build_as_a_whole(url: str) -> None:
    before = select_rows(url, "select count(*) as n from mart.play where user_id = 'u1'")
    _execute_statements(url, "select mart.leave_out_plays('u1', playlist_id => 'x1')")
    assert select_rows(url, "select count(*) as n from mart.play where user_id = 'u1'") == before
    rebuild(url)
    assert select_rows(url, "select count(*) as n from mart.play where user_id = 'u1'") != before


@pytest.mark.parametrize("is_global", [False, True], ids=["for a user", "for all"])
def test_artists_that_are_one_are_counted_as_one(
    embedded_server: postgres.Server, built: str, url: str, is_global: bool
) -> None:
    """Merge 3 into 2 and 2 into 1, with an exclusion of artist 2 that has to follow; then take both back."""
    exclusion = (
        "insert into warehouse.exclusion (kind, id) values ('artist', 'a4')"
        if is_global
        else "select mart.leave_out_plays('u2', artist_id => 'a4')"
    )
    _execute_statements(url, exclusion)
    rebuild(url)
    before = fetch_mart_rows(url)
    for first, second in (("a2", "a3"), ("a1", "a2")):
        _execute_statements(url, f"select mart.state_match('artist', '{first}', '{second}')")
        assert not rebuild(url)
    merged = fetch_mart_rows(url)
    with copy_database(embedded_server, built) as other_url:
        _execute_statements(other_url, exclusion)
        _execute_statements(other_url, "update warehouse.fact_event set artist_key = 1 where artist_key in (2, 3)")
        rebuild(other_url)
        _assert_equal(merged, fetch_mart_rows(other_url))
    assert rebuild(url, is_from_nothing=True)
    _assert_equal(fetch_mart_rows(url), merged)
    _execute_statements(url, "select mart.state_match('artist', 'a4', 'a1')")
    assert not rebuild(url)
    followed = fetch_mart_rows(url)
    assert rebuild(url, is_from_nothing=True)
    _assert_equal(fetch_mart_rows(url), followed)
    for decision in ("3", "1", "2"):
        _execute_statements(url, f"select mart.revoke_decision({decision})")
        assert not rebuild(url)
    assert fetch_mart_rows(url) == before


def _assert_equal(actual: dict[str, list[tuple[Any, ...]]], expected: dict[str, list[tuple[Any, ...]]]) -> None:
    for name, rows in expected.items():
        if name not in _STATED:
            assert actual[name] == rows, name


def _execute_statements(url: str, statements: str) -> None:
    with connect(url) as connection:
        for statement in statements.split(";"):
            connection.execute(text(statement))
