"""Runs without the heavy libraries: models that need no fitting, refusals, and wrong input."""

import json
from collections.abc import Sequence
from datetime import timedelta
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from forecasting import run
from forecasting.__main__ import main
from forecasting.errors import RemovedRunError, TooShortError
from forecasting.files import (
    ANOMALIES,
    CALIBRATION,
    CHAMPIONS,
    FORECASTS,
    REFUSALS,
    SCORES,
    SERIES,
    read_table,
    write_table,
)
from forecasting.panels import OWN_LEVELS, FloatArray, GroupKey, Panel
from forecasting.provenance import hash_series
from tests.forecasting.series import AS_OF_DATE, CONTINENTS, TOTAL, draw_counts, list_rows, make_panel, write_folder

NO_FITTING = {"most_fitted_series": 0}
WEEKS = GroupKey("active_users", "week", "total")
ONE_WEEK = {"day": 28, "week": 1}
LISTENERS = GroupKey("minutes", "day", "listener")


@pytest.fixture(autouse=True)
def _no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run, "fit_network", None)


def _read(folder: Path, name: str, schema: pa.Schema) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = read_table(folder / f"{name}.arrow", schema).to_pylist()
    return rows


def _run(folder: Path, *panels: Panel, **fields: Any) -> dict[str, Any]:
    write_folder(folder, panels, **{"settings": NO_FITTING, **fields})
    assert main([str(folder)]) == 0
    summary: dict[str, Any] = json.loads((folder / "run.json").read_text(encoding="utf-8"))
    return summary


@pytest.fixture(scope="module")
def panels() -> tuple[Panel, ...]:
    weeks = draw_counts(60 * 7, 20).reshape(1, 60, 7).sum(axis=2)
    return (
        make_panel(draw_counts(300, 60), TOTAL),
        make_panel(draw_counts(300, 20, series_count=3), CONTINENTS),
        make_panel(draw_counts(200, 5, series_count=12), LISTENERS),
        make_panel(weeks, WEEKS),
    )


@pytest.fixture(scope="module")
def trained(panels: tuple[Panel, ...], tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("trained")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(run, "fit_network", None)
        _run(folder, *panels)
    return folder


def test_a_training_publishes_every_step_of_every_series(trained: Path) -> None:
    rows = _read(trained, "forecasts", FORECASTS)
    counts: dict[tuple[str, str, str], int] = {}
    for row in rows:
        key = (row["grain"], row["level"], row["segment"])
        counts[key] = counts.get(key, 0) + 1
        assert 0 <= row["q025"] <= row["q10"] <= row["q50"] <= row["q90"] <= row["q975"]
        assert row["as_of_date"] == AS_OF_DATE and row["naive"] is not None and row["model"]
        step = 1 if row["grain"] == "day" else 7
        assert (row["target_date"] - AS_OF_DATE).days == step * row["horizon"] - (0 if step == 1 else 6)
    assert len(counts) == 1 + 3 + 12 + 1
    assert set(counts.values()) == {28, 8} and counts["week", "total", "segment 0"] == 8


def test_a_training_writes_scores_of_all_models_and_champions(trained: Path) -> None:
    champions = {row["level"]: row for row in _read(trained, "champions", CHAMPIONS) if row["grain"] == "day"}
    assert champions["total"]["model"] == "mean_8_weeks"
    assert 0.70 < champions["continent"]["relative_to_naive"] < 0.80
    assert 0.70 < champions["continent"]["coverage_80"] < 0.90
    scores = _read(trained, "scores", SCORES)
    assert {row["model"] for row in scores} == {"seasonal_naive", "mean_8_weeks", "median_8_weeks"}
    assert {row["segment"] for row in scores if row["level"] == "listener"} == {""}
    assert {row["segment"] for row in scores if row["level"] == "continent"} == {f"segment {n}" for n in range(3)}
    assert max(row["origin_date"] for row in scores if row["grain"] == "day") < AS_OF_DATE


def test_the_summary_says_what_the_results_depend_on(trained: Path) -> None:
    summary = json.loads((trained / "run.json").read_text(encoding="utf-8"))
    assert len(summary["data_hash"]) == len(summary["code_version"]) == 64
    assert summary["is_training"] and summary["series_count"] == 17 and summary["refused_count"] == 0
    assert summary["seed"] == 7 and summary["versions"]["numpy"] == np.__version__
    assert summary["model_files"] == ["calibration.arrow"] and summary["processor_seconds"] > 0
    assert {path.name for path in trained.iterdir()} == {
        *("request.json", "series.arrow", "run.json", "models"),
        *("forecasts.arrow", "scores.arrow", "champions.arrow", "anomalies.arrow", "refusals.arrow"),
    }


def test_a_daily_run_uses_the_last_training(trained: Path, panels: tuple[Panel, ...], tmp_path: Path) -> None:
    champions = _read(trained, "champions", CHAMPIONS)
    summary = _run(tmp_path, *panels, is_training_due=False, models_folder=str(trained / "models"), champions=champions)
    assert not summary["is_training"] and summary["model_files"] == []
    assert not _read(tmp_path, "champions", CHAMPIONS) and not _read(tmp_path, "scores", SCORES)
    assert (tmp_path / "forecasts.arrow").read_bytes() == (trained / "forecasts.arrow").read_bytes()


@pytest.mark.parametrize("damage", ["missing", "damaged"])
def test_lost_model_files_are_made_again(trained: Path, panels: tuple[Panel, ...], tmp_path: Path, damage: str) -> None:
    models = tmp_path / "models of the last training"
    models.mkdir()
    if damage == "damaged":
        whole = (trained / "models" / "calibration.arrow").read_bytes()
        (models / "calibration.arrow").write_bytes(whole[: len(whole) // 2])
    summary = _run(tmp_path / "run", *panels, is_training_due=False, models_folder=str(models))
    assert summary["is_training"]
    assert (tmp_path / "run" / "forecasts.arrow").read_bytes() == (trained / "forecasts.arrow").read_bytes()


@pytest.mark.parametrize(("days", "is_training"), [(10, False), (28, False), (29, True)])
def test_a_longer_horizon_is_trained_and_a_shorter_one_is_not(
    trained: Path, panels: tuple[Panel, ...], tmp_path: Path, days: int, is_training: bool
) -> None:
    horizons = {"day": days, "week": 8}
    summary = _run(
        tmp_path, *panels[:1], is_training_due=False, models_folder=str(trained / "models"), horizons=horizons
    )
    assert summary["is_training"] is is_training
    assert [row["horizon"] for row in _read(tmp_path, "forecasts", FORECASTS)] == list(range(1, days + 1))


def test_the_order_of_rows_changes_nothing(trained: Path, panels: tuple[Panel, ...], tmp_path: Path) -> None:
    write_folder(tmp_path, panels, settings=NO_FITTING)
    rows = read_table(tmp_path / "series.arrow", SERIES)
    write_table(tmp_path / "series.arrow", rows.take(np.random.default_rng(1).permutation(rows.num_rows)))
    assert main([str(tmp_path)]) == 0
    for name in ("forecasts", "scores", "champions", "anomalies", "refusals"):
        assert (tmp_path / f"{name}.arrow").read_bytes() == (trained / f"{name}.arrow").read_bytes()
    hashes = [json.loads((folder / "run.json").read_text())["data_hash"] for folder in (tmp_path, trained)]
    assert hashes[0] == hashes[1]


def test_another_value_is_another_hash() -> None:
    panel = make_panel(draw_counts(30, 5))
    before = hash_series(list_rows(panel))
    panel.values[0, 3] += 1
    assert hash_series(list_rows(panel)) != before


@pytest.mark.parametrize(
    ("values", "reason"),
    [
        (draw_counts(3, 50), "the history is too short (3 days of 112)"),
        (draw_counts(111, 50), "the history is too short (111 days of 112)"),
        (np.zeros((1, 300)), "too little happens (on 0 of the last 56 days)"),
        (np.append(draw_counts(299, 50), -1.0), "a value is negative or not a finite number"),
        (np.append(draw_counts(299, 50), np.inf), "a value is negative or not a finite number"),
        (np.append(draw_counts(260, 50), np.full(40, np.nan)), "most of the last 56 days are not loaded"),
    ],
    ids=["three days", "one day too short", "zeros", "negative", "infinite", "not loaded"],
)
def test_a_series_that_cannot_be_forecast_is_refused_in_words(tmp_path: Path, values: FloatArray, reason: str) -> None:
    summary = _run(tmp_path, make_panel(values, TOTAL))
    assert summary["series_count"] == 0 and summary["refused_count"] == 1
    (champion,) = _read(tmp_path, "champions", CHAMPIONS)
    assert champion["model"] is None
    assert champion["reason"] == f"Nothing is published. 1 series: {reason}."
    (refusal,) = _read(tmp_path, "refusals", REFUSALS)
    assert refusal == {**TOTAL._asdict(), "segment": "segment 0", "reason": reason}
    assert not _read(tmp_path, "forecasts", FORECASTS)


def test_a_value_that_is_not_a_number_is_refused(tmp_path: Path) -> None:
    write_folder(tmp_path, [make_panel(draw_counts(300, 50), TOTAL)], settings=NO_FITTING)
    rows = read_table(tmp_path / "series.arrow", SERIES)
    values = rows["value"].to_numpy().copy()
    values[100] = np.nan
    write_table(tmp_path / "series.arrow", rows.set_column(5, "value", pa.array(values)))
    assert main([str(tmp_path)]) == 0
    assert "not a finite number" in _read(tmp_path, "champions", CHAMPIONS)[0]["reason"]


def test_refused_series_do_not_stop_others(tmp_path: Path) -> None:
    values = draw_counts(300, 50, series_count=3)
    values[1] = 0
    summary = _run(tmp_path, make_panel(values, CONTINENTS))
    assert summary["series_count"] == 2 and summary["refused_count"] == 1
    (champion,) = _read(tmp_path, "champions", CHAMPIONS)
    assert champion["model"] and champion["reason"].endswith(
        "Not forecast: 1 series: too little happens (on 0 of the last 56 days)."
    )
    assert {row["segment"] for row in _read(tmp_path, "forecasts", FORECASTS)} == {"segment 0", "segment 2"}


def test_a_series_with_two_values_for_a_day_is_refused_alone(tmp_path: Path) -> None:
    write_folder(tmp_path, [make_panel(draw_counts(300, 50, series_count=2), CONTINENTS)], settings=NO_FITTING)
    rows = read_table(tmp_path / "series.arrow", SERIES)
    write_table(tmp_path / "series.arrow", pa.concat_tables([rows, rows.slice(0, 1)]))
    assert main([str(tmp_path)]) == 0
    assert {row["segment"] for row in _read(tmp_path, "forecasts", FORECASTS)} == {"segment 1"}
    (champion,) = _read(tmp_path, "champions", CHAMPIONS)
    assert champion["reason"].endswith("Not forecast: 1 series: it has several values for one date.")


def test_numbers_in_batches_are_forecast_from_the_last_published_week(tmp_path: Path) -> None:
    weeks = draw_counts(60 * 7, 20, series_count=2).reshape(2, 60, 7).sum(axis=2)
    weeks[:, -4:] = np.nan
    published, others = (make_panel(weeks, GroupKey("active_users", "week", level)) for level in OWN_LEVELS[1:])
    _run(tmp_path, published, others)
    rows = _read(tmp_path, "forecasts", FORECASTS)
    first_dates = {row["level"]: row["target_date"] for row in rows if row["horizon"] == 1}
    assert first_dates == {
        "published_artist": published.dates[-4].item(),
        "listener": AS_OF_DATE + timedelta(days=1),
    }
    assert {row["as_of_date"] for row in rows} == {AS_OF_DATE}


def _fail_for_continents(monkeypatch: pytest.MonkeyPatch, where: str) -> None:
    real = import_module(where).forecast_all

    def fail(panel: Panel, *arguments: Any) -> Any:
        if panel.key.level == "continent":
            raise ZeroDivisionError("planted\nfailure")
        return real(panel, *arguments)

    monkeypatch.setattr(f"{where}.forecast_all", fail)


@pytest.mark.parametrize("where", ["forecasting.backtest", "forecasting.run"])
def test_a_group_that_fails_does_not_stop_others(
    panels: tuple[Panel, ...],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    where: str,
) -> None:
    _fail_for_continents(monkeypatch, where)
    _run(tmp_path, *panels)
    champions = {row["level"]: row for row in _read(tmp_path, "champions", CHAMPIONS) if row["grain"] == "day"}
    assert champions["total"]["model"] and champions["continent"]["model"] is None
    assert champions["continent"]["reason"] == (
        "Nothing is published: an error stopped it (ZeroDivisionError: planted failure)."
    )
    assert "continent" not in {row["level"] for row in _read(tmp_path, "forecasts", FORECASTS)}
    assert "Traceback" in capsys.readouterr().out
    calibration = read_table(tmp_path / "models" / "calibration.arrow", CALIBRATION)
    assert "continent" not in calibration["level"].to_pylist()
    write_folder(tmp_path / "alone", panels[1:2], settings=NO_FITTING)
    assert main([str(tmp_path / "alone")]) == 1
    assert "All 1 groups of series failed; sessions by day, continent: Zero" in capsys.readouterr().err
    assert not (tmp_path / "alone" / "run.json").exists()


def test_a_failure_of_a_daily_run_leaves_the_champions(
    trained: Path, panels: tuple[Panel, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _fail_for_continents(monkeypatch, "forecasting.run")
    _run(tmp_path, *panels, is_training_due=False, models_folder=str(trained / "models"))
    assert "continent" not in {row["level"] for row in _read(tmp_path, "forecasts", FORECASTS)}
    assert not _read(tmp_path, "champions", CHAMPIONS)


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_a_series_without_a_number_is_refused_alone(tmp_path: Path) -> None:
    values = draw_counts(300, 50, series_count=2)
    values[1] *= 2e306  # its mean is infinite
    summary = _run(tmp_path, make_panel(values, CONTINENTS))
    assert {row["segment"] for row in _read(tmp_path, "forecasts", FORECASTS)} == {"segment 0"}
    assert summary["series_count"] == summary["refused_count"] == 1
    (champion,) = _read(tmp_path, "champions", CHAMPIONS)
    assert champion["reason"].endswith("Not forecast: 1 series: the model gives no number.")
    assert [row["segment"] for row in _read(tmp_path, "refusals", REFUSALS)] == ["segment 1"]


def test_a_group_without_a_number_publishes_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = run.apply_factors
    monkeypatch.setattr(run, "apply_factors", lambda *arguments: real(*arguments) * np.nan)
    summary = _run(tmp_path, make_panel(draw_counts(300, 50), TOTAL))
    assert summary["series_count"] == 0 and summary["refused_count"] == 1
    (champion,) = _read(tmp_path, "champions", CHAMPIONS)
    assert champion["model"] is None
    assert champion["reason"] == "Nothing is published. 1 series: the model gives no number."
    assert read_table(tmp_path / "models" / "calibration.arrow", CALIBRATION).num_rows == 0


@pytest.mark.parametrize("case", ["one week ahead", "weeks of missing loads"])
def test_too_few_errors_for_intervals_publish_nothing(tmp_path: Path, case: str) -> None:
    if case == "one week ahead":
        _run(tmp_path, make_panel(draw_counts(60 * 7, 20).reshape(1, 60, 7).sum(axis=2), WEEKS), horizons=ONE_WEEK)
    else:
        weeks = draw_counts(21 * 7, 20).reshape(1, 21, 7).sum(axis=2)
        weeks[0, 14:17] = np.nan
        _run(tmp_path, make_panel(weeks, WEEKS))
    (champion,) = _read(tmp_path, "champions", CHAMPIONS)
    assert champion["model"] is None and "too few errors of the past are known" in champion["reason"]
    assert not _read(tmp_path, "forecasts", FORECASTS)


def test_no_network_is_trained_on_the_series_of_one_user(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    trained_on: set[tuple[str, str]] = set()

    def fit(panels: Sequence[Panel], *_arguments: Any) -> Any:
        for panel in panels:
            trained_on.update((panel.key.metric, name) for name in panel.segments)
        raise TooShortError("a planted end")

    monkeypatch.setattr(run, "fit_network", fit)
    users = draw_counts(300, 50, series_count=3)
    users[0] = np.arange(300) % 3 > 0
    users[0, ::50] = 2  # a guest
    users[1] = np.where(np.arange(300) < 20, 1, users[1])
    active_users = GroupKey("active_users", "day", "continent")
    _run(tmp_path, make_panel(users, active_users), make_panel(3 * users, CONTINENTS), make_panel(users[:1], LISTENERS))
    assert trained_on == {(metric, f"segment {index}") for metric in ("active_users", "sessions") for index in (1, 2)}
    assert {row["segment"] for row in _read(tmp_path, "forecasts", FORECASTS)} >= {"segment 0"}
    trained_on.clear()
    total = GroupKey("active_users", "day", "total")
    _run(tmp_path / "alone", make_panel(users[:1], total), make_panel(3 * users[:1], TOTAL))
    assert not trained_on


def test_a_constant_series_publishes_nothing(tmp_path: Path) -> None:
    _run(tmp_path, make_panel(np.full((1, 300), 5.0), TOTAL))
    (champion,) = _read(tmp_path, "champions", CHAMPIONS)
    assert champion["model"] is None and "0 past windows can be judged" in champion["reason"]


def test_missing_loads_and_huge_values_are_forecast(tmp_path: Path) -> None:
    values = draw_counts(300, 50, series_count=2)
    values[0, 200:215] = np.nan
    values[1] *= 1e12
    summary = _run(tmp_path, make_panel(values, CONTINENTS))
    rows = _read(tmp_path, "forecasts", FORECASTS)
    assert summary["series_count"] == 2 and len(rows) == 56
    assert all(np.isfinite(row["q975"]) for row in rows)


def test_no_series_at_all_is_an_empty_result(tmp_path: Path) -> None:
    summary = _run(tmp_path)
    assert summary["series_count"] == summary["refused_count"] == 0
    assert not _read(tmp_path, "forecasts", FORECASTS) and not _read(tmp_path, "champions", CHAMPIONS)
    assert read_table(tmp_path / "models" / "calibration.arrow", CALIBRATION).num_rows == 0


def test_a_run_whose_folder_was_removed_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(RemovedRunError, match="erasure of a user: start a new run, or clear plan_forecast"):
        run.run_request(tmp_path / "removed")
    with pytest.raises(RemovedRunError):
        write_table(tmp_path / "removed" / "forecasts.arrow", FORECASTS.empty_table())


def test_an_anomalous_day_is_written(tmp_path: Path) -> None:
    values = draw_counts(300, 1000)
    values[0, 280] /= 2
    _run(tmp_path, make_panel(values, TOTAL))
    (day,) = _read(tmp_path, "anomalies", ANOMALIES)
    assert day["value"] == values[0, 280] and day["score"] < -3.5 and "less than the median" in day["reason"]


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"as_of_date": "yesterday"}, "is not a valid request"),
        ({"horizons": {"day": 28}}, "is not a valid request"),
        ({"settings": {"origins": 3}}, "The setting origins is unknown"),
        ({"settings": {"origin_count": "many"}}, "The setting origin_count must be a number"),
        ({"as_of_date": "2026-11-01"}, "after the last complete day 2026-11-01"),
    ],
)
def test_a_wrong_request_is_one_line_for_the_operator(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], fields: dict[str, Any], message: str
) -> None:
    write_folder(tmp_path, [make_panel(draw_counts(30, 5))], **fields)
    assert main([str(tmp_path)]) == 1
    error = capsys.readouterr().err
    assert message in error and error.count("\n") == 1
    assert not (tmp_path / "run.json").exists()


@pytest.mark.parametrize("fault", ["missing", "not Arrow", "a column less", "unknown grain", "no Monday"])
def test_wrong_series_are_one_line_for_the_operator(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], fault: str
) -> None:
    write_folder(tmp_path, [make_panel(draw_counts(30, 5))])
    path = tmp_path / "series.arrow"
    rows = read_table(path, SERIES)
    path.unlink()
    if fault == "not Arrow":
        path.write_bytes(b"metric,grain")
    elif fault == "a column less":
        write_table(path, rows.drop_columns(["level"]))
    elif fault != "missing":
        grain = {"unknown grain": "month", "no Monday": "week"}[fault]
        write_table(path, rows.set_column(1, "grain", pa.array([grain] * rows.num_rows)))
    assert main([str(tmp_path)]) == 1
    error = capsys.readouterr().err
    assert "series.arrow" in error and error.count("\n") == 1
