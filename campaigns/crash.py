"""Steps killed at random moments and run again: all tables beside those of the same steps undisturbed.

    python -m campaigns.crash [--kills N] [--seed S] [--steps STEP …] [--only STEP …] [--victims VICTIM …]
        [--resume FILE] [--folder FOLDER]

The campaign runs the steps once undisturbed and saves the warehouse and the lake after each. Then it repeats them: each
step is killed up to five times (its process, Spark's JVM, a Python worker of Spark, PostgreSQL or one of its backends,
the mock API), restarted at once each time, and left to end; then all tables are compared. PostgreSQL and the mock API
are restarted after they end, as bin/run does; otherwise no operator helps, and the remains of a kill stay. Each kill
prints a line. ``--resume`` stores results in a file and continues after them; ``--folder`` keeps the states after the
undisturbed steps for the next start on the same day: name an empty folder, and remove it afterwards.
"""

import argparse
import json
import random
import time
from collections import Counter
from contextlib import nullcontext
from dataclasses import asdict, dataclass, field
from datetime import datetime
from importlib.metadata import version
from itertools import pairwise
from pathlib import Path

from campaigns._termination import exit_in_order_on_sigterm
from campaigns.crash_runs import steps
from campaigns.crash_runs.environment import CrashEnvironment, create_temporary_folder, get_now, open_environment
from campaigns.crash_runs.killed_step import describe_exit, find_orphans, kill_orphans, run_and_kill
from campaigns.crash_runs.warehouse_comparison import compare_warehouses
from launch.processes import read_last_line

_GOAL_KILLS = 200
_KILLS_PER_STEP = (3, 5)
_MAX_ROUNDS = 4
_MAX_FAILURES = 3
"""The maximum number of failed attempts of a step without a kill; more failures need an operator."""
_RETRY_DELAY_SECONDS = 30.0
"""The delay after a failure that is likely to pass, as in DAGs; after a kill there is no delay."""
_START_SNAPSHOT, _MANIFEST_NAME = "start", "prepared.json"
_STEP_TIMEOUT_SECONDS = 900.0
"""A step that takes longer hangs."""


@dataclass
class Kill:
    """A victim, the second of its step at which it was killed, and the exit of the attempt."""

    victim: str
    at_s: float
    outcome: str


@dataclass
class StepResult:
    """A step that was killed and restarted until it succeeded."""

    cycle: int
    step: str
    kills: list[Kill] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)
    """Attempts that failed after a kill without one of their own."""
    is_ended: bool = False
    differences: dict[str, list[str]] = field(default_factory=dict)
    keys_differ: list[str] = field(default_factory=list)
    orphan_count: int = 0


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--kills", type=int, default=_GOAL_KILLS)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--steps", nargs="+", choices=steps.STEPS, default=list(steps.STEPS), metavar="STEP")
    parser.add_argument("--only", nargs="+", choices=steps.STEPS, metavar="STEP", help="of the steps, those to kill")
    parser.add_argument("--victims", nargs="+", choices=steps.ALL_VICTIMS, metavar="VICTIM", help="those to kill")
    parser.add_argument("--resume", type=Path, help="a file of results: what it has is not done again")
    parser.add_argument("--folder", type=Path, help="where what is prepared stays")
    options = parser.parse_args()
    step_names = options.steps
    exit_in_order_on_sigterm()
    results = _read_results(options.resume)
    print(f"pyspark {version('pyspark')}, seed {options.seed}, {_count_kills(results)} kills done before", flush=True)
    while _count_kills(results) < options.kills:
        with nullcontext(options.folder) if options.folder else create_temporary_folder() as folder:
            now, seconds = _read_manifest(folder, step_names)
            with open_environment(folder, now) as environment:
                if not seconds:
                    seconds = _run_undisturbed(environment, step_names)
                _kill_until_day_ends(environment, step_names, seconds, options, results)
    _print_summary(results)
    raise SystemExit(any(result.differences or not result.is_ended for result in results))


def _read_manifest(folder: Path, step_names: list[str]) -> tuple[datetime, dict[str, float]]:
    """Return the steps' current time and each one's undisturbed seconds, if they are of today; else only the time."""
    manifest_path = folder / _MANIFEST_NAME
    if manifest_path.exists():
        manifest = json.loads(manifest_path.read_text(encoding="utf-8"))
        now = datetime.fromisoformat(manifest["now"])
        if now.date() == get_now().date() and list(manifest["seconds"]) == step_names:
            return now, manifest["seconds"]
    return get_now(), {}


def _run_undisturbed(environment: CrashEnvironment, step_names: list[str]) -> dict[str, float]:
    """Run the steps, save a snapshot after each, and return the seconds of each."""
    environment.save_snapshot(_START_SNAPSHOT)
    seconds = {}
    for step in step_names:
        log, began = environment.folder / f"{step}.log", time.monotonic()
        if environment.start_step(step, log).wait() != 0:
            raise RuntimeError(f"{step} failed undisturbed: {read_last_line(log)}\n{log.read_text()[-3000:]}")
        seconds[step] = time.monotonic() - began
        environment.save_snapshot(step)
        print(f"  {step} undisturbed: {seconds[step]:.1f} s", flush=True)
    manifest = json.dumps({"now": environment.now.isoformat(), "seconds": seconds})
    (environment.folder / _MANIFEST_NAME).write_text(manifest, encoding="utf-8")
    return seconds


def _kill_until_day_ends(
    environment: CrashEnvironment,
    step_names: list[str],
    seconds: dict[str, float],
    options: argparse.Namespace,
    results: list[StepResult],
) -> None:
    """Run the steps until there are enough kills, or the day ends: the next day has other responses."""
    steps_to_kill = [step for step in options.only or step_names if _select_victims(step, options.victims)]
    cycle = max((result.cycle for result in results), default=-1)
    while _count_kills(results) < options.kills and get_now().date() == environment.now.date():
        cycle += 1
        current_step = None
        for previous_step, step in pairwise([_START_SNAPSHOT, *step_names]):
            if _count_kills(results) >= options.kills:
                break
            if step not in steps_to_kill:
                continue
            if current_step != previous_step:
                environment.restore_snapshot(previous_step)
            current_step = step
            rng = random.Random(f"{options.seed} {cycle} {step}")
            result = _kill_and_compare(
                environment, previous_step, step, _select_victims(step, options.victims), seconds, cycle, rng
            )
            results.append(result)
            _append_result(options.resume, result)
            _print_result(result, _count_kills(results))
            if result.differences or not result.is_ended:
                environment.restore_snapshot(step)
        kill_orphans(environment)


def _select_victims(step: str, selected: list[str] | None) -> list[str]:
    """Return the selected victims of a step, or all of them without a selection."""
    return [victim for victim in steps.STEPS[step].victims if victim in (selected or steps.ALL_VICTIMS)]


def _kill_and_compare(
    environment: CrashEnvironment,
    previous_step: str,
    step: str,
    victims: list[str],
    seconds: dict[str, float],
    cycle: int,
    rng: random.Random,
) -> StepResult:
    """Kill a step several times, restart it each time, let it end, and compare.

    :param previous_step: its snapshot is restored if the step ends before its last kill; then the step runs again.
    :param seconds: the last undisturbed seconds of each step, updated because the load of the machine changes.
    """
    result = StepResult(cycle, step)
    kill_count = rng.randint(*_KILLS_PER_STEP)
    for number in range(_MAX_ROUNDS):
        if number:
            environment.restore_snapshot(previous_step)
        _kill_until_ended(environment, step, victims, kill_count, result, seconds, rng)
        environment.wait_until_recovered()
        if result.is_ended:
            differences = compare_warehouses(environment.get_snapshot_url(step), environment.url)
            result.differences, result.keys_differ = differences.rows, differences.keys
        if len(result.kills) >= kill_count or result.differences or not result.is_ended:
            break
    result.orphan_count = len(find_orphans(environment))
    return result


def _kill_until_ended(
    environment: CrashEnvironment,
    step: str,
    victims: list[str],
    kill_count: int,
    result: StepResult,
    seconds: dict[str, float],
    rng: random.Random,
) -> None:
    """Run a step until it succeeds, and kill it until ``kill_count`` is reached."""
    result.is_ended, is_killed, failures = False, False, 0
    while failures < _MAX_FAILURES:
        log = environment.folder / f"{step}.{len(result.kills)}.log"
        victim = rng.choice(victims) if len(result.kills) < kill_count else None
        at_s, began = rng.uniform(0, seconds[step]), time.monotonic()
        killed_at_s, code = run_and_kill(environment, step, log, victim, at_s, _STEP_TIMEOUT_SECONDS)
        if killed_at_s is not None and victim:
            result.kills.append(Kill(victim, round(killed_at_s, 2), describe_exit(code, log)))
            is_killed = True
        elif code != 0:
            result.failures.append(describe_exit(code, log))
            failures += 1
            time.sleep(_RETRY_DELAY_SECONDS)
        elif not is_killed:
            seconds[step] = time.monotonic() - began
        if code == 0:
            result.is_ended = True
            return


def _count_kills(results: list[StepResult]) -> int:
    return sum(len(result.kills) for result in results)


def _print_result(result: StepResult, count: int) -> None:
    for kill in result.kills:
        print(f"  {result.step}: {kill.victim} killed at {kill.at_s} s; {kill.outcome}", flush=True)
    for failure in result.failures:
        print(f"  {result.step} FAILED without a kill of its own: {failure}", flush=True)
    verdict = "equal" if result.is_ended and not result.differences else "DIFFERS"
    if not result.is_ended:
        verdict = "NEEDS AN OPERATOR"
    key_text = f", surrogate keys differ: {', '.join(result.keys_differ)}" if result.keys_differ else ""
    orphan_text = f", {result.orphan_count} processes left behind" if result.orphan_count else ""
    print(f"{count} kills, round {result.cycle}, {result.step}: {verdict}{key_text}{orphan_text}", flush=True)
    for name, lines in result.differences.items():
        print(f"  {name}: ", *lines, sep="\n    ", flush=True)


def _print_summary(results: list[StepResult]) -> None:
    equal = sum(len(result.kills) for result in results if result.is_ended and not result.differences)
    operator_count = sum(not result.is_ended for result in results)
    print(
        f"{_count_kills(results)} kills of {len(results)} steps (goal: {_GOAL_KILLS}): "
        f"after {equal} all tables are equal (goal: all)"
    )
    print(f"{operator_count} steps needed an operator (goal: 0)")
    print(f"{sum(bool(result.keys_differ) for result in results)} steps gave other surrogate keys")
    victims = Counter(kill.victim for result in results for kill in result.kills)
    print(", ".join(f"{victim} {count}" for victim, count in victims.most_common()))


def _read_results(results_file: Path | None) -> list[StepResult]:
    if results_file is None or not results_file.exists():
        return []
    lines = [json.loads(line) for line in results_file.read_text(encoding="utf-8").splitlines()]
    return [StepResult(**{**line, "kills": [Kill(**kill) for kill in line["kills"]]}) for line in lines]


def _append_result(results_file: Path | None, result: StepResult) -> None:
    if results_file is not None:
        with results_file.open("a", encoding="utf-8") as file:
            file.write(json.dumps(asdict(result), ensure_ascii=False) + "\n")


if __name__ == "__main__":
    main()
