"""What every model does."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from forecasting.panels import FloatArray, Panel

QUANTILES = (0.025, 0.1, 0.5, 0.9, 0.975)
"""Quantiles that are published, as columns q025 to q975."""


@dataclass(frozen=True)
class Forecast:
    """Forecasts of all series of a panel, for the steps after its last date.

    :param median: the expected value, shape (series, horizon); NaN for a series that the model cannot forecast.
    :param spread: how wide the interval is in relation to other steps and series, same shape, positive. Calibration
        scales it by the model's own past errors, so only ratios matter: a network gives q90 - q10, a model without
        intervals the recent error of the series.
    """

    median: FloatArray
    spread: FloatArray


class Model(Protocol):
    """A model of the series of one panel."""

    @property
    def name(self) -> str:
        """The name in tables: lower case with underscores."""
        ...

    def forecast(self, panel: Panel, horizon: int) -> Forecast:
        """Return forecasts from what the panel holds: its last date is the last one that is known.

        A backtest calls it once per origin with a shorter panel each time. Values may be NaN (unknown).
        """
        ...


class TrainedModel(Model, Protocol):
    """A global model that is trained once on the panels of one grain, and forecasts any panel of that grain."""

    def save(self, path: Path) -> None:
        """Write the weights to a file; the same weights give the same bytes."""
        ...


class Trainer(Protocol):
    """Trains a global model: `forecasting.network.fit_network`; `load_network(path)` returns a saved one."""

    def __call__(self, panels: Sequence[Panel], horizon: int, seed: int) -> TrainedModel:
        """Return a model trained on the panels of one grain: segments only, never a listener or an artist.

        The panels end where training may look: a backtest passes those cut at its first origin.
        """
        ...
