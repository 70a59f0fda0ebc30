"""The offsets of timezones from UTC, as periods."""

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import pyarrow as pa

_DAY = timedelta(days=1)
_SECOND = timedelta(seconds=1)
_OFFSET_SCHEMA = pa.schema(
    [
        pa.field("timezone", pa.string()),
        pa.field("offset_from", pa.timestamp("us", "UTC")),
        pa.field("offset_to", pa.timestamp("us", "UTC")),
        pa.field("utc_offset_us", pa.int64()),
    ]
)


def build_utc_offsets(timezones: Iterable[str], first_time: datetime, last_time: datetime) -> pa.Table:
    """Return the periods of equal offset: timezone, offset_from, offset_to (exclusive), utc_offset_us.

    The rows of a timezone cover ``first_time`` to ``last_time``; an unknown timezone has no row.
    """
    period_start = first_time.astimezone(UTC).replace(microsecond=0)  # offsets change at whole seconds
    rows = [
        row for name in sorted(set(timezones)) for row in _list_offset_periods(name, period_start, last_time + _SECOND)
    ]
    return pa.Table.from_pylist(rows, _OFFSET_SCHEMA)


def _list_offset_periods(name: str, first_time: datetime, last_time: datetime) -> Iterator[dict[str, object]]:
    try:
        zone = ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError):
        return
    period_start = current_time = first_time
    while current_time < last_time:
        next_time = min(current_time + _DAY, last_time)
        if _get_utc_offset(zone, next_time) != _get_utc_offset(zone, current_time):
            transition = _find_transition(zone, current_time, next_time)
            yield _build_offset_row(name, zone, period_start, transition)
            period_start = transition
        current_time = next_time
    yield _build_offset_row(name, zone, period_start, last_time)


def _find_transition(zone: ZoneInfo, start: datetime, end: datetime) -> datetime:
    """Return the first second after ``start`` with another offset, by bisection; ``end`` has another offset."""
    low, high = 0, (end - start) // _SECOND
    while high - low > 1:
        middle = (low + high) // 2
        if _get_utc_offset(zone, start + middle * _SECOND) == _get_utc_offset(zone, start):
            low = middle
        else:
            high = middle
    return start + high * _SECOND


def _get_utc_offset(zone: ZoneInfo, timestamp: datetime) -> timedelta:
    return timestamp.astimezone(zone).utcoffset() or timedelta(0)


def _build_offset_row(name: str, zone: ZoneInfo, period_start: datetime, period_end: datetime) -> dict[str, object]:
    return {
        "timezone": name,
        "offset_from": period_start,
        "offset_to": period_end,
        "utc_offset_us": _get_utc_offset(zone, period_start) // timedelta(microseconds=1),
    }
