"""bin/backup FILE: write the whole warehouse into one file, as of one point in time."""

import os
import sys
from pathlib import Path
from typing import Annotated

import typer

from etl.errors import ActionNeededError
from launch.command_line import run_command
from launch.console import Screen
from launch.warehouse_client import make_client_environment, resolve_warehouse_url, run_client

SCHEMAS = ("staging", "warehouse", "mart", "live", "audit", "simulation")
"""All schemas of the product; audit has the revision of the tables."""

_REBUILT_TABLES = ("live.batch", "live.event_id_*")
"""Tables without which a live query builds the live tables again, from the oldest message: only Kafka's messages and
the query's checkpoint together say what they must contain."""


def main(arguments: list[str]) -> int:
    """Run bin/backup; return its exit code."""
    return run_command("backup", back_up, arguments)


def back_up(file: Annotated[Path, typer.Argument(metavar="FILE", help="The file to write; it must not exist.")]) -> int:
    """Write the whole warehouse into one file, as of one point in time.

    The file never has a part of a backup: it appears when it is complete, and only its owner can read it.
    """
    with Screen().show_step(f"Backup to {file}"):
        write_backup(file)
    return 0


def write_backup(target: Path) -> None:
    """Back up the warehouse into ``target``, readable by its owner only.

    :raises ActionNeededError: if the file exists or cannot be written, or pg_dump fails.
    """
    if target.exists():
        raise ActionNeededError(f"{target} already exists and is unchanged: name another file.")
    draft = target.with_name(f".{target.name}.{os.getpid()}")
    try:
        os.close(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
        with resolve_warehouse_url() as url, make_client_environment(url) as environ:
            options = ["--format=custom", "--no-owner", "--no-privileges", *(f"--schema={name}" for name in SCHEMAS)]
            options += [f"--exclude-table-data={name}" for name in _REBUILT_TABLES]
            exit_code = run_client("pg_dump", [*options, "--file", str(draft)], environ)
        if exit_code != 0:
            raise ActionNeededError(f"No backup was written: pg_dump failed with exit code {exit_code}, see above.")
        draft.rename(target)
    except OSError as error:
        raise ActionNeededError(f"{target} cannot be written: {error.strerror}.") from error
    finally:
        draft.unlink(missing_ok=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
