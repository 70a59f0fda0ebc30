"""Steps killed at random moments and run again: all tables beside those of the same steps undisturbed.

    python -m benchmarks.crash [--kills N] [--seed S] [--steps STEP …] [--only STEP …] [--victims VICTIM …]
        [--resume FILE] [--folder FOLDER]

Goes through the steps once undisturbed and keeps the warehouse and the lake after each. Then it goes through them again
and again: each step is killed up to five times (its process, Spark's JVM, a Python worker of Spark, PostgreSQL or one
of its backends, the stand-in), run again at once each time, and left to end; then all tables are compared. What has
ended of PostgreSQL and the stand-in is started again, as bin/run does; else nobody lends a hand, and what a kill leaves
stays. A kill is a line. ``--resume`` notes results in a file and goes on after those that it has; ``--folder`` keeps
what the undisturbed steps left for the next start on the same day: name an empty folder, and remove it afterwards.
"""

import argparse
import json
import os
import random
import shutil
import signal
import sys
import time
from collections import Counter
from contextlib import nullcontext
from dataclasses import asdict, dataclass, field
from datetime import datetime
from importlib.metadata import version
from itertools import pairwise
from pathlib import Path

import psutil

from benchmarks import _crash_steps as steps
from benchmarks._crash_compare import difference
from benchmarks._crash_place import Place, place, temporary_folder, today
from launch import postgres
from launch.processes import last_line

_GOAL = 200
_KILLS_A_STEP = (3, 5)
_MOST_ROUNDS = 4
_MOST_FAILURES = 3
"""Tries of a step that may fail without a kill of their own; after more a hand is needed."""
_PAUSE_SECONDS = 30.0
"""After a failure that is likely to pass, as DAGs wait; after a kill there is none."""
_START, _NOTE = "start", "prepared.json"
_LOOK_SECONDS = 0.02
_MEND_SECONDS = 1.0
_PATIENCE_SECONDS = 900.0
"""After which a step hangs."""


@dataclass
class Kill:
    """A victim, the second of its step at which it died, and how the try ended."""

    victim: str
    at_s: float
    ended: str


@dataclass
class Result:
    """A step that was killed and run again until it ended well."""

    cycle: int
    step: str
    kills: list[Kill] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)
    """Tries that failed without a kill of their own, after one."""
    is_ended: bool = False
    differences: dict[str, list[str]] = field(default_factory=dict)
    keys_differ: list[str] = field(default_factory=list)
    left_behind: int = 0


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--kills", type=int, default=_GOAL)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--steps", nargs="+", choices=steps.STEPS, default=list(steps.STEPS), metavar="STEP")
    parser.add_argument("--only", nargs="+", choices=steps.STEPS, metavar="STEP", help="of the steps, those to kill")
    parser.add_argument("--victims", nargs="+", choices=steps.VICTIMS, metavar="VICTIM", help="those to kill")
    parser.add_argument("--resume", type=Path, help="a file of results: what it has is not done again")
    parser.add_argument("--folder", type=Path, help="where what is prepared stays")
    options = parser.parse_args()
    chosen = options.steps
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # so that all that was started ends
    done = _read(options.resume)
    print(f"pyspark {version('pyspark')}, seed {options.seed}, {_count(done)} kills done before", flush=True)
    while _count(done) < options.kills:
        with nullcontext(options.folder) if options.folder else temporary_folder() as folder:
            now, seconds = _prepared(folder, chosen)
            with place(folder, now) as here:
                if not seconds:
                    seconds = _undisturbed(here, chosen)
                _kill_all_day(here, chosen, seconds, options, done)
    _tell(done)
    raise SystemExit(any(result.differences or not result.is_ended for result in done))


def _prepared(folder: Path, chosen: list[str]) -> tuple[datetime, dict[str, float]]:
    """The moment that steps take for now, and how long each took undisturbed, where that was today; else nothing."""
    note = folder / _NOTE
    if note.exists():
        told = json.loads(note.read_text(encoding="utf-8"))
        now = datetime.fromisoformat(told["now"])
        if now.date() == today().date() and list(told["seconds"]) == chosen:
            return now, told["seconds"]
    return today(), {}


def _undisturbed(here: Place, chosen: list[str]) -> dict[str, float]:
    """Go through the steps, keep what is there after each, and say how long each took."""
    here.keep(_START)
    seconds = {}
    for step in chosen:
        log, began = here.folder / f"{step}.log", time.monotonic()
        if here.start(step, log).wait() != 0:
            raise RuntimeError(f"{step} failed undisturbed: {last_line(log)}\n{log.read_text()[-3000:]}")
        seconds[step] = time.monotonic() - began
        here.keep(step)
        print(f"  {step} undisturbed: {seconds[step]:.1f} s", flush=True)
    told = json.dumps({"now": here.now.isoformat(), "seconds": seconds})
    (here.folder / _NOTE).write_text(told, encoding="utf-8")
    return seconds


def _kill_all_day(
    here: Place, chosen: list[str], seconds: dict[str, float], options: argparse.Namespace, done: list[Result]
) -> None:
    """Go through the steps until there were enough kills, or the day ends: the next has other answers."""
    killed = [step for step in options.only or chosen if _victims(step, options.victims)]
    cycle = max((result.cycle for result in done), default=-1)
    while _count(done) < options.kills and today().date() == here.now.date():
        cycle += 1
        is_at = None
        for before, step in pairwise([_START, *chosen]):
            if _count(done) >= options.kills:
                break
            if step not in killed:
                continue
            if is_at != before:
                here.restore(before)
            is_at = step
            draw = random.Random(f"{options.seed} {cycle} {step}")
            result = _killed_step(here, before, step, _victims(step, options.victims), seconds, cycle, draw)
            done.append(result)
            _note(options.resume, result)
            _say(result, _count(done))
            if result.differences or not result.is_ended:
                here.restore(step)
        _end_strays(here)


def _victims(step: str, wanted: list[str] | None) -> list[str]:
    """Of what a step can lose, what is wanted; all of it where nothing is named."""
    return [victim for victim in steps.STEPS[step].victims if victim in (wanted or steps.VICTIMS)]


def _killed_step(
    here: Place,
    before: str,
    step: str,
    victims: list[str],
    seconds: dict[str, float],
    cycle: int,
    draw: random.Random,
) -> Result:
    """Kill a step some times, run it again each time, let it end, and compare.

    :param before: the step before it; where a try ends before it was to be killed, the step is gone through anew.
    :param seconds: how long each step took when it was last left alone: kept up to date, for what runs beside changes.
    """
    result = Result(cycle, step)
    wanted = draw.randint(*_KILLS_A_STEP)
    for number in range(_MOST_ROUNDS):
        if number:
            here.restore(before)
        _kill_until_ended(here, step, victims, wanted, result, seconds, draw)
        here.settle()
        if result.is_ended:
            told = difference(here.kept_url(step), here.url)
            result.differences, result.keys_differ = told.rows, told.keys
        if len(result.kills) >= wanted or result.differences or not result.is_ended:
            break
    result.left_behind = len(_strays(here))
    return result


def _kill_until_ended(
    here: Place,
    step: str,
    victims: list[str],
    wanted: int,
    result: Result,
    seconds: dict[str, float],
    draw: random.Random,
) -> None:
    """Run a step until it ends well, and kill it while kills are wanted."""
    result.is_ended, is_killed, failures = False, False, 0
    while failures < _MOST_FAILURES:
        log = here.folder / f"{step}.{len(result.kills)}.log"
        victim = draw.choice(victims) if len(result.kills) < wanted else None
        at_s, began = draw.uniform(0, seconds[step]), time.monotonic()
        killed_at_s, code = _try(here, step, log, victim, at_s, _PATIENCE_SECONDS)
        if killed_at_s is not None and victim:
            result.kills.append(Kill(victim, round(killed_at_s, 2), _ended(code, log)))
            is_killed = True
        elif code != 0:
            result.failures.append(_ended(code, log))
            failures += 1
            time.sleep(_PAUSE_SECONDS)
        elif not is_killed:
            seconds[step] = time.monotonic() - began
        if code == 0:
            result.is_ended = True
            return


def _try(
    here: Place, step: str, log: Path, victim: str | None, at_s: float, patience_s: float
) -> tuple[float | None, int | None]:
    """Run a step; kill the victim as soon as it is there after a moment.

    :returns: the second at which it was killed, None where the step had ended; the exit code, None where it hung.
    """
    process, began, killed_at_s, mended_at_s = here.start(step, log), time.monotonic(), None, 0.0
    try:
        while process.poll() is None:
            second = time.monotonic() - began
            if second > patience_s:
                return killed_at_s, None
            if victim and killed_at_s is None and second >= at_s and _kill(here, process.pid, victim):
                killed_at_s = second
            if second - mended_at_s >= _MEND_SECONDS:
                here.mend()
                mended_at_s = second
            time.sleep(_LOOK_SECONDS)
    finally:
        if process.poll() is None:  # it hangs, or we are told to end
            _kill_family(psutil.Process(process.pid))
            process.wait()
    here.mend()
    return killed_at_s, process.returncode


def _kill(here: Place, pid: int, victim: str) -> bool:
    """Kill a victim; False where there is none now."""
    try:
        step = psutil.Process(pid)
        if victim == steps.FAMILY:
            _kill_family(step)
            return True
        found = _found(here, step, victim)
        for process in found:
            process.send_signal(signal.SIGKILL)
        return bool(found)
    except psutil.Error:
        return False


def _found(here: Place, step: psutil.Process, victim: str) -> list[psutil.Process]:
    children = step.children(recursive=True)
    if victim == steps.PROCESS:
        return [step]
    if victim == steps.JVM:
        return [one for one in children if one.name() == "java"][:1]
    if victim == steps.WORKER:
        return [one for one in children if "pyspark" in " ".join(one.cmdline()) and one.name() != "java"][-1:]
    if victim == steps.STAND_IN:
        ours = psutil.Process().children()
        return [one for one in ours if "etl.simulate.spotify_api" in one.cmdline()]
    server = postgres.running_pid(here.server.place)
    if server is None:
        return []
    if victim == steps.SERVER:
        return [psutil.Process(server)]
    backends = [one for one in psutil.Process(server).children() if " loader " in " ".join(one.cmdline())]
    return backends[-1:]


def _kill_family(step: psutil.Process) -> None:
    for process in [step, *step.children(recursive=True)]:
        try:
            process.send_signal(signal.SIGKILL)
        except psutil.NoSuchProcess:
            continue


def _ended(code: int | None, log: Path) -> str:
    if code is None:
        return "hung"
    return "done" if code == 0 else f"exit code {code}: {last_line(log)[:200]}"


def _strays(here: Place) -> list[psutil.Process]:
    """What killed steps have left running."""
    found = []
    for process in psutil.process_iter():
        try:
            if process.environ().get("CRASH_EXPORT") and process.environ().get("STATE_DIR") == str(here.state):
                found.append(process)
        except (psutil.Error, OSError):
            continue
    return [process for process in found if process.pid != os.getpid() and process.status() != psutil.STATUS_ZOMBIE]


def _end_strays(here: Place) -> None:
    for process in _strays(here):
        process.kill()
    shutil.rmtree(here.state / "spark", ignore_errors=True)


def _count(results: list[Result]) -> int:
    return sum(len(result.kills) for result in results)


def _say(result: Result, count: int) -> None:
    for kill in result.kills:
        print(f"  {result.step}: {kill.victim} killed at {kill.at_s} s; {kill.ended}", flush=True)
    for failure in result.failures:
        print(f"  {result.step} FAILED without a kill of its own: {failure}", flush=True)
    verdict = "equal" if result.is_ended and not result.differences else "DIFFERS"
    if not result.is_ended:
        verdict = "NEEDS A HAND"
    also = f", surrogate keys differ: {', '.join(result.keys_differ)}" if result.keys_differ else ""
    left = f", {result.left_behind} processes left behind" if result.left_behind else ""
    print(f"{count} kills, round {result.cycle}, {result.step}: {verdict}{also}{left}", flush=True)
    for name, lines in result.differences.items():
        print(f"  {name}: ", *lines, sep="\n    ", flush=True)


def _tell(done: list[Result]) -> None:
    equal = sum(len(result.kills) for result in done if result.is_ended and not result.differences)
    hands = sum(not result.is_ended for result in done)
    print(f"{_count(done)} kills of {len(done)} steps (goal: {_GOAL}): after {equal} all tables are equal (goal: all)")
    print(f"{hands} steps needed a hand (goal: 0)")
    print(f"{sum(bool(result.keys_differ) for result in done)} steps gave other surrogate keys")
    victims = Counter(kill.victim for result in done for kill in result.kills)
    print(", ".join(f"{victim} {count}" for victim, count in victims.most_common()))


def _read(kept: Path | None) -> list[Result]:
    if kept is None or not kept.exists():
        return []
    lines = [json.loads(line) for line in kept.read_text(encoding="utf-8").splitlines()]
    return [Result(**{**line, "kills": [Kill(**kill) for kill in line["kills"]]}) for line in lines]


def _note(kept: Path | None, result: Result) -> None:
    if kept is not None:
        with kept.open("a", encoding="utf-8") as file:
            file.write(json.dumps(asdict(result), ensure_ascii=False) + "\n")


if __name__ == "__main__":
    main()
