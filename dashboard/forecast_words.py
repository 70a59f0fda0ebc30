"""Forecasts in words: what to expect on a day, how last month's forecast did, and whether the forecasts drift."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

import numpy as np
import pandas as pd

from dashboard.page import escape_markdown

METRICS = {"sessions": "sessions", "minutes": "minutes", "active_users": "active users"}
GRAINS = {"day": "days", "week": "weeks"}
LEVELS = {
    "total": "all listeners",
    "continent": "a continent",
    "plan": "a plan",
    "continent_plan": "a plan of a continent",
    "artist": "an artist",
    "listener": "a listener",
}

_MAX_RELATIVE_MASE = 1.25
_MIN_COVERAGE_80 = 0.65
MEASURED_DAYS = {"day": 28, "week": 84}
"""The length of the period over which the accuracy is measured: a few weeks say little."""
MIN_TARGETS = {"day": 14, "week": 6}
"""Days and weeks of a period that are needed to tell how good forecasts are."""
_ERRORS = ["mase", "naive_mase", "backtest_mase", "backtest_naive_mase"]

_WHOLE_NUMBERS_FROM = 10


@dataclass(frozen=True)
class Series:
    """What is forecast. ``name`` is a readable name of the segment: of an artist the name, else the segment."""

    metric: str
    grain: str
    level: str
    segment: str
    name: str

    @property
    def unit(self) -> str:
        """Return what is counted, in words."""
        return "listeners" if "artist" in self.level and self.metric == "active_users" else METRICS[self.metric]

    @property
    def key(self) -> dict[str, object]:
        """Return the parameters of the queries of a series."""
        return {"metric": self.metric, "grain": self.grain, "level": self.level, "segment": self.segment}


@dataclass(frozen=True)
class Drift:
    """Whether the forecasts of a series have become worse than the backtest promised, in words."""

    is_drifting: bool | None
    """None if too few values have come to tell."""
    message: str


def describe_expectation(series: Series, target: pd.Series) -> str:
    """Return what to expect on a day or in a week, as Markdown: the median and the 80 % interval.

    :param target: a row of ``mart.forecast``.
    """
    median, low, high = (format_value(target[name]) for name in ("q50", "q10", "q90"))
    return (
        f"Expect **{median} {series.unit}**{_describe_segment(series)}"
        f" {describe_target(series.grain, target['target_date'])}, 80\u00a0% between **{low}** and **{high}**."
    )


def find_next_target(grain: str, forecast: pd.DataFrame, today: date | None = None) -> int | None:
    """Return the position of the first day, or week, that is not over; None if all are.

    :param forecast: rows of a forecast in the order of time.
    :param today: today's date by UTC if not given.
    """
    today = today or datetime.now(UTC).date()
    length = timedelta(7 if grain == "week" else 1)
    is_ahead = [target_date + length > today for target_date in forecast["target_date"]]
    return is_ahead.index(True) if any(is_ahead) else None


def describe_target(grain: str, target_date: date) -> str:
    """Return the day or the week of a forecast in words."""
    if grain == "week":
        return f"in {describe_week(target_date)}"
    return f"on {target_date:%A %-d %B %Y}"


def describe_week(monday: date) -> str:
    """Return a week in words."""
    return f"the week from Monday {monday:%-d %B %Y}"


def describe_last_forecast(series: Series, forecast: pd.DataFrame) -> str:
    """Return how the last forecast did whose days or weeks have come, as Markdown.

    :param forecast: rows of ``mart.forecast_accuracy`` of an ``as_of_date``.
    """
    targets = len(forecast)
    in_80, in_95 = (int(forecast[name].sum()) for name in ("is_in_80", "is_in_95"))
    error, naive_error = (forecast[name].abs().mean() for name in ("error", "naive_error"))
    return (
        f"Of {targets} {GRAINS[series.grain]}, {in_80} came within the 80\u00a0% interval"
        f" ({format_percent(in_80 / targets)}) and {in_95} within the 95\u00a0% interval"
        f" ({format_percent(in_95 / targets)}). The median missed by"
        f" {format_value(error)} {series.unit} a {series.grain} on average; repeating the last week would have"
        f" missed by {format_value(naive_error)}."
    )


def describe_drift(series: Series, accuracy: pd.DataFrame, anomalous_days: Collection[date] = ()) -> Drift:
    """Return whether the newest 28 days, or 12 weeks, are worse than the backtests of their models promised.

    The forecasts drift if their MASE is more than 1.25 times that of the backtests, or if less than 65 % of the values
    fell within the 80 % interval. Where repeating the last week became worse, too, the values are harder to predict
    than before, and the model is not at fault.

    :param accuracy: rows of sql/queries/dashboard/forecast_accuracy.sql, in the order of time.
    :param anomalous_days: of the series; an outage looks like a drift.
    """
    targets = 0 if accuracy.empty else int(accuracy.iloc[-1]["targets"])
    needed = MIN_TARGETS[series.grain]
    if targets < needed:
        return Drift(
            None,
            f"Too early to tell whether the forecasts drift: the values of {targets} {GRAINS[series.grain]} of the last"
            f" {describe_period(series.grain)} were forecast and have come, and {needed} are needed.",
        )
    newest = accuracy.iloc[-1]
    # A constant history has no scale, and a comparison with an unknown error is False.
    mase, naive_mase, backtest_mase, backtest_naive_mase = newest[_ERRORS].astype(float)
    coverage = float(newest["coverage_80"])
    reasons = []
    if mase > _MAX_RELATIVE_MASE * backtest_mase:
        reasons.append(f"the error is {mase / backtest_mase:.1f} times that of the backtest")
    if coverage < _MIN_COVERAGE_80:
        reasons.append(f"only {format_percent(coverage)} of the values fell within the 80\u00a0% interval")
    promised = "" if np.isnan(backtest_mase) else f"{backtest_mase:.2f} in the backtest, "
    measured = timedelta(MEASURED_DAYS[series.grain])
    anomalous = sum(timedelta() <= newest["target_date"] - day < measured for day in anomalous_days)
    explanation = f" Of these {GRAINS[series.grain]}, {anomalous} were anomalous." if anomalous else ""
    if naive_mase > _MAX_RELATIVE_MASE * backtest_naive_mase:
        explanation += (
            f" Repeating the last week became {naive_mase / backtest_naive_mase:.1f} times worse, too: the values are"
            " harder to predict than before."
        )
    figures = f"MASE {mase:.2f} ({promised}{naive_mase:.2f} by repeating the last week)"
    if np.isnan(mase):
        figures = "a history without changes gives errors no scale"
    period = f"in the {describe_period(series.grain)} until {newest['target_date']:%-d %B %Y}"
    if reasons:
        return Drift(
            True,
            f"**The forecasts drift:** {period} {' and '.join(reasons)}: {figures}.{explanation} The weekly training"
            " chooses a model again; the DAG forecast with retrain does it now.",
        )
    return Drift(
        False,
        f"**No drift:** {period} the forecasts were about as good as the backtest promised: {figures}, and"
        f" {format_percent(coverage)} of the values fell within the 80\u00a0% interval.",
    )


def describe_period(grain: str) -> str:
    """Return the length of the period over which the accuracy is measured, in words."""
    return "28 days" if grain == "day" else "12 weeks"


def describe_age(as_of_date: date, newest_date: date | None) -> str | None:
    """Return a warning if the marts have newer days than the forecast, None if it is up to date.

    :param newest_date: the newest day of the marts, which may be incomplete.
    """
    # The newest day is incomplete, and the day before it until the last timezone's day has ended.
    if newest_date is None or newest_date <= as_of_date + timedelta(days=3):
        return None
    return (
        f"The marts have days until {newest_date:%-d %B %Y}, and this forecast knows those until"
        f" {as_of_date:%-d %B %Y}: see whether the DAG forecast fails, or start it."
    )


def format_percent(fraction: float) -> str:
    """Return a fraction in percent."""
    return f"{fraction:.0%}".replace("%", "\u00a0%")


def format_value(value: float) -> str:
    """Return a value of a series: a whole number, or small ones with one decimal."""
    return f"{value:,.0f}" if abs(value) >= _WHOLE_NUMBERS_FROM or value == int(value) else f"{value:,.1f}"


def _describe_segment(series: Series) -> str:
    name = escape_markdown(series.name)
    if series.level == "continent_plan":
        continent, _, plan = series.segment.partition("/")  # a plan may have one, a continent does not
        return f" in {escape_markdown(continent)} on the plan {escape_markdown(plan)}"
    words = {
        "continent": f" in {name}",
        "plan": f" on the plan {name}",
        "artist": f" with {name}",
        "listener": f" of {name}",
    }
    return words.get(series.level, "")
