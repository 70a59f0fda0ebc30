"""Steps beside each other: two refreshes at the same moment, and a refresh while analysts ask and a migration waits.

    python -m benchmarks.at_once [--parts PART …] [--readers N] [--seed S]

The steps of a refresh, of a load of events and of the marts run once alone. Then, from the same beginning, all of them
twice at the same moment from two shells: ``same``, both in the name of one run, and ``apart``, each in a run of its
own. All tables that people read are compared by natural keys with those of the one that ran alone. ``readers`` lets
analysts ask without a pause while more of everything is published: each question has one answer that is right at any
moment, and while events are loaded a migration that changes two tables waits for its turn.
"""

import argparse
import sys
import tempfile
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from importlib.metadata import version
from pathlib import Path

from sqlalchemy import text

from benchmarks._crash_compare import difference
from benchmarks._crash_place import Place, place, temporary_folder, today
from benchmarks._crash_steps import REFRESH
from benchmarks._readers import Readers, Seen
from etl import warehouse
from etl.load.migrate import migrate
from launch.processes import last_line

BEFORE = ("import_files", "stock_stand_in", "fetch_accounts", "fetch_catalogue")
TOGETHER = (
    "plan_refresh",
    "transform_catalogue",
    "fit_clusters",
    "load_catalogue",
    "simulate_feed",
    "plan_events",
    "load_events",
    "build_marts",
)
BESIDE_READERS = ("import_export", "load_catalogue", "plan_more_events", "load_more_events", "build_marts_again")
_NOTHING_TO_DO = ("left no", "Nothing new")
_READ_BY_PEOPLE = ("warehouse.", "mart.", "simulation.")
_CALM_SECONDS = 15
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


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parts = ("readers", "same", "apart")
    parser.add_argument("--parts", nargs="+", choices=parts, default=list(parts), metavar="PART")
    parser.add_argument("--readers", type=int, default=10)
    parser.add_argument("--seed", type=int, default=7)
    options = parser.parse_args()
    print(f"pyspark {version('pyspark')}, seed {options.seed}", flush=True)
    with temporary_folder() as folder, place(folder, today()) as here:
        for step in BEFORE:
            _run(here, step)
        here.keep("before")
        for step in TOGETHER:
            _run(here, step)
        here.keep("alone")
        faults = []
        if "readers" in options.parts:
            faults += _beside_readers(here, options)
        for part, twins in (("same", ("", "")), ("apart", ("", "_twin"))):
            if part in options.parts:
                faults += _twice(here, part, twins)
    for fault in faults:
        print(f"  {fault}")
    print(f"{len(faults)} faults (goal: 0)")
    sys.exit(bool(faults))


def _twice(here: Place, part: str, twins: Sequence[str]) -> list[str]:
    """Go through the steps twice at the same moment, and compare."""
    here.restore("before")
    deadlocks, began = _deadlocks(here), time.monotonic()
    with ThreadPoolExecutor(len(twins)) as pool:
        futures = [pool.submit(_all_steps, here, twin, number) for number, twin in enumerate(twins)]
        faults = [f"{part}: {fault}" for future in futures for fault in future.result()]
    told = difference(here.kept_url("alone"), here.url)
    seen = [name for name in told.rows if name.startswith(_READ_BY_PEOPLE)]
    faults += [f"{part}: {name} differs: {told.rows[name]}" for name in seen]
    faults += [f"{part}: {_deadlocks(here) - deadlocks} deadlocks"] if _deadlocks(here) > deadlocks else []
    print(
        f"two at once, {part}: {len(seen)} tables differ (goal: 0), surrogate keys of {len(told.keys)};"
        f" {time.monotonic() - began:.0f} s",
        flush=True,
    )
    return faults


def _all_steps(here: Place, twin: str, number: int) -> list[str]:
    faults = []
    for step in TOGETHER:
        code, said = _ended(here, step, f"{step}.{number}", CRASH_TWIN=twin)
        if code != 0 and not any(words in said for words in _NOTHING_TO_DO):
            faults.append(f"{step} of the {number + 1}. ended with {said[:300]}")
    return faults


def _beside_readers(here: Place, options: argparse.Namespace) -> list[str]:
    """Publish more of everything while analysts ask, and say what they were shown."""
    here.restore("alone")
    admin = here.server.url("postgres", here.url.rsplit("/", 1)[1])
    deadlocks = _deadlocks(here)
    with Readers(admin, options.readers, options.seed) as calm:
        time.sleep(_CALM_SECONDS)
    with Readers(admin, options.readers, options.seed + 1) as readers, ThreadPoolExecutor(1) as pool:
        _run(here, BESIDE_READERS[0])
        _force(here)
        _run(here, BESIDE_READERS[1])
        migration = None
        for step in BESIDE_READERS[2:]:
            if step == "load_more_events":
                migration = pool.submit(_migrate, here)
            _run(here, step)
        if migration is not None:
            print(f"the migration was through after {migration.result():.1f} s", flush=True)
    return _judged(readers.seen, calm.seen, _deadlocks(here) - deadlocks)


def _force(here: Place) -> None:
    """Let the load of the catalogue have something to publish again."""
    with warehouse.connect(here.url) as connection:
        connection.execute(text("update audit.run set result = 'failed' where run_id = :run"), {"run": REFRESH})
        connection.execute(text("update warehouse.dim_track set popularity = 1 where mod(track_key, 2) = 0"))


def _migrate(here: Place) -> float:
    began = time.monotonic()
    with warehouse.connect(here.url) as connection:
        (head,) = warehouse.rows(connection, "select version_num from audit.schema_revision")
    with tempfile.TemporaryDirectory() as name:
        (Path(name) / "beside_readers.py").write_text(_REVISION.format(head=head["version_num"]), encoding="utf-8")
        migrate(here.url, further_revisions=Path(name))
    return time.monotonic() - began


def _judged(seen: Seen, calm: Seen, deadlocks: int) -> list[str]:
    print(f"{seen.answers} answers to analysts, {sum(seen.halves.values())} of a half (goal: 0), {deadlocks} deadlocks")
    print(f"longest wait for a lock {seen.longest_lock_s:.1f} s (goal: at most {_LONGEST_WAIT_SECONDS})")
    for name, took in sorted(seen.seconds.items()):
        before = calm.seconds.get(name, [0.0])
        middle, most = sorted(took)[len(took) // 2], max(took)
        print(f"  {name}: median {middle:.2f} s, longest {most:.2f} s; before the refresh {max(before):.2f} s")
    print(f"  tracks, events, plays, plays in marts: {' → '.join(str(one) for one in seen.totals)}", flush=True)
    faults = [f"readers: a half, {what}, {count} times" for what, count in (seen.halves + calm.halves).items()]
    faults += [f"readers: {what}, {count} times" for what, count in (seen.failures + calm.failures).items()]
    if deadlocks:
        faults.append(f"readers: {deadlocks} deadlocks")
    if seen.longest_lock_s > _LONGEST_WAIT_SECONDS:
        faults.append(f"readers: somebody waited for a lock for {seen.longest_lock_s:.1f} s")
    return faults + _totals_faults(seen.totals)


def _totals_faults(totals: list[tuple[int, ...]]) -> list[str]:
    """Marts tell of plays that were published before, and at the end of all."""
    published, faults = set(), []
    for _, _, plays, in_marts in totals:
        published.add(plays)
        if in_marts not in published:
            faults.append(f"readers: the marts told of {in_marts} plays, which were never published")
    if totals and totals[-1][2] != totals[-1][3]:
        faults.append(f"readers: at the end the marts tell of {totals[-1][3]} plays of {totals[-1][2]}")
    if len(totals) < 2:
        faults.append("readers: nothing changed while they asked")
    return faults


def _run(here: Place, step: str) -> None:
    code, said = _ended(here, step, step)
    if code != 0:
        raise RuntimeError(f"{step} failed: {said}")


def _ended(here: Place, step: str, log_name: str, **environ: str) -> tuple[int, str]:
    log = here.folder / f"{log_name}.log"
    return here.start(step, log, **environ).wait(), last_line(log)


def _deadlocks(here: Place) -> int:
    with warehouse.connect(here.server.url("postgres", "postgres")) as connection:
        found = warehouse.rows(connection, "select sum(deadlocks)::bigint as count from pg_stat_database")
    return int(str(found[0]["count"]))


if __name__ == "__main__":
    main()
