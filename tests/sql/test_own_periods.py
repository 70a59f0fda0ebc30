"""Periods: a listener sees the own plays alone, an artist none, and the plan of a query shows neither."""

from collections.abc import Iterator

import psycopg2
import pytest

from launch import postgres
from tests.sql.role_warehouse import RoleWarehouse, create_role_warehouse, query

PLAYS = """
insert into mart.definition values (1000, 30, array[]::text []);

insert into mart.counted_play (
    event_time, listener_key, local_date, listening_context_key, track_key, artist_key, ms_played, local_hour,
    is_excluded, is_from_playlist
)
select '2026-11-02 12:00Z', n, '2026-11-02', 1, n, 1, 60000 * n, 12, false, false from generate_series(1, 8) as n;

insert into mart.counted_track (track_key, recording_key) select n, n from generate_series(1, 8) as n;

insert into mart.listener_year (
    first_play_at, ms_played, listener_key, plays, tracks, artists, new_artists, longest_streak_from,
    longest_streak_days, year
)
select '2026-11-02 12:00Z', 60000 * n, n, n, 1, 1, 1, '2026-11-02', 1, 2026 from generate_series(1, 8) as n;

create table warehouse.fact_spoken_event_2026_11
partition of warehouse.fact_spoken_event for values from ('2026-11-01') to ('2026-12-01');

insert into warehouse.fact_spoken_event (
    event_id, event_time, local_time, user_key, context_key, date_key, utc_date_key, ms_played, input_key, local_hour,
    is_skipped, is_home_time, spoken_id, show_name, activity_type, source
)
select
    gen_random_uuid(), '2026-11-02 12:00Z', '2026-11-02 12:00', n, 0, 20261102, 20261102, 120000 * n, 1, 12, false,
    true, 'spotify:episode:' || n, 'Show ' || n, 'PLAY', 'extended_export'
from generate_series(1, 8) as n;
"""
NOVEMBER = "'2026-11-01', '2026-11-30'"


@pytest.fixture(scope="module")
def warehouse(embedded_server: postgres.Server, migrated_template: str) -> Iterator[RoleWarehouse]:
    with create_role_warehouse(embedded_server, migrated_template) as role_warehouse:
        role_warehouse.as_loader(PLAYS)
        yield role_warehouse


@pytest.mark.parametrize(("kind", "user"), [("listener", 1), ("other", 2)])
def test_a_listener_sees_the_own_period_alone(warehouse: RoleWarehouse, kind: str, user: int) -> None:
    connection = warehouse.enter(kind)
    figures = query(connection, f"select plays, minutes_played, spoken_minutes from mart.my_period_figures({NOVEMBER})")
    names = query(connection, f"select kind, name from mart.my_period_top({NOVEMBER}, {NOVEMBER})")
    taste = query(connection, "select plays, minutes_played from mart.my_taste_figures(2026)")
    connection.close()
    assert taste == [(user, user)]
    assert figures == [(1, user, 2 * user)]
    assert names == [
        ("artist", "Artist 1"),
        ("genre", "g1"),
        ("show", f"Show {user}"),
        ("track", f"Secret song {user}"),
    ]


def test_an_analyst_sees_the_period_of_any_user(warehouse: RoleWarehouse) -> None:
    connection = warehouse.enter("analyst")
    assert query(connection, f"select minutes_played from mart.period_figures('u7', {NOVEMBER})") == [(7,)]
    assert query(connection, f"select name from mart.period_top('u7', {NOVEMBER}) where kind = 'show'") == [("Show 7",)]
    connection.close()


@pytest.mark.parametrize(
    ("kind", "call"),
    [
        ("listener", f"mart.period_figures('u2', {NOVEMBER})"),
        ("listener", f"mart.period_top('u1', {NOVEMBER})"),
        ("listener", f"mart.period_play('u1', {NOVEMBER})"),
        ("listener", "mart.spoken_play"),
        ("listener", "mart.taste_figures('u2', 2026)"),
        ("artist", "mart.my_taste_figures(2026)"),
        ("artist", f"mart.period_top('u1', {NOVEMBER})"),
        ("artist", f"mart.my_period_figures({NOVEMBER})"),
        ("artist", f"mart.my_period_top({NOVEMBER})"),
        ("analyst", f"mart.my_period_top({NOVEMBER})"),
    ],
)
def test_a_role_may_not_read_periods_of_others(warehouse: RoleWarehouse, kind: str, call: str) -> None:
    connection = warehouse.enter(kind)
    with pytest.raises(psycopg2.errors.InsufficientPrivilege):
        query(connection, f"select * from {call}")
    connection.close()


def test_a_plan_shows_no_rows_of_others(warehouse: RoleWarehouse) -> None:
    connection = warehouse.enter("listener")
    plan = query(connection, f"explain analyze select * from mart.my_period_top({NOVEMBER})")
    connection.close()
    assert "counted_play" not in str(plan) and "Function Scan on my_period_top" in str(plan).replace("mart.", "")
