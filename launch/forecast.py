"""bin/forecast: forecast sessions, minutes and active users, as the DAG `forecast` does."""

import logging
import os
import sys
from datetime import UTC, datetime
from enum import StrEnum
from typing import Annotated

import typer

from etl.jobs import forecasts
from etl.load.forecasts import LEVELS, SEGMENT_LEVELS
from etl.settings import read_settings
from launch.command_line import run_command
from launch.console import Screen
from launch.warehouse_client import resolve_warehouse_url


class SeriesChoice(StrEnum):
    """The series to forecast."""

    ALL = "all"
    SEGMENTS = "segments"
    TOTAL = "total"


_LEVELS_BY_CHOICE = {
    SeriesChoice.ALL: LEVELS,
    SeriesChoice.SEGMENTS: SEGMENT_LEVELS,
    SeriesChoice.TOTAL: ("total",),
}


def main(arguments: list[str]) -> int:
    """Run bin/forecast; return its exit code."""
    return run_command("forecast", forecast, arguments)


def forecast(
    horizon_days: Annotated[int, typer.Option("--days", min=1, max=56, help="Days ahead.")] = 28,
    horizon_weeks: Annotated[int, typer.Option("--weeks", min=1, max=26, help="Weeks ahead.")] = 8,
    series: Annotated[
        SeriesChoice, typer.Option(help="All, those without single artists and listeners, or the total alone.")
    ] = SeriesChoice.ALL,
    seed: Annotated[int, typer.Option(min=0, max=2**31 - 1, help="Seed of all random numbers.")] = 7,
    retrain: Annotated[bool, typer.Option("--retrain", help="Train even if the last training is recent.")] = False,
) -> int:
    """Forecast sessions, minutes and active users, and publish the forecasts.

    The first time, the environment of the forecasts is made, which takes minutes and the network. The exit code is 1 if
    there is too little history.
    """
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    screen, now = Screen(), datetime.now(UTC)
    run_id = f"forecast.{now:%Y%m%dT%H%M%S.%f}"
    options = forecasts.ForecastOptions(horizon_days, horizon_weeks, _LEVELS_BY_CHOICE[series], seed, retrain)
    with resolve_warehouse_url() as url:
        settings = read_settings({**os.environ, "WAREHOUSE_URL": url})
        with forecasts.close_failed_run(run_id, settings):
            plan = forecasts.plan_forecast(run_id, options, now, True, settings)
            screen.print_line(plan.message)
            if plan.folder is None:
                return 1
            forecasts.run_forecast(plan.folder, settings)
            counts = forecasts.load_forecast(run_id, settings)
    screen.print_line(", ".join(f"{name}: {count:,} rows" for name, count in counts.items()))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
