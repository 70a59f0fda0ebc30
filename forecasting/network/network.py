"""The trained network: its weights, and forecasts from them by numpy alone: a daily run imports no framework."""

import zipfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from forecasting.errors import WrongInputError
from forecasting.models.interface import Forecast
from forecasting.models.naive import measure_spread
from forecasting.network.windows import BASE_WEEKS, Float32Array, SeriesHistory, build_windows
from forecasting.panels import FloatArray, Panel

LEVELS = (0.1, 0.25, 0.5, 0.75, 0.9)
"""Quantiles that the network is trained on. What is published comes from calibration, not from them."""
WEIGHT_NAMES = (
    *("lstm_kernel", "lstm_recurrent_kernel", "lstm_bias"),
    *("hidden_kernel", "hidden_bias", "output_kernel", "output_bias"),
)
"""In the order in which Keras lists the weights of the layers. Each array has the ensemble's members as first axis."""
LEAST_SPREAD = 0.1
"""The least spread, in units of the recent error of repeating last week."""


@dataclass(frozen=True)
class Network:
    """An ensemble of small LSTM networks for the series of one grain; the mean of their forecasts is the forecast."""

    weights: dict[str, Float32Array]
    grain: str
    horizon: int
    has_year: bool
    name: str = "network"

    def forecast(self, panel: Panel, horizon: int) -> Forecast:
        """Return the forecasts of a panel's series from its last weeks.

        :raises WrongInputError: the panel is of another grain or the horizon is longer than what was trained.
        """
        if panel.key.grain != self.grain or horizon > self.horizon:
            raise WrongInputError(
                f"the network was trained for {self.horizon} {self.grain}s and cannot forecast {horizon} "
                f"{panel.key.grain}s: train it again"
            )
        rows = np.arange(len(panel.segments))
        ends = np.full(len(rows), panel.values.shape[1])
        history = SeriesHistory.pad(panel, panel.values, self.horizon, self.has_year)
        windows = build_windows(history, rows, ends, self.horizon)
        departures = predict_departures(self.weights, windows.patches, windows.context)
        quantiles = windows.base[..., None] + windows.unit[:, None, None] * departures
        recent = panel.values[:, -BASE_WEEKS * panel.season_length :]
        quantiles[np.isnan(recent).all(axis=1)] = np.nan
        spread = _measure_relative_spread(quantiles[..., -1] - quantiles[..., 0], measure_spread(panel))
        return Forecast(quantiles[:, :horizon, LEVELS.index(0.5)], spread[:, :horizon])

    def save(self, path: Path) -> None:
        """Write the weights to a file; the same weights give the same bytes."""
        with path.open("wb") as file:
            np.savez(file, grain=self.grain, horizon=self.horizon, has_year=self.has_year, **self.weights)  # type: ignore[arg-type]


def load_network(path: Path) -> Network:
    """Return the network of a file.

    :raises WrongInputError: the file is missing or is not one of a network.
    """
    try:
        with np.load(path, allow_pickle=False) as arrays:
            weights = {name: arrays[name] for name in WEIGHT_NAMES}
            return Network(weights, str(arrays["grain"]), int(arrays["horizon"]), bool(arrays["has_year"]))
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile) as error:
        raise WrongInputError(f"{path} holds no trained network ({error}): train again") from error


def predict_departures(weights: dict[str, Float32Array], patches: Float32Array, context: Float32Array) -> FloatArray:
    """Return the mean forecast of the members in units of each window, shape (windows, horizon, quantiles).

    The equations of Keras's LSTM layer, with its gates in its order: input, forget, cell, output.
    """
    members = [
        _predict_member({name: array[index].astype(np.float64) for name, array in weights.items()}, patches, context)
        for index in range(len(weights["lstm_kernel"]))
    ]
    return np.asarray(np.mean(members, axis=0))


def _measure_relative_spread(widths: FloatArray, recent_error: FloatArray) -> FloatArray:
    """Return widths of intervals, scaled to the recent error of repeating last week on average over the panel.

    So networks of different ages, of which one is surer than another, share one calibration: a width says only which
    series and steps are less certain than others.
    """
    ratios = widths / recent_error[:, None]
    mean = np.mean(ratios[np.isfinite(ratios)]) if np.isfinite(ratios).any() else 0.0
    return np.asarray(np.maximum(ratios / mean if mean > 0 else 1.0, LEAST_SPREAD) * recent_error[:, None])


def _predict_member(weights: dict[str, FloatArray], patches: Float32Array, context: Float32Array) -> FloatArray:
    unit_count = len(weights["lstm_recurrent_kernel"])
    state, cell = np.zeros((len(patches), unit_count)), np.zeros((len(patches), unit_count))
    inputs = patches @ weights["lstm_kernel"] + weights["lstm_bias"]
    for step in range(patches.shape[1]):
        gates = inputs[:, step] + state @ weights["lstm_recurrent_kernel"]
        input_gate, forget_gate, candidate, output_gate = np.split(gates, 4, axis=1)
        cell = _sigmoid(forget_gate) * cell + _sigmoid(input_gate) * np.tanh(candidate)
        state = _sigmoid(output_gate) * np.tanh(cell)
    joined = np.concatenate([state, context], axis=1)
    hidden = np.maximum(joined @ weights["hidden_kernel"] + weights["hidden_bias"], 0)
    output = hidden @ weights["output_kernel"] + weights["output_bias"]
    return order_quantiles(output.reshape(len(patches), -1, len(LEVELS)))


def order_quantiles(output: FloatArray) -> FloatArray:
    """Return quantiles that cannot cross: the median, and positive steps away from it."""
    middle = LEVELS.index(0.5)
    median = output[..., middle : middle + 1]
    steps = np.logaddexp(output - 1, 0)  # softplus
    above = np.cumsum(steps[..., middle + 1 :], axis=-1)
    below = np.cumsum(steps[..., :middle][..., ::-1], axis=-1)[..., ::-1]
    return np.concatenate([median - below, median, median + above], axis=-1)


def _sigmoid(values: FloatArray) -> FloatArray:
    return np.asarray(0.5 * (np.tanh(0.5 * values) + 1))
