"""All models of a group at once, with averages of two: often better than both."""

from collections.abc import Mapping, Sequence

from forecasting.models.interface import Forecast, Model
from forecasting.panels import Panel

AVERAGES = (("network", "ets"), ("network", "theta"), ("network", "mean_8_weeks"), ("ets", "theta"))


def forecast_all(panel: Panel, models: Sequence[Model], horizon: int) -> dict[str, Forecast]:
    """Return the forecasts of each model and of each average of two of them, by name."""
    forecasts = {model.name: model.forecast(panel, horizon) for model in models}
    for first, second in AVERAGES:
        if first in forecasts and second in forecasts:
            forecasts[name_average(first, second)] = _average(forecasts, first, second)
    return forecasts


def name_average(first: str, second: str) -> str:
    """Return the name of an average in tables."""
    return f"{first}+{second}"


def list_parts(name: str) -> list[str]:
    """Return the models that a published name needs."""
    return name.split("+")


def _average(forecasts: Mapping[str, Forecast], first: str, second: str) -> Forecast:
    left, right = forecasts[first], forecasts[second]
    return Forecast((left.median + right.median) / 2, (left.spread + right.spread) / 2)
