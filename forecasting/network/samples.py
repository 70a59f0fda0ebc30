"""What the network is trained on: windows of segments, and of random sums of them."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from forecasting.errors import TooShortError
from forecasting.network.windows import (
    BASE_WEEKS,
    LEAST_WEEKS,
    Float32Array,
    SeriesHistory,
    build_targets,
    build_windows,
)
from forecasting.panels import OWN_LEVELS, FloatArray, Panel

LARGEST_UNKNOWN_FRACTION = 0.3
"""Of the members of a sum on one day; their mean stands for them."""
LEAST_SPANS = 2
"""A panel's least history, in spans of the mean that the network departs from and a horizon. Trained on less, the
network was worse than that mean."""


@dataclass(frozen=True)
class Samples:
    """Batches of windows and what came after them, each with (batches, batch) as first axes."""

    patches: Float32Array
    context: Float32Array
    target: Float32Array
    is_known: Float32Array


def draw_samples(
    panels: Sequence[Panel], horizon: int, batch_count: int, batch_size: int, has_year: bool, rng: np.random.Generator
) -> Samples:
    """Draw windows of all panels at random, as many of sums as of segments.

    Series of listeners and artists are left out, whatever the caller passes: a model outlives the right to use them.

    :raises TooShortError: no panel's history is long enough.
    """
    found = []
    for panel in panels:
        if panel.key.level not in OWN_LEVELS and _is_long_enough(panel, horizon):
            values = np.concatenate([panel.values, _make_sums(panel.values, rng)])
            found.append((panel, values, *_list_windows(panel, values, horizon)))
    window_count = sum(len(rows) for _panel, _values, rows, _ends in found)
    if not window_count:
        raise TooShortError(
            f"the network needs a history of {LEAST_SPANS} times {BASE_WEEKS} weeks and a horizon: wait for more days"
        )
    parts = []
    for panel, values, rows, ends in found:
        history = SeriesHistory.pad(panel, values, horizon, has_year)
        picked = rng.integers(0, len(rows), -(-batch_count * batch_size * len(rows) // window_count))
        windows = build_windows(history, rows[picked], ends[picked], horizon)
        parts.append((windows.patches, windows.context, *build_targets(history, rows[picked], ends[picked], windows)))
    joined = [np.concatenate(arrays) for arrays in zip(*parts, strict=True)]
    order = rng.permutation(len(joined[0]))[: batch_count * batch_size]
    return Samples(*(array[order].reshape(batch_count, batch_size, *array.shape[1:]) for array in joined))


def _is_long_enough(panel: Panel, horizon: int) -> bool:
    least = LEAST_SPANS * (BASE_WEEKS * panel.steps_per_week + horizon)
    return panel.values.size > 0 and (~np.isnan(panel.values)).any(axis=0).sum() >= least


def _make_sums(values: FloatArray, rng: np.random.Generator) -> FloatArray:
    """Return sums of random series, as many as there are series: a total is no larger copy of a segment."""
    series_count = len(values)
    if series_count < 3:
        return values[:0]
    sizes = rng.integers(2, series_count + 1, series_count)
    is_member = np.array([rng.permutation(series_count) < size for size in sizes], dtype=np.float64)
    is_known = ~np.isnan(values)
    known_count = is_member @ is_known
    totals = is_member @ np.nan_to_num(values) * sizes[:, None] / np.maximum(known_count, 1)
    totals[known_count < (1 - LARGEST_UNKNOWN_FRACTION) * sizes[:, None]] = np.nan
    return np.asarray(totals)


def _list_windows(panel: Panel, values: FloatArray, horizon: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the row and the end of each window with enough known values before it, and a quarter horizon after it."""
    least = LEAST_WEEKS * panel.steps_per_week
    known = np.cumsum(~np.isnan(values), axis=1)
    rows, steps = np.nonzero(known[:, : values.shape[1] - max(horizon // 4, 1)] >= least)
    return rows, steps + 1
