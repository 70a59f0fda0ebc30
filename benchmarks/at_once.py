"""Two refreshes at once beside one alone; refreshes while analysts query without a pause and a migration waits.

    python -m benchmarks.at_once [--parts PART …] [--readers N] [--nights N] [--seed S]

A night publishes tracks, loads a feed and builds the marts. It runs once alone; then, from the same beginning, twice at
the same moment from two shells: ``same``, both in the name of one run, and ``apart``, each in runs of its own. All that
people read is compared by natural keys with what the one alone has left. ``readers`` lets analysts ask without a pause
for some nights: each question has one answer that is right at any moment, the marts may tell of nothing but published
plays, and while events are loaded a migration that changes two tables waits for its turn. At the end the marts are
built from nothing.
"""

import argparse
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

from sqlalchemy import text

from benchmarks import _light_jobs as jobs
from benchmarks._crash_compare import difference
from benchmarks._readers import Readers, Seen
from etl import warehouse
from etl.config import CHECKOUT, Settings, settings
from etl.jobs.marts import FROM_NOTHING
from etl.load.migrate import migrate
from launch import postgres

_READ_BY_PEOPLE = ("warehouse.", "mart.", "simulation.")
_TRIED, _BEFORE, _ALONE = "tried", "before", "alone"
_CALM_SECONDS = 10
_LONGEST_WAIT_SECONDS = 5
_REVISION = """
from alembic import op

revision = "beside_readers"
down_revision = "{head}"


def upgrade() -> None:
    op.execute("alter table warehouse.dim_track add column beside integer")
    op.execute("alter table warehouse.dim_artist add column beside integer")
    op.execute("alter table warehouse.dim_artist drop column beside")
    op.execute("alter table warehouse.dim_track drop column beside")
"""


@dataclass(frozen=True)
class Place:
    """A server, a state folder, and the settings of jobs in both."""

    server: postgres.Server
    settings: Settings

    @property
    def admin_url(self) -> str:
        return self.server.url("postgres", _TRIED)

    def url(self, name: str) -> str:
        return self.server.url("loader", name)

    def copy(self, source: str, target: str) -> None:
        there = warehouse.engine(self.server.url("postgres", "postgres"))
        with there.execution_options(isolation_level="AUTOCOMMIT").connect() as connection:
            connection.execute(text(f"drop database if exists {target} with (force)"))
            connection.execute(text(f"create database {target} template {source} owner loader"))

    def deadlocks(self) -> int:
        with warehouse.connect(self.server.url("postgres", "postgres")) as connection:
            found = warehouse.rows(connection, "select sum(deadlocks)::bigint as count from pg_stat_database")
        return int(str(found[0]["count"]))


@contextmanager
def place() -> Iterator[Place]:
    """A place with one night published."""
    with tempfile.TemporaryDirectory() as name:
        state = Path(name)
        server = postgres.start(state)
        try:
            here = Place(server, settings({"STATE_DIR": name, "WAREHOUSE_URL": server.url("loader", _TRIED)}))
            there = warehouse.engine(server.url("postgres", "postgres"))
            with there.execution_options(isolation_level="AUTOCOMMIT").connect() as connection:
                connection.execute(text(f"create database {_TRIED} owner loader"))
            migrate(here.settings.warehouse_url)
            _night(here, 0)
            yield here
        finally:
            postgres.remove(state)


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parts = ("readers", "same", "apart")
    parser.add_argument("--parts", nargs="+", choices=parts, default=list(parts), metavar="PART")
    parser.add_argument("--readers", type=int, default=10)
    parser.add_argument("--nights", type=int, default=3)
    parser.add_argument("--seed", type=int, default=7)
    options = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # so that all that was started ends
    with place() as here:
        told = f"PostgreSQL {here.server.major}, psycopg2 {version('psycopg2-binary')}"
        print(f"{told}; a night: {jobs.TRACKS:,} tracks, {jobs.EVENTS:,} events", flush=True)
        faults = []
        if {"same", "apart"} & set(options.parts):
            jobs.receive(1, here.settings)
            here.copy(_TRIED, _BEFORE)
            faults += _nights_at_once(here, [""])
            here.copy(_TRIED, _ALONE)
            for part, ends in (("same", ["", ""]), ("apart", ["", ".again"])):
                if part in options.parts:
                    faults += _twice(here, part, ends)
        if "readers" in options.parts:
            faults += _beside_readers(here, options)
    for fault in faults:
        print(f"  {fault}")
    print(f"{len(faults)} faults (goal: 0)")
    sys.exit(bool(faults))


def _night(here: Place, number: int) -> None:
    jobs.load_catalogue(number, here.settings)
    jobs.receive(number, here.settings)
    jobs.load_events(number, here.settings)
    jobs.build_marts(number, here.settings)


def _twice(here: Place, part: str, ends: list[str]) -> list[str]:
    """A night twice at the same moment, against the same alone."""
    here.copy(_BEFORE, _TRIED)
    deadlocks, began = here.deadlocks(), time.monotonic()
    faults = _nights_at_once(here, ends)
    seconds = time.monotonic() - began
    told = difference(here.url(_ALONE), here.url(_TRIED))
    differ = [name for name in told.rows if name.startswith(_READ_BY_PEOPLE)]
    faults += [f"{name} differs: {told.rows[name]}" for name in differ]
    if here.deadlocks() > deadlocks:
        faults.append("a deadlock")
    keys = f"; surrogate keys differ in {', '.join(told.keys)}" if told.keys else ""
    print(f"two at once, {part}: {len(differ)} tables differ (goal: 0){keys}; {seconds:.0f} s", flush=True)
    return [f"{part}: {fault}" for fault in faults]


def _nights_at_once(here: Place, ends: list[str]) -> list[str]:
    """Run night 1 in as many processes as there are ends of run ids.

    :returns: how those ended that did not end well.
    """
    environ = {
        **os.environ,
        "STATE_DIR": str(here.settings.state_dir),
        "WAREHOUSE_URL": here.settings.warehouse_url,
        "PYTHONPATH": str(CHECKOUT),
    }
    command = [sys.executable, "-m", "benchmarks._light_jobs", "1"]
    told = {"env": environ, "stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "text": True}
    started = [subprocess.Popen([*command, end], **told) for end in ends]  # type: ignore[call-overload]
    words = [process.communicate()[0] for process in started]
    return [said[-500:] for process, said in zip(started, words, strict=True) if process.returncode != 0]


def _beside_readers(here: Place, options: argparse.Namespace) -> list[str]:
    """Some nights while analysts ask, and what they were shown."""
    deadlocks = here.deadlocks()
    with Readers(here.admin_url, options.readers, options.seed) as calm:
        time.sleep(_CALM_SECONDS)
    began = time.monotonic()
    with Readers(here.admin_url, options.readers, options.seed + 1) as busy, ThreadPoolExecutor(1) as pool:
        for night in range(2, 2 + options.nights):
            jobs.load_catalogue(night, here.settings)
            jobs.receive(night, here.settings)
            migration = pool.submit(_migrate, here.settings.warehouse_url) if night == 2 else None
            jobs.load_events(night, here.settings)
            if migration is not None:
                print(f"a migration was through after {migration.result():.1f} s", flush=True)
            jobs.build_marts(night, here.settings)
        jobs.build_marts(night, here.settings, ".anew", FROM_NOTHING)
        time.sleep(1)
    print(f"{options.readers} readers beside {options.nights} nights of {time.monotonic() - began:.0f} s in all")
    return _judged(busy.seen, calm.seen, here.deadlocks() - deadlocks)


def _migrate(url: str) -> float:
    time.sleep(1)  # so that the load has the lock
    began = time.monotonic()
    with warehouse.connect(url) as connection:
        (head,) = warehouse.rows(connection, "select version_num from audit.schema_revision")
    with tempfile.TemporaryDirectory() as name:
        (Path(name) / "beside_readers.py").write_text(_REVISION.format(head=head["version_num"]), encoding="utf-8")
        migrate(url, further_revisions=Path(name))
    return time.monotonic() - began


def _judged(seen: Seen, calm: Seen, deadlocks: int) -> list[str]:
    print(f"{seen.answers} answers to analysts, {sum(seen.halves.values())} of a half (goal: 0), {deadlocks} deadlocks")
    print(f"longest wait for a lock {seen.longest_lock_s:.1f} s (goal: at most {_LONGEST_WAIT_SECONDS})")
    for name, took in sorted(seen.seconds.items()):
        before = max(calm.seconds.get(name, [0.0]))
        print(f"  {name}: median {sorted(took)[len(took) // 2]:.2f} s, longest {max(took):.2f} s; calm {before:.2f} s")
    print(f"  tracks, events, plays, plays in marts: {' → '.join(str(one) for one in seen.totals)}", flush=True)
    faults = [f"a half, {what}, {count} times" for what, count in (seen.halves + calm.halves).items()]
    faults += [f"{what}, {count} times" for what, count in (seen.failures + calm.failures).items()]
    if deadlocks:
        faults.append(f"{deadlocks} deadlocks")
    if seen.longest_lock_s > _LONGEST_WAIT_SECONDS:
        faults.append(f"somebody waited for a lock for {seen.longest_lock_s:.1f} s")
    return [f"readers: {fault}" for fault in faults + _wrong_totals(seen.totals)]


def _wrong_totals(totals: list[tuple[int, ...]]) -> list[str]:
    """Marts tell of plays that were published by then, and at the end of all."""
    published, faults = set(), []
    for _, _, plays, in_marts in totals:
        published.add(plays)
        if in_marts not in published:
            faults.append(f"the marts told of {in_marts} plays, which were never published")
    if len(totals) < 2 or totals[-1][2] != totals[-1][3]:
        faults.append(f"at the end tracks, events, plays and those of the marts are {totals[-1:]}")
    return faults


if __name__ == "__main__":
    main()
