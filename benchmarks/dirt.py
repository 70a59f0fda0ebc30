"""The load of a feed with 1 % injected errors beside a clean one of the same listeners, in alternating rounds.

    python -m benchmarks.dirt [--users N] [--hours H] [--rounds N] [--fraction F]

A fifth of the errors each: repeated records, late ones, records in disorder, unknown tracks and impossible values. Both
feeds lie in one lake; each load has a fresh warehouse. Every record is accounted for: loaded, a duplicate or rejected;
both stars have the same events but for the records with impossible values.
"""

import argparse
import os
from importlib.metadata import version

from benchmarks._event_load_environment import FEED_START, LoadEnvironment, load_feed
from benchmarks._fresh_warehouses import start_benchmark_server
from benchmarks._processor_time import ProcessorClock, Spent, find_server_pid
from benchmarks._rounds import Times, compare_times
from etl.database import connect, fetch_rows
from launch.spark_jars import link_jars
from simulator.listeners.parameters import INJECTED_ERROR_KINDS, InjectedErrorRates

_ROW_COUNTS = """
    select
        sum(rows_in) as rows_in, sum(rows_loaded) as loaded, sum(rows_duplicate) as duplicates,
        sum(rows_rejected) as rejected, (select count(*) from warehouse.fact_event) as events
    from audit.row_count
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--users", type=int, default=20_000)
    parser.add_argument("--hours", type=int, default=72)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--fraction", type=float, default=0.01, help="of the records that have an injected error")
    options = parser.parse_args()
    print(f"datafusion {version('datafusion')}, {os.cpu_count()} cores")
    with start_benchmark_server() as (server, folder):
        link_jars(folder)
        environment = LoadEnvironment(folder, server)
        rate = options.fraction / len(INJECTED_ERROR_KINDS)
        errors = {
            "clean": InjectedErrorRates(),
            "dirty": InjectedErrorRates(**dict.fromkeys(INJECTED_ERROR_KINDS, rate)),
        }
        sizes = {
            name: environment.make_feed(name, options.users, FEED_START, options.hours, rates).row_count
            for name, rates in errors.items()
        }
        clock = ProcessorClock(find_server_pid(server))
        measured: dict[str, list[Spent]] = {name: [] for name in errors}
        counts: dict[str, dict[str, int]] = {}
        for number in range(options.rounds + 1):
            for name in list(errors)[:: 1 if number % 2 else -1]:
                spent, counts[name] = _load(environment, clock, name)
                if number:
                    measured[name].append(spent)
    _check_counts(counts, sizes)
    print(f"{options.users:,} users, {options.hours} hours, {options.rounds} rounds; rows: {counts}")
    for unit in ("seconds", "processor_seconds"):
        clean, dirty = (Times(tuple(getattr(spent, unit) for spent in measured[name])) for name in ("clean", "dirty"))
        print(
            f"a feed with {options.fraction:.0%} errors, {unit.replace('_', ' ')}: {dirty}; a clean one {clean};"
            f" dirty / clean {dirty.median / clean.median:.2f}; {compare_times(dirty, clean)}",
            flush=True,
        )


def _load(environment: LoadEnvironment, clock: ProcessorClock, name: str) -> tuple[Spent, dict[str, int]]:
    with environment.create_warehouse() as url:
        spent = clock.measure(lambda: load_feed(environment, url, "load", name))
        with connect(url) as connection:
            row = fetch_rows(connection, _ROW_COUNTS)[0]
    return spent, {column: int(str(value)) for column, value in row.items()}


def _check_counts(counts: dict[str, dict[str, int]], sizes: dict[str, int]) -> None:
    """Check that each record of both feeds is accounted for, and that errors cost no other record.

    :raises AssertionError: if not.
    """
    for name, rows in counts.items():
        assert rows["rows_in"] == sizes[name], f"{name}: {rows} of {sizes[name]} records"
        assert rows["loaded"] + rows["duplicates"] + rows["rejected"] == rows["rows_in"], f"{name}: {rows}"
        assert rows["events"] == rows["loaded"], f"{name}: {rows}"
    clean, dirty = counts["clean"], counts["dirty"]
    assert clean["rejected"] == clean["duplicates"] == 0, clean
    assert dirty["loaded"] + dirty["rejected"] == clean["loaded"], counts
    assert dirty["rejected"] > 0 and dirty["duplicates"] > 0, dirty


if __name__ == "__main__":
    main()
