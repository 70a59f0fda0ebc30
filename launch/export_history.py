"""bin/export-history: the plays of one user, in a format that other services read."""

import logging
import os
import sys
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from etl.database.entity_partitions import DateRange
from etl.jobs import history_export
from etl.settings import read_settings
from launch.command_line import run_command
from launch.console import Screen
from launch.warehouse_client import resolve_warehouse_url


class Format(StrEnum):
    """The formats of ``history_export``."""

    listenbrainz = "listenbrainz"
    extended_history = "extended-history"
    parquet = "parquet"


def main(arguments: list[str]) -> int:
    """Run bin/export-history; return its exit code."""
    return run_command("export-history", export_history, arguments)


def export_history(
    user: Annotated[str, typer.Argument(metavar="USER", help="The user_id in warehouse.dim_user.")],
    output: Annotated[
        Path,
        typer.Option(metavar="FOLDER", help="A new folder, an empty one, or an earlier export, which is replaced."),
    ],
    format_name: Annotated[Format, typer.Option("--format", help="The format of the files.")] = Format.listenbrainz,
    since: Annotated[
        datetime | None, typer.Option("--since", formats=["%Y-%m-%d"], help="The first date of plays, in UTC.")
    ] = None,
    until: Annotated[
        datetime | None, typer.Option("--until", formats=["%Y-%m-%d"], help="The last date of plays, in UTC.")
    ] = None,
) -> int:
    """Write the plays of a user as files that other services, and bin/import-history, read."""
    logging.basicConfig(level=logging.WARNING, format="%(message)s")
    target, screen = output.resolve(), Screen()
    days = DateRange(since and since.date(), until and until.date())
    with resolve_warehouse_url() as url:
        settings = read_settings({**os.environ, "WAREHOUSE_URL": url})
        counts = history_export.export_history(user, format_name.value, target, settings, days)
    left_out = f" {counts['left out']:,} that the format cannot have are left out." if counts["left out"] else ""
    screen.print_line(f"{target}: {counts['plays']:,} plays.{left_out}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
