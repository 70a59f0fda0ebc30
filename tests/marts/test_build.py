"""After late, repeated, corrected and deleted events, the marts equal those of a full refresh."""

from collections.abc import Iterator
from datetime import timedelta

import pytest
from sqlalchemy import text

from etl.database import connect
from etl.load import marts
from etl.load.marts import MartDefinition, build_marts, mark_changed_since
from launch import postgres
from tests.conftest import copy_database
from tests.load.star_frames import select_rows
from tests.marts.listening import (
    DEFINITION,
    FIRST_DAY,
    StarEvent,
    fetch_mart_rows,
    fill_dimensions,
    insert_events,
    make_events,
    parse_day,
    rebuild,
)
from tests.marts.sounds import add_track

_FILLED_BY_OTHERS = {
    "anomalous_day",
    "anomaly",
    "applied_artist_merge",
    "applied_exclusion",
    "applied_play_exclusion",
    "forecast",
    "forecast_champion",
    "forecast_refusal",
    "forecast_score",
    "forecast_series",
}
"""Tables of the marts that no build fills from these events."""


@pytest.fixture(scope="module")
def built(embedded_server: postgres.Server, migrated_template: str) -> Iterator[str]:
    """Yield the name of a database with events, whose marts are built."""
    with copy_database(embedded_server, migrated_template) as url:
        with connect(url) as connection:
            fill_dimensions(connection)
            insert_events(connection, make_events(1))
        assert rebuild(url)
        yield url.rsplit("/", 1)[-1]


@pytest.fixture
def url(embedded_server: postgres.Server, built: str) -> Iterator[str]:
    with copy_database(embedded_server, built) as url:
        yield url


def _assert_same_after_full_refresh(url: str) -> None:
    followed = fetch_mart_rows(url)
    assert rebuild(url, is_from_nothing=True)
    anew = fetch_mart_rows(url)
    for name, expected in anew.items():
        assert followed[name] == expected, name
    filled_by_builds = anew.keys() - _FILLED_BY_OTHERS
    assert not [name for name in filled_by_builds if not anew[name]], "a mart is empty"


def test_what_came_later_is_counted_as_if_it_had_always_been_there(url: str) -> None:
    with connect(url) as connection:
        insert_events(connection, make_events(2, days=80, size=300))
    assert not rebuild(url)
    _assert_same_after_full_refresh(url)


def test_where_most_is_new_everything_is_filled_at_once(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(marts, "_INCREMENTAL_DAY_LIMIT", 0)
    day_count = int(str(select_rows(url, "select count(*) as days from mart.listener_day")[0]["days"]))
    with connect(url) as connection:
        insert_events(connection, make_events(2, days=3, size=100))
    assert not rebuild(url), "fewer days than there are"
    with connect(url) as connection:
        insert_events(connection, make_events(3, days=80, size=5_000))
    assert select_rows(url, "select count(*) > :known as most from audit.changed_day", known=day_count) == [
        {"most": True}
    ]
    assert rebuild(url)
    _assert_same_after_full_refresh(url)


def test_nothing_new_writes_nothing(url: str) -> None:
    before = fetch_mart_rows(url)
    assert not rebuild(url)
    assert fetch_mart_rows(url) == before
    assert select_rows(url, "select count(*) as n from audit.changed_day") == [{"n": 0}]


CORRECTIONS: dict[str, str] = {
    "plays that are gone": "delete from warehouse.fact_event where ms_played = 210000 and user_key in (1, 2)",
    "a whole user's plays": "delete from warehouse.fact_event where user_key = 3",
    "first days of all": "delete from warehouse.fact_event where date_key < 20260105",
    "heard for longer": "update warehouse.fact_event set ms_played = 31000 where ms_played = 29999",
    "another track": (
        "update warehouse.fact_event set track_key = 5, artist_key = 2 where track_key = 1 and user_key = 4"
    ),
    "on another day": (
        "update warehouse.fact_event set local_time = local_time + interval '9 hours', local_hour ="
        " extract(hour from local_time + interval '9 hours') where user_key = 5"
    ),
    "a recording of two ids": "update warehouse.dim_track set recording_key = 1 where track_key = 2",
    "another cluster": "update warehouse.dim_track set audio_features_type = 2 where track_key in (1, 3)",
    "other genres": (
        "delete from warehouse.bridge_track_genre where track_key = 1;"
        "insert into warehouse.bridge_track_genre values (1, 3, 's', 0.7), (1, 1, 's', 0.3)"
    ),
    "an artist left out": "insert into warehouse.exclusion (kind, id) values ('artist', 'a1')",
    "a recording left out": "insert into warehouse.exclusion (kind, id) values ('track', 't12')",
    "a user left out": "insert into warehouse.exclusion (kind, id) values ('user', 'u2')",
}


@pytest.mark.parametrize("statements", CORRECTIONS.values(), ids=CORRECTIONS.keys())
def test_corrections_are_followed(url: str, statements: str) -> None:
    before = fetch_mart_rows(url)
    _execute_statements(url, statements)
    assert not rebuild(url)
    assert fetch_mart_rows(url) != before
    _assert_same_after_full_refresh(url)


@pytest.mark.parametrize("recording_key", [1, 12], ids=["joins another one", "stands alone"])
def test_a_recording_that_an_excluded_id_leaves_or_joins_is_left_out_or_not(url: str, recording_key: int) -> None:
    """Split the recording of tracks 11 and 12; the excluded id does not need to have plays."""
    _execute_statements(url, "delete from warehouse.fact_event where track_key = 12")
    _execute_statements(url, "insert into warehouse.exclusion (kind, id) values ('track', 't12')")
    assert not rebuild(url)
    exclusion_query = "select bool_or(is_excluded) as it from mart.counted_play where track_key = :track"
    assert select_rows(url, exclusion_query, track=11) == [{"it": True}]
    _execute_statements(url, f"update warehouse.dim_track set recording_key = {recording_key} where track_key = 12")
    assert not rebuild(url)
    assert select_rows(url, exclusion_query, track=11) == [{"it": False}]
    assert select_rows(url, exclusion_query, track=1) == [{"it": recording_key == 1}]
    _assert_same_after_full_refresh(url)


def test_a_late_play_that_lasts_for_hours_joins_the_sessions_that_begin_meanwhile(url: str) -> None:
    evening = FIRST_DAY.replace(hour=22, minute=30) + timedelta(days=60)
    with connect(url) as connection:
        insert_events(connection, [StarEvent(1, 3, evening + timedelta(hours=16, minutes=30), 1, 60_000)])
    assert not rebuild(url)
    with connect(url) as connection:
        insert_events(connection, [StarEvent(2, 3, evening, 2, 20 * 3_600_000)])
    assert not rebuild(url)
    sessions = "select events from mart.session where started_at >= :evening"
    assert select_rows(url, sessions, evening=evening) == [{"events": 2}]
    _assert_same_after_full_refresh(url)


def test_an_exclusion_that_is_taken_back_leaves_nothing_behind(url: str) -> None:
    before = fetch_mart_rows(url)
    _execute_statements(
        url, "insert into warehouse.exclusion (kind, id) values ('artist', 'a1'), ('track', 't5'), ('user', 'u2')"
    )
    rebuild(url)
    assert fetch_mart_rows(url) != before
    _execute_statements(url, "delete from warehouse.exclusion")
    assert not rebuild(url)
    assert fetch_mart_rows(url) == before


@pytest.mark.parametrize("definition", [MartDefinition(60_000, 30), MartDefinition(30_000, 10)])
def test_another_definition_builds_from_nothing(url: str, definition: MartDefinition) -> None:
    before = fetch_mart_rows(url)
    assert rebuild(url, definition=definition)
    assert fetch_mart_rows(url) != before
    assert rebuild(url)
    assert fetch_mart_rows(url) == before


def test_lists_end_after_a_hundred_and_who_leaves_makes_room(url: str) -> None:
    first = FIRST_DAY + timedelta(days=20)
    more_artists = (
        "insert into warehouse.dim_artist (artist_key, artist_id, name, source)"
        " select n, 'a' || n, 'a' || n, 's' from generate_series(5, 50) as n"
    )
    _execute_statements(url, f"delete from warehouse.fact_event; {more_artists}")
    with connect(url) as connection:
        for number in range(75, 131):
            add_track(connection, number)
        # Of 130 tracks the first 60 are played twice, the others once.
        tracks = [*range(1, 11), *range(13, 131), *range(1, 11), *range(13, 61)]
        insert_events(
            connection, [StarEvent(n, 1, first + timedelta(minutes=5 * n), t, 60_000) for n, t in enumerate(tracks)]
        )
    expected = sorted(set(tracks))
    lists = (
        "select recording_id as id from mart.wrapped_track where user_id = 'u1' and year = 2026 order by rank",
        "select item_id as id from mart.top_by_continent where kind = 'recording' and period = 'year'"
        " and place = 'South America' order by rank",
    )
    for gone in (0, 10):
        _execute_statements(url, f"delete from warehouse.fact_event where track_key <= {gone}")
        rebuild(url)
        for statement in lists:
            ids = [row["id"] for row in select_rows(url, statement)]
            assert ids == [f"t{number}" for number in expected if number > gone][:100]
        followed = fetch_mart_rows(url)
        rebuild(url, is_from_nothing=True)
        assert fetch_mart_rows(url) == followed


def test_days_can_be_built_again_without_being_touched(url: str) -> None:
    before = fetch_mart_rows(url)
    _execute_statements(url, "delete from mart.counted_play where local_date = '2026-01-20'")  # a damaged mart
    _execute_statements(url, "update mart.listener_day set plays = 0 where local_date = '2026-01-20'")
    with connect(url) as connection:
        mark_changed_since(connection, parse_day("2026-01-20"))
        build_marts(connection, DEFINITION)
    assert fetch_mart_rows(url)["listener_day"] == before["listener_day"]
    assert fetch_mart_rows(url)["counted_play"] == before["counted_play"]


def test_a_build_that_breaks_off_leaves_everything_as_it_was(url: str) -> None:
    before = fetch_mart_rows(url)
    with connect(url) as connection:
        insert_events(connection, make_events(3, size=100))
    with pytest.raises(ZeroDivisionError), connect(url) as connection:
        build_marts(connection, DEFINITION)
        raise ZeroDivisionError
    assert fetch_mart_rows(url) == before
    assert not rebuild(url)
    _assert_same_after_full_refresh(url)


def _execute_statements(url: str, statements: str) -> None:
    with connect(url) as connection:
        for statement in statements.split(";"):
            connection.execute(text(statement))
