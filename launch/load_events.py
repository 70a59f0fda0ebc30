"""bin/load-events: bring Avro feeds into the lake, and load all events that the warehouse does not have yet."""

import logging
import os
import sys
from datetime import UTC, datetime
from typing import Annotated

import typer

from etl.extract import feed
from etl.jobs import events, run_audit
from etl.settings import Settings, read_settings
from etl.storage.full_disk import explain_full_disk
from etl.storage.lake import Lake
from launch.command_line import run_command
from launch.console import Screen
from launch.warehouse_client import resolve_warehouse_url


def main(arguments: list[str]) -> int:
    """Run bin/load-events; return its exit code."""
    return run_command("load-events", receive_and_load, arguments)


def receive_and_load(
    paths: Annotated[
        list[str] | None,
        typer.Argument(metavar="PATH", help="Avro files of UserActivity or User records, or folders of them."),
    ] = None,
) -> int:
    """Bring Avro feeds into the lake, and load all events that the warehouse does not have yet.

    Without a PATH, only load the events that are already in the lake.
    """
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    logging.getLogger("py4j").setLevel(logging.WARNING)
    with resolve_warehouse_url() as url:
        settings = read_settings({**os.environ, "WAREHOUSE_URL": url})
        receive_files(paths or [], settings)
        load_new_events(settings, Screen())
    return 0


def receive_files(paths: list[str], settings: Settings) -> None:
    """Bring the files of some paths into the lake; files before a rejected one stay there."""
    lake, now = Lake(settings.lake_url), datetime.now(UTC)
    with explain_full_disk(settings):
        for file in [file for path in paths for file in feed.find_files(path)]:
            feed.receive_file(file, lake, now)


def load_new_events(settings: Settings, screen: Screen) -> None:
    """Load the events of all inputs in the lake that no run has loaded yet, and print how many rows were added."""
    now = datetime.now(UTC)
    run_id = f"load_events.{now:%Y%m%dT%H%M%S.%f}"
    if events.plan_events(run_id, settings):
        added_rows = events.load_events(run_id, now.date(), settings)
        run_audit.log_run(run_id, settings)
        screen.print_line(
            ", ".join(f"{table}: {count:,} rows added" for table, count in added_rows.items()) or "No new rows."
        )
    else:
        screen.print_line("Nothing new: the warehouse already has all events of the lake.")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
