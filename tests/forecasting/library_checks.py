"""What needs the libraries of the forecasts: `python -m tests.forecasting.library_checks` prints results as JSON."""

import json
import sys

import numpy as np
import pandas as pd
from utilsforecast.losses import coverage, mase, mqloss

import forecasting.__main__  # noqa: F401 (chooses the framework of Keras, and one thread)
from forecasting.metrics import (
    measure_coverage,
    measure_mase,
    measure_naive_scale,
    measure_weighted_quantile_loss,
)
from forecasting.models.candidates import list_candidates
from forecasting.models.interface import QUANTILES
from forecasting.models.statistical import make_ets, make_theta
from forecasting.network import Network, fit_network
from forecasting.network.network import WEIGHT_NAMES, order_quantiles, predict_departures
from forecasting.network.windows import SeriesHistory, build_windows
from forecasting.panels import GroupKey, Panel
from forecasting.settings import Settings
from tests.forecasting.leaks import find_peeking_models
from tests.forecasting.series import CONTINENTS, draw_counts, make_panel

SERIES_COUNT, TRAIN_COUNT, HORIZON = 3, 140, 28
BATCH_COUNT = 250
"""A third of a training: its changes of level are easy to learn."""


def compare_metrics() -> dict[str, float]:
    """Return the largest difference between our measures and those of utilsforecast."""
    values = draw_counts(TRAIN_COUNT + HORIZON, 30, SERIES_COUNT)
    actual, history = values[:, TRAIN_COUNT:], values[:, :TRAIN_COUNT]
    quantiles = np.sort(np.random.default_rng(2).normal(30, 10, (*actual.shape, len(QUANTILES))), axis=-1)
    ids = np.repeat(np.arange(SERIES_COUNT), HORIZON)
    names = [f"q{index}" for index in range(len(QUANTILES))]
    frame = pd.DataFrame({"unique_id": ids, "ds": np.tile(np.arange(HORIZON), SERIES_COUNT), "y": actual.ravel()})
    frame[names] = quantiles.reshape(-1, len(QUANTILES))
    frame["model"] = frame["q2"]
    frame["model-lo-80"], frame["model-hi-80"] = frame["q1"], frame["q3"]
    train = pd.DataFrame({"unique_id": np.repeat(np.arange(SERIES_COUNT), TRAIN_COUNT), "y": history.ravel()})
    train["ds"] = np.tile(np.arange(-TRAIN_COUNT, 0), SERIES_COUNT)
    loss = mqloss(frame, {"model": names}, np.array(QUANTILES))["model"] * 2
    per_unit = loss.to_numpy() * HORIZON / np.abs(actual).sum(axis=1)
    pairs = {
        "mase": (
            measure_mase(actual, quantiles[..., 2], measure_naive_scale(history, 7)),
            mase(frame, ["model"], 7, train)["model"].to_numpy(),
        ),
        "wql": (measure_weighted_quantile_loss(actual, quantiles), per_unit),
        "coverage": (
            measure_coverage(actual, quantiles[..., 1], quantiles[..., 3]),
            coverage(frame, ["model"], 80)["model"].to_numpy(),
        ),
    }
    return {name: float(np.abs(ours - theirs).max()) for name, (ours, theirs) in pairs.items()}


def make_changing_panel() -> Panel:
    """Return levels that change every six weeks: easy for a network, and hard for a mean of eight weeks."""
    level = np.repeat(np.where(np.arange(60) % 12 < 6, 100.0, 200.0), 7)
    return make_panel(np.random.default_rng(4).poisson(level, (6, 420)).astype(float), CONTINENTS)


def compare_network(panel: Panel, network: Network) -> dict[str, float]:
    """Return how far the network's forecasts by numpy are from Keras's, and its errors beside the mean's."""
    history = panel.cut(392)
    from forecasting.network import training  # imports Keras, whose framework the first training chooses

    rows, ends = np.arange(6), np.full(6, 392)
    windows = build_windows(SeriesHistory.pad(history, history.values, HORIZON, network.has_year), rows, ends, HORIZON)
    members = []
    for index in range(len(network.weights["lstm_kernel"])):
        member = training._build_member(windows.patches.shape[1:], windows.context.shape[1:], HORIZON, 0)
        member.set_weights([network.weights[name][index] for name in WEIGHT_NAMES])
        output = np.asarray(member([windows.patches, windows.context]), dtype=float)
        members.append(order_quantiles(output))
    ours = predict_departures(network.weights, windows.patches, windows.context)
    actual = panel.values[:, 392:]
    return {
        "difference": float(np.abs(ours - np.mean(members, axis=0)).max()),
        "loss": float(np.abs(network.forecast(history, HORIZON).median - actual).mean()),
        "loss_of_mean": float(np.abs(windows.base - actual).mean()),
    }


def find_leaks(panel: Panel, network: Network) -> list[str]:
    """Return the real models that know what comes later; the network was trained before the origin."""
    settings = Settings(origin_count=1)
    return find_peeking_models(panel, list_candidates(panel, network, settings), HORIZON, settings)


def forecast_edge_cases() -> dict[str, bool]:
    """Return whether the fitted models give finite forecasts that are not negative, by kind of series."""
    cases = {
        "constant": np.full((1, 120), 4.0),
        "zeros": np.zeros((1, 120)),
        "nearly silent": (np.arange(120) % 30 == 0).astype(float)[None],
        "falling to zero": np.maximum(100.0 - np.arange(120), 0)[None],
        "huge": draw_counts(120, 50) * 1e12,
        "ten days": draw_counts(10, 50),
        "missing loads": np.where(np.arange(120) % 11 < 3, np.nan, draw_counts(120, 50)),
        "starts unknown": np.where(np.arange(120) < 60, np.nan, draw_counts(120, 50)),
    }
    results = {}
    for name, values in cases.items():
        for key in (CONTINENTS, GroupKey("minutes", "week", "total")):
            panel = make_panel(values, key)
            forecasts = [model.forecast(panel, 8) for model in (make_ets(), make_theta())]
            results[f"{name}, {key.grain}"] = all(
                np.isfinite(forecast.median).all() and (forecast.median >= 0).all() and (forecast.spread > 0).all()
                for forecast in forecasts
            )
    return results


if __name__ == "__main__":
    changing_panel = make_changing_panel()
    from forecasting.network import training as network_training

    network_training.BATCH_COUNT = BATCH_COUNT
    trained_network = fit_network([changing_panel.cut(392)], HORIZON, 7)
    result = {
        "metrics": compare_metrics(),
        "leaks": find_leaks(changing_panel, trained_network),
        "network": compare_network(changing_panel, trained_network),
        "edge_cases": forecast_edge_cases(),
    }
    sys.stdout.write(json.dumps(result))
