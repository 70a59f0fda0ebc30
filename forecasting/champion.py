"""Champion and challenger: which model of a group is published, and in words why."""

from dataclasses import dataclass

import numpy as np

from forecasting.backtest import Backtest, average_over_series
from forecasting.metrics import average
from forecasting.models.average import list_parts
from forecasting.panels import FloatArray
from forecasting.settings import Settings

BASELINE = "seasonal_naive"
FIRST_CHAMPIONS = ("network+ets", "ets+theta", "network+mean_8_weeks")
"""The first of them that beats the baseline holds the title before there is a champion: averages lose least often."""
TITLES = {
    BASELINE: "repeating last week",
    "mean_8_weeks": "the mean of the last eight weeks",
    "median_8_weeks": "the median of the last eight weeks",
    "ets": "exponential smoothing",
    "ets_trend": "exponential smoothing with a trend",
    "theta": "the Theta method",
    "network": "the neural network",
}


@dataclass(frozen=True)
class Champion:
    """The published model of a group, with its errors over the backtest's origins.

    :param model: None if nothing is published.
    :param relative_to_naive: its mean error divided by that of repeating last week; NULL where that is zero.
    :param better_origin_count: origins at which its error was lower than that of repeating last week.
    """

    model: str | None
    reason: str
    previous_model: str | None = None
    relative_to_naive: float | None = None
    origin_count: int = 0
    better_origin_count: int = 0
    mase: float | None = None
    coverage_80: float | None = None
    coverage_95: float | None = None


def choose_champion(backtest: Backtest, previous_model: str | None, settings: Settings, remark: str = "") -> Champion:
    """Return the champion: the previous one, or the best model if it is clearly better. An average is the first one.

    A model that loses to repeating last week is never published; if all lose, repeating last week is published. A model
    is judged on its own origins, and compared with another on those that both have: a network is younger than the rest.

    :param remark: a sentence about refused series, appended to the reason.
    """
    errors = {name: average_over_series(backtest.measure_mase(name)) for name in backtest.forecasts}
    naive = errors[BASELINE]
    least, known_count = settings.least_origins, int(np.isfinite(naive).sum())
    if known_count < least:
        reason = f"Nothing is published: only {known_count} past windows can be judged, and {least} are needed."
        return Champion(None, _join(reason, remark), previous_model)
    candidates = [
        name
        for name in errors
        if name != BASELINE and len(_select_common(errors[name], naive)[0]) >= least and _beats(errors[name], naive)
    ]
    best = min(candidates, key=lambda name: _measure_relative(errors[name], naive), default=BASELINE)
    holders = [name for name in (previous_model, *FIRST_CHAMPIONS) if name in candidates]
    model = best
    if holders and not _beats(errors[best], errors[holders[0]], settings.least_improvement):
        model = holders[0]
    if not np.isfinite(backtest.measure_factors(model)).all():
        reason = (
            f"Nothing is published: too few errors of the past are known to say how far {describe_model(model)} errs."
        )
        return Champion(None, _join(reason, remark), previous_model)
    own, naive = _select_common(errors[model], naive)
    _wql, coverage_80, coverage_95 = backtest.measure_intervals(model)
    return Champion(
        model,
        _join(describe_choice(model, best, own, naive), remark),
        previous_model,
        relative_to_naive=_to_optional(_measure_relative(own, naive)),
        origin_count=len(naive),
        better_origin_count=int(np.sum(own < naive)),
        mase=float(own.mean()),
        coverage_80=_to_optional(average(coverage_80.ravel())),
        coverage_95=_to_optional(average(coverage_95.ravel())),
    )


def describe_choice(model: str, best: str, own: FloatArray, naive: FloatArray) -> str:
    """Return in words which model is published, by how much it beats repeating last week, and how sure that is.

    :param best: the model with the lowest error.
    :param own: its errors by origin, beside those of repeating last week.
    """
    count = len(naive)
    if model == BASELINE:
        return f"No model beats repeating last week in {count} past windows, so that is what is published."
    ratio = own[naive > 0] / naive[naive > 0]
    best_ratio, worst_ratio = np.quantile(ratio, [0.1, 0.9])
    better = int(np.sum(own < naive))
    text = (
        f"{_capitalize(describe_model(model))} is published: over {count} past windows its error is "
        f"{100 * (1 - own.mean() / naive.mean()):.0f} % lower than that of repeating last week "
        f"(MASE {own.mean():.2f} instead of {naive.mean():.2f}). It was better in {better} of them; in eight of ten, "
        f"its error is between {_describe_ratio(best_ratio)} and {_describe_ratio(worst_ratio)}."
    )
    if model != best:
        text += f" {_capitalize(describe_model(best))} was not clearly better."
    return text


def describe_model(name: str) -> str:
    """Return a model's name in words."""
    parts = [TITLES.get(part, part) for part in list_parts(name)]
    return parts[0] if len(parts) == 1 else f"the average of {' and '.join(parts)}"


def _describe_ratio(ratio: float) -> str:
    return f"{100 * abs(1 - ratio):.0f} % {'lower' if ratio < 1 else 'higher'}"


def _beats(challenger: FloatArray, champion: FloatArray, least_improvement: float = 0.0) -> bool:
    """Return whether errors are lower on average, and not higher at most origins, of those that both have."""
    challenger, champion = _select_common(challenger, champion)
    if not len(champion):
        return False
    limit = champion.mean() * (1 - least_improvement)
    is_lower = challenger.mean() <= limit if least_improvement else challenger.mean() < limit
    return bool(is_lower and np.mean(challenger <= champion) >= 0.5)


def _select_common(first: FloatArray, second: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return the errors at the origins that both have."""
    is_common = np.isfinite(first) & np.isfinite(second)
    return first[is_common], second[is_common]


def _measure_relative(errors: FloatArray, naive: FloatArray) -> float:
    """Return the mean error divided by that of repeating last week at the same origins; NaN where that is zero."""
    own, naive = _select_common(errors, naive)
    return float(own.mean() / naive.mean()) if naive.any() else np.nan


def _to_optional(value: FloatArray | float) -> float | None:
    return float(value) if np.isfinite(value) else None


def _join(*sentences: str) -> str:
    return " ".join(sentence for sentence in sentences if sentence)


def _capitalize(text: str) -> str:
    return text[:1].upper() + text[1:]
