"""bin/backup FILE: the whole warehouse in one file, as it stood at one moment."""

import argparse
import os
import sys
from pathlib import Path

from etl.errors import ActionNeededError, EtlError
from launch.console import Screen
from launch.warehouse_client import make_client_environment, resolve_warehouse_url, run_client

SCHEMAS = ("staging", "warehouse", "mart", "audit", "simulation")
"""All that is ours in the database, its own version included."""


def main(arguments: list[str]) -> int:
    """Write the backup; a file that exists is never overwritten, and a half is never left under its name.

    :returns: 0, or 1 where there is no backup.
    """
    parser = argparse.ArgumentParser(prog="bin/backup", description=__doc__)
    parser.add_argument("file", type=Path)
    target: Path = parser.parse_args(arguments).file
    screen = Screen()
    try:
        with screen.show_step(f"Backup to {target}"):
            write_backup(target)
    except EtlError as error:
        screen.print_error(str(error))
        return 1
    return 0


def write_backup(target: Path) -> None:
    """Back the warehouse up into ``target``, readable by its owner only.

    :raises ActionNeededError: where the file exists, cannot be written, or pg_dump fails.
    """
    if target.exists():
        raise ActionNeededError(f"{target} exists and is left as it is: name another file.")
    draft = target.with_name(f".{target.name}.{os.getpid()}")
    try:
        os.close(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
        with resolve_warehouse_url() as url, make_client_environment(url) as environ:
            options = ["--format=custom", "--no-owner", "--no-privileges", *(f"--schema={name}" for name in SCHEMAS)]
            exit_code = run_client("pg_dump", [*options, "--file", str(draft)], environ)
        if exit_code != 0:
            raise ActionNeededError(f"There is no backup: pg_dump ended with {exit_code}, its words are above.")
        draft.rename(target)
    except OSError as error:
        raise ActionNeededError(f"{target} cannot be written: {error.strerror}.") from error
    finally:
        draft.unlink(missing_ok=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
