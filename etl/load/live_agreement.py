"""The agreement of the live tables with the star, for closed hours: live and late events together are the star's.

The live tables and the star stand at different offsets, and both go on during the check. Let R be the offsets up to
which the star has loaded landed messages. Every event of the last batch that ends by R must be in the star. Every event
that the star has from landed messages must be in the first batch that ends at or after R. So the star may have no fewer
events than the former, and no more than the latter; an event in between is no difference.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection, text

from etl.database import connect, fetch_rows, read_sql

MAX_DIFFERENCES = 1_000
"""The differences that a check stores."""


@dataclass(frozen=True)
class AgreementResult:
    """The result of a check; ``reason`` says why nothing could be compared, else it is empty.

    ``differences`` is at most ``MAX_DIFFERENCES``. ``loaded_at`` is when messages of the topic were loaded last.
    """

    hours_compared: int
    events_compared: int
    differences: int
    reason: str = ""
    loaded_at: datetime | None = None


@dataclass(frozen=True)
class LoadedMessages:
    """The messages of the topic that the star has.

    ``input_ids`` are the inputs that may have events of the hours that are compared. ``next_offsets`` has for each
    partition the offset behind the last message. ``rejected_input_ids`` are the inputs whose rejected messages are
    compared: all messages from ``rejected_from_offsets`` on, which is empty if they begin with the topic's first one.
    """

    input_ids: tuple[str, ...]
    next_offsets: Mapping[int, int]
    rejected_input_ids: tuple[str, ...]
    rejected_from_offsets: Mapping[int, int]


def compare_with_star(url: str, loaded: LoadedMessages, retention: timedelta, checked_at: datetime) -> AgreementResult:
    """Compare closed hours with the star, and store the differences in ``audit.live_difference``.

    :param retention: of the live tables.
    :raises EtlError: as ``connection.explain_error`` decides.
    """
    with connect(url) as connection:
        # One state of all tables, although both sides go on.
        connection.execute(text("set transaction isolation level repeatable read"))
        bounds = _find_batches(connection, loaded.next_offsets)
        if bounds is None:
            return AgreementResult(0, 0, 0, "The star has no messages yet that the live tables have.")
        starts = _find_batches(connection, loaded.rejected_from_offsets) if loaded.rejected_from_offsets else None
        parameters = {
            **bounds,
            "input_ids": list(loaded.input_ids),
            "rejected_input_ids": list(loaded.rejected_input_ids),
            "is_from_beginning": not loaded.rejected_from_offsets,
            "start_within": starts and starts["last_within"],
            "start_beyond": starts and starts["first_beyond"],
            "retention": retention,
            "checked_at": checked_at,
            "max_differences": MAX_DIFFERENCES,
        }
        connection.execute(text("delete from audit.live_difference"))
        (counts,) = fetch_rows(connection, read_sql("check/live/compare_hours"), **parameters)
        differences = connection.execute(text(read_sql("check/live/store_differences")), parameters).rowcount
        return AgreementResult(int(str(counts["hours"])), int(str(counts["events"])), differences)


def _find_batches(connection: Connection, loaded_offsets: Mapping[int, int]) -> dict[str, object] | None:
    """Return the last batch that ends by offsets and the first that reaches them; None if there is no such pair."""
    partition_count = max(loaded_offsets, default=-1) + 1
    offsets = [loaded_offsets.get(partition, 0) for partition in range(partition_count)]
    rows = fetch_rows(connection, read_sql("check/live/find_batches"), offsets=offsets)
    return rows[0] if rows and None not in rows[0].values() else None
