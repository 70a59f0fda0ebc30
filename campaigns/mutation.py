"""How many small changes of the code that reconciles tracks and identifies events the tests of each file notice.

    python -m campaigns.mutation [--mutants N] [--seed S] [--resume FILE] [--only PATH …] [--list]

The campaign draws mutants from all that the files of ``TESTS`` allow and tries one after another, in a copy of the
checkout. A copy of this process, with Spark and an embedded PostgreSQL running, runs the tests that cover the file
until the first fails. A mutant that takes many times as long as the original code also counts as noticed. ``--resume``
stores results in a file and continues after them; it retries surviving mutants, so that a new test counts.
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

from campaigns.mutation_runs.mutants import Mutant, make_mutants
from campaigns.mutation_runs.warm_runner import WarmRunner, start_warm_runner
from etl.settings import CHECKOUT

_GOAL_FRACTION = 0.85
_DEFAULT_COUNT = 200
_TIMEOUT_FACTOR = 5
_MIN_TIMEOUT_SECONDS = 120.0
"""A busy machine may stand still for a while."""

_RECONCILE = "tests/transform/catalogue/test_reconciliation.py"
_RECORDINGS = "tests/transform/catalogue/test_recordings.py"
_CATALOGUE = "tests/transform/catalogue/test_pipeline.py"
_RECOGNISED = "tests/load/test_recognised.py"
_EVENT_KEYS = "tests/load/test_event_keys.py"
_KNOWN_EVENTS = "tests/load/test_known_events.py"
_TRACKS = "tests/load/test_tracks_of_events.py"
_EVENTS = "tests/transform/events"
TESTS: dict[str, tuple[str, ...]] = {
    "etl/transform/catalogue/reconciliation.py": (_RECONCILE,),
    "etl/transform/catalogue/recordings.py": (_RECORDINGS,),
    "etl/transform/catalogue/aliases.py": ("tests/transform/catalogue/test_aliases.py",),
    "etl/transform/catalogue/source_precedence.py": (_CATALOGUE,),
    "etl/transform/events/event_ids.py": (f"{_EVENTS}/test_event_ids.py",),
    "etl/transform/events/feed_queries.py": (f"{_EVENTS}/test_feed_queries.py",),
    "etl/transform/events/facts.py": (f"{_EVENTS}/test_facts.py",),
    "etl/transform/events/dimension_members.py": (
        f"{_EVENTS}/test_dimension_members.py",
        f"{_EVENTS}/test_feed_queries.py",
    ),
    "etl/transform/events/play_matching.py": (
        f"{_EVENTS}/test_play_matching.py",
        f"{_EVENTS}/test_play_matching_properties.py",
    ),
    "etl/load/play_matches.py": (_KNOWN_EVENTS, _TRACKS),
    "etl/load/partitions.py": (_KNOWN_EVENTS,),
    "sql/merge/event_members.sql": (_EVENT_KEYS,),
    "sql/merge/event_row_count.sql": (_KNOWN_EVENTS,),
    "sql/merge/name_matched_artist.sql": ("tests/load/test_artists_of_events.py",),
    "sql/merge/inferred_artist.sql": (_EVENT_KEYS,),
    "sql/merge/inferred_track.sql": (_EVENT_KEYS, _TRACKS),
    "sql/merge/reconciliation.sql": (_RECOGNISED,),
    "sql/merge/track_alias.sql": (_RECOGNISED, _TRACKS),
    "sql/queries/lookup/name_derived_id.sql": (_EVENT_KEYS,),
    "sql/queries/lookup/track.sql": (_EVENT_KEYS,),
    "sql/queries/lookup/user.sql": (_EVENT_KEYS,),
}
"""The files that mutants are made of, and the tests that should notice: the quickest first."""


@dataclass(frozen=True)
class MutantResult:
    """A mutant, whether a test noticed it, and which one."""

    mutant: Mutant
    is_killed: bool
    failure: str
    seconds: float

    @property
    def test_name(self) -> str:
        return self.failure.partition(": ")[0]


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--mutants", type=int, default=_DEFAULT_COUNT)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--resume", type=Path, help="a file of results: a mutant that it says is killed stays so")
    parser.add_argument("--only", nargs="+", choices=list(TESTS), metavar="PATH", help="of the drawn, those of files")
    parser.add_argument("--list", action="store_true", help="name the drawn mutants and end")
    options = parser.parse_args()
    selected = [
        mutant
        for mutant in draw_mutants(CHECKOUT, options.mutants, options.seed)
        if mutant.path in (options.only or list(TESTS))
    ]
    if options.list:
        print(*(mutant.describe_in(_read_source(CHECKOUT, mutant.path)) for mutant in selected), sep="\n")
        return
    results = [result for result in _read_results(options.resume) if result.mutant in selected and result.is_killed]
    killed_mutants = {result.mutant for result in results}
    remaining = [mutant for mutant in selected if mutant not in killed_mutants]
    print(
        f"seed {options.seed}, {len(selected)} mutants of {len(TESTS)} files, {len(killed_mutants)} noticed before",
        flush=True,
    )
    has_spark = any(
        "SparkSession" in _read_source(CHECKOUT, test) for mutant in remaining for test in TESTS[mutant.path]
    )
    with (
        tempfile.TemporaryDirectory(prefix="mutation") as folder,
        start_warm_runner(Path(folder), has_spark=has_spark) as machine,
    ):
        copy = Path(folder) / "checkout"
        shutil.copytree(CHECKOUT, copy, ignore=shutil.ignore_patterns(".git", ".state", "__pycache__", ".*_cache"))
        # Compiled code is checked by its source, not by its second: two mutants of one second differ.
        compileall.compile_dir(copy, quiet=2, invalidation_mode=PycInvalidationMode.CHECKED_HASH)
        timeouts = _measure_unmutated(machine, copy, {mutant.path for mutant in remaining})
        for number, mutant in enumerate(remaining, len(killed_mutants) + 1):
            result = _try_mutant(machine, copy, mutant, timeouts[mutant.path], results)
            results.append(result)
            _append_result(options.resume, result)
            verdict = "noticed by" if result.is_killed else "SURVIVED"
            description = mutant.describe_in(_read_source(CHECKOUT, mutant.path))
            print(f"{number} {description}: {verdict} {result.failure} ({result.seconds:.1f} s)", flush=True)
    _print_summary(results)
    sys.exit(sum(result.is_killed for result in results) < _GOAL_FRACTION * len(results))


def draw_mutants(checkout: Path, count: int, seed: int) -> list[Mutant]:
    """Return ``count`` mutants of the files in a seeded order; a smaller count gives the first of a larger one.

    The order is by hashes, so that a change of the code changes only the draws of that code.
    """
    counts: Counter[tuple[str, str, str]] = Counter()
    ranked: dict[bytes, Mutant] = {}
    for mutant in (mutant for path in TESTS for mutant in make_mutants(path, _read_source(checkout, path))):
        change = (mutant.path, mutant.old, mutant.new)
        counts[change] += 1
        ranked[hashlib.sha256(repr((seed, *change, counts[change])).encode()).digest()] = mutant
    return [ranked[digest] for digest in sorted(ranked)[:count]]


def _measure_unmutated(runner: WarmRunner, copy: Path, paths: set[str]) -> dict[str, float]:
    """Return the maximum duration of each file's mutants, from the duration of its tests on the original code.

    :raises RuntimeError: if they fail on it: then they would seem to notice every mutant.
    """
    seconds: dict[tuple[str, ...], float] = {}
    for tests in sorted({TESTS[path] for path in paths}):
        began = time.monotonic()
        failure = runner.find_first_failure(copy, tests, 3600.0)
        seconds[tests] = time.monotonic() - began
        if failure:
            raise RuntimeError(f"unharmed code fails: {failure}")
        print(f"  unharmed: {' '.join(tests)} in {seconds[tests]:.1f} s", flush=True)
    return {path: max(_MIN_TIMEOUT_SECONDS, _TIMEOUT_FACTOR * seconds[TESTS[path]]) for path in paths}


def _try_mutant(
    runner: WarmRunner, copy: Path, mutant: Mutant, timeout_s: float, results: Iterable[MutantResult]
) -> MutantResult:
    path = copy / mutant.path
    # The test that noticed most other mutants probably notices this one, and then no other test has to run.
    noticed = Counter(result.test_name for result in results if TESTS[result.mutant.path] == TESTS[mutant.path])
    first_tests = [name for name, _ in noticed.most_common()]
    text = path.read_text(encoding="utf-8")
    path.write_text(mutant.apply_to(text), encoding="utf-8")
    began = time.monotonic()
    try:
        failure = runner.find_first_failure(copy, TESTS[mutant.path], timeout_s, first_tests)
    finally:
        path.write_text(text, encoding="utf-8")
    return MutantResult(mutant, bool(failure), failure, time.monotonic() - began)


def _print_summary(all_results: list[MutantResult]) -> None:
    by_file: dict[str, list[MutantResult]] = defaultdict(list)
    for result in all_results:
        by_file[result.mutant.path].append(result)
    for path, results in sorted(by_file.items()):
        print(f"{path}: {sum(result.is_killed for result in results)} of {len(results)}")
    killed = sum(result.is_killed for result in all_results)
    print(
        f"noticed: {killed} of {len(all_results)}, {killed / max(len(all_results), 1):.1%} (goal: {_GOAL_FRACTION:.0%})"
    )


def _read_source(checkout: Path, path: str) -> str:
    return (checkout / path).read_text(encoding="utf-8")


def _read_results(results_file: Path | None) -> list[MutantResult]:
    if results_file is None or not results_file.exists():
        return []
    lines = [json.loads(line) for line in results_file.read_text(encoding="utf-8").splitlines()]
    return [MutantResult(**{**line, "mutant": Mutant(**line["mutant"])}) for line in lines]


def _append_result(results_file: Path | None, result: MutantResult) -> None:
    if results_file is not None:
        with results_file.open("a", encoding="utf-8") as file:
            file.write(json.dumps(asdict(result), ensure_ascii=False) + os.linesep)


if __name__ == "__main__":
    main()
