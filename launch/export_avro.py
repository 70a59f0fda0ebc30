"""bin/export-avro: the warehouse's users, tracks, artists and events as Avro files."""

import logging
import os
import sys
from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer

from etl.database.entity_partitions import DateRange
from etl.jobs.avro_export import export_entities
from etl.settings import read_settings
from launch.command_line import run_command
from launch.console import Screen
from launch.warehouse_client import resolve_warehouse_url


def main(arguments: list[str]) -> int:
    """Run bin/export-avro; return its exit code."""
    return run_command("export-avro", export_avro, arguments)


def export_avro(
    folder: Annotated[
        Path, typer.Argument(help="A new folder, an empty one, or an earlier export, which is replaced.")
    ],
    first_date: Annotated[
        datetime | None, typer.Option("--from", formats=["%Y-%m-%d"], help="The first date of events.")
    ] = None,
    last_date: Annotated[
        datetime | None, typer.Option("--to", formats=["%Y-%m-%d"], help="The last date of events.")
    ] = None,
    personal: Annotated[
        bool, typer.Option("--personal", help="Write username, birthdate and gender of users, too.")
    ] = False,
) -> int:
    """Write the warehouse's users, tracks, artists and events as Avro files.

    Events are those of the dates from --from to --to, both inclusive, in UTC; users, tracks and artists are all that
    the warehouse has.
    """
    logging.basicConfig(level=logging.WARNING, format="%(message)s")
    target, screen = folder.resolve(), Screen()
    days = DateRange(first_date and first_date.date(), last_date and last_date.date())
    with resolve_warehouse_url() as url:
        settings = read_settings({**os.environ, "WAREHOUSE_URL": url})
        counts = export_entities(target, settings, days, personal, screen.show_step)
    screen.print_line(f"{target}: " + ", ".join(f"{count:,} {name} records" for name, count in counts.items()) + ".")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
