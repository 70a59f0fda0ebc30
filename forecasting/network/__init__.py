"""A global network: one small LSTM for the series of a grain, trained on segments and random sums of them.

windows     scaled departures from the recent weekday pattern, and what the network knows beside them
samples     windows drawn for training
training    training by Keras on JAX: imported only to train
network     weights and forecasts, by numpy alone
staged      networks of several dates as one model, for a backtest
"""

import os
from collections.abc import Sequence

from forecasting.network.network import Network, load_network
from forecasting.network.staged import StagedNetwork
from forecasting.panels import Panel

__all__ = ["Network", "StagedNetwork", "fit_network", "load_network"]


def fit_network(panels: Sequence[Panel], horizon: int, seed: int) -> Network:
    """Return a network trained on the panels of one grain, up to their last dates.

    Listeners' and artists' panels are left out. Imports Keras and JAX.

    :raises TooShortError: the history holds too few windows.
    """
    os.environ["KERAS_BACKEND"] = "jax"  # before the import, which chooses the framework
    from forecasting.network.training import train_network

    return train_network(panels, horizon, seed)
