"""Results as tables."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from typing import Any

import numpy as np
import pyarrow as pa

from forecasting.anomalies import AnomalousDay
from forecasting.backtest import Backtest
from forecasting.champion import BASELINE, Champion
from forecasting.files import ANOMALIES, CHAMPIONS, FORECASTS, REFUSALS, SCORES
from forecasting.metrics import average
from forecasting.panels import OWN_LEVELS, FloatArray, GroupKey, Panel
from forecasting.validation import Refusals

QUANTILE_COLUMNS = ("q025", "q10", "q50", "q90", "q975")


def make_forecasts(panel: Panel, as_of_date: date, model: str, naive: FloatArray, quantiles: FloatArray) -> pa.Table:
    """Return the forecasts of a panel.

    :param naive: what repeating last week says, shape (series, steps).
    :param quantiles: shape (series, steps, quantiles).
    """
    count, horizon = naive.shape
    size = count * horizon
    return _make_table(
        FORECASTS,
        {
            **_repeat_key(panel.key, size),
            "segment": np.repeat(np.array(panel.segments, dtype=object), horizon),
            "as_of_date": np.repeat(np.datetime64(as_of_date, "D"), size),
            "target_date": np.tile(panel.list_future_dates(horizon), count),
            "horizon": np.tile(np.arange(1, horizon + 1, dtype=np.int16), count),
            "model": np.repeat(model, size),
            "naive": naive.ravel(),
            **{name: quantiles[..., index].ravel() for index, name in enumerate(QUANTILE_COLUMNS)},
        },
    )


def make_scores(backtest: Backtest) -> pa.Table:
    """Return the scores of all models by series and origin; of artists and listeners, one row for all series."""
    panel, is_own = backtest.panel, backtest.panel.key.level in OWN_LEVELS
    segments = ("",) if is_own else panel.segments
    origins = panel.dates[backtest.origins - 1]
    size = len(origins) * len(segments)
    tables = []
    naive = _summarize(backtest.measure_mase(BASELINE), is_own)
    for model in backtest.forecasts:
        measures = (backtest.measure_mase(model), *backtest.measure_intervals(model))
        mase, wql, coverage_80, coverage_95 = (_summarize(values, is_own) for values in measures)
        columns = {
            **_repeat_key(panel.key, size),
            "segment": np.tile(np.array(segments, dtype=object), len(origins)),
            "model": np.repeat(model, size),
            "origin_date": np.repeat(origins, len(segments)),
            **{"mase": mase, "naive_mase": naive, "wql": wql, "coverage_80": coverage_80, "coverage_95": coverage_95},
        }
        tables.append(_make_table(SCORES, columns))
    return pa.concat_tables(tables)


def make_champions(champions: Mapping[GroupKey, Champion]) -> pa.Table:
    """Return the champions, one row a group."""
    rows = [{**key._asdict(), **vars(champion)} for key, champion in champions.items()]
    return pa.Table.from_pylist(rows, schema=CHAMPIONS)


def make_anomalies(days: Iterable[tuple[GroupKey, Sequence[AnomalousDay]]]) -> pa.Table:
    """Return the anomalous days of all groups."""
    rows = [
        {**key._asdict(), **day._asdict(), "target_date": day.target_date.item()}
        for key, group in days
        for day in group
    ]
    return pa.Table.from_pylist(rows, schema=ANOMALIES)


def make_refusals(refusals: Iterable[tuple[GroupKey, Refusals]]) -> pa.Table:
    """Return the series of all groups that are not forecast, with the reason of each."""
    rows = [
        {**key._asdict(), "segment": segment, "reason": reason}
        for key, group in refusals
        for segment, reason in group.reasons.items()
    ]
    return pa.Table.from_pylist(rows, schema=REFUSALS)


def _summarize(values: FloatArray, is_own: bool) -> FloatArray:
    return (average(values, axis=1) if is_own else values).ravel()


def _repeat_key(key: GroupKey, size: int) -> dict[str, Any]:
    return {name: np.repeat(text, size) for name, text in key._asdict().items()}


def _make_table(schema: pa.Schema, columns: Mapping[str, Any]) -> pa.Table:
    """Return a table; NaN becomes NULL."""
    arrays = [pa.array(columns[item.name], item.type, from_pandas=True) for item in schema]
    return pa.Table.from_arrays(arrays, schema=schema)
