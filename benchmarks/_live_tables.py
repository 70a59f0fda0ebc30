"""The live tables beside a benchmark, and how far they are."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Event, Thread

from etl.database import connect, fetch_rows
from etl.jobs.live_run import LiveRun
from etl.settings import Settings
from etl.streams.topics import fetch_end_offsets

_POLL_SECONDS = 0.2


@contextmanager
def run_live_tables(settings: Settings) -> Iterator[None]:
    """Fill the live tables during the context."""
    stop = Event()
    live = Thread(target=LiveRun(settings, lambda _: None, lambda _: None).run, args=(stop,))
    live.start()
    try:
        yield
    finally:
        stop.set()
        live.join()


def fetch_position(settings: Settings) -> int:
    """Return the number of messages of the topic that the live tables contain."""
    with connect(settings.warehouse_url) as connection:
        (row,) = fetch_rows(connection, "select coalesce(sum(next_offset), 0)::bigint as n from live.progress")
    return int(str(row["n"]))


def wait_until_read(settings: Settings) -> None:
    """Wait until the live tables contain all messages of the topic."""
    kafka_settings = settings.require_kafka()
    ends = fetch_end_offsets(kafka_settings, kafka_settings.topic)
    while True:
        with connect(settings.warehouse_url) as connection:
            rows = fetch_rows(connection, "select partition, next_offset from live.progress")
        if {row["partition"]: row["next_offset"] for row in rows} == ends:
            return
        time.sleep(_POLL_SECONDS)
