"""The series that are forecast: what is known, what is zero, and what adds up."""

from collections import defaultdict
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from etl.database import connect, fetch_rows
from etl.formats.service_exports import SERVICE_FORMATS
from etl.load.forecasts import (
    LEVELS,
    SERIES_SCHEMA,
    KnownDays,
    find_known_days,
    find_last_closed_date,
    read_series,
)
from launch import postgres
from tests.conftest import copy_database
from tests.jobs.forecast_history import (
    AS_OF,
    FIRST_DAY,
    KNOWN_AT,
    fill_warehouse,
    list_days,
    make_listening,
    record_arrival,
    record_build,
    record_daily_feeds,
)
from tests.load.event_frames import NOON, Delivery, SourcePlay, load_events
from tests.load.star_frames import select_rows
from tests.marts.listening import fill_dimensions, insert_events, rebuild

SILENT = (date(2026, 2, 10), date(2026, 2, 11))
Series = dict[tuple[str, str, str, str], dict[date, float]]


def read_all(url: str, known_at: datetime = KNOWN_AT, limit: int = 100) -> tuple[KnownDays, Series]:
    with connect(url) as connection:
        known_days = find_known_days(connection, known_at)
        table = read_series(connection, LEVELS, limit)
    assert table.schema == SERIES_SCHEMA
    series: Series = defaultdict(dict)
    for row in table.to_pylist():
        series[row["metric"], row["grain"], row["level"], row["segment"]][row["target_date"]] = row["value"]
    return known_days, series


def at(day: date, hour: int = 0) -> datetime:
    return datetime(day.year, day.month, day.day, hour, tzinfo=UTC)


@pytest.fixture(scope="module")
def filled_url(embedded_server: postgres.Server, migrated_template: str) -> Iterator[str]:
    """Yield a warehouse with six listeners on three continents, and a feed for each day."""
    with copy_database(embedded_server, migrated_template) as url:
        fill_warehouse(url)
        yield url


def sum_by_date(url: str, value: str, condition: str = "true") -> dict[date, Any]:
    rows = select_rows(
        url, f"select local_date as day, {value} as value from mart.daily_engagement where {condition} group by 1"
    )
    return {row["day"]: float(row["value"]) for row in rows}


def test_totals_are_those_of_the_marts_on_known_days(filled_url: str) -> None:
    known_days, series = read_all(filled_url)
    days = list(list_days(FIRST_DAY + timedelta(days=1), AS_OF))
    assert known_days == KnownDays(len(days), days[0], days[-1])
    sessions, minutes = (sum_by_date(filled_url, value) for value in ("sum(sessions)", "sum(ms_played) / 60000.0"))
    users = {
        row["local_date"]: row["daily_users"] for row in select_rows(filled_url, "select * from mart.active_users")
    }
    for metric, expected in (("sessions", sessions), ("minutes", minutes), ("active_users", users)):
        assert series[metric, "day", "total", ""] == pytest.approx({day: expected[day] for day in days}), metric


def test_weeks_are_whole_and_add_up_but_for_users(filled_url: str) -> None:
    _, series = read_all(filled_url)
    mondays = [date(2025, 12, 8) + timedelta(weeks=number) for number in range(16)]  # the week of 30 March is open
    days = series["sessions", "day", "total", ""]
    assert series["sessions", "week", "total", ""] == {
        monday: sum(days[monday + timedelta(days=number)] for number in range(7)) for monday in mondays
    }
    weekly_users = {
        row["local_date"] - timedelta(days=6): row["weekly_users"]
        for row in select_rows(filled_url, "select * from mart.active_users")
    }
    assert series["active_users", "week", "total", ""] == {monday: weekly_users[monday] for monday in mondays}


def test_sessions_and_minutes_add_up_over_segments_and_users_are_counted_once(filled_url: str) -> None:
    _, series = read_all(filled_url)
    for metric in ("sessions", "minutes"):
        for level in ("continent", "plan", "continent_plan"):
            sums: dict[date, float] = defaultdict(float)
            for (name, grain, series_level, _), values in series.items():
                if (name, grain, series_level) == (metric, "day", level):
                    for day, value in values.items():
                        sums[day] += value
            assert sums == pytest.approx(series[metric, "day", "total", ""]), (metric, level)
    assert {key[3] for key in series if key[2] == "continent"} == {"Asia", "Europe", "South America"}
    assert {key[3] for key in series if key[2] == "continent_plan"} >= {"Asia/unknown", "Europe/free"}
    by_hand = select_rows(
        filled_url,
        "select count(distinct listener_key) as users from mart.listener_day join mart.listening_context"
        " using (listening_context_key) where local_date = '2026-02-02' and continent = 'Europe' and plays > 0",
    )
    assert series["active_users", "day", "continent", "Europe"][date(2026, 2, 2)] == by_hand[0]["users"] > 0


def test_listeners_and_artists_have_their_own(filled_url: str) -> None:
    _, series = read_all(filled_url)
    sessions = select_rows(
        filled_url,
        "select local_date as day, count(*) as value from mart.listening_session where user_id = 'u2' group by 1",
    )
    own = series["sessions", "day", "listener", "u2"]
    assert {day: value for day, value in own.items() if value} == {
        row["day"]: row["value"] for row in sessions if row["day"] in own
    }
    weeks = select_rows(filled_url, "select * from mart.artist_week where artist_key = 2")
    assert series["active_users", "week", "artist", "2"] == {
        row["week_start"]: row["listeners"]
        for row in weeks
        if date(2025, 12, 8) <= row["week_start"] <= date(2026, 3, 23)
    }
    plays = select_rows(
        filled_url,
        "select sum(ms_played) / 60000.0 as minutes from mart.counted_play"
        " where artist_key = 2 and local_date = '2026-02-02'",
    )
    assert series["minutes", "day", "artist", "2"][date(2026, 2, 2)] == pytest.approx(float(plays[0]["minutes"]))
    _, few = read_all(filled_url, limit=2)
    for level in ("artist", "listener"):
        assert len({key[3] for key in few if key[2] == level}) == 2


def test_a_day_is_known_once_it_is_over_everywhere_and_later_events_have_come(filled_url: str) -> None:
    for hour, last_day in ((11, date(2026, 3, 18)), (12, date(2026, 3, 19)), (23, date(2026, 3, 19))):
        known_days, series = read_all(filled_url, at(date(2026, 3, 20), hour))
        assert known_days.last_date == last_day
        assert max(series["minutes", "day", "total", ""]) == last_day


def make_warehouse(url: str, **options: Any) -> None:
    with connect(url) as connection:
        fill_dimensions(connection)
        insert_events(connection, make_listening(FIRST_DAY, date(2026, 3, 1), **options))
    rebuild(url)


def test_a_missing_feed_is_unknown_with_the_days_beside_it_and_a_silent_day_within_a_feed_is_zero(
    warehouse_url: str,
) -> None:
    make_warehouse(warehouse_url, silent_days=SILENT)
    record_daily_feeds(warehouse_url, FIRST_DAY, date(2026, 3, 1), missing=SILENT)
    unknown = {date(2026, 2, day) for day in (9, 10, 11, 12)}
    known_days, series = read_all(warehouse_url)
    days = set(series["sessions", "day", "total", ""])
    assert days == set(list_days(FIRST_DAY + timedelta(days=1), date(2026, 2, 28))) - unknown
    assert known_days.count == len(days)
    assert date(2026, 2, 9) not in series["sessions", "week", "total", ""]
    # An export that has all the days shows that nothing was played; but the feed still lacks them.
    record_arrival(warehouse_url, "extended_export", at(FIRST_DAY), at(date(2026, 3, 1), 23))
    assert set(read_all(warehouse_url)[1]["sessions", "day", "total", ""]) == days


def test_the_days_after_the_last_feed_are_unknown_even_if_another_source_has_them(warehouse_url: str) -> None:
    last = date(2026, 2, 8)
    make_warehouse(warehouse_url)
    record_daily_feeds(warehouse_url, FIRST_DAY, last)
    record_arrival(warehouse_url, "recently_played", at(last, 6), at(date(2026, 2, 20), 20))
    assert read_all(warehouse_url)[0].last_date == last - timedelta(days=1)
    # A feed of more than four weeks ago has ended.
    record_arrival(warehouse_url, "recently_played", at(date(2026, 2, 20), 6), at(date(2026, 3, 20), 20))
    assert read_all(warehouse_url)[0].last_date == date(2026, 3, 19)


def test_days_that_the_marts_do_not_have_are_unknown(warehouse_url: str) -> None:
    last = date(2026, 2, 8)
    make_warehouse(warehouse_url)
    record_daily_feeds(warehouse_url, FIRST_DAY, last)
    for day in (date(2026, 2, 9), date(2026, 2, 10)):
        record_arrival(warehouse_url, "feed", at(day), at(day, 23), is_built=False)
    assert read_all(warehouse_url)[0].last_date == last - timedelta(days=1)
    record_build(warehouse_url, at(date(2026, 2, 11)))
    assert read_all(warehouse_url)[0].last_date == date(2026, 2, 9)


@pytest.mark.parametrize("source", ["basic_export", *SERVICE_FORMATS])
def test_the_days_of_an_export_are_known_and_other_sources_bring_none(warehouse_url: str, source: str) -> None:
    make_warehouse(warehouse_url, users=1)
    record_arrival(warehouse_url, "saved_tracks", at(FIRST_DAY), at(date(2026, 3, 20), 23))
    assert read_all(warehouse_url)[0].count == 0
    record_arrival(warehouse_url, source, at(FIRST_DAY), at(date(2026, 3, 1), 23))
    assert read_all(warehouse_url)[0] == KnownDays(89, FIRST_DAY + timedelta(days=1), date(2026, 2, 28))
    with connect(warehouse_url) as connection:
        assert find_last_closed_date(connection, KNOWN_AT) == date(2026, 2, 28)


def test_a_listener_has_no_zeros_after_the_own_export(warehouse_url: str) -> None:
    make_warehouse(warehouse_url, users=2)
    select_rows(
        warehouse_url, "delete from warehouse.fact_event where user_key = 1 and local_time >= '2026-02-19' returning 1"
    )
    select_rows(warehouse_url, "update warehouse.fact_event set source = 'basic_export' where user_key = 1 returning 1")
    rebuild(warehouse_url, is_from_nothing=True)
    record_daily_feeds(warehouse_url, FIRST_DAY, date(2026, 3, 1))
    _, series = read_all(warehouse_url)
    own = [key for key in series if key[2:] == ("listener", "u1")]
    assert {max(series[key]) for key in own} == {date(2026, 2, 17), date(2026, 2, 9)}
    assert max(series["minutes", "day", "listener", "u2"]) == date(2026, 2, 28)
    # A user of the feed who stopped has zeros.
    select_rows(warehouse_url, "update warehouse.fact_event set source = 'feed' where user_key = 1 returning 1")
    own_minutes = read_all(warehouse_url)[1]["minutes", "day", "listener", "u1"]
    assert max(own_minutes) == date(2026, 2, 28) and own_minutes[date(2026, 2, 28)] == 0


def test_a_few_events_after_a_missing_feed_do_not_make_it_known(warehouse_url: str) -> None:
    def deliver(name: str, *days: int, straggler: int | None = None) -> None:
        plays = [SourcePlay(NOON + timedelta(days=day, seconds=100 * n)) for day in days for n in range(25)]
        plays += [SourcePlay(NOON + timedelta(days=straggler), track="late")] if straggler is not None else []
        load_events(warehouse_url, name, Delivery(name, tuple(plays)))

    def list_known_days() -> list[int]:
        select_rows(warehouse_url, "insert into mart.listened_days values (1, '{}') on conflict do nothing returning 1")
        record_build(warehouse_url, datetime.now(UTC))
        with connect(warehouse_url) as connection:
            find_known_days(connection, NOON + timedelta(days=60))
            rows = fetch_rows(connection, "select local_date from known_day order by 1")
        return [(row["local_date"] - NOON.date()).days for row in rows]  # type: ignore[operator]

    for number in range(1, 9):
        deliver(f"feed {number}", number)
    deliver("feed 12", 12, straggler=7)
    deliver("feed 13", 13, straggler=9)
    deliver("feed 14", 14)
    deliver("feed 15", 15)
    known = [2, 3, 4, 5, 6, 7, 13, 14]
    assert list_known_days() == known
    deliver("the missing days, and one more", 9, 10, 11, 16)
    assert list_known_days() == list(range(2, 16))


def test_a_feed_of_growing_days_covers_them_all_but_not_what_lies_before(warehouse_url: str) -> None:
    plays = [SourcePlay(NOON + timedelta(days=day, seconds=100 * n)) for day in range(8) for n in range(10 * day + 5)]
    load_events(warehouse_url, "r1", Delivery("r1", (*plays, SourcePlay(NOON - timedelta(days=9)))))
    (row,) = select_rows(warehouse_url, "select covered_days from audit.arrival")
    assert str(row["covered_days"]) == "{[2026-11-02,2026-11-10)}"


def test_a_silent_day_of_one_export_is_zero(warehouse_url: str) -> None:
    make_warehouse(warehouse_url, users=1, silent_days=SILENT)
    record_arrival(warehouse_url, "extended_export", at(FIRST_DAY), at(date(2026, 3, 1), 23))
    _, series = read_all(warehouse_url)
    own = series["minutes", "day", "listener", "u1"]
    assert [own[day] for day in SILENT] == [0, 0] and own == series["minutes", "day", "total", ""]


def test_a_gap_of_recent_plays_is_unknown_for_its_listener_with_the_days_beside_it(warehouse_url: str) -> None:
    make_warehouse(warehouse_url, users=2)
    for day in list_days(FIRST_DAY, date(2026, 3, 1)):
        record_arrival(warehouse_url, "recently_played", at(day, 6), at(day, 20), at(day - timedelta(days=1), 20))
    select_rows(warehouse_url, "update warehouse.fact_event set source = 'recently_played' returning 1")
    gap = "insert into audit.gap values ('u1', '2026-02-10 06:00Z', '2026-02-11 06:00Z', now(), 'r', null) returning 1"
    select_rows(warehouse_url, "insert into mart.listened_days values (99, '{}') returning 1")
    select_rows(warehouse_url, gap)
    lacking = {date(2026, 2, day) for day in (9, 10, 11, 12)}
    _, series = read_all(warehouse_url)
    assert set(series["minutes", "day", "total", ""]) - set(series["minutes", "day", "listener", "u1"]) == lacking
    assert series["minutes", "day", "listener", "u2"].keys() >= lacking
    # Half of the users or more.
    select_rows(warehouse_url, "delete from mart.listened_days where listener_key = 99 returning 1")
    assert not lacking & read_all(warehouse_url)[1]["minutes", "day", "total", ""].keys()


def test_an_excluded_user_is_in_no_series(warehouse_url: str) -> None:
    fill_warehouse(warehouse_url, users=3)
    _, before = read_all(warehouse_url)
    select_rows(warehouse_url, "insert into warehouse.exclusion (kind, id) values ('user', 'u3') returning 1")
    rebuild(warehouse_url)
    _, after = read_all(warehouse_url)
    total = ("sessions", "day", "total", "")
    own = before["sessions", "day", "listener", "u3"]
    assert ("sessions", "day", "listener", "u3") not in after
    assert after[total] == {day: value - own[day] for day, value in before[total].items()}


def test_an_artist_with_a_login_has_the_published_weeks_alone(warehouse_url: str) -> None:
    fill_warehouse(warehouse_url, users=3)
    select_rows(
        warehouse_url,
        "insert into audit.published_artist (artist_key, artist_id) values (2, 'a2') returning 1",
    )
    select_rows(
        warehouse_url,
        "insert into audit.published_artist_week (artist_key, week_start, plays, listeners) values"
        " (2, '2026-02-02', 30, 10), (2, '2026-02-16', 30, 15), (2, '-infinity', 50, 20), (2, '2026-03-30', 30, 5)"
        " returning 1",
    )
    _, series = read_all(warehouse_url)
    assert {key: values for key, values in series.items() if key[2] == "published_artist"} == {
        ("active_users", "week", "published_artist", "2"): {date(2026, 2, 2): 10, date(2026, 2, 16): 15}
    }


def test_only_two_years_of_plays_and_weeks_of_artists_are_read(warehouse_url: str) -> None:
    make_warehouse(warehouse_url, users=1)
    record_daily_feeds(warehouse_url, FIRST_DAY, date(2026, 3, 1))
    two_years_ago = date(2026, 2, 28) - timedelta(days=727)
    for day in (two_years_ago, two_years_ago - timedelta(days=1)):
        select_rows(
            warehouse_url,
            "insert into mart.counted_play select event_time, listener_key, :day, listening_context_key, track_key,"
            " artist_key, ms_played, local_hour, is_excluded, is_from_playlist from mart.counted_play"
            " where artist_key = 2 limit 1 returning 1",
            day=day,
        )
    for monday in ("2024-03-04", "2024-02-26"):
        select_rows(warehouse_url, f"insert into mart.artist_week values (2, '{monday}', 1, 1, 1, 1) returning 1")
    with connect(warehouse_url) as connection:
        find_known_days(connection, KNOWN_AT)
        read_series(connection, LEVELS, 100)
        oldest = "select grain, min(target_date) as day from observed_value where level = 'artist' group by 1"
        days = {row["grain"]: row["day"] for row in fetch_rows(connection, oldest)}
    assert days == {"day": two_years_ago, "week": date(2024, 3, 4)}


def test_an_empty_warehouse_has_no_series(warehouse_url: str) -> None:
    assert read_all(warehouse_url) == (KnownDays(0, None, None), {})
