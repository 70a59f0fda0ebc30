"""Repeated events, and plays that two sources report: one is in the star, each row is counted."""

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import text

from etl.database import connect, make_engine
from etl.load import partitions, play_matches
from etl.load.partitions import Month
from tests.load.event_frames import NOON, Delivery, SourcePlay, StepHooks, load_events
from tests.load.star_frames import select_rows

BETTER, WORSE = "extended_export", "basic_export"
DAY = timedelta(days=1)
STANDING = """
    select u.user_id, e.event_time, e.source, i.input_id
    from {0} as e join warehouse.dim_user as u using (user_key) join audit.input as i using (input_key)
    order by 2, 1, 3
"""
ACCOUNTS = """
    select input_id, rows_in, rows_loaded, rows_duplicate, rows_rejected
    from audit.row_count where run_id = :run_id order by 1
"""
MATCHES = """
    select d.source, m.dropped_event_time, k.source as kept_source, m.kept_event_time, m.rule
    from audit.event_match as m
    join audit.dropped_event as d on d.event_id = m.dropped_event_id
    join warehouse.fact_event as k on k.event_id = m.kept_event_id
    order by 2
"""


def make_play(second: float, **values: Any) -> SourcePlay:
    return SourcePlay(NOON + timedelta(seconds=second), **{"seconds": 60, **values})


def fetch_events(url: str, name: str = "warehouse.fact_event") -> list[tuple[Any, ...]]:
    """Return user, second, source and input of each event."""
    rows = select_rows(url, STANDING.format(name))
    return [(row["user_id"], compute_second(row["event_time"]), row["source"], row["input_id"]) for row in rows]


def fetch_matches(url: str) -> list[tuple[Any, ...]]:
    return [
        (
            row["source"],
            compute_second(row["dropped_event_time"]),
            row["kept_source"],
            compute_second(row["kept_event_time"]),
            row["rule"],
        )
        for row in select_rows(url, MATCHES)
    ]


def compute_second(time: datetime) -> float:
    return (time - NOON).total_seconds()


def fetch_row_counts(url: str, run_id: str) -> list[tuple[Any, ...]]:
    return [tuple(row.values()) for row in select_rows(url, ACCOUNTS, run_id=run_id)]


# Repeated events


def test_of_rows_that_tell_one_event_one_stays_in_a_new_month_and_in_a_known_one(warehouse_url: str) -> None:
    first = (make_play(0), make_play(0), make_play(60), make_play(60), make_play(60))
    load_events(
        warehouse_url, "r1", Delivery("aa", first), Delivery("bb", (make_play(60), make_play(120)), refused=("broken",))
    )
    # Among several inputs the first one counts.
    expected = [("u1", 0, "feed", "aa"), ("u1", 60, "feed", "aa"), ("u1", 120, "feed", "bb")]
    assert fetch_events(warehouse_url) == expected
    assert fetch_row_counts(warehouse_url, "r1") == [("aa", 5, 2, 3, 0), ("bb", 3, 1, 1, 1)]
    again = (make_play(0), make_play(-5), make_play(300), make_play(300), make_play(60, user="u2"))
    load_events(
        warehouse_url,
        "r2",
        Delivery("cc", again),
        Delivery("dd", (make_play(300), make_play(120))),
        Delivery("ee", refused=("broken",)),
    )
    added = [("u1", -5, "feed", "cc"), ("u2", 60, "feed", "cc"), ("u1", 300, "feed", "cc")]
    assert fetch_events(warehouse_url) == sorted([*expected, *added], key=lambda row: row[1:2] + row[:1])
    assert fetch_row_counts(warehouse_url, "r2") == [("cc", 5, 3, 2, 0), ("dd", 2, 0, 2, 0), ("ee", 1, 0, 0, 1)]


def test_the_first_input_tells_an_event_whatever_the_later_ones_say_of_it(warehouse_url: str) -> None:
    longer, shorter = make_play(0, seconds=90), make_play(0, seconds=30)
    load_events(warehouse_url, "r1", Delivery("aa", (longer,)), Delivery("bb", (shorter,)))
    assert fetch_events(warehouse_url) == [("u1", 0, "feed", "aa")]


def test_what_is_spoken_is_counted_and_told_once_like_music(warehouse_url: str) -> None:
    talk = SourcePlay(NOON, is_spoken=True)
    load_events(warehouse_url, "r1", Delivery("aa", (talk, talk, make_play(1))))
    load_events(warehouse_url, "r2", Delivery("bb", (talk, make_play(1), SourcePlay(NOON + DAY, is_spoken=True))))
    assert len(fetch_events(warehouse_url, "warehouse.fact_spoken_event")) == 2
    assert fetch_events(warehouse_url) == [("u1", 1, "feed", "aa")]
    assert fetch_row_counts(warehouse_url, "r1") + fetch_row_counts(warehouse_url, "r2") == [
        ("aa", 3, 2, 1, 0),
        ("bb", 3, 1, 2, 0),
    ]


def test_an_arrival_tells_the_first_and_the_last_of_each_input_and_source(warehouse_url: str) -> None:
    load_events(
        warehouse_url,
        "r1",
        Delivery("aa", (make_play(0), make_play(90), make_play(30), SourcePlay(NOON + DAY, source=BETTER))),
    )
    load_events(
        warehouse_url, "r2", Delivery("bb", (make_play(5), SourcePlay(NOON - DAY), SourcePlay(NOON + DAY, user="u2")))
    )
    rows = select_rows(
        warehouse_url,
        "select run_id, input_id, source, rows_added, rows_late, first_event_time, last_event_time, known_until"
        " from audit.arrival order by run_id, source",
    )
    assert [tuple(row.values()) for row in rows] == [
        ("r1", "aa", BETTER, 1, 0, NOON + DAY, NOON + DAY, None),
        ("r1", "aa", "feed", 3, 0, NOON, NOON + timedelta(seconds=90), None),
        ("r2", "bb", "feed", 3, 1, NOON - DAY, NOON + DAY, NOON + timedelta(seconds=90)),
    ]
    # Lateness is relative to the newest event of all earlier runs, and counted over all days.
    late = (SourcePlay(NOON - 2 * DAY), SourcePlay(NOON - 3 * DAY), SourcePlay(NOON - 3 * DAY, user="u2"), make_play(7))
    load_events(warehouse_url, "r3", Delivery("cc", (*late, SourcePlay(NOON + DAY, user="u3"))))
    last = select_rows(
        warehouse_url, "select rows_added, rows_late, known_until from audit.arrival where run_id = 'r3'"
    )
    assert [tuple(row.values()) for row in last] == [(5, 4, NOON + DAY)]


def test_a_month_has_the_bounds_of_its_days(warehouse_url: str) -> None:
    december = Month("fact_event", NOON.replace(month=12).date().replace(day=1))
    assert december.partition_name == "fact_event_2026_12"
    assert december.time_bounds == ("2026-12-01 00:00:00+00", "2027-01-01 00:00:00+00")
    november = Month("fact_event", NOON.date().replace(day=1))
    assert november.time_bounds == ("2026-11-01 00:00:00+00", "2026-12-01 00:00:00+00")
    load_events(warehouse_url, "r1", Delivery("aa", (make_play(0),)))
    with connect(warehouse_url) as connection:
        assert partitions.list_new_months(connection, [december, november]) == [december]
    rows = select_rows(
        warehouse_url,
        "select indexdef from pg_indexes where tablename = 'fact_event_2026_11' order by 1",
    )
    kinds = [row["indexdef"].partition(" ON ")[0].split()[1] + row["indexdef"].partition("USING ")[2] for row in rows]
    assert kinds == [
        "INDEXbrin (event_time)",
        "INDEXbtree (user_key, event_time)",
        "UNIQUEbtree (event_id, event_time)",
    ]
    checks = "select count(*) as n from pg_constraint where conname like 'fact_event_2026%bounds'"
    assert select_rows(warehouse_url, checks) == [{"n": 0}]


# One play that two sources report


def test_a_better_source_takes_the_place_of_a_worse_one_whichever_comes_first(warehouse_url: str) -> None:
    """Load one pair together, and one with the worse first; a play that differs in user or track stays."""
    load_events(
        warehouse_url,
        "r1",
        Delivery("aa", (make_play(0, source=BETTER),)),
        Delivery(
            "bb", (make_play(10, source=WORSE), make_play(1000, source=WORSE), make_play(1000, source=WORSE, user="u2"))
        ),
    )
    assert fetch_row_counts(warehouse_url, "r1") == [("aa", 1, 1, 0, 0), ("bb", 3, 2, 1, 0)]
    better = (make_play(1005, source=BETTER), make_play(1005, source=BETTER, user="u2", track="track-2"))
    load_events(warehouse_url, "r2", Delivery("cc", better))
    assert fetch_events(warehouse_url) == [
        ("u1", 0, BETTER, "aa"),
        ("u2", 1000, WORSE, "bb"),
        ("u1", 1005, BETTER, "cc"),
        ("u2", 1005, BETTER, "cc"),
    ]
    assert fetch_events(warehouse_url, "audit.dropped_event") == [("u1", 10, WORSE, "bb"), ("u1", 1000, WORSE, "bb")]
    assert fetch_matches(warehouse_url) == [
        (WORSE, 10, BETTER, 0, "end to end within 120 s"),
        (WORSE, 1000, BETTER, 1005, "end to end within 120 s"),
    ]
    # A dropped play that is reported again is a duplicate.
    load_events(
        warehouse_url,
        "r3",
        Delivery("dd", (make_play(1000, source=WORSE), make_play(10, source=WORSE), make_play(5000, source=WORSE))),
    )
    assert fetch_row_counts(warehouse_url, "r3") == [("dd", 3, 1, 2, 0)]
    assert len(fetch_events(warehouse_url)) == 5 and len(fetch_events(warehouse_url, "audit.dropped_event")) == 2
    assert len(fetch_matches(warehouse_url)) == 2


def test_a_play_comes_back_when_another_telling_takes_its_match(warehouse_url: str) -> None:
    pair = (make_play(60, source=BETTER), make_play(100, source=WORSE))
    other_plays = tuple(SourcePlay(play.at, user="u2", seconds=60, source=play.source) for play in pair)
    load_events(
        warehouse_url,
        "r1",
        Delivery("aa", (*pair, *other_plays, make_play(5000, source=BETTER), make_play(5010, source=WORSE))),
    )
    assert [row[1:3] for row in fetch_events(warehouse_url, "audit.dropped_event")] == [
        (100, WORSE),
        (100, WORSE),
        (5010, WORSE),
    ]
    # The earlier of two plays is the matched one.
    load_events(warehouse_url, "r2", Delivery("bb", (make_play(40, source=WORSE),)))
    assert [row[:3] for row in fetch_events(warehouse_url)] == [
        ("u1", 60, BETTER),
        ("u2", 60, BETTER),
        ("u1", 100, WORSE),
        ("u1", 5000, BETTER),
    ]
    assert [row[:3] for row in fetch_events(warehouse_url, "audit.dropped_event")] == [
        ("u1", 40, WORSE),
        ("u2", 100, WORSE),
        ("u1", 5010, WORSE),
    ]
    assert [row[1:4] for row in fetch_matches(warehouse_url)] == [
        (40, BETTER, 60),
        (100, BETTER, 60),
        (5010, BETTER, 5000),
    ]
    assert select_rows(warehouse_url, "select count(*) as n from audit.event_match") == [{"n": 3}]
    assert fetch_row_counts(warehouse_url, "r2") == [("bb", 1, 0, 1, 0)]


def test_a_dropped_play_says_anew_what_stands_for_it(warehouse_url: str) -> None:
    load_events(warehouse_url, "r1", Delivery("aa", (make_play(60, source=BETTER), make_play(100, source=WORSE))))
    load_events(warehouse_url, "r2", Delivery("bb", (make_play(5, source=BETTER),)))
    assert [row[1:4] for row in fetch_matches(warehouse_url)] == [(100, BETTER, 5)]
    assert [row[1:3] for row in fetch_events(warehouse_url)] == [(5, BETTER), (60, BETTER)]
    with make_engine(warehouse_url).connect() as connection:
        before = connection.execute(text("select xmin::text from audit.event_match")).all()
    load_events(warehouse_url, "r3", Delivery("cc", (make_play(9000, source=BETTER),)))
    with make_engine(warehouse_url).connect() as connection:
        assert connection.execute(text("select xmin::text from audit.event_match")).all() == before


def test_plays_are_read_two_days_around_what_is_new_and_changed_one_day_around(warehouse_url: str) -> None:
    hours = (-49, -48, -25, -24, 24, 25, 48, 49)
    old = tuple(SourcePlay(NOON + timedelta(hours=hour), source=BETTER, track=f"t{hour}") for hour in hours)
    other_play = SourcePlay(NOON, user="u2", source=BETTER)
    not_real = SourcePlay(NOON, source="feed", track="t0")
    load_events(warehouse_url, "r1", Delivery("aa", (*old, other_play, not_real)))
    read: list[set[float]] = []

    def record_reads(step: str) -> None:
        if step != "stage_events":
            return
        with make_engine(warehouse_url).connect() as connection:
            plays = play_matches.list_matchable_plays(connection, [BETTER, WORSE])
            assert {row["user_id"] for row in plays} == {"u1"}
            assert {row["source"] for row in plays} == {BETTER, WORSE}
            assert len({row["recording_key"] for row in plays}) == len(plays)
            read.append({(row["event_time"] - NOON) / timedelta(hours=1) for row in plays})

    new = Delivery("bb", (SourcePlay(NOON, source=WORSE, track="new"), SourcePlay(NOON + 90 * DAY, source="feed")))
    load_events(warehouse_url, "r2", new, steps=StepHooks(record_reads))
    assert read == [{-48, -25, -24, 0, 24, 25, 48}]


def test_feeds_are_matched_with_nothing(warehouse_url: str) -> None:
    load_events(
        warehouse_url,
        "r1",
        Delivery("aa", (make_play(0), make_play(5, source=WORSE), make_play(7, source=BETTER, track="x"))),
    )
    assert len(fetch_events(warehouse_url)) == 3
    assert fetch_events(warehouse_url, "audit.dropped_event") == []
