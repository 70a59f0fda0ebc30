"""Settings of a run, with their defaults."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from forecasting.errors import WrongInputError


@dataclass(frozen=True)
class Settings:
    """What a request may set.

    :param origin_count: past dates from which a backtest forecasts.
    :param origin_stride_weeks: weeks between them.
    :param least_origins: with fewer, nothing is published.
    :param least_history_weeks: history before the first origin.
    :param least_active_fraction: of the last eight weeks' days (or weeks) on which something happens; with less, a
        series is too sparse.
    :param least_improvement: by which a challenger's error is lower than the champion's, as a fraction.
    :param anomaly_threshold: robust deviations from which a day is anomalous.
    :param network_stages: networks that a backtest trains, each for as many of its origins.
    :param most_scored_series: of a group in a backtest; the champion of more series is chosen on a sample.
    :param most_fitted_series: of a group up to which models are fitted to each series (ETS, Theta).
    """

    origin_count: int = 26
    origin_stride_weeks: int = 1
    least_origins: int = 4
    least_history_weeks: int = 9
    least_active_fraction: float = 0.3
    least_improvement: float = 0.02
    anomaly_threshold: float = 3.5
    network_stages: int = 3
    most_scored_series: int = 200
    most_fitted_series: int = 50


def parse_settings(fields_of_request: Mapping[str, Any]) -> Settings:
    """Return the settings of a request; raise WrongInputError if one is unknown or of another type."""
    known = {name: type(default) for name, default in asdict(Settings()).items()}
    for name, value in fields_of_request.items():
        if name not in known:
            raise WrongInputError(f"The setting {name} is unknown: use {', '.join(known)}.")
        if isinstance(value, bool) or not isinstance(value, int | float) or value < 0:
            raise WrongInputError(f"The setting {name} must be a number that is not negative, not {value!r}.")
    return Settings(**{name: known[name](value) for name, value in fields_of_request.items()})
