"""The models that compete for the series of a panel."""

from collections.abc import Callable, Mapping

from forecasting.models.average import list_parts
from forecasting.models.interface import Model
from forecasting.models.naive import SeasonalNaive, WindowMean, WindowMedian
from forecasting.models.statistical import make_ets, make_ets_with_trend, make_theta
from forecasting.panels import Panel
from forecasting.settings import Settings

_LOCAL_MODELS: Mapping[str, Callable[[], Model]] = {
    "seasonal_naive": SeasonalNaive,
    "mean_8_weeks": WindowMean,
    "median_8_weeks": WindowMedian,
    "ets": make_ets,
    "ets_trend": make_ets_with_trend,
    "theta": make_theta,
}
_FITTED_MODELS = ("ets", "ets_trend", "theta")
"""Models that are fitted to each series, so that they take long for many series."""
_WEEKLY_MODELS = ("ets_trend",)


def list_candidates(panel: Panel, network: Model | None, settings: Settings) -> list[Model]:
    """Return the models of a panel, the baseline first.

    :param network: trained before the first date from which these models forecast, or None.
    """
    is_small = len(panel.segments) <= settings.most_fitted_series
    left_out = (*(() if is_small else _FITTED_MODELS), *(_WEEKLY_MODELS if panel.key.grain == "day" else ()))
    models = [make() for name, make in _LOCAL_MODELS.items() if name not in left_out]
    return models if network is None else [*models, network]


def list_published(name: str, network: Model | None) -> list[Model]:
    """Return the models that a published name needs, without importing the libraries of others.

    Empty if it needs a network and there is none.
    """
    parts = list_parts(name)
    if "network" in parts and network is None:
        return []
    return [network if part == "network" and network else _LOCAL_MODELS[part]() for part in parts]
