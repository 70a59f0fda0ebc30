"""The process of the live queries, which kills itself once a batch is in PostgreSQL and not yet in Spark's checkpoint.

It does so for the first batch with events, if LIVE_TEST_KILL names a file that exists.
"""

import os
import signal
import sys
from pathlib import Path

from etl.jobs.live_tables import LiveWriter
from etl.streams.live_query import QueryBatch
from launch import run_live_queries

_write = LiveWriter.write


def write_and_die(writer: LiveWriter, batch: QueryBatch) -> int:
    count = _write(writer, batch)
    marker = Path(os.environ["LIVE_TEST_KILL"])
    if count and marker.exists():
        marker.unlink()
        os.kill(os.getpid(), signal.SIGKILL)
    return count


if __name__ == "__main__":
    LiveWriter.write = write_and_die  # type: ignore[method-assign]
    sys.exit(run_live_queries.main())
