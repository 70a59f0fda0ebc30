"""Loads of events in parallel, alongside readers, and with content that must not be published."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from functools import partial
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection, text
from tenacity import nap

from etl.database import connect, fetch_rows, lock_warehouse, make_engine, record_external_failure, run_records
from etl.errors import CheckFailedError, TryAgainError
from etl.load import event_load
from launch import postgres
from tests.conftest import copy_database
from tests.load.event_frames import NOON, Delivery, SourcePlay, StepHooks, load_events, make_user_record
from tests.load.star_frames import compute_checksums, compute_star_checksums, select_rows

EVENTS = """
    select e.event_id, e.event_time, u.user_id, u.valid_from, t.track_id, e.local_time, e.source
    from warehouse.fact_event as e
    join warehouse.dim_user as u using (user_key)
    join warehouse.dim_track as t using (track_key)
    order by e.event_id
"""
OCTOBER = NOON.replace(month=10)
OLD = Delivery("00", (SourcePlay(OCTOBER), SourcePlay(NOON, "u9", "track-9")))
"""The events of two months of the star."""


def make_delivery(name: str, *times: datetime, **values: Any) -> Delivery:
    return Delivery(name, tuple(SourcePlay(time, **values) for time in times))


def make_minutes(count: int, first: datetime = NOON) -> list[datetime]:
    return [first + timedelta(minutes=number) for number in range(count)]


@contextmanager
def open_reader(url: str, isolation: str = "READ COMMITTED") -> Iterator[Connection]:
    """Open a reader in a long transaction."""
    with make_engine(url).connect().execution_options(isolation_level=isolation) as connection:
        connection.execute(text("set local lock_timeout = '2s'"))
        yield connection


# Two loads in parallel


def test_two_loads_of_the_same_inputs_at_once_give_the_rows_of_one_after_the_other(
    embedded_server: postgres.Server, migrated_template: str
) -> None:
    inputs = (make_delivery("aa", *make_minutes(3), OCTOBER), make_delivery("bb", *make_minutes(5), track="track-2"))
    with copy_database(embedded_server, migrated_template) as url:
        load_events(url, "r1", *inputs)
        load_events(url, "r2", *inputs)
        expected, events_expected = compute_checksums(url), select_rows(url, EVENTS)
    with copy_database(embedded_server, migrated_template) as url:
        load_at_once(url, ("r1", inputs), ("r2", inputs))
        checksums = compute_checksums(url)
        assert select_rows(url, EVENTS) == events_expected
        # Either run may be the second one, which loads no new events.
        assert {name for name in checksums if checksums[name] != expected[name]} <= {"audit.row_count", "audit.arrival"}
        query = "select sum(rows_loaded) as loaded, sum(rows_duplicate) as repeated from audit.row_count"
        assert select_rows(url, query) == [{"loaded": 9, "repeated": 9}]


def test_the_same_run_twice_at_once_is_done_once(warehouse_url: str) -> None:
    inputs = (make_delivery("aa", *make_minutes(3)),)
    written = load_at_once(warehouse_url, ("r1", inputs), ("r1", inputs))
    assert sorted(map(len, written)) == [0, 1]
    assert len(select_rows(warehouse_url, EVENTS)) == 3


def test_two_loads_of_different_inputs_at_once_give_the_events_of_one_after_the_other(
    embedded_server: postgres.Server, migrated_template: str
) -> None:
    first = (
        make_delivery("aa", *make_minutes(3), OCTOBER),
        Delivery("cc", users=(make_user_record("u1", NOON, country="DE"),)),
    )
    second = (make_delivery("bb", *make_minutes(4), user="u2"), make_delivery("dd", *make_minutes(2)))
    with copy_database(embedded_server, migrated_template) as url:
        load_events(url, "r1", *first)
        load_events(url, "r2", *second)
        expected = select_rows(url, EVENTS)
    with copy_database(embedded_server, migrated_template) as url:
        load_at_once(url, ("r1", first), ("r2", second))
        assert select_rows(url, EVENTS) == expected
        assert len(expected) == 8


def load_at_once(url: str, *loads: tuple[str, tuple[Delivery, ...]]) -> list[dict[str, int]]:
    with ThreadPoolExecutor(len(loads)) as pool:
        futures = [pool.submit(load_events, url, run_id, *inputs) for run_id, inputs in loads]
        return [future.result() for future in futures]


# Readers


@pytest.mark.parametrize("isolation", ["READ COMMITTED", "REPEATABLE READ"])
def test_a_reader_and_a_load_of_a_new_month_do_not_wait_for_each_other(warehouse_url: str, isolation: str) -> None:
    load_events(warehouse_url, "r1", OLD)
    with open_reader(warehouse_url, isolation) as connection:
        before = fetch_rows(connection, EVENTS)
        inputs = (make_delivery("aa", *make_minutes(2), NOON.replace(month=9), NOON.replace(month=12)),)

        def check_reader(step: str) -> None:
            if step != "publish_events":
                assert fetch_rows(connection, EVENTS) == before

        load_events(warehouse_url, "r2", *inputs, steps=StepHooks(check_reader))
        rows_seen = fetch_rows(connection, EVENTS)
    after = select_rows(warehouse_url, EVENTS)
    assert len(after) == len(before) + 4
    assert rows_seen == (before if isolation == "REPEATABLE READ" else after)


def test_a_load_waits_for_who_holds_the_table_tries_again_and_gets_through(
    warehouse_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    load_events(warehouse_url, "r1", OLD)
    monkeypatch.setattr(event_load, "_LOCK_TIMEOUT", "200ms")
    tries: list[int] = []
    with open_reader(warehouse_url) as holder:

        def lock_table(step: str) -> None:
            if step == "stage_events":
                holder.execute(text("lock table warehouse.fact_event in share update exclusive mode"))

        def release_lock(seconds: float) -> None:
            assert len(fetch_rows(holder, EVENTS)) == 2
            assert len(select_rows(warehouse_url, EVENTS)) == 2, "another reader waits or sees a half"
            tries.append(1)
            if len(tries) == 2:
                holder.rollback()

        monkeypatch.setattr(nap, "time", SimpleNamespace(sleep=release_lock))
        inputs = (make_delivery("aa", *make_minutes(2), NOON.replace(month=12)),)
        assert load_events(warehouse_url, "r2", *inputs, steps=StepHooks(lock_table)) == {"fact_event": 3}
    assert len(tries) >= 2  # autovacuum may hold the lock again
    assert len(select_rows(warehouse_url, EVENTS)) == 5


# Checks


@pytest.mark.parametrize("row_count", [3, 5])
def test_a_row_that_is_not_accounted_for_leaves_the_facts_as_they_were(warehouse_url: str, row_count: int) -> None:
    load_events(warehouse_url, "r1", OLD)
    before = select_rows(warehouse_url, EVENTS)
    wrong = Delivery("aa", tuple(SourcePlay(time) for time in (*make_minutes(3), OCTOBER)), row_count=row_count)
    with pytest.raises(CheckFailedError, match="rows_add_up"):
        load_events(warehouse_url, "r2", wrong)
    assert select_rows(warehouse_url, EVENTS) == before
    (run,) = select_rows(warehouse_url, "select result, message from audit.run where run_id = 'r2'")
    assert run["result"] == "failed" and "rows_add_up" in run["message"]
    right = Delivery("aa", wrong.events)
    assert load_events(warehouse_url, "r2", right) == {"fact_event": 3}, "October's is known"


RUNS = "select run_id, result, message from audit.run order by run_id"


def test_a_try_that_waits_in_vain_says_nothing_of_the_try_that_it_waited_for(
    warehouse_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(run_records, "lock_warehouse", partial(lock_warehouse, wait_seconds=0))

    def try_beside(step: str) -> None:
        if step == "members":
            for name in ("r1", "r2"):
                with pytest.raises(TryAgainError):
                    load_events(warehouse_url, name, OLD)
            first, second = (tuple(row.values()) for row in select_rows(warehouse_url, RUNS))
            assert first == ("r1", "running", None)
            assert second[1] == "failed" and "had it locked" in second[2]

    load_events(warehouse_url, "r1", OLD, steps=StepHooks(after=try_beside))


def test_a_published_run_has_no_sentence_of_a_failure(warehouse_url: str) -> None:
    def cut_short(step: str) -> None:
        if step == "members":
            with connect(warehouse_url) as connection:
                record_external_failure(connection, "r1", "load_events", datetime.now(UTC), "It was cut short.")

    load_events(warehouse_url, "r1", OLD, steps=StepHooks(after=cut_short))
    assert select_rows(warehouse_url, RUNS) == [{"run_id": "r1", "result": "published", "message": None}]


def test_an_event_that_was_lost_or_doubled_on_the_way_is_noticed(warehouse_url: str) -> None:
    load_events(warehouse_url, "r1", OLD)
    before = compute_star_checksums(warehouse_url)
    complete = make_delivery("aa", *make_minutes(3))
    for wrong in (Delivery("aa", complete.events[:2], row_count=3), Delivery("aa", complete.events * 2, row_count=3)):
        with pytest.raises(CheckFailedError, match="rows_add_up"):
            load_events(warehouse_url, "r2", wrong)
        assert compute_star_checksums(warehouse_url)["warehouse.fact_event"] == before["warehouse.fact_event"]


def test_the_last_and_the_first_moment_of_months_lie_in_theirs(warehouse_url: str) -> None:
    last = datetime(2025, 12, 31, 23, 59, 59, 999000, tzinfo=UTC)
    load_events(warehouse_url, "r1", make_delivery("aa", last, last + timedelta(milliseconds=1)))
    load_events(warehouse_url, "r2", make_delivery("bb", last, last + timedelta(milliseconds=1), user="u2"))
    rows = select_rows(
        warehouse_url,
        "select tableoid::regclass::text as part, count(*) as size from warehouse.fact_event group by 1 order by 1",
    )
    assert [tuple(row.values()) for row in rows] == [
        ("warehouse.fact_event_2025_12", 2),
        ("warehouse.fact_event_2026_01", 2),
    ]


# One play that two sources report


def test_a_later_play_a_day_after_does_not_bring_back_what_was_dropped(warehouse_url: str) -> None:
    retained = SourcePlay(NOON, seconds=60, source="extended_export")
    dropped = SourcePlay(NOON + timedelta(seconds=50), seconds=60, source="basic_export")
    load_events(warehouse_url, "r1", Delivery("aa", (retained,)), Delivery("bb", (dropped,)))
    assert [row["source"] for row in select_rows(warehouse_url, EVENTS)] == ["extended_export"]
    # Close enough to one play, not to the other.
    for number, second in enumerate((25, 75)):
        later = SourcePlay(NOON + timedelta(days=1, seconds=second), source="extended_export", track="track-2")
        load_events(warehouse_url, f"later {number}", Delivery(f"c{number}", (later,)))
    assert [row["source"] for row in select_rows(warehouse_url, EVENTS)] == ["extended_export"] * 3


# Versions of users

_DAY = st.integers(0, 3).map(lambda day: NOON + timedelta(days=day))
_RECORD = st.fixed_dictionaries(
    {
        "user_id": st.sampled_from(["u1", "u2"]),
        "valid_from": _DAY,
        "source": st.sampled_from(["feed", "account_export"]),
        "username": st.sampled_from([None, "Ann", "Bea"]),
        "country": st.sampled_from([None, "DE", "US"]),
        "continent": st.sampled_from([None, "Europe", "America"]),
        "timezone": st.sampled_from([None, "Asia/Tokyo", "America/New_York"]),
        "subscription_plan": st.sampled_from([None, "free", "premium"]),
    }
)
_VERSIONS = """
    select user_id, valid_from::text, valid_to::text, username, country, continent, timezone, subscription_plan, source
    from warehouse.dim_user
    where user_key > 0
    order by user_id, valid_from
"""
_NOT_VALID = """
    select *
    from warehouse.fact_event as e
    left join warehouse.dim_user as u using (user_key)
    where (e.event_time >= u.valid_from and e.event_time < u.valid_to
        and e.local_time = e.event_time at time zone coalesce(u.timezone, 'UTC')
        and e.date_key = to_char(e.local_time, 'yyyymmdd')::integer) is not true
"""
_OVERLAPPING = """
    select user_id
    from (
        select *, lead(valid_from) over (partition by user_id order by valid_from) as next
        from warehouse.dim_user
    ) as u
    where user_key > 0 and valid_to is distinct from coalesce(next, 'infinity')
"""


@settings(max_examples=6, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    records=st.lists(_RECORD, min_size=1, max_size=8),
    order=st.randoms(use_true_random=False),
    batches=st.integers(1, 4),
)
def test_versions_of_users_are_the_same_in_whatever_order_and_batches_their_records_come(
    embedded_server: postgres.Server, migrated_template: str, records: list[dict[str, Any]], order: Any, batches: int
) -> None:
    plays = [SourcePlay(NOON + timedelta(days=day, hours=1), name) for day in range(-1, 7) for name in ("u1", "u2")]
    with copy_database(embedded_server, migrated_template) as url:
        load_events(url, "all", Delivery("plays", tuple(plays)), Delivery("users", users=tuple(records)))
        expected, events_expected = select_rows(url, _VERSIONS), select_rows(url, EVENTS)
    shuffled = order.sample(records, len(records))
    with copy_database(embedded_server, migrated_template) as url:
        for number in range(batches):
            load_events(
                url,
                f"r{number}",
                Delivery(f"plays {number}", tuple(plays[number::batches])),
                Delivery(f"users {number}", users=tuple(shuffled[number::batches])),
            )
            assert not select_rows(url, _OVERLAPPING)
            assert not select_rows(url, _NOT_VALID)
        assert select_rows(url, _VERSIONS) == expected
        assert select_rows(url, EVENTS) == events_expected


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 1, 0)])
def test_of_two_things_said_of_a_user_at_one_moment_it_does_not_matter_which_came_first(
    warehouse_url: str, order: tuple[int, ...]
) -> None:
    updates = (
        make_user_record("u1", NOON, country="DE", continent="Europe"),
        make_user_record("u1", NOON, country="US", continent="America", username="Ann"),
        make_user_record("u1", NOON, subscription_plan="free"),
    )
    for number in order:
        load_events(warehouse_url, f"r{number}", Delivery(f"u{number}", users=(updates[number],)))
    (row,) = select_rows(warehouse_url, _VERSIONS)
    assert (row["country"], row["continent"]) == ("US", "America")
    assert (row["username"], row["subscription_plan"]) == ("Ann", "free")


def test_a_clock_that_the_server_does_not_know_stops_no_load(warehouse_url: str) -> None:
    users = (
        make_user_record("u1", NOON, timezone="Mars/Olympus"),
        make_user_record("u1", NOON + timedelta(days=1), timezone="Asia/Tokyo"),
        make_user_record("u2", NOON, timezone="Mars/Olympus"),
    )
    load_events(warehouse_url, "r1", make_delivery("aa", NOON), make_delivery("bb", NOON, user="u2"))
    load_events(warehouse_url, "r2", Delivery("cc", users=users))
    hours = {row["user_id"]: row["local_time"].hour for row in select_rows(warehouse_url, EVENTS)}
    assert hours == {"u1": 21, "u2": 12}


# Dimension members of events


def test_what_one_event_does_not_say_of_a_track_another_does(
    embedded_server: postgres.Server, migrated_template: str
) -> None:
    plays = (
        SourcePlay(NOON, track="t", artist="a", artist_name=None),
        SourcePlay(NOON + timedelta(minutes=1), track="t", name="Z", artist="a", artist_name="Y"),
        SourcePlay(NOON + timedelta(minutes=2), track="t", name="B", artist="a", artist_name="X"),
    )
    named = """
        select t.name, a.name as artist
        from warehouse.fact_event as e
        join warehouse.dim_track as t using (track_key)
        join warehouse.dim_artist as a using (artist_key)
    """
    for order in ((0, 1, 2), (2, 1, 0), (1, 0, 2)):
        with copy_database(embedded_server, migrated_template) as url:
            for number in order:
                load_events(url, f"r{number}", Delivery(f"i{number}", (plays[number],)))
            assert select_rows(url, named) == [{"name": "B", "artist": "X"}] * 3


def test_a_track_gets_the_artist_that_a_later_event_says(warehouse_url: str) -> None:
    load_events(warehouse_url, "r1", Delivery("aa", (SourcePlay(NOON, track="t", artist=None),)))
    load_events(warehouse_url, "r2", make_delivery("bb", NOON, user="u2", track="t"))
    load_events(warehouse_url, "r3", Delivery("cc", (SourcePlay(NOON, "u3", "t", artist=None),)))
    statement = """
        select u.user_id, a.name
        from warehouse.fact_event as e
        join warehouse.dim_user as u using (user_key)
        join warehouse.dim_artist as a using (artist_key)
        order by u.user_id
    """
    # Also the first event, which was loaded before the artist was known.
    assert [row["name"] for row in select_rows(warehouse_url, statement)] == ["Artist"] * 3


def test_an_id_that_was_linked_to_another_means_that_one(warehouse_url: str) -> None:
    load_events(warehouse_url, "r1", Delivery("aa", (SourcePlay(NOON, track="new"),)))
    with make_engine(warehouse_url).begin() as connection:
        connection.execute(
            text(
                "insert into warehouse.track_alias (alias_kind, alias_value, track_key, method, score)"
                " select 'linked_id', 'old', track_key, 'linked', 1 from warehouse.dim_track where track_id = 'new'"
            )
        )
    load_events(warehouse_url, "r2", Delivery("bb", (SourcePlay(NOON, "u2", "old"), SourcePlay(NOON, "u3", "new"))))
    assert [row["track_id"] for row in select_rows(warehouse_url, EVENTS)] == ["new"] * 3


def test_what_the_catalogue_says_of_a_member_events_do_not_change(warehouse_url: str) -> None:
    load_events(warehouse_url, "r1", Delivery("aa", (SourcePlay(NOON, name="B"),)))
    with make_engine(warehouse_url).begin() as connection:
        connection.execute(text("update warehouse.dim_track set is_inferred = false where track_key > 0"))
        connection.execute(text("update warehouse.dim_artist set is_inferred = false where artist_key > 0"))
    load_events(warehouse_url, "r2", Delivery("bb", (SourcePlay(NOON, "u2", name="A", artist_name="A"),)))
    rows = select_rows(warehouse_url, "select t.name from warehouse.dim_track as t where track_key > 0")
    assert rows == [{"name": "B"}]
    assert select_rows(warehouse_url, "select name from warehouse.dim_artist where artist_key > 0") == [
        {"name": "Artist"}
    ]


# Late events


def test_late_is_what_lies_before_the_newest_day_that_an_earlier_run_told_of(warehouse_url: str) -> None:
    day = timedelta(days=1)
    load_events(warehouse_url, "r1", make_delivery("aa", NOON, NOON - 3 * day), make_delivery("bb", NOON + day))
    late = (NOON - 40 * day, NOON, NOON.replace(hour=0) + day - timedelta(milliseconds=1))
    in_time = (NOON + day - timedelta(minutes=1), NOON + 2 * day)
    earlier = (NOON - 3 * day,)
    load_events(
        warehouse_url,
        "r2",
        make_delivery("cc", *late, *in_time, *earlier),
        make_delivery("dd", NOON - day, source="extended_export"),
        make_delivery("ee", NOON + day, NOON, is_spoken=True),
        make_delivery("ff", *earlier),
    )
    load_events(warehouse_url, "r3", make_delivery("gg", NOON + day, user="u3"))
    rows = select_rows(
        warehouse_url,
        "select input_id, source, rows_added, rows_late, known_until from audit.arrival order by input_id",
    )
    assert [tuple(row.values()) for row in rows] == [
        ("aa", "feed", 2, 0, None),
        ("bb", "feed", 1, 0, None),
        ("cc", "feed", 4, 2, NOON + day),
        ("dd", "extended_export", 1, 0, None),
        ("ee", "feed", 2, 1, NOON + day),
        ("gg", "feed", 1, 1, NOON + 2 * day),
    ]


def test_odd_ids_and_names_are_kept_as_they_are(warehouse_url: str) -> None:
    odd = 'O\'Brien "x" \\ {,} %s :name \t🎧 Ünï'
    plays = (SourcePlay(NOON, odd, name="x" * 10_000), SourcePlay(NOON, "🎧" * 255, odd))
    load_events(
        warehouse_url, "r1", Delivery(odd, plays), Delivery("u", users=(make_user_record(odd, NOON, username=odd),))
    )
    stored = {(row["user_id"], row["track_id"]) for row in select_rows(warehouse_url, EVENTS)}
    assert stored == {(play.user, play.track) for play in plays}
