"""bin/simulate-feed: simulate listeners and their activity, as a feed in the lake or in a folder."""

import json
import os
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import typer

from etl.errors import ActionNeededError
from etl.settings import read_settings
from launch.command_line import run_command
from launch.console import Screen
from launch.warehouse_client import resolve_warehouse_url
from simulator.jobs import feed, feed_form


def main(arguments: list[str]) -> int:
    """Run bin/simulate-feed; return its exit code."""
    return run_command("simulate-feed", simulate_feed, arguments)


def simulate_feed(
    users: Annotated[int, typer.Option(help="The number of listeners.")] = 200,
    start: Annotated[str | None, typer.Option(help="Its begin in UTC, such as 2026-10-01T00:00.")] = None,
    end: Annotated[
        str | None, typer.Option(help="The end of the interval in UTC; default: --hours after its begin, or now.")
    ] = None,
    hours: Annotated[float | None, typer.Option(help="Its length without an end; default: 72.")] = None,
    records: Annotated[int | None, typer.Option(help="The largest number of events.")] = None,
    seed: Annotated[int, typer.Option(help="Another seed gives other listeners.")] = 1,
    contract: Annotated[
        feed_form.Contract,
        typer.Option(help="user_activity_… goes into the lake, for bin/load-events; the others into a folder."),
    ] = "user_activity_2",
    folder: Annotated[
        Path | None, typer.Option(help="A new, empty or earlier folder for the other contracts; default: in STATE_DIR.")
    ] = None,
    mix: Annotated[
        Any,
        typer.Option(metavar="JSON", parser=json.loads, help='Weights of personalities, such as {"ENLC": 2}.'),
    ] = None,
    free_share: Annotated[
        float | None, typer.Option(help="The fraction of free plans; default: by the survey.")
    ] = None,
    anomalous_share: Annotated[
        float | None, typer.Option(help="The fraction of listeners who behave anomalously; default: 0.")
    ] = None,
    growing_since: Annotated[
        str | None,
        typer.Option(
            help="The day on which a service opens whose listeners sign up, leave and change over time, such as "
            "2024-12-01; default: all have signed up long ago."
        ),
    ] = None,
    duplicate: Annotated[float | None, typer.Option(help="The fraction of records that are repeated.")] = None,
    late: Annotated[float | None, typer.Option(help="The fraction of records that arrive in the last file.")] = None,
    disorder: Annotated[float | None, typer.Option(help="The fraction of records that follow later ones.")] = None,
    unknown_track: Annotated[float | None, typer.Option(help="The fraction of plays of unknown tracks.")] = None,
    broken: Annotated[float | None, typer.Option(help="The fraction of records with invalid values.")] = None,
) -> int:
    """Simulate listeners and their activity, as a feed in the lake (bin/load-events loads it) or in a folder."""
    form = dict(locals())
    if folder and contract in feed_form.LOADABLE_CONTRACTS:
        raise ActionNeededError(f"{contract} goes into the lake: leave out --folder, or name another contract.")
    now = datetime.now(UTC)
    screen = Screen()
    with resolve_warehouse_url() as url:
        settings = read_settings({**os.environ, "WAREHOUSE_URL": url})
        run_id = f"{feed.JOB}.{now:%Y%m%dT%H%M%S.%f}"
        result = feed_form.simulate_form(run_id, form, now, settings, folder.resolve() if folder else None)
    screen.print_line(f"Population {result['population']}:")
    if contract in feed_form.LOADABLE_CONTRACTS:
        for name in ("user_activity", "user"):
            screen.print_line(f"{name:<14} input {result[name]['input_id']}, {result[name]['row_count']:,} records")
    else:
        for name, row_count in result["records"].items():
            screen.print_line(f"{name:<20} {row_count:,} records in {result['folder']}/{name}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
