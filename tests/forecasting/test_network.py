"""The network without its framework: windows, forecasts from weights, files, samples. test_training.py trains it."""

from pathlib import Path

import numpy as np
import pytest

from forecasting.errors import TooShortError, WrongInputError
from forecasting.models.interface import Forecast
from forecasting.network import Network, StagedNetwork, load_network
from forecasting.network.network import LEVELS, order_quantiles
from forecasting.network.samples import draw_samples
from forecasting.network.windows import SeriesHistory, build_targets, build_windows
from forecasting.panels import FloatArray, GroupKey, Panel
from tests.forecasting.series import draw_counts, make_panel

HORIZON = 28
WEEKS = GroupKey("sessions", "week", "continent")


def _make_network(panel: Panel, horizon: int, seed: int = 1, size: float = 0.3, members: int = 2) -> Network:
    """Return a network of random weights for the windows of a panel."""
    history = SeriesHistory.pad(panel, panel.values, horizon, True)
    windows = build_windows(history, np.array([0]), np.array([panel.values.shape[1]]), horizon)
    units, hidden = 4, 5
    shapes = {
        "lstm_kernel": (windows.patches.shape[2], 4 * units),
        "lstm_recurrent_kernel": (units, 4 * units),
        "lstm_bias": (4 * units,),
        "hidden_kernel": (units + windows.context.shape[1], hidden),
        "hidden_bias": (hidden,),
        "output_kernel": (hidden, horizon * len(LEVELS)),
        "output_bias": (horizon * len(LEVELS),),
    }
    rng = np.random.default_rng(seed)
    weights = {name: rng.normal(0, size, (members, *shape)).astype(np.float32) for name, shape in shapes.items()}
    return Network(weights, panel.key.grain, horizon, has_year=True)


def test_windows_of_sizes_that_differ_by_a_factor_are_equal() -> None:
    counts = draw_counts(600, 20, series_count=2)
    panel = make_panel(np.concatenate([counts, counts * 1000]))
    history = SeriesHistory.pad(panel, panel.values, HORIZON, True)
    windows = build_windows(history, np.arange(4), np.full(4, 500), HORIZON)
    np.testing.assert_allclose(windows.patches[:2], windows.patches[2:], rtol=1e-5)
    np.testing.assert_allclose(windows.context[:2], windows.context[2:], rtol=1e-5)
    np.testing.assert_allclose(windows.base[:2] * 1000, windows.base[2:])


def test_a_window_knows_nothing_of_its_end_or_later() -> None:
    counts = draw_counts(600, 20)
    changed = counts.copy()
    changed[:, 500:] = changed[:, 500:] * 3 + 100
    windows = [_build_one(values, 500) for values in (counts, changed)]
    assert np.array_equal(windows[0][0], windows[1][0]) and np.array_equal(windows[0][1], windows[1][1])
    later = [_build_one(values, 501) for values in (counts, changed)]
    assert not np.array_equal(later[0][0], later[1][0])


def _build_one(values: FloatArray, end: int) -> tuple[FloatArray, FloatArray]:
    """Return the inputs of a window whose unit does not depend on what comes later."""
    panel = make_panel(values).cut(end)
    history = SeriesHistory.pad(panel, panel.values, HORIZON, True)
    windows = build_windows(history, np.array([0]), np.array([end]), HORIZON)
    return windows.patches.astype(float), windows.context.astype(float)


def test_targets_are_scaled_departures_from_the_weekday_means() -> None:
    counts = draw_counts(300, 100)
    counts[0, 205] = np.nan
    panel = make_panel(counts)
    history = SeriesHistory.pad(panel, panel.values, HORIZON, False)
    rows, ends = np.array([0]), np.array([203])
    windows = build_windows(history, rows, ends, HORIZON)
    np.testing.assert_allclose(windows.base[0, :7], counts[0, 203 - 56 : 203].reshape(8, 7).mean(axis=0))
    target, is_known = build_targets(history, rows, ends, windows)
    assert is_known[0].tolist() == [1, 1, 0] + [1] * 25
    actual = (windows.base + target * windows.unit)[is_known == 1]
    np.testing.assert_allclose(actual, np.delete(counts[0, 203:231], 2), rtol=1e-5)


def test_time_of_the_year_is_left_out_where_no_year_was_seen() -> None:
    panel = make_panel(draw_counts(200, 20))
    rows, ends = np.array([0]), np.array([200])
    with_year, without = (
        build_windows(SeriesHistory.pad(panel, panel.values, HORIZON, has_year), rows, ends, HORIZON).context
        for has_year in (True, False)
    )
    assert np.count_nonzero(with_year != without) == 2


def test_quantiles_do_not_cross_whatever_the_weights() -> None:
    quantiles = order_quantiles(np.random.default_rng(1).normal(0, 5, (50, HORIZON, len(LEVELS))))
    assert (np.diff(quantiles, axis=-1) > 0).all()


@pytest.mark.parametrize(
    ("values", "expected"),
    [(np.full(200, 7.0), 7.0), (np.zeros(200), 0.0), (np.full(200, 1e15), 1e15)],
    ids=["constant", "zeros", "huge"],
)
def test_constant_series_stay_what_they_are(values: FloatArray, expected: float) -> None:
    panel = make_panel(values)
    forecast = _make_network(panel, HORIZON).forecast(panel, HORIZON)
    np.testing.assert_allclose(forecast.median, expected)
    assert (forecast.spread > 0).all()


def test_missing_loads_change_forecasts_little_and_unknown_series_have_none() -> None:
    counts = draw_counts(300, 100)
    panel = make_panel(np.concatenate([counts, counts, np.full((1, 300), np.nan)]))
    panel.values[1, 250:253] = np.nan
    forecast = _make_network(panel, HORIZON, size=0.05).forecast(panel, HORIZON)
    assert np.abs(forecast.median[1] / forecast.median[0] - 1).max() < 0.1
    assert np.isnan(forecast.median[2]).all()


def test_a_saved_network_forecasts_the_same(tmp_path: Path) -> None:
    panel = make_panel(draw_counts(300, 50, series_count=3))
    network = _make_network(panel, HORIZON)
    network.save(tmp_path / "one.npz")
    network.save(tmp_path / "two.npz")
    assert (tmp_path / "one.npz").read_bytes() == (tmp_path / "two.npz").read_bytes()
    again = load_network(tmp_path / "one.npz").forecast(panel, HORIZON)
    assert np.array_equal(again.median, network.forecast(panel, HORIZON).median)
    shorter = network.forecast(panel, 14)
    assert np.array_equal(shorter.median, again.median[:, :14])


@pytest.mark.parametrize("content", [None, b"", b"no archive", b"PK\x03\x04"], ids=["missing", "empty", "text", "cut"])
def test_a_damaged_file_is_named(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "network_day.npz"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(WrongInputError, match=r"network_day\.npz holds no trained network"):
        load_network(path)


def test_another_grain_or_a_longer_horizon_is_refused() -> None:
    panel = make_panel(draw_counts(300, 50))
    network = _make_network(panel, HORIZON)
    with pytest.raises(WrongInputError, match="trained for 28 days and cannot forecast 35 days"):
        network.forecast(panel, 35)
    with pytest.raises(WrongInputError, match="cannot forecast 8 weeks"):
        network.forecast(make_panel(draw_counts(100, 50), WEEKS), 8)


def test_samples_hold_sums_and_no_own_series() -> None:
    rng = np.random.default_rng(1)
    panel = make_panel(draw_counts(300, 20, series_count=6))
    listeners = make_panel(draw_counts(300, 3, series_count=9), GroupKey("sessions", "day", "listener"))
    alone = draw_samples([panel], HORIZON, 10, 32, False, np.random.default_rng(2))
    both = draw_samples([panel, listeners], HORIZON, 10, 32, False, np.random.default_rng(2))
    assert alone.patches.shape[:2] == (10, 32)
    assert np.array_equal(alone.patches, both.patches) and np.array_equal(alone.target, both.target)
    with pytest.raises(TooShortError):
        draw_samples([listeners], HORIZON, 10, 32, False, rng)


def test_a_history_of_23_weeks_is_too_short_to_learn_from() -> None:
    with pytest.raises(TooShortError, match="wait for more days"):
        draw_samples([make_panel(draw_counts(167, 20))], HORIZON, 10, 32, False, np.random.default_rng(1))


def test_a_staged_network_uses_no_network_that_knows_more_than_the_panel() -> None:
    panel = make_panel(draw_counts(300, 50, series_count=2))
    networks = [_make_network(panel, HORIZON, seed) for seed in (1, 2)]
    staged = StagedNetwork([(panel.dates[199], networks[1]), (panel.dates[149], networks[0])])

    def forecast(model: Network | StagedNetwork, steps: int) -> FloatArray:
        result: Forecast = model.forecast(panel.cut(steps), HORIZON)
        return result.median

    assert np.isnan(forecast(staged, 149)).all()
    assert np.array_equal(forecast(staged, 150), forecast(networks[0], 150))
    assert np.array_equal(forecast(staged, 199), forecast(networks[0], 199))
    assert np.array_equal(forecast(staged, 200), forecast(networks[1], 200))
    assert np.array_equal(forecast(staged, 300), forecast(networks[1], 300))
