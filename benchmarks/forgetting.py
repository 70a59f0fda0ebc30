"""Forgetting a user of a large warehouse beside one of a small one, in alternating rounds.

    python -m benchmarks.forgetting [--users N] [--small N] [--hours H] [--rounds N]

Each round forgets another listener of a feed, from the lake, the star and the marts. The feed's files are rewritten
without the listener, so the cost follows the size of the files that have them. The small warehouse has the first
listeners of the large one. Afterwards no table of the star has the listener.
"""

import argparse
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path

from benchmarks._event_load_environment import FEED_START, LoadEnvironment, load_feed
from benchmarks._fresh_warehouses import FreshWarehouses, start_benchmark_server
from benchmarks._processor_time import ProcessorClock, Spent, find_server_pid
from benchmarks._rounds import Times
from etl.database import connect, fetch_rows
from etl.jobs import erasure, marts
from launch.spark_jars import link_jars

_LISTENERS = """
    select u.user_id, count(*) as events
    from warehouse.fact_event as e
    inner join warehouse.dim_user as u on u.user_key = e.user_key
    group by u.user_id
    order by u.user_id
    limit :count
"""
_REMAINING = """
    select
        (select count(*) from warehouse.dim_user where user_id = :user_id) as users,
        (select count(*) from warehouse.fact_event) as events
"""


class FilledWarehouse:
    """A warehouse with one feed and all marts, and the lake that it was loaded from."""

    def __init__(self, environment: LoadEnvironment, url: str, state: Path, clock: ProcessorClock) -> None:
        self._settings = replace(environment.make_settings(url), state_dir=state)
        self._url, self._clock = url, clock
        load_feed(environment, url, "load")
        marts.build_marts("marts", marts.FULL_REFRESH, None, self._settings)
        self.events = self._read(_REMAINING, user_id="")[0]["events"]

    def list_listeners(self, count: int) -> list[tuple[str, int]]:
        """Return ids of listeners, and the number of events of each."""
        return [(str(row["user_id"]), int(str(row["events"]))) for row in self._read(_LISTENERS, count=count)]

    def forget(self, user_id: str, events: int) -> Spent:
        """Forget a listener, and check that all of their events went, and no other.

        :raises AssertionError: if not.
        """
        before = self._read(_REMAINING, user_id=user_id)[0]
        spent = self._clock.measure(lambda: erasure.forget_user(user_id, f"forget {user_id}", self._settings))
        after = self._read(_REMAINING, user_id=user_id)[0]
        assert after["users"] == 0 and int(str(before["events"])) - int(str(after["events"])) == events, (before, after)
        return spent

    def _read(self, statement: str, **parameters: object) -> list[dict[str, object]]:
        with connect(self._url) as connection:
            return fetch_rows(connection, statement, **parameters)


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--users", type=int, default=20_000)
    parser.add_argument("--small", type=int, default=2_000)
    parser.add_argument("--hours", type=int, default=72)
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    print(f"datafusion {version('datafusion')}, {os.cpu_count()} cores")
    with start_benchmark_server() as (server, folder):
        fresh_warehouses = FreshWarehouses(server)
        sizes = {"large": options.users, "small": options.small}
        with (
            _fill(fresh_warehouses, folder / "large", sizes["large"], options.hours) as large,
            _fill(fresh_warehouses, folder / "small", sizes["small"], options.hours) as small,
        ):
            warehouses = {"large": large, "small": small}
            listeners = {name: warehouse.list_listeners(options.rounds + 1) for name, warehouse in warehouses.items()}
            measured: dict[str, list[Spent]] = {name: [] for name in warehouses}
            for number in range(options.rounds + 1):
                for name in list(warehouses)[:: 1 if number % 2 else -1]:
                    spent = warehouses[name].forget(*listeners[name][number])
                    if number:
                        measured[name].append(spent)
            events = {name: warehouse.events for name, warehouse in warehouses.items()}
    _print_figures(measured, sizes, events)


def _print_figures(measured: dict[str, list[Spent]], sizes: dict[str, int], events: dict[str, object]) -> None:
    for unit in ("seconds", "processor_seconds"):
        large, small = (Times(tuple(getattr(spent, unit) for spent in measured[name])) for name in ("large", "small"))
        print(
            f"forget a user, {unit.replace('_', ' ')}, {len(measured['large'])} rounds: {large} of {sizes['large']:,}"
            f" users with {events['large']:,} events, {small} of {sizes['small']:,} with {events['small']:,}, ratio"
            f" {large.median / small.median:.2f}",
            flush=True,
        )


@contextmanager
def _fill(fresh_warehouses: FreshWarehouses, folder: Path, users: int, hours: int) -> Iterator[FilledWarehouse]:
    """Open a warehouse with the feed of some listeners, and a lake of its own."""
    folder.mkdir()
    link_jars(folder)
    environment = LoadEnvironment(folder, fresh_warehouses)
    environment.make_feed("feed", users, FEED_START, hours)
    with environment.create_warehouse() as url:
        yield FilledWarehouse(environment, url, folder, ProcessorClock(find_server_pid(fresh_warehouses.server)))


if __name__ == "__main__":
    main()
