"""A refresh of the synthetic catalogue, with and without a shared Java process, beside the start of a Spark session.

    python -m benchmarks.small_refresh [--rounds N]

Every step is a process of its own, as in Airflow: plan, transform, fit, load, all of the whole catalogue into a new
warehouse. The other side is a process that starts a Spark session with Spark's defaults, counts ten rows and stops it.
"""

import argparse
import os
import subprocess
import sys
from datetime import UTC, date, datetime
from functools import partial
from importlib.metadata import version
from itertools import count
from pathlib import Path

from benchmarks._fresh_warehouses import FreshWarehouses, start_benchmark_server
from benchmarks._rounds import Times, measure_rounds, time_call
from etl.jobs import kaggle, refresh, refresh_plan
from etl.settings import CHECKOUT, read_settings
from launch.spark_jars import link_jars
from simulator.jobs import catalogue_files

_GOAL_RATIO = 2.5
_DAY = date(2026, 11, 1)
_STEPS = ("plan", "transform", "fit", "load")
_BARE_SESSION = """
from pyspark.sql import SparkSession
spark = SparkSession.builder.master("local[2]").config("spark.ui.enabled", "false").getOrCreate()
assert spark.range(10).count() == 10
spark.stop()
"""
_run_numbers = count(1)


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--step", choices=_STEPS, help="run one step, as this benchmark does itself")
    parser.add_argument("--run-id")
    options = parser.parse_args()
    if options.step:
        _run_step(options.step, options.run_id)
        return
    with start_benchmark_server() as (server, folder):
        warehouses = FreshWarehouses(server)
        link_jars(folder)
        environ = {**os.environ, "PYTHONPATH": str(CHECKOUT), "STATE_DIR": str(folder), "SPARK_MASTER": "local[2]"}
        row_count = _import_catalogue(folder, server.build_url("loader", "template_star"))
        times = measure_rounds(
            {
                "shared": lambda: _time_refresh(warehouses, {**environ, "SPARK_IDLE_MINUTES": "30"}),
                "bare": lambda: time_call(partial(_run, [sys.executable, "-c", _BARE_SESSION], environ)),
                "own": lambda: _time_refresh(warehouses, {**environ, "SPARK_IDLE_MINUTES": "0"}),
            },
            options.rounds,
        )
    bare = times["bare"]
    print(
        f"{options.rounds} rounds, {row_count:,} rows in files, pyspark {version('pyspark')}: start of a session {bare}"
    )
    print(f"shared Java: refresh {times['shared']}, {_compare(times['shared'], bare)}, goal <= {_GOAL_RATIO}")
    print(f"own Java for each step: refresh {times['own']}, {_compare(times['own'], bare)}")


def _compare(refresh_times: Times, bare: Times) -> str:
    ratios = [ours / theirs for ours, theirs in zip(refresh_times.seconds, bare.seconds, strict=True)]
    return f"refresh / session {refresh_times.median / bare.median:.2f} ({min(ratios):.2f} to {max(ratios):.2f})"


def _import_catalogue(folder: Path, url: str) -> int:
    """Bring the files of the synthetic catalogue into the lake; return the number of their rows."""
    settings = read_settings({"STATE_DIR": str(folder), "WAREHOUSE_URL": url})
    imported = [
        kaggle.import_file(file, None, settings, "import", datetime.now(UTC))
        for file in catalogue_files.find_or_write_files(None, settings)
    ]
    return sum(int(str(file["row_count"])) for file in imported)


def _time_refresh(warehouses: FreshWarehouses, environ: dict[str, str]) -> float:
    run_id = f"refresh.{next(_run_numbers)}"
    with warehouses.create_warehouse() as url:
        return time_call(partial(_run_steps, run_id, {**environ, "WAREHOUSE_URL": url}))


def _run_steps(run_id: str, environ: dict[str, str]) -> None:
    for step in _STEPS:
        command = [sys.executable, "-m", "benchmarks.small_refresh", "--step", step, "--run-id", run_id]
        _run(command, environ)


def _run(command: list[str], environ: dict[str, str]) -> None:
    done = subprocess.run(command, env=environ, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise RuntimeError(done.stderr)


def _run_step(step: str, run_id: str) -> None:
    settings = read_settings()
    if step == "plan":
        assert refresh_plan.plan_refresh(run_id, "benchmark", _DAY, False, settings)
    elif step == "transform":
        refresh.transform_catalogue(run_id, settings)
    elif step == "fit":
        refresh.fit_clusters(run_id, settings)
    else:
        assert refresh.load_catalogue(run_id, settings)["dim_track"]


if __name__ == "__main__":
    main()
