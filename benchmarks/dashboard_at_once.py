"""The dashboard under many users at once, as an open loop, idle and during a full build of the marts.

    python -m benchmarks.dashboard_at_once [--users N] [--days N] [--clients N] [--pause S] [--seconds S]

Each client is a signed-in analyst who opens a random page every ``--pause`` seconds on average, however long the last
one takes: the latency of a visit counts from the time at which it was due, so a slow server is not spared. A visit ends
when the server has sent the whole page; a browser's drawing is not part of it (for us). The clients run on the same
machine (against us). The marts are built again and again in another process during the second part.
"""

import argparse
import asyncio
import multiprocessing
import os
import random
import statistics
import time
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from importlib.metadata import version

from benchmarks._fresh_warehouses import start_benchmark_server
from benchmarks._page_visits import PageError, PageUser
from benchmarks._running_product import find_free_port
from benchmarks._synthetic_star import create_star
from etl.database import connect, fetch_rows
from etl.load.access.logins import add_login
from etl.load.marts import MartDefinition, build_marts
from launch.dashboard import Dashboard

_PAGES = ("Wrapped", "My playlists", "Artist", "Charts")
_LOGIN = "bench.analyst"
_DEFINITION = MartDefinition(30_000, 30)


@dataclass
class Visits:
    """The seconds of each visit from the time at which it was due, by page, and the number of pages with an error."""

    seconds: dict[str, list[float]] = field(default_factory=dict)
    error_count: int = 0


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--users", type=int, default=2_000, help="of the warehouse")
    parser.add_argument("--days", type=int, default=250)
    parser.add_argument("--clients", type=int, default=100)
    parser.add_argument("--pause", type=float, default=30.0, help="mean seconds between two visits of a client")
    parser.add_argument("--seconds", type=float, default=120.0, help="of each part")
    options = parser.parse_args()
    with start_benchmark_server() as (server, folder), create_star(server, "pages", options.users, options.days) as url:
        _build_marts(url)
        password = add_login(server.build_url("postgres", url.rsplit("/", 1)[1]), "analyst", _LOGIN)
        with connect(url) as connection:
            events = fetch_rows(connection, "select count(*) as n from warehouse.fact_event")[0]["n"]
        port = find_free_port()
        dashboard = Dashboard(folder, {"WAREHOUSE_URL": url}, port)
        print(
            f"{events:,} events of {options.users:,} users; {options.clients} clients, a visit per {options.pause:g} s"
            f" each; streamlit {version('streamlit')}, {os.cpu_count()} cores",
            flush=True,
        )
        try:
            asyncio.run(_measure_visits(port, password, url, options))
        finally:
            dashboard.stop()


async def _measure_visits(port: int, password: str, url: str, options: argparse.Namespace) -> None:
    async with AsyncExitStack() as stack:
        users = [await stack.enter_async_context(PageUser(port, _LOGIN, password)) for _ in range(options.clients)]
        for page in _PAGES:
            await users[0].visit(page)
        _print_visits("idle", await _visit_at_once(users, options.pause, options.seconds))
        # Spawned: a fork of this process would have its sockets.
        builds = multiprocessing.get_context("spawn").Process(target=_build_again, args=(url,), daemon=True)
        builds.start()
        _print_visits("during builds", await _visit_at_once(users, options.pause, options.seconds))
        builds.terminate()
        builds.join()


async def _visit_at_once(users: list[PageUser], pause: float, seconds: float) -> Visits:
    """Let each user visit pages at random times, and wait for the end of all visits."""
    visits = Visits()
    draws = random.Random(1)
    began = time.perf_counter()
    due = [(user, offset) for user in users for offset in _draw_times(draws, pause, seconds)]
    await asyncio.gather(*(_visit_when_due(user, began + offset, draws.choice(_PAGES), visits) for user, offset in due))
    return visits


def _draw_times(draws: random.Random, pause: float, seconds: float) -> list[float]:
    """Return the seconds from the start at which a user wants a page."""
    times, offset = [], draws.expovariate(1 / pause)
    while offset < seconds:
        times.append(offset)
        offset += draws.expovariate(1 / pause)
    return times


async def _visit_when_due(user: PageUser, due: float, page: str, visits: Visits) -> None:
    await asyncio.sleep(max(due - time.perf_counter(), 0))
    async with user.is_busy:
        try:
            await user.visit(page)
        except PageError:
            visits.error_count += 1
    visits.seconds.setdefault(page, []).append(time.perf_counter() - due)


def _build_again(url: str) -> None:
    while True:
        _build_marts(url)


def _build_marts(url: str) -> None:
    with connect(url) as connection:
        build_marts(connection, _DEFINITION, is_full_refresh=True)


def _print_visits(label: str, visits: Visits) -> None:
    by_page = visits.seconds | {"all pages": [second for seconds in visits.seconds.values() for second in seconds]}
    for page, seconds in by_page.items():
        percentiles = statistics.quantiles(seconds, n=100) if len(seconds) > 1 else seconds * 99
        goal = " goal p95 <= 2 s" if page == "all pages" else ""
        print(
            f"{label}, {page}, {len(seconds):,} visits: p50 {percentiles[49]:.2f} s, p95 {percentiles[94]:.2f},"
            f" p99 {percentiles[98]:.2f}{goal}"
        )
    print(f"{label}: {visits.error_count} pages with an error (goal 0)", flush=True)


if __name__ == "__main__":
    main()
