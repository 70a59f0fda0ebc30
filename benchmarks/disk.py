"""Steps on full disks: their message, what readers see meanwhile, and whether the next run is complete.

    python -m benchmarks.disk [--tries N] [--seed S] [--steps STEP …] [--only STEP …]

Goes through the steps of the crash benchmark, with STATE_DIR (lake and Spark's scratch) and PostgreSQL's data each on a
small disk of its own, and notes how much each step writes. Then each step is tried again with less room than that, on
either disk: it has to end with a sentence that says that the disk is full, the warehouse as readers see it has to be
what it was, and after room was made the same step, run again, has to leave what it left undisturbed. Only the superuser
can mount the disks, which are in memory.
"""

import argparse
import random
import signal
import sys
import tempfile
from dataclasses import dataclass, field
from importlib.metadata import version
from itertools import pairwise
from pathlib import Path

from sqlalchemy import text

from benchmarks import _crash_steps as steps
from benchmarks._crash_compare import difference
from benchmarks._crash_place import Place, Worker, place, today
from benchmarks._small_disk import LeastRoom, SmallDisk, small_disks
from etl import warehouse
from etl.errors import EtlError
from launch import postgres

STATE, DATABASE = "STATE_DIR", "PostgreSQL"
_SIZES = {STATE: "2g", DATABASE: "4g"}
_READ_BY_PEOPLE = ("warehouse", "mart")
_WRITES_NOTHING_BYTES = 64 << 10
_START = "start"


@dataclass
class Result:
    """A step that had less room than it wanted on a disk."""

    step: str
    disk: str
    room_bytes: int
    needed_bytes: int
    said: str = ""
    """Its last line; empty where there was room enough all the same."""
    faults: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def line(self) -> str:
        room = f"{self.room_bytes >> 10:,} of {self.needed_bytes >> 10:,} KiB"
        verdict = "; ".join(self.faults) or ("as it should be" if self.said else "room enough")
        also = f" ({'; '.join(self.notes)})" if self.notes else ""
        return f"{self.step} with {room} on {self.disk}: {verdict}{also} | {self.said}"


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--tries", type=int, default=3, help="of each step on each disk")
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--steps", nargs="+", choices=steps.STEPS, default=list(steps.STEPS), metavar="STEP")
    parser.add_argument("--only", nargs="+", choices=steps.STEPS, metavar="STEP", help="of the steps, those to try")
    options = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # so that all that was started ends
    print(f"pyspark {version('pyspark')}, seed {options.seed}", flush=True)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o711)  # PostgreSQL runs as somebody else
        folders = {STATE: folder / "state", DATABASE: folder / "server"}
        with small_disks({folders[what]: size for what, size in _SIZES.items()}) as mounted:
            disks = {what: mounted[path] for what, path in folders.items()}
            try:
                with place(folder, today()) as here, here.worker() as worker:
                    results = _tried(here, worker, disks, options)
            finally:
                postgres.remove(folder / "server")
    wrong = [result for result in results if result.faults]
    full = sum(bool(result.said) for result in results)
    print(f"{len(results)} tries, {full} met a full disk: {len(wrong)} not as they should be (goal: 0)")
    sys.exit(bool(wrong))


def _tried(here: Place, worker: Worker, disks: dict[str, SmallDisk], options: argparse.Namespace) -> list[Result]:
    draw, results = random.Random(options.seed), []
    here.keep(_START)
    for before, step in pairwise([_START, *options.steps]):
        with LeastRoom(disks) as room:
            code, said = worker.run(step)
        if code != 0:
            raise RuntimeError(f"{step} failed undisturbed: {said}")
        here.keep(step)
        used = ", ".join(f"{size >> 10:,} KiB on {what}" for what, size in room.used_bytes.items())
        print(f"  {step} undisturbed: {used}", flush=True)
        if step not in (options.only or options.steps):
            continue
        for what, needed in room.used_bytes.items():
            if needed > _WRITES_NOTHING_BYTES:
                for _ in range(options.tries):
                    results.append(
                        _try(here, worker, before, step, what, disks[what], int(draw.random() * needed), needed)
                    )
                    print(results[-1].line(), flush=True)
        here.restore(step)
    return results


def _try(
    here: Place, worker: Worker, before: str, step: str, what: str, disk: SmallDisk, room_bytes: int, needed: int
) -> Result:
    here.restore(before)
    _settle_database(here)
    result = Result(step, what, room_bytes, needed)
    with disk.filled(room_bytes):
        code, said = worker.run(step)
        if code != 0:
            result.said = said
            if "full" not in said or "Error: " not in said:
                result.faults.append("no sentence that says so")
            result.faults += _read_differently(here, before)
            if not _is_up(here):
                result.notes.append("PostgreSQL had ended, or let nobody in")
    here.settle()
    if code != 0:
        result.faults += [f"{one} after room was made" for one in _read_differently(here, before)]
        code, said = worker.run(step)
        if code != 0:
            result.faults.append(f"it failed after room was made: {said}")
    _leave_out_failed_imports(here)
    told = difference(here.kept_url(step), here.url)
    result.faults += [f"{name} differs: {lines[:3]}" for name, lines in told.rows.items()]
    if told.keys:
        result.faults.append(f"surrogate keys differ: {', '.join(told.keys)}")
    return result


def _leave_out_failed_imports(here: Place) -> None:
    """An import that ends well is no run of its own: what the audit keeps of a failed one is no difference."""
    with warehouse.connect(here.url) as connection:
        connection.execute(text("delete from audit.run where job = 'kaggle_import' and result = 'failed'"))


def _read_differently(here: Place, before: str) -> list[str]:
    """What readers see otherwise than before, if PostgreSQL answers."""
    try:
        told = difference(here.kept_url(before), here.url)
    except EtlError:
        return []
    changed = [*told.rows, *told.keys]
    return [f"{name} has changed" for name in changed if name.split(".")[0] in _READ_BY_PEOPLE]


def _is_up(here: Place) -> bool:
    try:
        with warehouse.connect(here.url):
            return True
    except EtlError:
        return False


def _settle_database(here: Place) -> None:
    """Let PostgreSQL write what it owes for the time before, and what it keeps of a database on first use."""
    with warehouse.connect(here.url):
        pass
    there = warehouse.engine(here.server.url("postgres", "postgres"))
    with there.execution_options(isolation_level="AUTOCOMMIT").connect() as connection:
        connection.execute(text("checkpoint"))


if __name__ == "__main__":
    main()
