"""Rolling-origin backtest: what each model would have forecast on past dates, and what came."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from forecasting.conformal import apply_factors, list_buckets, measure_factors
from forecasting.metrics import (
    average,
    measure_coverage,
    measure_mase,
    measure_naive_scale,
    measure_weighted_quantile_loss,
)
from forecasting.models.average import forecast_all
from forecasting.models.interface import Forecast, Model
from forecasting.panels import FloatArray, Panel
from forecasting.settings import Settings

IntArray = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Backtest:
    """Past forecasts of the models of one panel.

    :param origins: number of known steps at each origin, ascending.
    :param actual: what came, shape (origins, series, steps); NaN where unknown, or where a model says nothing though it
        forecasts other steps from the origin: all models are judged on the same steps.
    :param scale: of MASE, from the history before each origin, shape (origins, series).
    :param forecasts: by model; arrays of the shape of ``actual``.
    """

    panel: Panel
    origins: IntArray
    actual: FloatArray
    scale: FloatArray
    forecasts: dict[str, Forecast]

    def measure_mase(self, model: str) -> FloatArray:
        """Return the error of a model, shape (origins, series)."""
        return measure_mase(self.actual, self.forecasts[model].median, self.scale)

    def measure_ratios(self, model: str) -> FloatArray:
        """Return the errors of a model in units of its spread, shape of ``actual``."""
        forecast = self.forecasts[model]
        return np.asarray((self.actual - forecast.median) / forecast.spread)

    def measure_factors(self, model: str) -> FloatArray:
        """Return the factors that calibrate the intervals of the next forecast, from all past windows."""
        ratios = self.measure_ratios(model)
        return measure_factors(ratios, self._list_buckets(), self._count_windows())

    def measure_intervals(self, model: str) -> tuple[FloatArray, FloatArray, FloatArray]:
        """Return WQL and the coverage of the 80 % and 95 % intervals, each of shape (origins, series).

        The intervals of an origin are calibrated by the errors of steps up to it; NaN while too few are known. Only
        how much few windows widen them is that of the whole backtest, as for the intervals that are published.
        """
        ratios, forecast, buckets = self.measure_ratios(model), self.forecasts[model], self._list_buckets()
        window_count = self._count_windows()
        ends = self.origins[:, None] + np.arange(1, ratios.shape[2] + 1)
        results = []
        for index, origin in enumerate(self.origins):
            was_known = ends[:index, None, :] <= origin
            factors = measure_factors(np.where(was_known, ratios[:index], np.nan), buckets, window_count)
            single = Forecast(forecast.median[index], forecast.spread[index])
            quantiles = apply_factors(single, factors, buckets)
            actual = self.actual[index]
            results.append(
                (
                    measure_weighted_quantile_loss(actual, quantiles),
                    measure_coverage(actual, quantiles[..., 1], quantiles[..., 3]),
                    measure_coverage(actual, quantiles[..., 0], quantiles[..., 4]),
                )
            )
        wql, coverage_80, coverage_95 = (np.stack(arrays) for arrays in zip(*results, strict=True))
        return wql, coverage_80, coverage_95

    def _count_windows(self) -> float:
        """Return how many windows that do not overlap there are since the first origin.

        Also for a network that is younger: counting its own alone made 80 % intervals of real people cover 96 %.
        """
        return float((len(self.panel.dates) - int(self.origins[0])) / self.actual.shape[2])

    def _list_buckets(self) -> list[slice]:
        return list_buckets(self.actual.shape[2], self.panel.steps_per_week)


def list_origins(panel: Panel, horizon: int, settings: Settings) -> IntArray:
    """Return the origins that a panel's length allows, ascending: steps known; after the last, a whole horizon came."""
    stride = settings.origin_stride_weeks * panel.steps_per_week
    last = panel.values.shape[1] - horizon
    origins = last - stride * np.arange(settings.origin_count)[::-1]
    return np.asarray(origins[origins >= settings.least_history_weeks * panel.steps_per_week])


def run_backtest(panel: Panel, models: Sequence[Model], horizon: int, settings: Settings) -> Backtest:
    """Return the forecasts of all models from past origins. At each, the models get a copy that ends there."""
    origins = list_origins(panel, horizon, settings)
    past = [panel.cut(int(origin)) for origin in origins]
    by_origin = [forecast_all(history, models, horizon) for history in past]
    forecasts = {
        name: Forecast(
            np.stack([forecasts[name].median for forecasts in by_origin]),
            np.stack([forecasts[name].spread for forecasts in by_origin]),
        )
        for name in by_origin[0]
    }
    actual = np.stack([panel.values[:, origin : origin + horizon] for origin in origins])
    return Backtest(
        panel,
        origins,
        actual=np.where(_find_gaps(forecasts.values()), np.nan, actual),
        scale=np.stack([measure_naive_scale(history.values, panel.season_length) for history in past]),
        forecasts=forecasts,
    )


def _find_gaps(forecasts: Iterable[Forecast]) -> npt.NDArray[np.bool_]:
    """Return the steps about which a model says nothing at an origin from which it forecasts others."""
    is_missing = np.stack([~np.isfinite(forecast.median) for forecast in forecasts])
    return np.asarray((is_missing & ~is_missing.all(axis=(2, 3), keepdims=True)).any(axis=0))


def average_over_series(errors: FloatArray) -> FloatArray:
    """Return the mean error of the series at each origin."""
    return average(errors, axis=1)
