"""A search for models that know what comes."""

from collections.abc import Sequence

import numpy as np

from forecasting.backtest import list_origins
from forecasting.models.interface import Model
from forecasting.panels import Panel
from forecasting.settings import Settings


def find_peeking_models(panel: Panel, models: Sequence[Model], horizon: int, settings: Settings) -> list[str]:
    """Return the models whose past forecasts change if later values change: they know what they must not.

    The later values are changed inside the panel itself, so that a model that holds the panel sees them, too.
    """
    names = set()
    for origin in list_origins(panel, horizon, settings):
        history = panel.cut(int(origin))
        before = {model.name: model.forecast(history, horizon).median.copy() for model in models}
        later = panel.values[:, origin:].copy()
        panel.values[:, origin:] = np.nan_to_num(later) * 3 + 1000
        after = {model.name: model.forecast(history, horizon).median.copy() for model in models}
        panel.values[:, origin:] = later
        names |= {name for name in before if not np.array_equal(before[name], after[name], equal_nan=True)}
    return sorted(names)
