"""Which series can be forecast, and in words why the others cannot."""

import re
from collections import defaultdict
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import date

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from forecasting.errors import WrongInputError
from forecasting.models.naive import WINDOW_WEEKS
from forecasting.panels import DAYS_BY_STEP, OWN_LEVELS, Panel
from forecasting.settings import Settings

_FIRST_NUMBER = re.compile(r"\d+")


@dataclass(frozen=True)
class Refusals:
    """Series of a panel that are not forecast.

    :param reasons: by segment.
    """

    reasons: dict[str, str]

    def describe(self) -> str:
        """Return in words which reasons, for how many series. Reasons that differ in their first number are one."""
        numbers_by_text = defaultdict[str, list[int]](list)
        for reason in self.reasons.values():
            number = _FIRST_NUMBER.search(reason)
            text = reason.replace(number[0], "{}", 1) if number else reason
            numbers_by_text[text].append(int(number[0]) if number else 0)
        parts = sorted(numbers_by_text.items(), key=lambda part: -len(part[1]))
        return "; ".join(f"{len(numbers)} series: {text.format(_describe_range(numbers))}" for text, numbers in parts)


def validate_series(series: pa.Table, as_of_date: date) -> None:
    """Raise WrongInputError if the rows are no series: unknown grain, dates after as_of_date or between weeks."""
    for name in ("metric", "grain", "level", "segment", "target_date"):
        if series[name].null_count:
            raise WrongInputError(f"series.arrow has rows without {name}.")
    unknown = set(pc.unique(series["grain"]).to_pylist()) - DAYS_BY_STEP.keys()
    if unknown:
        raise WrongInputError(f"series.arrow has the unknown grain {min(unknown)}: use day or week.")
    if series.num_rows and (latest := pc.max(series["target_date"]).as_py()) > as_of_date:
        raise WrongInputError(f"series.arrow has rows of {latest}, after the last complete day {as_of_date}.")
    weeks = series.filter(pc.equal(series["grain"], "week"))["target_date"]
    if len(weeks) and set(pc.unique(pc.day_of_week(weeks)).to_pylist()) != {0}:
        raise WrongInputError("series.arrow has weeks that do not start on a Monday.")


def find_repeated_series(series: pa.Table) -> set[tuple[str, ...]]:
    """Return the series (metric, grain, level, segment) that have several rows for one date."""
    key = ["metric", "grain", "level", "segment"]
    counts = series.group_by([*key, "target_date"]).aggregate([([], "count_all")])
    repeated = counts.filter(pc.greater(counts["count_all"], 1))
    return set(zip(*(repeated[name].to_pylist() for name in key), strict=True))


def find_refusals(
    panel: Panel, horizon: int, settings: Settings, repeated: Collection[tuple[str, ...]] = ()
) -> Refusals:
    """Return the series that are invalid, too short or too sparse, with the reason of each.

    :param repeated: of ``find_repeated_series``.
    """
    least = count_least_steps(panel, horizon, settings)
    word = panel.key.grain
    recent = panel.values[:, -WINDOW_WEEKS * panel.steps_per_week :]
    reasons = {}
    for segment, values, window in zip(panel.segments, panel.values, recent, strict=True):
        known = np.flatnonzero(~np.isnan(values))
        length = len(values) - known[0] if len(known) else 0
        active = np.count_nonzero(window > 0)
        if (*panel.key, segment) in repeated:
            reasons[segment] = "it has several values for one date"
        elif np.isinf(values).any() or (values[known] < 0).any():
            reasons[segment] = "a value is negative or not a finite number"
        elif length < least:
            reasons[segment] = f"the history is too short ({length} {word}s of {least})"
        elif np.isnan(window).mean() > 0.5:
            reasons[segment] = f"most of the last {window.size} {word}s are not loaded"
        elif active < settings.least_active_fraction * np.count_nonzero(~np.isnan(window)):
            reasons[segment] = f"too little happens (on {active} of the last {window.size} {word}s)"
    return Refusals(reasons)


def find_lone_segments(panels: Iterable[Panel]) -> set[tuple[str, ...]]:
    """Return the segments (grain, level, segment) in which mostly one user is active when anyone is.

    Whatever their metric, their series are those of a user.
    """
    lone: set[tuple[str, ...]] = set()
    for panel in panels:
        if panel.key.metric == "active_users" and panel.key.level not in OWN_LEVELS:
            for segment, users in zip(panel.segments, panel.values, strict=True):
                active = users[users > 0]
                if len(active) and np.median(active) <= 1:
                    lone.add((panel.key.grain, panel.key.level, segment))
    return lone


def count_least_steps(panel: Panel, horizon: int, settings: Settings) -> int:
    """Return the shortest history that a backtest can judge models on, in steps."""
    weeks = settings.least_history_weeks + (settings.least_origins - 1) * settings.origin_stride_weeks
    return weeks * panel.steps_per_week + horizon


def _describe_range(numbers: list[int]) -> str:
    least, most = min(numbers), max(numbers)
    return str(most) if least == most else f"{least} to {most}"
