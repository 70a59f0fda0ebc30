"""The clocks by which events are told."""

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import pyarrow as pa

_DAY = timedelta(days=1)
_SECOND = timedelta(seconds=1)
_OFFSETS = pa.schema(
    [
        pa.field("timezone", pa.string()),
        pa.field("offset_from", pa.timestamp("us", "UTC")),
        pa.field("offset_to", pa.timestamp("us", "UTC")),
        pa.field("utc_offset_us", pa.int64()),
    ]
)


def offsets(timezones: Iterable[str], first: datetime, last: datetime) -> pa.Table:
    """By how much clocks differ from UTC: timezone, offset_from, offset_to (not included), utc_offset_us.

    The rows of a timezone cover all moments from ``first`` to ``last``; one that is not known has none.
    """
    begin = first.astimezone(UTC).replace(microsecond=0)  # clocks turn at whole seconds
    rows = [row for name in sorted(set(timezones)) for row in _of_timezone(name, begin, last + _SECOND)]
    return pa.Table.from_pylist(rows, _OFFSETS)


def _of_timezone(name: str, first: datetime, last: datetime) -> Iterator[dict[str, object]]:
    try:
        zone = ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError):
        return
    begin = at = first
    while at < last:
        following = min(at + _DAY, last)
        if _offset(zone, following) != _offset(zone, at):
            turn = _turn(zone, at, following)
            yield _row(name, zone, begin, turn)
            begin = turn
        at = following
    yield _row(name, zone, begin, last)


def _turn(zone: ZoneInfo, before: datetime, after: datetime) -> datetime:
    """The first second between two moments at which the clock is no longer as at the first."""
    low, high = 0, (after - before) // _SECOND
    while high - low > 1:
        middle = (low + high) // 2
        if _offset(zone, before + middle * _SECOND) == _offset(zone, before):
            low = middle
        else:
            high = middle
    return before + high * _SECOND


def _offset(zone: ZoneInfo, moment: datetime) -> timedelta:
    return moment.astimezone(zone).utcoffset() or timedelta(0)


def _row(name: str, zone: ZoneInfo, begin: datetime, end: datetime) -> dict[str, object]:
    return {
        "timezone": name,
        "offset_from": begin,
        "offset_to": end,
        "utc_offset_us": _offset(zone, begin) // timedelta(microseconds=1),
    }
