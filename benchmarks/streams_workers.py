"""The live tables on a Spark cluster of two workers beside one of one worker, of one core each.

    python -m benchmarks.streams_workers [--events N] [--rounds N]

Each round fills the tables of a new warehouse from the same messages, in alternating order. Its time is that from the
end of the first batch, which starts executors and compiles Java, to the last one. The broker, PostgreSQL and the driver
share the machine with the workers: on two cores, a second worker gains only what they leave.
"""

import argparse
import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks._fresh_warehouses import FreshWarehouses
from benchmarks._live_tables import fetch_position, run_live_tables, wait_until_read
from benchmarks._rounds import compare_times, measure_rounds
from benchmarks._stream_topic import produce, start_servers
from etl.settings import Settings
from tests.spark_cluster import start_cluster

_POLL_SECONDS = 0.05


def main() -> None:
    """Run the rounds and print both times."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--events", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    with start_servers("off") as (settings, server):
        produce(settings.require_kafka(), options.events, datetime.now(UTC) - timedelta(minutes=30))
        warehouses = FreshWarehouses(server)
        measurements = {
            f"{count} workers": partial(_measure_seconds, settings, warehouses, count, options.events)
            for count in (1, 2)
        }
        one, two = measure_rounds(measurements, options.rounds).values()
    print(f"{options.events:,} messages: one worker {one}, two workers {two}")
    print(compare_times(two, one).replace("ours", "two workers"))


def _measure_seconds(settings: Settings, warehouses: FreshWarehouses, worker_count: int, events: int) -> float:
    """Return the seconds that the live tables take for the messages after the first batch."""
    with (
        TemporaryDirectory() as name,
        warehouses.create_warehouse() as url,
        start_cluster(Path(name), worker_count) as master,
    ):
        lake_url = (Path(name) / "lake").as_uri()
        own_settings = replace(settings, spark_master=master, warehouse_url=url, lake_url=lake_url)
        with run_live_tables(own_settings):
            while not (first := fetch_position(own_settings)):
                time.sleep(_POLL_SECONDS)
            started = time.perf_counter()
            wait_until_read(own_settings)
            seconds = time.perf_counter() - started
    if first == events:
        raise SystemExit(f"The first batch had all {events:,} messages: choose more --events.")
    return seconds * events / (events - first)


if __name__ == "__main__":
    main()
