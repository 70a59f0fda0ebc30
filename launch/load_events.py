"""bin/load-events: bring Avro feeds into the lake, and load all events that the warehouse does not yet know."""

import argparse
import logging
import os
import sys
from datetime import UTC, datetime

from etl.errors import EtlError
from etl.extract import feed
from etl.jobs import events, run_audit
from etl.settings import Settings, read_settings
from etl.storage.full_disk import explain_full_disk
from etl.storage.inputs import Lake
from launch.console import Screen
from launch.warehouse_client import resolve_warehouse_url


def main(arguments: list[str]) -> int:
    """Receive and load.

    :returns: 0, or 1 where something could not be received or loaded.
    """
    parser = argparse.ArgumentParser(prog="bin/load-events", description=__doc__)
    parser.add_argument("paths", nargs="*", metavar="PATH", help="an Avro file of UserActivity or User, or a folder")
    paths = parser.parse_args(arguments).paths
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    logging.getLogger("py4j").setLevel(logging.WARNING)
    screen = Screen()
    try:
        with resolve_warehouse_url() as url:
            settings = read_settings({**os.environ, "WAREHOUSE_URL": url})
            receive_files(paths, settings)
            load_new_events(settings, screen)
    except EtlError as error:
        screen.print_error(str(error))
        return 1
    return 0


def receive_files(paths: list[str], settings: Settings) -> None:
    """Bring the files of some paths into the lake; those before one that is refused stay there."""
    lake, now = Lake(settings.lake_url), datetime.now(UTC)
    with explain_full_disk(settings):
        for file in [file for path in paths for file in feed.find_files(path)]:
            feed.receive_file(file, lake, now)


def load_new_events(settings: Settings, screen: Screen) -> None:
    """Load what the lake holds of events and the warehouse does not yet know."""
    now = datetime.now(UTC)
    run_id = f"load_events.{now:%Y%m%dT%H%M%S.%f}"
    if events.plan_events(run_id, settings):
        added_rows = events.load_events(run_id, now.date(), settings)
        run_audit.log_run(run_id, settings)
        screen.print_line(
            ", ".join(f"{table}: {count:,} rows added" for table, count in added_rows.items()) or "No row is new."
        )
    else:
        screen.print_line("Nothing new: the warehouse already holds the events that the lake holds.")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
