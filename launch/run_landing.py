"""The process that lands the topic of events in the lake: ``python -m launch.run_landing``."""

import logging
import os
import signal
import sys
from threading import Event

from etl.errors import EtlError
from etl.jobs.landing import land_messages
from etl.settings import read_settings
from launch.environment import NO_WAREHOUSE_URL

log = logging.getLogger(__name__)


def main() -> int:
    """Land messages until SIGTERM or SIGINT; return the exit code."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    should_stop = Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: should_stop.set())
    try:
        land_messages(read_settings({"WAREHOUSE_URL": NO_WAREHOUSE_URL, **os.environ}), should_stop)
    except EtlError as error:
        log.error("%s", error)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
