"""Backtests: origins, measures, and that no model sees what came later."""

from dataclasses import dataclass

import numpy as np
import pytest

from forecasting.backtest import list_origins, run_backtest
from forecasting.models.interface import Forecast
from forecasting.models.naive import SeasonalNaive, WindowMean, WindowMedian
from forecasting.panels import Panel
from forecasting.settings import Settings
from tests.forecasting.leaks import find_peeking_models
from tests.forecasting.series import draw_counts, make_panel

HORIZON = 28
MODELS = (SeasonalNaive(), WindowMean(), WindowMedian())


@dataclass(frozen=True)
class PeekingModel:
    """A planted leak: it holds the whole panel, and returns what comes."""

    whole: Panel
    name: str = "peeking"

    def forecast(self, panel: Panel, horizon: int) -> Forecast:
        known = len(panel.dates)
        median = self.whole.values[:, known : known + horizon]
        return Forecast(median, np.ones_like(median))


def test_a_model_that_peeks_is_found() -> None:
    panel = make_panel(draw_counts(200, 50, series_count=3))
    before = panel.values.copy()
    assert find_peeking_models(panel, [*MODELS, PeekingModel(panel)], HORIZON, Settings()) == ["peeking"]
    assert np.array_equal(panel.values, before)


def test_a_leak_shows_in_the_errors_too() -> None:
    # Independent Poisson counts: a perfect model has 1/√2 of the error of repeating last week, and none has less.
    panel = make_panel(draw_counts(700, 60, series_count=12))
    backtest = run_backtest(panel, [*MODELS, PeekingModel(panel)], HORIZON, Settings())
    naive = np.nanmean(backtest.measure_mase("seasonal_naive"))
    relative = {name: np.nanmean(backtest.measure_mase(name)) / naive for name in backtest.forecasts}
    assert relative["peeking"] < 0.70 < relative["mean_8_weeks"] < 0.78


def test_origins_leave_history_before_them_and_a_horizon_after_them() -> None:
    panel = make_panel(draw_counts(9 * 7 + 3 * 7 + HORIZON, 50))
    origins = list_origins(panel, HORIZON, Settings())
    assert origins.tolist() == [63, 70, 77, 84]
    assert list_origins(panel.cut(63 + HORIZON - 1), HORIZON, Settings()).size == 0


def test_the_history_of_an_origin_is_a_copy() -> None:
    panel = make_panel(draw_counts(100, 50))
    history = panel.cut(60)
    assert history.values.base is None or history.values.base.size == history.values.size
    assert history.dates[-1] == panel.dates[59]


def test_unknown_days_are_no_errors() -> None:
    values = draw_counts(200, 50)
    holed = values.copy()
    holed[0, 150:160] = np.nan
    whole, partial = (
        run_backtest(make_panel(array), MODELS, HORIZON, Settings(origin_count=4)) for array in (values, holed)
    )
    assert np.isfinite(partial.measure_mase("mean_8_weeks")).all()
    assert partial.measure_mase("mean_8_weeks") == pytest.approx(whole.measure_mase("mean_8_weeks"), rel=0.3)
    assert np.isnan(partial.actual).any()


def test_intervals_of_the_first_origins_use_no_later_errors() -> None:
    backtest = run_backtest(make_panel(draw_counts(400, 50)), MODELS, HORIZON, Settings())
    wql, coverage_80, coverage_95 = backtest.measure_intervals("mean_8_weeks")
    assert np.isnan(coverage_80[:3]).all() and np.isfinite(coverage_80[8:]).all()
    assert np.isfinite(wql[8:]).all() and np.nanmean(coverage_80) < np.nanmean(coverage_95)


def test_all_models_are_judged_on_the_steps_that_each_of_them_forecasts() -> None:
    @dataclass(frozen=True)
    class Partial:
        """It says nothing about Sundays, and nothing at all before the last two origins."""

        name: str = "partial"

        def forecast(self, panel: Panel, horizon: int) -> Forecast:
            median = np.full((1, horizon), 50.0 if len(panel.dates) > 160 else np.nan)
            median[:, 6::7] = np.nan
            return Forecast(median, np.ones_like(median))

    backtest = run_backtest(make_panel(draw_counts(200, 50)), [*MODELS, Partial()], HORIZON, Settings(origin_count=4))
    assert np.isfinite(backtest.actual).sum(axis=(1, 2)).tolist() == [28, 28, 24, 24]
    assert np.isfinite(backtest.measure_ratios("partial")).sum() == 48


def test_a_weekday_that_is_never_known_is_forecast_as_the_others() -> None:
    values = draw_counts(200, 50)
    values[:, ::7] = np.nan
    for model in MODELS:
        median = model.forecast(make_panel(values), HORIZON).median
        assert np.isfinite(median).all() and median.min() > 30
