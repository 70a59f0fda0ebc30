"""Training of the network by Keras on JAX: one compiled loop over all batches, for all members of the ensemble at once.

Import it only to train: Keras and JAX take seconds to import. Results are bit-identical for the same seed and data if
JAX runs on one thread, as `forecasting.__main__` sets it before the import.
"""

from collections.abc import Callable, Sequence
from functools import cache
from typing import Any

import jax
import jax.numpy as jnp
import keras
import numpy as np

from forecasting.network.network import LEVELS, WEIGHT_NAMES, Network
from forecasting.network.samples import Samples, draw_samples
from forecasting.network.windows import Float32Array
from forecasting.panels import Panel

Shape = tuple[int, ...]
MEMBER_COUNT = 3
LSTM_UNITS = 32
HIDDEN_UNITS = 32
BATCH_COUNT = 800
BATCH_SIZE = 128
LEARNING_RATE = 5e-3
LEAST_DAYS_OF_YEARS = np.timedelta64(550, "D")
"""With less history no time of the year was seen twice, and the network would take its trend for the year's."""


def train_network(panels: Sequence[Panel], horizon: int, seed: int) -> Network:
    """Return a network trained on the panels of one grain, up to their last dates.

    :raises TooShortError: the history holds too few windows.
    """
    has_year = all(panel.dates[-1] - panel.dates[0] >= LEAST_DAYS_OF_YEARS for panel in panels)
    samples = draw_samples(panels, horizon, BATCH_COUNT, BATCH_SIZE, has_year, np.random.default_rng(seed))
    shapes = (samples.patches.shape[2:], samples.context.shape[2:], horizon)
    members = [_build_member(*shapes, seed + 1000 * index).trainable_variables for index in range(MEMBER_COUNT)]
    weights = [jnp.stack([variable.value for variable in variables]) for variables in zip(*members, strict=True)]
    trained = _compile_training(*shapes)(weights, samples)
    return Network(dict(zip(WEIGHT_NAMES, trained, strict=True)), panels[0].key.grain, horizon, has_year)


def _build_member(patch_shape: Shape, context_shape: Shape, horizon: int, seed: int) -> Any:
    """Return a Keras model from patches and context to quantiles of departures, not yet ordered."""
    seeds = iter(range(seed, seed + 4))
    patches, context = keras.Input(patch_shape), keras.Input(context_shape)
    state = keras.layers.LSTM(
        LSTM_UNITS,
        kernel_initializer=keras.initializers.GlorotUniform(next(seeds)),
        recurrent_initializer=keras.initializers.Orthogonal(seed=next(seeds)),
    )(patches)
    hidden = keras.layers.Dense(
        HIDDEN_UNITS, activation="relu", kernel_initializer=keras.initializers.GlorotUniform(next(seeds))
    )(keras.layers.Concatenate()([state, context]))
    # Small weights at first: training starts at the mean of the last eight weeks.
    small = keras.initializers.RandomNormal(stddev=0.01, seed=next(seeds))
    output = keras.layers.Dense(horizon * len(LEVELS), kernel_initializer=small)(hidden)
    return keras.Model([patches, context], keras.layers.Reshape((horizon, len(LEVELS)))(output))


@cache  # A backtest trains several networks of the same shape, and compiling takes as long as much of a training.
def _compile_training(patch_shape: Shape, context_shape: Shape, horizon: int) -> Callable[..., list[Float32Array]]:
    """Return the function from initial weights, stacked by member, and samples to trained weights."""
    model = _build_member(patch_shape, context_shape, horizon, 0)
    schedule = keras.optimizers.schedules.CosineDecay(LEARNING_RATE, BATCH_COUNT, alpha=0.02)
    optimizer = keras.optimizers.Adam(schedule, clipnorm=1.0)
    optimizer.build(model.trainable_variables)
    fixed = [variable.value for variable in model.non_trainable_variables]

    def measure_loss(weights: Any, patches: Any, context: Any, target: Any, is_known: Any) -> Any:
        output, _fixed = model.stateless_call(weights, fixed, [patches, context])
        error = target[..., None] - _order_quantiles(output)
        levels = jnp.asarray(LEVELS, dtype=error.dtype)
        pinball = jnp.maximum(levels * error, (levels - 1) * error)
        return (pinball * is_known[..., None]).sum() / (is_known.sum() + 1)

    def update_member(weights: Any, state: Any, *batch: Any) -> Any:
        return optimizer.stateless_apply(state, jax.grad(measure_loss)(weights, *batch), weights)

    def update_all(carry: Any, batch: Any) -> Any:
        return jax.vmap(update_member, in_axes=(0, 0, None, None, None, None))(*carry, *batch), None

    def run_all(weights: Any, state: Any, batches: Any) -> Any:
        return jax.lax.scan(update_all, (weights, state), batches)[0][0]

    compiled = jax.jit(run_all)

    def train(weights: list[Any], samples: Samples) -> list[Float32Array]:
        state = [jnp.stack([variable.value] * MEMBER_COUNT) for variable in optimizer.variables]
        batches = (samples.patches, samples.context, samples.target, samples.is_known)
        return [np.asarray(array) for array in compiled(weights, state, batches)]

    return train


def _order_quantiles(output: Any) -> Any:
    """Do in JAX what `order_quantiles` of the network does in numpy."""
    middle = LEVELS.index(0.5)
    median = output[..., middle : middle + 1]
    steps = jax.nn.softplus(output - 1)
    above = jnp.cumsum(steps[..., middle + 1 :], axis=-1)
    below = jnp.cumsum(steps[..., :middle][..., ::-1], axis=-1)[..., ::-1]
    return jnp.concatenate([median - below, median, median + above], axis=-1)
