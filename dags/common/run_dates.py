"""The reference date and the fetch date of a run; without Airflow, so that they can be tested alone."""

from datetime import UTC, date, datetime, timedelta


def compute_reference_date(interval_end: datetime | None, run_after: datetime) -> date:
    """Return the day that a run is for: the end of its data interval, or the day of a manual start."""
    return (interval_end or run_after).astimezone(UTC).date()


def compute_fetch_date(
    interval_start: datetime | None, interval_end: datetime | None, run_after: datetime, now: datetime
) -> date:
    """Return the day of a run's fetches from a source that only has the present state.

    Until the next run is due, this is today, also for a late run or one that lasts over midnight. Afterwards, in a
    backfill or a rerun of an earlier run, it is the day that the run is for.
    """
    reference_time = interval_end or run_after
    interval_length = interval_end - interval_start if interval_start and interval_end else timedelta(days=1)
    if now < reference_time + (interval_length or timedelta(days=1)):
        return now.astimezone(UTC).date()
    return compute_reference_date(interval_end, run_after)
