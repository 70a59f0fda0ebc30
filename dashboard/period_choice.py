"""The choice of a period on the page Wrapped: presets, the periods to compare with, and their words."""

from dataclasses import dataclass
from datetime import date, timedelta

import pandas as pd

CHOSEN = "Chosen dates"
PRESETS = ("Last 4 weeks", "Last 6 months", "Last 12 months", "This month", "This year", CHOSEN)
DAYS_BEFORE, YEAR_BEFORE = "The days before", "The same days a year before"
COMPARISONS = (DAYS_BEFORE, YEAR_BEFORE, CHOSEN)
_PRESET_DAYS = {"Last 4 weeks": 28, "Last 6 months": 182, "Last 12 months": 365}


@dataclass(frozen=True)
class Period:
    """Days from the first to the last, both included."""

    first: date
    last: date

    @property
    def days(self) -> int:
        """Return the number of days."""
        return (self.last - self.first).days + 1

    def __str__(self) -> str:
        first = f"{self.first:%-d %B %Y}"
        if self.first == self.last:
            return first
        if self.first.year == self.last.year:
            first = f"{self.first:%-d %B}"
        return f"{first} to {self.last:%-d %B %Y}"


def resolve_preset(preset: str, newest_day: date) -> Period:
    """Return the period of a preset that ends with the newest day of which plays are known.

    :param preset: of ``PRESETS``; ``CHOSEN`` begins as the last four weeks.
    """
    if preset == "This month":
        return Period(newest_day.replace(day=1), newest_day)
    if preset == "This year":
        return Period(newest_day.replace(month=1, day=1), newest_day)
    return Period(newest_day - timedelta(days=_PRESET_DAYS.get(preset, 28) - 1), newest_day)


def resolve_comparison(comparison: str, period: Period) -> Period:
    """Return the earlier period; ``CHOSEN`` begins as the days before.

    :param comparison: of ``COMPARISONS``.
    """
    if comparison == YEAR_BEFORE:
        # 29 February has 28 February before it.
        first, last = (pd.Timestamp(day) - pd.DateOffset(years=1) for day in (period.first, period.last))
        return Period(first.date(), last.date())
    return Period(period.first - timedelta(days=period.days), period.first - timedelta(days=1))


def describe_rank_change(rank: int, earlier_rank: float | None) -> str:
    """Return how a rank has changed: ``▲ 2`` for two ranks up, ``▼ 1`` for one down, ``=``, or ``new``."""
    if earlier_rank is None or pd.isna(earlier_rank):
        return "new"
    change = int(earlier_rank) - rank
    return f"▲ {change}" if change > 0 else f"▼ {-change}" if change < 0 else "="


def describe_change(value: float, earlier_value: float) -> str | None:
    """Return a difference as a signed number; None if the earlier value is zero and says nothing."""
    if not earlier_value:
        return None
    return "as before" if value == earlier_value else f"{value - earlier_value:+,.0f}"
