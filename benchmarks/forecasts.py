"""Forecasts: published and single models, each beside repeating last week, on windows that came after the training.

    python -m benchmarks.forecasts [--panels FOLDER] [--sets NAME …] [--windows N] [--seed N] [--python PATH]

Two sets are simulated: the steady population, of which the best possible forecast has 0.71 of the error of repeating
last week (less is a leak), and the growing one, with a year, holidays and levels that drift. --panels adds the files
NAME.day.csv and NAME.week.csv of a folder (segment, target_date, value), which are no part of this project;
`python -m benchmarks._forecast_panels` makes them of account exports and of text files with a series a line.

The program is run as the product runs it: it trains, chooses champions and publishes N horizons before the end, and
then forecasts each later horizon with the models of that training. The champions are chosen on windows before, and all
figures come from windows after. For the best single model in hindsight, and each model's error, one more run backtests
all models on these windows; its network knows what the published one knew. Errors are MASE, means over series and
windows, divided by that of repeating last week (of weeks: the last week).
"""

import argparse
import json
import os
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from itertools import chain
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa

from benchmarks._simulated_series import count_sessions
from etl.engines.forecast_program import get_python_path
from etl.settings import read_settings
from forecasting.files import SERIES

CHECKOUT = Path(__file__).parent.parent
HORIZONS = {"day": 28, "week": 8}
_KEY = ["level", "segment"]
_MOST_UNKNOWN_OF_TOTAL = 0.05


@dataclass(frozen=True)
class SeriesSet:
    """Series of one grain: a frame with segment, target_date and value, without rows for unknown steps."""

    name: str
    grain: str
    frame: pd.DataFrame


@dataclass(frozen=True)
class Run:
    """The files of one run of the program."""

    folder: Path

    def read_frame(self, name: str) -> pd.DataFrame:
        with pa.memory_map(str(self.folder / f"{name}.arrow")) as source:
            return pa.ipc.open_file(source).read_all().to_pandas(date_as_object=False)

    @property
    def processor_seconds(self) -> float:
        return float(json.loads((self.folder / "run.json").read_text())["processor_seconds"])


@dataclass(frozen=True)
class Figures:
    """What is measured of one level of a set.

    :param published: error of what was published, divided by that of repeating last week.
    :param of_best_single: the same, divided by that of the best single model.
    :param ratios: as ``published``, of each model, ascending.
    """

    published: float
    of_best_single: float
    coverage_80: float
    coverage_95: float
    ratios: pd.Series


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--panels", type=Path, help="a folder of NAME.day.csv and NAME.week.csv")
    parser.add_argument("--sets", nargs="+", help="names of sets; all where none is given")
    parser.add_argument("--windows", type=int, default=4, help="horizons after the training")
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--python", type=Path, help="the interpreter of the environment of forecasts")
    options = parser.parse_args()
    python = options.python or get_python_path(read_settings(os.environ).state_dir)
    for series_set in chain(_simulate_sets(), read_sets(options.panels)):
        if not options.sets or series_set.name in options.sets:
            with tempfile.TemporaryDirectory() as folder:
                _measure_set(series_set, python, Path(folder), options.windows, options.seed)


def _simulate_sets() -> Iterator[SeriesSet]:
    """Yield sessions a day of both populations of the simulator, by continent and plan."""
    for name, growing_since in (("simulator_steady", None), ("simulator_growing", date(2024, 6, 3))):
        table = count_sessions(1_500, date(2024, 12, 2), date(2026, 11, 29), 5, growing_since)
        table = table.rename_axis("target_date").rename_axis("segment", axis=1)
        yield SeriesSet(name, "day", table.stack().rename("value").reset_index())


def read_sets(folder: Path | None) -> Iterator[SeriesSet]:
    for path in sorted(folder.glob("*.csv")) if folder else ():
        name, grain, _csv = path.name.split(".")
        frame = pd.read_csv(path, dtype={"segment": str}, parse_dates=["target_date"])
        yield SeriesSet(f"{name}_{grain}", grain, frame.dropna(subset="value"))


def _measure_set(series_set: SeriesSet, python: Path, folder: Path, window_count: int, seed: int) -> None:
    """Run the program on a set and print a line for each level."""
    series = add_total(series_set.frame)
    step = pd.Timedelta(days=1 if series_set.grain == "day" else 7)
    horizon = HORIZONS[series_set.grain]
    last = series["target_date"].max()
    as_of_dates = [last - step * horizon * count for count in range(window_count, 0, -1)]
    runs: list[Run] = []
    for index, as_of in enumerate(as_of_dates):
        models = str(runs[0].folder / "models") if runs else None
        runs.append(_run_program(series_set.grain, series, as_of, python, folder / str(index), seed, models, {}))
    hindsight = {
        "origin_count": window_count,
        "origin_stride_weeks": horizon // (7 if series_set.grain == "day" else 1),
        "network_stages": 1,
    }
    last_run = _run_program(series_set.grain, series, last, python, folder / "last", seed, None, hindsight)
    forecasts = pd.concat([run.read_frame("forecasts") for run in runs]).merge(series, on=[*_KEY, "target_date"])
    forecasts["origin_date"] = forecasts["target_date"] - step * forecasts["horizon"]
    scores = last_run.read_frame("scores")
    daily = np.mean([run.processor_seconds for run in runs[1:]])
    print(
        f"{series_set.name}: {series['segment'].nunique() - 1} series of {series['target_date'].nunique()} "
        f"{series_set.grain}s; training {runs[0].processor_seconds:.0f} and a daily run {daily:.1f} processor seconds"
    )
    for level in sorted(set(scores["level"])):
        published = forecasts[forecasts["level"] == level]
        if published.empty:
            print(f"    {level}: nothing is published")
            continue
        figures = measure_level(published, scores[scores["level"] == level])
        print(
            f"    {level}: published ({published['model'].iloc[0]}) {figures.published:.3f} of naive, "
            f"{figures.of_best_single:.3f} of the best single model in hindsight; "
            f"coverage {figures.coverage_80:.1%} and {figures.coverage_95:.1%}; of naive: "
            + ", ".join(f"{model} {ratio:.3f}" for model, ratio in figures.ratios.items())
        )


def add_total(frame: pd.DataFrame) -> pd.DataFrame:
    """Return the series as segments of one level, with their total where nearly all are known."""
    series = frame.assign(level="continent")
    table = frame.pivot(index="target_date", columns="segment", values="value")
    if table.isna().to_numpy().mean() > _MOST_UNKNOWN_OF_TOTAL:
        return series
    total = (table.mean(axis=1) * table.shape[1]).rename("value").reset_index().assign(level="total", segment="")
    return pd.concat([series, total], ignore_index=True)


def _run_program(
    grain: str,
    series: pd.DataFrame,
    as_of: pd.Timestamp,
    python: Path,
    folder: Path,
    seed: int,
    models_folder: str | None,
    program_settings: dict[str, int],
) -> Run:
    """Run the program on what was known on a date."""
    folder.mkdir()
    known = series[series["target_date"] <= as_of].assign(metric="sessions", grain=grain)
    table = pa.table({name: pa.array(known[name]).cast(SERIES.field(name).type) for name in SERIES.names})
    with pa.OSFile(str(folder / "series.arrow"), "wb") as target, pa.ipc.new_file(target, SERIES) as writer:
        writer.write_table(table)
    request = {
        "as_of_date": f"{as_of + pd.Timedelta(days=0 if grain == 'day' else 6):%Y-%m-%d}",
        "horizons": HORIZONS,
        "seed": seed,
        "is_training_due": models_folder is None,
        "champions": [],
        "models_folder": models_folder,
        "settings": program_settings,
    }
    (folder / "request.json").write_text(json.dumps(request))
    command = [str(python), "-m", "forecasting", str(folder)]
    done = subprocess.run(command, cwd=CHECKOUT, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"the program failed: {done.stderr[-2000:]}")
    return Run(folder)


def measure_level(forecasts: pd.DataFrame, scores: pd.DataFrame) -> Figures:
    """Return the errors of all models, and coverage, over the windows after the training.

    :param forecasts: published ones beside what came, with origin_date.
    :param scores: of all models on the same windows.
    """
    naive = scores.groupby([*_KEY, "origin_date"])["naive_mase"].first()
    ratios = scores.groupby("model")["mase"].mean() / naive.mean()
    windows = [forecasts[name] for name in (*_KEY, "origin_date")]
    error = (forecasts["value"] - forecasts["q50"]).abs().groupby(windows).mean()
    naive_error = (forecasts["value"] - forecasts["naive"]).abs().groupby(windows).mean()
    scale = naive.reindex(error.index)
    published = float((error / naive_error * scale).mean() / scale.mean())
    return Figures(
        published,
        published / ratios[[name for name in ratios.index if "+" not in name]].min(),
        forecasts["value"].between(forecasts["q10"], forecasts["q90"]).mean(),
        forecasts["value"].between(forecasts["q025"], forecasts["q975"]).mean(),
        ratios.sort_values(),
    )


if __name__ == "__main__":
    main()
