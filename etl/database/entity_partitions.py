"""Partitions of users, tracks, artists and events, in which Spark's executors read them."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from sqlalchemy import Connection

from etl.database.connection import fetch_rows
from etl.errors import ActionNeededError

_MEMBERS_PER_PARTITION = 200_000
_EVENTS_PER_PARTITION = 500_000
_MEMBER_BOUNDS = {
    "user": "select max(user_key), count(*) from warehouse.dim_user where is_current and user_key > 0",
    "track": "select max(track_key), count(*) from warehouse.dim_track where track_key > 0",
    "artist": "select max(artist_key), count(*) from warehouse.dim_artist where artist_key > 0",
}
"""The largest key and the number of records of each entity but events."""
_EVENT_DAYS = """
    select (event_time at time zone 'UTC')::date as day, count(*) as row_count
    from warehouse.fact_event
    where event_time >= coalesce(cast(:start as timestamptz), '-infinity')
        and event_time < coalesce(cast(:end as timestamptz), 'infinity')
    group by 1
    order by 1
"""


@dataclass(frozen=True)
class DateRange:
    """Days in UTC, both inclusive; None: no limit."""

    first: date | None = None
    last: date | None = None

    def __post_init__(self) -> None:
        if self.first and self.last and self.first > self.last:
            raise ActionNeededError(f"The range ends on {self.last}, before it begins on {self.first}: swap the dates.")

    @property
    def start(self) -> datetime | None:
        """Return the first instant."""
        return _get_day_start(self.first) if self.first else None

    @property
    def end(self) -> datetime | None:
        """Return the instant after the last one."""
        return _get_day_start(self.last + timedelta(days=1)) if self.last else None


@dataclass(frozen=True)
class EntityPlan:
    """The partitions of an entity: the parameters of its query for each, and the number of records in all."""

    name: str
    parameters: tuple[tuple[object, ...], ...]
    row_count: int


def plan_entities(connection: Connection, days: DateRange, has_personal_columns: bool) -> list[EntityPlan]:
    """Return the partitions of all users, tracks and artists, and of the events of some days."""
    return [*_plan_members(connection, has_personal_columns), _plan_events(connection, days)]


def _plan_members(connection: Connection, has_personal_columns: bool) -> Iterator[EntityPlan]:
    for name, statement in _MEMBER_BOUNDS.items():
        max_key, row_count = connection.exec_driver_sql(statement).one()
        starts = range(0, (max_key or 0) + 1, _MEMBERS_PER_PARTITION)
        options = (has_personal_columns,) if name == "user" else ()
        yield EntityPlan(name, tuple((start, start + _MEMBERS_PER_PARTITION, *options) for start in starts), row_count)


def _plan_events(connection: Connection, days: DateRange) -> EntityPlan:
    """Return partitions of whole days, of at most so many events each; a day with more is one."""
    rows = fetch_rows(connection, _EVENT_DAYS, start=days.start, end=days.end)
    ranges: list[tuple[datetime, datetime]] = []
    size = total = 0
    for row in rows:
        start, row_count = _get_day_start(row["day"]), int(str(row["row_count"]))
        end = start + timedelta(days=1)
        if ranges and size + row_count <= _EVENTS_PER_PARTITION:
            ranges[-1] = ranges[-1][0], end
            size += row_count
        else:
            ranges.append((start, end))
            size = row_count
        total += row_count
    # Without events one empty range is read: its file has the schema.
    epoch = datetime(1970, 1, 1, tzinfo=UTC)
    return EntityPlan("event", tuple(ranges) or ((epoch, epoch),), total)


def _get_day_start(day: object) -> datetime:
    return datetime.combine(date.fromisoformat(str(day)), datetime.min.time(), UTC)
