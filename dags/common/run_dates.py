"""The day that a run stands for, and the day on which it asks; without Airflow, so that tests ask too."""

from datetime import UTC, date, datetime, timedelta


def compute_reference_date(interval_end: datetime | None, run_after: datetime) -> date:
    """The day that a run stands for: the end of its data interval, or the day it was started by hand."""
    return (interval_end or run_after).astimezone(UTC).date()


def compute_fetch_date(
    interval_start: datetime | None, interval_end: datetime | None, run_after: datetime, now: datetime
) -> date:
    """The day on which a run asks a source that knows of today alone.

    Until the next run is due this is today, also where the run comes late or lasts over midnight; afterwards, when an
    earlier run is filled in or run again, it is the day that the run stands for.
    """
    reference_time = interval_end or run_after
    interval_length = interval_end - interval_start if interval_start and interval_end else timedelta(days=1)
    if now < reference_time + (interval_length or timedelta(days=1)):
        return now.astimezone(UTC).date()
    return compute_reference_date(interval_end, run_after)
