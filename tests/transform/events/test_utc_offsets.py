"""UTC offsets of an interval equal those of zoneinfo at each of its timestamps."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from etl.formats.geography import get_timezones
from etl.transform.events.utc_offsets import build_utc_offsets

_MOMENTS = st.datetimes(datetime(2006, 4, 23), datetime(2027, 1, 1), timezones=st.just(UTC))


@given(st.sampled_from(get_timezones()), _MOMENTS, _MOMENTS, st.lists(st.floats(0, 1), min_size=1, max_size=20))
def test_each_moment_of_an_interval_has_the_offset_of_its_clock(
    name: str, begin: datetime, end: datetime, fractions: list[float]
) -> None:
    first, last = sorted((begin, end))
    last = min(last, first + timedelta(days=700))
    rows = build_utc_offsets([name], first, last).to_pylist()
    for fraction in [0, *fractions, 1]:
        timestamp = first + fraction * (last - first)
        (actual,) = [row for row in rows if row["offset_from"] <= timestamp < row["offset_to"]]
        expected = timestamp.astimezone(ZoneInfo(name)).utcoffset()
        assert timedelta(microseconds=actual["utc_offset_us"]) == expected


@pytest.mark.parametrize("turn", [datetime(2026, 3, 29, 1, tzinfo=UTC), datetime(2026, 10, 25, 1, tzinfo=UTC)])
def test_a_clock_turns_at_the_second_at_which_it_turns(turn: datetime) -> None:
    rows = build_utc_offsets(
        ["Europe/Berlin"], turn - timedelta(hours=5, microseconds=1), turn + timedelta(hours=5)
    ).to_pylist()
    assert [row["offset_from"] for row in rows][1:] == [turn]


def test_a_clock_that_nobody_knows_has_no_offset() -> None:
    day = datetime(2026, 11, 2, tzinfo=UTC)
    assert build_utc_offsets(["Mars/Olympus", "../etc/passwd", "UTC"], day, day)["timezone"].to_pylist() == ["UTC"]
