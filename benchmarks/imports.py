"""A listener's whole history from zip file to the first page, beside pandas that parses and writes the same records.

    python -m benchmarks.imports [--plays N] [--rounds N]

Ours imports, validates, loads, matches and counts the plays, builds all marts and reads the page Wrapped. pandas parses
the same JSON and writes its records into a bare table: by ``to_sql`` as it is, and by the COPY method of its
documentation. It checks and counts nothing and makes no marts (against us). Each side is a process of its own, so ours
starts Spark where it needs it. The sides take turns in fresh warehouses, and the rows of both are compared. The parts
of ours are printed with their processor time.
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

from benchmarks._fresh_warehouses import FreshWarehouses, start_benchmark_server
from benchmarks._own_history import PEER_TABLE, write_history
from benchmarks._processor_time import find_server_pid
from benchmarks._rounds import Times, compare_times
from etl.database import connect, fetch_rows
from etl.settings import CHECKOUT
from launch.spark_jars import link_jars

_PEERS = {"pandas": "pandas' to_sql", "pandas_copy": "the same by COPY"}
_COUNTS = {
    "ours": """
        select (select count(*) from warehouse.fact_event) + (select count(*) from warehouse.fact_spoken_event) as n,
            (select sum(rows_rejected) from audit.row_count) as rejected
    """,
    "pandas": f"select count(ts) as n, count(*) - count(ts) as rejected from public.{PEER_TABLE}",  # noqa: S608 (of ours)
}

Parts = dict[str, dict[str, float]]


class ImportComparison:
    """The sides, each of which imports one history into a fresh warehouse."""

    def __init__(self, warehouses: FreshWarehouses, folder: Path, source: Path, accepted: int) -> None:
        self._warehouses, self._folder, self._source, self._accepted = warehouses, folder, source, accepted
        self.rejected: set[int] = set()

    def import_history(self, side: str) -> Parts:
        """Import the history in a process of its own, compare the rows, and return the seconds of its parts."""
        with self._warehouses.create_warehouse() as url:
            environ = {**os.environ, "STATE_DIR": str(self._folder), "WAREHOUSE_URL": url}
            command = [sys.executable, "-m", "benchmarks._import_step", side, str(self._source)]
            command.append(str(find_server_pid(self._warehouses.server)))
            done = subprocess.run(command, env=environ, cwd=CHECKOUT, check=True, stdout=subprocess.PIPE, text=True)
            shutil.rmtree(self._folder / "lake", ignore_errors=True)
            with connect(url) as connection:
                row = fetch_rows(connection, _COUNTS["ours" if side == "ours" else "pandas"])[0]
            assert row["n"] == self._accepted, f"{side}: {row['n']} plays, not {self._accepted}"
            self.rejected.add(int(str(row["rejected"])))
        parts: Parts = json.loads(done.stdout.splitlines()[-1])
        return parts


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--plays", type=int, default=150_000)
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    versions = ", ".join(f"{name} {version(name)}" for name in ("pyspark", "datafusion", "pandas", "sqlalchemy"))
    print(f"{versions}, {os.cpu_count()} cores")
    with start_benchmark_server() as (server, folder):
        link_jars(folder)
        source = folder / "history.zip"
        accepted = write_history(source, options.plays)
        comparison = ImportComparison(FreshWarehouses(server), folder, source, accepted)
        measured: dict[str, list[Parts]] = {"ours": [], **{name: [] for name in _PEERS}}
        for number in range(options.rounds + 1):
            for side in list(measured)[:: 1 if number % 2 else -1]:
                parts = comparison.import_history(side)
                if number:  # The first round warms the disk's cache and does not count.
                    measured[side].append(parts)
        assert comparison.rejected == {options.plays - accepted}, f"rejected: {comparison.rejected}"
        print(f"{options.plays:,} plays, zip of {source.stat().st_size / 1e6:.1f} MB; {options.rounds} rounds")
        _print_figures(measured)


def _print_figures(measured: dict[str, list[Parts]]) -> None:
    for name in measured["ours"][0]:
        seconds, processor = (_collect_times(measured["ours"], unit, name) for unit in ("seconds", "processor_seconds"))
        print(f"ours, {name}: {seconds}; processor {processor}")
    for unit, label in (("seconds", "wall"), ("processor_seconds", "processor")):
        ours = _collect_times(measured["ours"], unit)
        for side, description in _PEERS.items():
            theirs = _collect_times(measured[side], unit)
            print(
                f"zip to page, {label}: ours {ours}, {description} {theirs}, ours / theirs"
                f" {ours.median / theirs.median:.2f} goal <= 1; {compare_times(ours, theirs)}",
                flush=True,
            )


def _collect_times(rounds: list[Parts], unit: str, name: str | None = None) -> Times:
    """Return the seconds of a part, or of all parts together, in each round."""
    return Times(tuple(sum(part[unit] for key, part in parts.items() if name in (None, key)) for parts in rounds))


if __name__ == "__main__":
    main()
