"""Two refreshes at once beside one alone; refreshes while analysts query without a pause and a migration waits.

    python -m campaigns.at_once [--parts PART …] [--readers N] [--nights N] [--seed S]

A simulated day publishes tracks, loads a feed and builds the marts. It runs once alone; then, from the same start,
twice at the same time from two shells: ``same``, both as one run, and ``apart``, each as runs of its own. All tables
that readers see are compared by natural keys with those of the day alone. ``readers`` lets analysts query without a
pause for some simulated days: each query has one right result at any time, the marts may contain published plays only,
and during the load of events a migration that changes two tables waits for its turn. At the end a full refresh rebuilds
the marts.
"""

import argparse
import os
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

from campaigns._termination import exit_in_order_on_sigterm
from campaigns.concurrent_runs import spark_free_jobs as jobs
from campaigns.concurrent_runs.readers import ConcurrentReaders, ReaderObservations
from campaigns.crash_runs.warehouse_comparison import compare_warehouses
from etl import database
from etl.jobs.marts import FULL_REFRESH
from etl.load.migrate import migrate_warehouse
from etl.settings import CHECKOUT, Settings, read_settings
from launch import postgres

_READER_TABLES = ("warehouse.", "mart.", "simulation.")
_TESTED_DATABASE, _BEFORE_DATABASE, _ALONE_DATABASE = "tried", "before", "alone"
_BASELINE_SECONDS = 10
_MAX_LOCK_WAIT_SECONDS = 5
_MIGRATION_SOURCE = """
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
class ConcurrencyEnvironment:
    """A server, a state folder, and the settings of jobs in both."""

    server: postgres.Server
    settings: Settings

    @property
    def admin_url(self) -> str:
        return self.server.build_url("postgres", _TESTED_DATABASE)

    def get_url(self, name: str) -> str:
        return self.server.build_url("loader", name)

    def copy_database(self, source: str, target: str) -> None:
        admin_engine = database.make_engine(self.server.build_url("postgres", "postgres"))
        with admin_engine.execution_options(isolation_level="AUTOCOMMIT").connect() as connection:
            connection.execute(text(f"drop database if exists {target} with (force)"))
            connection.execute(text(f"create database {target} template {source} owner loader"))

    def count_deadlocks(self) -> int:
        with database.connect(self.server.build_url("postgres", "postgres")) as connection:
            count_rows = database.fetch_rows(connection, "select sum(deadlocks)::bigint as count from pg_stat_database")
        return int(str(count_rows[0]["count"]))


@contextmanager
def open_environment() -> Iterator[ConcurrencyEnvironment]:
    """Open an environment with one simulated day published."""
    with tempfile.TemporaryDirectory() as name:
        state = Path(name)
        server = postgres.start_server(state)
        try:
            environment = ConcurrencyEnvironment(
                server,
                read_settings({"STATE_DIR": name, "WAREHOUSE_URL": server.build_url("loader", _TESTED_DATABASE)}),
            )
            admin_engine = database.make_engine(server.build_url("postgres", "postgres"))
            with admin_engine.execution_options(isolation_level="AUTOCOMMIT").connect() as connection:
                connection.execute(text(f"create database {_TESTED_DATABASE} owner loader"))
            migrate_warehouse(environment.settings.warehouse_url)
            _run_day(environment, 0)
            yield environment
        finally:
            postgres.remove_servers(state)


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    scenario_names = ("readers", "same", "apart")
    parser.add_argument("--parts", nargs="+", choices=scenario_names, default=list(scenario_names), metavar="PART")
    parser.add_argument("--readers", type=int, default=10)
    parser.add_argument("--nights", type=int, default=3)
    parser.add_argument("--seed", type=int, default=7)
    options = parser.parse_args()
    exit_in_order_on_sigterm()
    with open_environment() as environment:
        versions = f"PostgreSQL {environment.server.major}, psycopg2 {version('psycopg2-binary')}"
        print(f"{versions}; a night: {jobs.TRACK_COUNT:,} tracks, {jobs.EVENT_COUNT:,} events", flush=True)
        violations = []
        if {"same", "apart"} & set(options.parts):
            jobs.receive_feed(1, environment.settings)
            environment.copy_database(_TESTED_DATABASE, _BEFORE_DATABASE)
            violations += _run_day_in_parallel(environment, [""])
            environment.copy_database(_TESTED_DATABASE, _ALONE_DATABASE)
            for scenario, run_suffixes in (("same", ["", ""]), ("apart", ["", ".again"])):
                if scenario in options.parts:
                    violations += _compare_two_at_once(environment, scenario, run_suffixes)
        if "readers" in options.parts:
            violations += _run_beside_readers(environment, options)
    for violation in violations:
        print(f"  {violation}")
    print(f"{len(violations)} faults (goal: 0)")
    sys.exit(bool(violations))


def _run_day(environment: ConcurrencyEnvironment, day: int) -> None:
    jobs.load_catalogue(day, environment.settings)
    jobs.receive_feed(day, environment.settings)
    jobs.load_events(day, environment.settings)
    jobs.build_marts(day, environment.settings)


def _compare_two_at_once(environment: ConcurrencyEnvironment, scenario: str, run_suffixes: list[str]) -> list[str]:
    """Compare two concurrent runs of a simulated day with a single run of it."""
    environment.copy_database(_BEFORE_DATABASE, _TESTED_DATABASE)
    deadlocks, began = environment.count_deadlocks(), time.monotonic()
    violations = _run_day_in_parallel(environment, run_suffixes)
    seconds = time.monotonic() - began
    differences = compare_warehouses(environment.get_url(_ALONE_DATABASE), environment.get_url(_TESTED_DATABASE))
    different_tables = [name for name in differences.rows if name.startswith(_READER_TABLES)]
    violations += [f"{name} differs: {differences.rows[name]}" for name in different_tables]
    if environment.count_deadlocks() > deadlocks:
        violations.append("a deadlock")
    keys = f"; surrogate keys differ in {', '.join(differences.keys)}" if differences.keys else ""
    print(
        f"two at once, {scenario}: {len(different_tables)} tables differ (goal: 0){keys}; {seconds:.0f} s", flush=True
    )
    return [f"{scenario}: {violation}" for violation in violations]


def _run_day_in_parallel(environment: ConcurrencyEnvironment, run_suffixes: list[str]) -> list[str]:
    """Run simulated day 1 in one process for each suffix of run ids.

    :returns: the exit of each process that failed.
    """
    environ = {
        **os.environ,
        "STATE_DIR": str(environment.settings.state_dir),
        "WAREHOUSE_URL": environment.settings.warehouse_url,
        "PYTHONPATH": str(CHECKOUT),
    }
    command = [sys.executable, "-m", "campaigns.concurrent_runs.spark_free_jobs", "1"]
    options = {"env": environ, "stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "text": True}
    started = [subprocess.Popen([*command, run_suffix], **options) for run_suffix in run_suffixes]  # type: ignore[call-overload]
    outputs = [process.communicate()[0] for process in started]
    return [output[-500:] for process, output in zip(started, outputs, strict=True) if process.returncode != 0]


def _run_beside_readers(environment: ConcurrencyEnvironment, options: argparse.Namespace) -> list[str]:
    """Run some simulated days while analysts query, and print their observations."""
    deadlocks = environment.count_deadlocks()
    with ConcurrentReaders(environment.admin_url, options.readers, options.seed) as baseline_readers:
        time.sleep(_BASELINE_SECONDS)
    began = time.monotonic()
    with (
        ConcurrentReaders(environment.admin_url, options.readers, options.seed + 1) as busy_readers,
        ThreadPoolExecutor(1) as pool,
    ):
        for day in range(2, 2 + options.nights):
            jobs.load_catalogue(day, environment.settings)
            jobs.receive_feed(day, environment.settings)
            migration = pool.submit(_time_migration, environment.settings.warehouse_url) if day == 2 else None
            jobs.load_events(day, environment.settings)
            if migration is not None:
                print(f"a migration was through after {migration.result():.1f} s", flush=True)
            jobs.build_marts(day, environment.settings)
        jobs.build_marts(day, environment.settings, ".anew", FULL_REFRESH)
        time.sleep(1)
    print(f"{options.readers} readers beside {options.nights} nights of {time.monotonic() - began:.0f} s in all")
    return _list_violations(
        busy_readers.observations, baseline_readers.observations, environment.count_deadlocks() - deadlocks
    )


def _time_migration(url: str) -> float:
    time.sleep(1)  # so that the load has the lock
    began = time.monotonic()
    with database.connect(url) as connection:
        (revision_row,) = database.fetch_rows(connection, "select version_num from audit.schema_revision")
    with tempfile.TemporaryDirectory() as name:
        (Path(name) / "beside_readers.py").write_text(
            _MIGRATION_SOURCE.format(head=revision_row["version_num"]), encoding="utf-8"
        )
        migrate_warehouse(url, further_revisions=Path(name))
    return time.monotonic() - began


def _list_violations(observations: ReaderObservations, baseline: ReaderObservations, deadlocks: int) -> list[str]:
    print(
        f"{observations.query_count} results for analysts, {sum(observations.violations.values())} of a partial state "
        f"(goal: 0), {deadlocks} deadlocks"
    )
    print(f"longest wait for a lock {observations.longest_lock_s:.1f} s (goal: at most {_MAX_LOCK_WAIT_SECONDS})")
    for name, query_seconds in sorted(observations.seconds.items()):
        longest_before = max(baseline.seconds.get(name, [0.0]))
        median = sorted(query_seconds)[len(query_seconds) // 2]
        print(f"  {name}: median {median:.2f} s, longest {max(query_seconds):.2f} s; alone {longest_before:.2f} s")
    print(
        f"  tracks, events, plays, plays in marts: {' → '.join(str(total) for total in observations.totals)}",
        flush=True,
    )
    violations = [
        f"a half, {invariant}, {count} times"
        for invariant, count in (observations.violations + baseline.violations).items()
    ]
    violations += [
        f"{error_name}, {count} times" for error_name, count in (observations.failures + baseline.failures).items()
    ]
    if deadlocks:
        violations.append(f"{deadlocks} deadlocks")
    if observations.longest_lock_s > _MAX_LOCK_WAIT_SECONDS:
        violations.append(f"a session waited for a lock for {observations.longest_lock_s:.1f} s")
    return [f"readers: {violation}" for violation in violations + _find_wrong_totals(observations.totals)]


def _find_wrong_totals(totals: list[tuple[int, ...]]) -> list[str]:
    """Return violations: marts with other totals than the plays published by then, or than all plays at the end."""
    published, violations = set(), []
    for _, _, plays, in_marts in totals:
        published.add(plays)
        if in_marts not in published:
            violations.append(f"the marts told of {in_marts} plays, which were never published")
    if len(totals) < 2 or totals[-1][2] != totals[-1][3]:
        violations.append(f"at the end tracks, events, plays and those of the marts are {totals[-1:]}")
    return violations


if __name__ == "__main__":
    main()
