"""Networks of several dates as one model, so that a backtest needs few trainings and no forecast knows its future."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from forecasting.models.interface import Forecast, TrainedModel
from forecasting.models.naive import measure_spread
from forecasting.panels import Panel


@dataclass(frozen=True)
class StagedNetwork:
    """A network for each of several dates: a forecast comes from the newest one that knows nothing after the panel.

    :param stages: the last date that each network was trained on, and the network; in any order.
    """

    stages: Sequence[tuple[np.datetime64, TrainedModel]]
    name: str = "network"

    def forecast(self, panel: Panel, horizon: int) -> Forecast:
        """Return the forecasts of a panel's series: NaN before the first date, when there was no network."""
        usable = [stage for stage in self.stages if stage[0] <= panel.dates[-1]]
        if usable:
            return max(usable, key=lambda stage: stage[0])[1].forecast(panel, horizon)
        spread = np.repeat(measure_spread(panel)[:, None], horizon, axis=1)
        return Forecast(np.full_like(spread, np.nan), spread)
