"""How many small changes of the code that reconciles tracks and identifies events the tests of each file notice.

    python -m benchmarks.mutation [--mutants N] [--seed S] [--resume FILE] [--only PATH …] [--list]

Draws mutants from all that the files of ``TESTS`` allow and tries one after another, in a copy of the checkout. A copy
of this process, which has Spark and an embedded PostgreSQL running, runs the tests that cover the file until the
first fails. A mutant that takes many times as long as the unharmed code is noticed, too. ``--resume`` notes results in
a file and goes on after those that it has; a mutant that survived is tried anew, so that a test written for it counts.
"""

import argparse
import compileall
import hashlib
import json
import os
import shutil
import sys
import tempfile
import time
from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from py_compile import PycInvalidationMode

from benchmarks._mutants import Mutant, mutants
from benchmarks._mutation_warm import Warm, warm
from etl.config import CHECKOUT

_GOAL = 0.85
_COUNT = 200
_PATIENCE = 5
_LEAST_PATIENCE_SECONDS = 120.0
"""A machine on which much else runs may stand still for a while."""

_RECONCILE = "tests/transform/test_reconcile.py"
_RECORDINGS = "tests/transform/test_recordings.py"
_CATALOGUE = "tests/transform/test_catalogue.py"
_RECOGNISED = "tests/load/test_recognised.py"
_EVENT_KEYS = "tests/load/test_event_keys.py"
_KNOWN = "tests/load/test_known_events.py"
_TRACKS = "tests/load/test_tracks_of_events.py"
_EVENTS = "tests/transform/events"
TESTS: dict[str, tuple[str, ...]] = {
    "etl/transform/reconcile.py": (_RECONCILE,),
    "etl/transform/recordings.py": (_RECORDINGS,),
    "etl/transform/aliases.py": ("tests/transform/test_aliases.py",),
    "etl/transform/winners.py": (_CATALOGUE,),
    "etl/transform/events/rows.py": (f"{_EVENTS}/test_identity.py",),
    "etl/transform/events/feed.py": (f"{_EVENTS}/test_feed_rows.py",),
    "etl/transform/events/facts.py": (f"{_EVENTS}/test_facts.py",),
    "etl/transform/events/members.py": (f"{_EVENTS}/test_members.py", f"{_EVENTS}/test_feed_rows.py"),
    "etl/transform/events/matching.py": (f"{_EVENTS}/test_matching.py", f"{_EVENTS}/test_matching_properties.py"),
    "etl/load/matched.py": (_KNOWN, _TRACKS),
    "etl/load/partitions.py": (_KNOWN,),
    "sql/merge/event_members.sql": (_EVENT_KEYS,),
    "sql/merge/event_row_count.sql": (_KNOWN,),
    "sql/merge/guessed_artist.sql": ("tests/load/test_artists_of_events.py",),
    "sql/merge/inferred_artist.sql": (_EVENT_KEYS,),
    "sql/merge/inferred_track.sql": (_EVENT_KEYS, _TRACKS),
    "sql/merge/reconciliation.sql": (_RECOGNISED,),
    "sql/merge/track_alias.sql": (_RECOGNISED, _TRACKS),
    "sql/lookup/made_id.sql": (_EVENT_KEYS,),
    "sql/lookup/track.sql": (_EVENT_KEYS,),
    "sql/lookup/user.sql": (_EVENT_KEYS,),
}
"""The files that mutants are made of, and the tests that are to notice: the quickest first."""


@dataclass(frozen=True)
class Result:
    """A mutant, whether a test noticed, and which."""

    mutant: Mutant
    is_killed: bool
    by: str
    seconds: float

    @property
    def test(self) -> str:
        return self.by.partition(": ")[0]


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--mutants", type=int, default=_COUNT)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--resume", type=Path, help="a file of results: a mutant that it says is killed stays so")
    parser.add_argument("--only", nargs="+", choices=list(TESTS), metavar="PATH", help="of the drawn, those of files")
    parser.add_argument("--list", action="store_true", help="name the drawn mutants and end")
    options = parser.parse_args()
    chosen = [
        one for one in drawn(CHECKOUT, options.mutants, options.seed) if one.path in (options.only or list(TESTS))
    ]
    if options.list:
        print(*(one.told(_text(CHECKOUT, one.path)) for one in chosen), sep="\n")
        return
    done = [result for result in _read(options.resume) if result.mutant in chosen and result.is_killed]
    known = {result.mutant for result in done}
    left = [one for one in chosen if one not in known]
    print(f"seed {options.seed}, {len(chosen)} mutants of {len(TESTS)} files, {len(known)} noticed before", flush=True)
    has_spark = any("SparkSession" in _text(CHECKOUT, test) for one in left for test in TESTS[one.path])
    with tempfile.TemporaryDirectory(prefix="mutation") as folder, warm(Path(folder), has_spark=has_spark) as machine:
        copy = Path(folder) / "checkout"
        shutil.copytree(CHECKOUT, copy, ignore=shutil.ignore_patterns(".git", ".state", "__pycache__", ".*_cache"))
        # Compiled code is known by its source, not by its second: two mutants of a second are not one.
        compileall.compile_dir(copy, quiet=2, invalidation_mode=PycInvalidationMode.CHECKED_HASH)
        patience = _unharmed(machine, copy, {one.path for one in left})
        for number, one in enumerate(left, len(known) + 1):
            result = _tried(machine, copy, one, patience[one.path], done)
            done.append(result)
            _note(options.resume, result)
            said = "noticed by" if result.is_killed else "SURVIVED"
            told = one.told(_text(CHECKOUT, one.path))
            print(f"{number} {told}: {said} {result.by} ({result.seconds:.1f} s)", flush=True)
    _tell(done)
    sys.exit(sum(result.is_killed for result in done) < _GOAL * len(done))


def drawn(checkout: Path, count: int, seed: int) -> list[Mutant]:
    """``count`` of all mutants of the files, in an order that the seed says; fewer of a seed are the first of more.

    The order is one of hashes, so that a change of the code draws only what it changed anew.
    """
    seen: Counter[tuple[str, str, str]] = Counter()
    ranked: dict[bytes, Mutant] = {}
    for one in (one for path in TESTS for one in mutants(path, _text(checkout, path))):
        fault = (one.path, one.old, one.new)
        seen[fault] += 1
        ranked[hashlib.sha256(repr((seed, *fault, seen[fault])).encode()).digest()] = one
    return [ranked[place] for place in sorted(ranked)[:count]]


def _unharmed(machine: Warm, copy: Path, paths: set[str]) -> dict[str, float]:
    """How long each file's mutants may take, from what its tests take of the unharmed code.

    :raises RuntimeError: where they fail of that: then they would seem to notice everything.
    """
    seconds: dict[tuple[str, ...], float] = {}
    for tests in sorted({TESTS[path] for path in paths}):
        began = time.monotonic()
        failed = machine.first_failure(copy, tests, 3600.0)
        seconds[tests] = time.monotonic() - began
        if failed:
            raise RuntimeError(f"unharmed code fails: {failed}")
        print(f"  unharmed: {' '.join(tests)} in {seconds[tests]:.1f} s", flush=True)
    return {path: max(_LEAST_PATIENCE_SECONDS, _PATIENCE * seconds[TESTS[path]]) for path in paths}


def _tried(machine: Warm, copy: Path, one: Mutant, patience_s: float, done: Iterable[Result]) -> Result:
    path = copy / one.path
    # What noticed most other faults is likely to notice this one, and then nothing else has to run.
    noticed = Counter(result.test for result in done if TESTS[result.mutant.path] == TESTS[one.path])
    first = [name for name, _ in noticed.most_common()]
    text = path.read_text(encoding="utf-8")
    path.write_text(one.applied(text), encoding="utf-8")
    began = time.monotonic()
    try:
        failed = machine.first_failure(copy, TESTS[one.path], patience_s, first)
    finally:
        path.write_text(text, encoding="utf-8")
    return Result(one, bool(failed), failed, time.monotonic() - began)


def _tell(done: list[Result]) -> None:
    by_file: dict[str, list[Result]] = defaultdict(list)
    for result in done:
        by_file[result.mutant.path].append(result)
    for path, results in sorted(by_file.items()):
        print(f"{path}: {sum(result.is_killed for result in results)} of {len(results)}")
    killed = sum(result.is_killed for result in done)
    print(f"noticed: {killed} of {len(done)}, {killed / max(len(done), 1):.1%} (goal: {_GOAL:.0%})")


def _text(checkout: Path, path: str) -> str:
    return (checkout / path).read_text(encoding="utf-8")


def _read(kept: Path | None) -> list[Result]:
    if kept is None or not kept.exists():
        return []
    lines = [json.loads(line) for line in kept.read_text(encoding="utf-8").splitlines()]
    return [Result(**{**line, "mutant": Mutant(**line["mutant"])}) for line in lines]


def _note(kept: Path | None, result: Result) -> None:
    if kept is not None:
        with kept.open("a", encoding="utf-8") as file:
            file.write(json.dumps(asdict(result), ensure_ascii=False) + os.linesep)


if __name__ == "__main__":
    main()
