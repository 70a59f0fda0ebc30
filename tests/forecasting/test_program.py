"""The whole program in its own environment: real training on small data, killed and repeated."""

import ast
import json
import os
import signal
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from etl.settings import CHECKOUT
from forecasting.files import CHAMPIONS, FORECASTS, read_table
from forecasting.panels import Panel
from tests.forecasting.series import CONTINENTS, TOTAL, draw_counts, make_panel, write_folder

pytestmark = [pytest.mark.spark, pytest.mark.timeout(900)]  # as heavy as a Spark: Keras, JAX
DAY_COUNT = 230
"""Enough to train a network before the first of four origins."""
SETTINGS = {"network_stages": 1, "origin_count": 4}
RESULTS = ("forecasts.arrow", "scores.arrow", "champions.arrow", "anomalies.arrow")
MODELS = ("models/calibration.arrow", "models/network_day.npz")
Start = Callable[..., subprocess.Popen[str]]


@pytest.fixture(scope="module")
def start(forecast_python: Path) -> Start:
    """Return a function that starts Python in the environment of the forecasts, on some of the processors."""

    def start_python(*arguments: str, processors: set[int] | None = None) -> subprocess.Popen[str]:
        def limit() -> None:
            os.sched_setaffinity(0, processors or os.sched_getaffinity(0))

        environ = {"PATH": os.environ["PATH"], "PYTHONPATH": str(CHECKOUT), "PYTHONUNBUFFERED": "1"}
        if prefix := os.environ.get("PYTHONPYCACHEPREFIX"):
            environ["PYTHONPYCACHEPREFIX"] = prefix
        return subprocess.Popen(
            [str(forecast_python), *arguments],
            **{"cwd": CHECKOUT, "env": environ, "text": True, "preexec_fn": limit},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )

    return start_python


@pytest.fixture(scope="module")
def panels() -> list[Panel]:
    drift = np.exp(np.cumsum(np.random.default_rng(3).normal(0, 0.02, (5, DAY_COUNT)), axis=1))
    continents = np.round(draw_counts(DAY_COUNT, 40, series_count=5) * drift)
    return [make_panel(continents, CONTINENTS), make_panel(continents.sum(axis=0), TOTAL)]


def _write(folder: Path, panels: list[Panel], **fields: Any) -> Path:
    # The average with the network stays champion unless another model is clearly better.
    champions = [{**panel.key._asdict(), "model": "network+ets"} for panel in panels]
    return write_folder(folder, panels, **{"settings": SETTINGS, "champions": champions, **fields})


def _finish(process: subprocess.Popen[str]) -> str:
    output, error = process.communicate()
    assert process.returncode == 0, error
    return output


@pytest.fixture(scope="module")
def trained(start: Start, panels: list[Panel], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of a training on one processor."""
    folder = _write(tmp_path_factory.mktemp("trained"), panels)
    _finish(start("-m", "forecasting", str(folder), processors={min(os.sched_getaffinity(0))}))
    return folder


def test_a_training_publishes_forecasts_of_the_network(trained: Path) -> None:
    champions = read_table(trained / "champions.arrow", CHAMPIONS).to_pylist()
    assert "network+ets" in {champion["model"] for champion in champions}
    forecasts = read_table(trained / "forecasts.arrow", FORECASTS).to_pydict()
    assert len(forecasts["q50"]) == 6 * 28
    quantiles = np.array([forecasts[name] for name in ("q025", "q10", "q50", "q90", "q975")])
    assert np.isfinite(quantiles).all() and (np.diff(quantiles, axis=0) >= 0).all() and (quantiles >= 0).all()


def _write_task(folder: Path) -> str:
    """Return the code that Airflow copies into the other interpreter."""
    tree = ast.parse((CHECKOUT / "dags" / "forecast.py").read_text(encoding="utf-8"))
    (function,) = [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef) and node.name == "run_forecast"]
    function.decorator_list = []
    return f"{ast.unparse(function)}\nrun_forecast({str(folder)!r})"


def test_a_killed_training_repeats_bit_by_bit_in_airflow_on_more_processors(
    start: Start, panels: list[Panel], trained: Path, tmp_path: Path
) -> None:
    folder = _write(tmp_path / "run", panels)
    process = start("-m", "forecasting", str(folder))
    assert process.stdout and process.stdout.readline().startswith("Training the network")
    process.send_signal(signal.SIGKILL)
    process.communicate()
    assert not (folder / "run.json").exists()
    _finish(start("-c", _write_task(folder)))
    assert (folder / "run.json").exists()
    for name in (*RESULTS, *MODELS):
        assert (folder / name).read_bytes() == (trained / name).read_bytes(), name


def test_a_daily_run_repeats_the_forecasts_without_training(
    start: Start, panels: list[Panel], trained: Path, tmp_path: Path
) -> None:
    folder = _write(tmp_path / "run", panels, is_training_due=False, models_folder=str(trained / "models"))
    _finish(start("-m", "forecasting", str(folder)))
    summary = json.loads((folder / "run.json").read_text(encoding="utf-8"))
    assert not summary["is_training"] and summary["processor_seconds"] <= 20
    assert (folder / "forecasts.arrow").read_bytes() == (trained / "forecasts.arrow").read_bytes()


@pytest.fixture(scope="module")
def library_checks(start: Start) -> dict[str, Any]:
    results: dict[str, Any] = json.loads(_finish(start("-m", "tests.forecasting.library_checks")))
    return results


def test_measures_are_those_of_utilsforecast(library_checks: dict[str, Any]) -> None:
    assert set(library_checks["metrics"]) == {"mase", "wql", "coverage"}
    assert max(library_checks["metrics"].values()) < 1e-12


def test_the_network_forecasts_in_numpy_what_keras_forecasts(library_checks: dict[str, Any]) -> None:
    assert library_checks["network"]["difference"] < 1e-4
    assert library_checks["network"]["loss"] < library_checks["network"]["loss_of_mean"]


def test_no_model_knows_what_comes(library_checks: dict[str, Any]) -> None:
    assert library_checks["leaks"] == []


def test_fitted_models_survive_every_series(library_checks: dict[str, Any]) -> None:
    assert not [name for name, is_sound in library_checks["edge_cases"].items() if not is_sound]
