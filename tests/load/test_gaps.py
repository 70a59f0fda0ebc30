"""Gaps of recently played tracks, and the exports that close them."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from etl.database import connect
from etl.database.fetches import record_gap
from tests.load.event_frames import Delivery, SourcePlay, load_events
from tests.load.star_frames import select_rows

GAP_FROM, GAP_TO = datetime(2026, 11, 2, 12, tzinfo=UTC), datetime(2026, 11, 3, 12, tzinfo=UTC)
EARLIER, BEFORE = GAP_FROM - timedelta(days=700), GAP_FROM - timedelta(hours=1)
AFTER, LATER = GAP_TO + timedelta(hours=1), GAP_TO + timedelta(days=400)


@pytest.fixture
def url(warehouse_url: str) -> str:
    """Return a warehouse with one open gap, of u1."""
    with connect(warehouse_url) as connection:
        record_gap(connection, "u1", GAP_FROM, GAP_TO, "look")
    return warehouse_url


def make_export(name: str, *times: datetime, source: str = "extended_export", **values: Any) -> Delivery:
    """Return an export, whose files are one input."""
    return Delivery(name, tuple(SourcePlay(time, source=source, **values) for time in times))


def is_closed(url: str) -> bool:
    return bool(select_rows(url, "select closed_at is not null as it from audit.gap where user_id = 'u1'")[0]["it"])


@pytest.mark.parametrize("source", ["extended_export", "basic_export"])
def test_an_export_that_tells_of_both_sides_closes_a_gap(url: str, source: str) -> None:
    load_events(url, "r1", make_export("aa", BEFORE, AFTER, source=source))
    assert is_closed(url)


def test_the_sides_may_lie_in_files_of_different_years(url: str) -> None:
    """Load one export: its files are one input, so no play is missing between those of two files."""
    load_events(url, "r1", make_export("aa", EARLIER, EARLIER + timedelta(days=1), LATER))
    assert is_closed(url)


def test_a_file_of_earlier_years_and_one_of_later_years_leave_it_open(url: str) -> None:
    load_events(url, "r1", make_export("aa", EARLIER, BEFORE))
    load_events(url, "r2", make_export("bb", AFTER, LATER))
    load_events(url, "r3", Delivery("cc", (SourcePlay(AFTER),)))
    assert not is_closed(url)


def test_two_inputs_of_one_load_leave_it_open(url: str) -> None:
    """Load two inputs: neither their times nor their order show that they belong to one export."""
    load_events(url, "r1", make_export("aa", EARLIER, BEFORE), make_export("bb", AFTER, LATER))
    assert not is_closed(url)


def test_an_export_counts_for_all_that_it_tells_also_where_an_earlier_one_told_it(url: str) -> None:
    load_events(url, "r1", make_export("aa", EARLIER, BEFORE))
    load_events(url, "r2", make_export("bb", EARLIER, BEFORE, AFTER))
    assert is_closed(url)


def test_an_export_without_a_new_play_closes_it_too(url: str) -> None:
    """Import the files of the export one by one beforehand."""
    load_events(url, "r1", make_export("aa", EARLIER, BEFORE))
    load_events(url, "r2", make_export("bb", AFTER, LATER))
    load_events(url, "r3", make_export("cc", EARLIER, BEFORE, AFTER, LATER))
    assert is_closed(url)


def test_a_gap_that_is_noticed_after_the_export_came_closes_with_the_next_load(warehouse_url: str) -> None:
    load_events(warehouse_url, "r1", make_export("aa", BEFORE, AFTER))
    with connect(warehouse_url) as connection:
        record_gap(connection, "u1", GAP_FROM, GAP_TO, "look")
    load_events(warehouse_url, "r2", Delivery("bb", (SourcePlay(AFTER, source="recently_played", track="track-2"),)))
    assert is_closed(warehouse_url)


def test_plays_that_a_better_source_tells_of_too_count(url: str) -> None:
    load_events(url, "r1", make_export("aa", BEFORE, seconds=120), make_export("bb", AFTER, seconds=120))
    assert not is_closed(url)
    load_events(url, "r2", make_export("cc", BEFORE, AFTER, seconds=120, source="basic_export"))
    assert select_rows(url, "select count(*) as n from audit.dropped_event") == [{"n": 2}]
    assert is_closed(url)


def test_podcasts_tell_as_much_of_what_an_export_covers(url: str) -> None:
    spoken = SourcePlay(BEFORE, source="extended_export", track="episode-1", is_spoken=True)
    load_events(url, "r1", Delivery("aa", (spoken, SourcePlay(AFTER, source="extended_export"))))
    assert is_closed(url)


def test_nobody_elses_export_and_no_other_source_closes_it(url: str) -> None:
    load_events(
        url, "r1", make_export("aa", BEFORE, AFTER, user="u2"), Delivery("bb", (SourcePlay(BEFORE), SourcePlay(AFTER)))
    )
    load_events(url, "r2", make_export("cc", BEFORE + timedelta(minutes=1)))
    assert not is_closed(url)
