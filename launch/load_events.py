"""bin/load-events: bring Avro feeds into the lake, and load all events that the warehouse does not yet know."""

import argparse
import logging
import os
import sys
from datetime import UTC, datetime

from etl.config import Settings, settings
from etl.errors import EtlError
from etl.extract import feed
from etl.full_disk import explained_full_disk
from etl.jobs import events, report
from etl.lake import Lake
from launch.console import Screen
from launch.warehouse_client import warehouse_url


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
        with warehouse_url() as url:
            chosen = settings({**os.environ, "WAREHOUSE_URL": url})
            receive(paths, chosen)
            load(chosen, screen)
    except EtlError as error:
        screen.complain(str(error))
        return 1
    return 0


def receive(paths: list[str], chosen: Settings) -> None:
    """Bring the files of some paths into the lake; those before one that is refused stay there."""
    lake, now = Lake(chosen.lake_url), datetime.now(UTC)
    with explained_full_disk(chosen):
        for file in [file for path in paths for file in feed.find_files(path)]:
            feed.receive_file(file, lake, now)


def load(chosen: Settings, screen: Screen) -> None:
    """Load what the lake holds of events and the warehouse does not yet know."""
    now = datetime.now(UTC)
    run_id = f"load_events.{now:%Y%m%dT%H%M%S.%f}"
    if events.plan_events(run_id, chosen):
        added = events.load_events(run_id, now.date(), chosen)
        report.log_run(run_id, chosen)
        screen.say(", ".join(f"{table}: {count:,} rows added" for table, count in added.items()) or "No row is new.")
    else:
        screen.say("Nothing new: the warehouse already holds the events that the lake holds.")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
