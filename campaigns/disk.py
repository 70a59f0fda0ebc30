"""Steps on full disks: their message, what readers see meanwhile, and whether the next run is complete.

    python -m campaigns.disk [--tries N] [--seed S] [--steps STEP …] [--only STEP …]

The campaign runs the steps of the crash campaign, with STATE_DIR (lake and Spark's scratch) and PostgreSQL's data each
on a small disk of its own, and records how much each step writes. Then each step runs again with less room than that,
on either disk: it must end with a message that the disk is full, and the warehouse must look unchanged to readers.
After room is made, the same step must leave the same state as the undisturbed step. Only the superuser can mount the
disks, which are in memory.
"""

import argparse
import random
import sys
import tempfile
from dataclasses import dataclass, field
from importlib.metadata import version
from itertools import pairwise
from pathlib import Path

from sqlalchemy import text

from campaigns._termination import exit_in_order_on_sigterm
from campaigns.crash_runs import steps
from campaigns.crash_runs.environment import CrashEnvironment, StepWorker, get_now, open_environment
from campaigns.crash_runs.warehouse_comparison import compare_warehouses
from campaigns.full_disk_runs.small_disk import DiskUsage, SmallDisk, mount_small_disks
from etl import database
from etl.errors import EtlError
from launch import postgres

STATE_DISK, DATABASE_DISK = "STATE_DIR", "PostgreSQL"
_DISK_SIZES = {STATE_DISK: "2g", DATABASE_DISK: "4g"}
_READER_SCHEMAS = ("warehouse", "mart")
_NEGLIGIBLE_BYTES = 64 << 10
_START_SNAPSHOT = "start"


@dataclass
class FullDiskResult:
    """A step with less disk space than it needs."""

    step: str
    disk: str
    room_bytes: int
    needed_bytes: int
    message: str = ""
    """Its last line; empty if the space was sufficient after all."""
    violations: list[str] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)

    def format_line(self) -> str:
        room = f"{self.room_bytes >> 10:,} of {self.needed_bytes >> 10:,} KiB"
        verdict = "; ".join(self.violations) or ("as it should be" if self.message else "room enough")
        remark_text = f" ({'; '.join(self.remarks)})" if self.remarks else ""
        return f"{self.step} with {room} on {self.disk}: {verdict}{remark_text} | {self.message}"


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--tries", type=int, default=3, help="of each step on each disk")
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--steps", nargs="+", choices=steps.STEPS, default=list(steps.STEPS), metavar="STEP")
    parser.add_argument("--only", nargs="+", choices=steps.STEPS, metavar="STEP", help="of the steps, those to try")
    options = parser.parse_args()
    exit_in_order_on_sigterm()
    print(f"pyspark {version('pyspark')}, seed {options.seed}", flush=True)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o711)  # PostgreSQL runs as another user
        folders = {STATE_DISK: folder / "state", DATABASE_DISK: folder / "server"}
        with mount_small_disks({folders[disk_name]: size for disk_name, size in _DISK_SIZES.items()}) as mounted:
            disks = {disk_name: mounted[path] for disk_name, path in folders.items()}
            try:
                with open_environment(folder, get_now()) as environment, environment.start_worker() as worker:
                    results = _try_steps(environment, worker, disks, options)
            finally:
                postgres.remove_servers(folder / "server")
    violating = [result for result in results if result.violations]
    full_count = sum(bool(result.message) for result in results)
    print(f"{len(results)} tries, {full_count} met a full disk: {len(violating)} not as they should be (goal: 0)")
    sys.exit(bool(violating))


def _try_steps(
    environment: CrashEnvironment, worker: StepWorker, disks: dict[str, SmallDisk], options: argparse.Namespace
) -> list[FullDiskResult]:
    rng, results = random.Random(options.seed), []
    environment.save_snapshot(_START_SNAPSHOT)
    for previous_step, step in pairwise([_START_SNAPSHOT, *options.steps]):
        with DiskUsage(disks) as usage:
            code, message = worker.run_step(step)
        if code != 0:
            raise RuntimeError(f"{step} failed undisturbed: {message}")
        environment.save_snapshot(step)
        used = ", ".join(f"{size >> 10:,} KiB on {disk_name}" for disk_name, size in usage.used_bytes.items())
        print(f"  {step} undisturbed: {used}", flush=True)
        if step not in (options.only or options.steps):
            continue
        for disk_name, needed in usage.used_bytes.items():
            if needed > _NEGLIGIBLE_BYTES:
                for _ in range(options.tries):
                    results.append(
                        _try_with_full_disk(
                            environment,
                            worker,
                            previous_step,
                            step,
                            disk_name,
                            disks[disk_name],
                            int(rng.random() * needed),
                            needed,
                        )
                    )
                    print(results[-1].format_line(), flush=True)
        environment.restore_snapshot(step)
    return results


def _try_with_full_disk(
    environment: CrashEnvironment,
    worker: StepWorker,
    previous_step: str,
    step: str,
    disk_name: str,
    disk: SmallDisk,
    room_bytes: int,
    needed: int,
) -> FullDiskResult:
    environment.restore_snapshot(previous_step)
    _flush_database(environment)
    result = FullDiskResult(step, disk_name, room_bytes, needed)
    with disk.fill_disk(room_bytes):
        code, message = worker.run_step(step)
        if code != 0:
            result.message = message
            if "full" not in message or "Error: " not in message:
                result.violations.append("no sentence that says so")
            result.violations += _find_reader_changes(environment, previous_step)
            if not _is_database_up(environment):
                result.remarks.append("PostgreSQL had ended, or accepted no connection")
    environment.wait_until_recovered()
    if code != 0:
        result.violations += [
            f"{change} after room was made" for change in _find_reader_changes(environment, previous_step)
        ]
        code, message = worker.run_step(step)
        if code != 0:
            result.violations.append(f"it failed after room was made: {message}")
    _delete_failed_imports(environment)
    differences = compare_warehouses(environment.get_snapshot_url(step), environment.url)
    result.violations += [f"{name} differs: {lines[:3]}" for name, lines in differences.rows.items()]
    if differences.keys:
        result.violations.append(f"surrogate keys differ: {', '.join(differences.keys)}")
    return result


def _delete_failed_imports(environment: CrashEnvironment) -> None:
    """Delete failed imports from the audit: a successful import is no run, so a failed one would be a difference."""
    with database.connect(environment.url) as connection:
        connection.execute(text("delete from audit.run where job = 'kaggle_import' and result = 'failed'"))


def _find_reader_changes(environment: CrashEnvironment, previous_step: str) -> list[str]:
    """Return the changes that readers see since the step before, if PostgreSQL responds."""
    try:
        differences = compare_warehouses(environment.get_snapshot_url(previous_step), environment.url)
    except EtlError:
        return []
    changed = [*differences.rows, *differences.keys]
    return [f"{name} has changed" for name in changed if name.split(".")[0] in _READER_SCHEMAS]


def _is_database_up(environment: CrashEnvironment) -> bool:
    try:
        with database.connect(environment.url):
            return True
    except EtlError:
        return False


def _flush_database(environment: CrashEnvironment) -> None:
    """Let PostgreSQL write its pending changes, and the files that it creates on first use of a database."""
    with database.connect(environment.url):
        pass
    admin_engine = database.make_engine(environment.server.build_url("postgres", "postgres"))
    with admin_engine.execution_options(isolation_level="AUTOCOMMIT").connect() as connection:
        connection.execute(text("checkpoint"))


if __name__ == "__main__":
    main()
