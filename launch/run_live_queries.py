"""The process of the live queries: python -m launch.run_live_queries, supervised by bin/run --streams.

It ends with code 0 after SIGTERM, and with code 1 and the reason as its last line if a query ends: the supervisor
starts it again. STATE_DIR/streams/live.progress has the last batch; STATE_DIR/logs/live-progress.jsonl has
Spark's progress of each batch, and live-progress.jsonl.1 that of earlier ones.
"""

import json
import logging
import os
import signal
import sys
import threading
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from threading import Event
from typing import Any

from etl.errors import EtlError
from etl.jobs.live_run import LiveRun
from etl.settings import read_settings
from launch.secrets_store import make_private_folder
from launch.spark_jars import resolve_jars, resolve_kafka_jars

log = logging.getLogger(__name__)

PROGRESS_FILE = Path("streams") / "live.progress"
_MAX_LOG_BYTES = 5_000_000


def main() -> int:
    """Run the live queries until SIGTERM or SIGINT; return the exit code."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s")
    logging.getLogger("py4j").setLevel(logging.WARNING)
    stop = Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    progress_file = None
    try:
        settings = read_settings()
        state, environ = settings.state_dir, {"AIRFLOW_HOME": str(settings.state_dir), **os.environ}
        resolve_jars(state, environ)
        resolve_kafka_jars(state, environ)
        progress_file = make_private_folder(state / PROGRESS_FILE.parent) / PROGRESS_FILE.name
        log_file = make_private_folder(state / "logs") / "live-progress.jsonl"
        LiveRun(
            settings,
            lambda progress: write_progress(progress_file, {"process_id": os.getpid(), **progress}),
            lambda progress: append_line(log_file, progress),
        ).run(stop)
    except EtlError as error:
        if progress_file is not None:
            write_progress(progress_file, {"process_id": os.getpid(), "last_error": str(error)})
        sys.stderr.write(f"{error}\n")
        return 1
    log.info("Stopped.")
    return 0


def write_progress(file: Path, progress: Mapping[str, Any]) -> None:
    """Write a progress file, at once for its readers; a full disk leaves the former one."""
    # Spark's thread writes after a batch, the main thread while no message comes.
    draft = file.with_name(f"{file.name}.{threading.get_ident()}.part")
    with suppress(OSError):
        draft.write_text(json.dumps(progress), encoding="utf-8")
        draft.replace(file)


def append_line(file: Path, progress: Mapping[str, Any]) -> None:
    """Append a line to a log that keeps at most two files of a few megabytes."""
    if file.exists() and file.stat().st_size > _MAX_LOG_BYTES:
        file.replace(file.with_name(f"{file.name}.1"))
    with file.open("a", encoding="utf-8") as target:
        target.write(f"{json.dumps(progress)}\n")


if __name__ == "__main__":
    sys.exit(main())
