"""Champion and challenger."""

import numpy as np
import pytest

from forecasting.backtest import Backtest
from forecasting.champion import choose_champion
from forecasting.models.interface import Forecast
from forecasting.settings import Settings
from forecasting.validation import Refusals
from tests.forecasting.series import draw_counts, make_panel

ORIGIN_COUNT = 10


def _make_backtest(**errors: float | list[float]) -> Backtest:
    """Return a backtest in which each model's MASE at each origin is given."""
    shape = (ORIGIN_COUNT, 1, 28)
    actual = np.full(shape, 100.0)
    return Backtest(
        panel=make_panel(draw_counts(200, 100)),
        origins=np.arange(ORIGIN_COUNT) * 7 + 80,
        actual=actual,
        scale=np.ones((ORIGIN_COUNT, 1)),
        forecasts={
            name: Forecast(actual + np.broadcast_to(values, ORIGIN_COUNT)[:, None, None], np.ones(shape))
            for name, values in errors.items()
        },
    )


def test_the_best_model_is_published_at_first() -> None:
    champion = choose_champion(_make_backtest(seasonal_naive=1.0, ets=0.8, theta=0.7), None, Settings())
    assert (champion.model, champion.origin_count, champion.better_origin_count) == ("theta", 10, 10)
    assert champion.relative_to_naive == pytest.approx(0.7)
    assert champion.reason == (
        "The Theta method is published: over 10 past windows its error is 30 % lower than that of repeating last week "
        "(MASE 0.70 instead of 1.00). It was better in 10 of them; in eight of ten, its error is between 30 % lower "
        "and 30 % lower."
    )


@pytest.mark.parametrize(
    ("challenger", "published"),
    [
        (0.799, "ets"),
        (0.785, "ets"),
        (0.783, "theta"),
        ([0.1] * 4 + [0.81] * 6, "ets"),
        ([0.1] * 5 + [0.81] * 5, "theta"),
    ],
    ids=["equal", "1.9 % better", "2 % better", "worse at most origins", "not worse at most origins"],
)
def test_a_challenger_replaces_the_champion_only_if_it_is_clearly_better(
    challenger: float | list[float], published: str
) -> None:
    backtest = _make_backtest(seasonal_naive=1.0, ets=0.8, theta=challenger)
    champion = choose_champion(backtest, "ets", Settings())
    assert champion.model == published and champion.previous_model == "ets"
    assert ("was not clearly better" in champion.reason) == (published == "ets")


@pytest.mark.parametrize("error", [1.0, 1.01, [0.2] * 4 + [1.1] * 6], ids=["equal", "worse", "worse at most origins"])
def test_what_loses_to_repeating_last_week_is_never_published(error: float | list[float]) -> None:
    for previous in (None, "ets"):
        champion = choose_champion(_make_backtest(seasonal_naive=1.0, ets=error), previous, Settings())
        assert champion.model == "seasonal_naive"
        assert "No model beats repeating last week" in champion.reason


@pytest.mark.filterwarnings("error")
def test_where_repeating_last_week_is_exact_it_is_published() -> None:
    champion = choose_champion(_make_backtest(seasonal_naive=0.0, ets=0.5), "ets", Settings())
    assert champion.model == "seasonal_naive" and champion.relative_to_naive is None
    partly = choose_champion(_make_backtest(seasonal_naive=[0.0] + [1.0] * 9, ets=0.5), None, Settings())
    assert partly.model == "ets" and "between 50 % lower and 50 % lower" in partly.reason


def test_a_champion_that_no_longer_competes_is_replaced() -> None:
    champion = choose_champion(_make_backtest(seasonal_naive=1.0, ets=0.8), "network", Settings())
    assert champion.model == "ets" and champion.previous_model == "network"


@pytest.mark.parametrize(("best", "published"), [(0.79, "network+ets"), (0.75, "theta")])
def test_before_there_is_a_champion_an_average_is_the_one_to_beat(best: float, published: str) -> None:
    backtest = _make_backtest(**{"seasonal_naive": 1.0, "ets+theta": 0.8, "network+ets": 0.8, "theta": best})
    assert choose_champion(backtest, None, Settings()).model == published


def test_an_average_is_named_in_words() -> None:
    champion = choose_champion(_make_backtest(**{"seasonal_naive": 1.0, "network+ets": 0.8}), None, Settings())
    assert champion.reason.startswith("The average of the neural network and exponential smoothing is published")


def test_too_few_known_windows_publish_nothing() -> None:
    backtest = _make_backtest(seasonal_naive=1.0, ets=0.5)
    backtest.actual[3:] = np.nan
    champion = choose_champion(backtest, "ets", Settings(), "Not forecast: 1 series: the history is too short.")
    assert champion.model is None
    assert champion.reason == (
        "Nothing is published: only 3 past windows can be judged, and 4 are needed. "
        "Not forecast: 1 series: the history is too short."
    )


def test_a_model_without_forecasts_of_the_first_windows_is_judged_on_the_others() -> None:
    naive = [0.5] * 4 + [2.0] * 6  # the first windows are easy, and the network did not exist then
    backtest = _make_backtest(
        **{"seasonal_naive": naive, "ets": [0.4] * 4 + [1.5] * 6, "network": [np.nan] * 4 + [1.0] * 6}
    )
    champion = choose_champion(backtest, "ets", Settings())
    assert (champion.model, champion.origin_count, champion.better_origin_count) == ("network", 6, 6)
    assert champion.relative_to_naive == pytest.approx(0.5) and champion.mase == pytest.approx(1.0)
    few = choose_champion(_make_backtest(seasonal_naive=1.0, network=[np.nan] * 7 + [0.5] * 3), None, Settings())
    assert few.model == "seasonal_naive"


def test_without_enough_errors_for_intervals_nothing_is_published() -> None:
    backtest = _make_backtest(seasonal_naive=1.0, ets=0.5)
    backtest.actual[:, :, 2:] = np.nan  # 20 known errors
    champion = choose_champion(backtest, None, Settings(), "Not forecast: 1 series: the history is too short.")
    assert champion.model is None
    assert champion.reason == (
        "Nothing is published: too few errors of the past are known to say how far exponential smoothing errs. "
        "Not forecast: 1 series: the history is too short."
    )


def test_reasons_of_many_series_are_one_sentence() -> None:
    short = {f"u{days}": f"the history is too short ({days} days of 112)" for days in (108, 1, 40)}
    others = {"a": "a value is negative or not a finite number", "b": "too little happens (on 9 of the last 56 days)"}
    assert Refusals({**others, **short}).describe() == (
        "3 series: the history is too short (1 to 108 days of 112); 1 series: a value is negative or not a finite"
        " number; 1 series: too little happens (on 9 of the last 56 days)"
    )
