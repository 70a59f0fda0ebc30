"""Attacks by people with a login, by role pairwise: leaks, logins that cannot be removed, work that one login stops.

    python -m benchmarks.attacks [--kinds KIND …] [--names WORD …] [--patience S]

A small warehouse is filled. Then each attack of ``_attack_logins`` and ``_attack_audience`` is run by each role that it
names, beside a login of another role. While an attack of the kind ``stop`` goes on, a load of tracks, a load of events,
a build of what has changed, a build of all marts and a migration have to be done, in a bounded time. After each attack
of whatever kind both logins are removed: neither may sign in any more or leave a role behind.
"""

import argparse
import os
import sys
import tempfile
import time
from collections import Counter
from contextlib import ExitStack
from importlib import import_module
from importlib.util import find_spec
from itertools import count
from pathlib import Path

from benchmarks import _light_jobs as jobs
from benchmarks._attack import Attack
from benchmarks._attack_run import Ground, make_elsewhere, migrate_beside, pairs, run
from etl.config import Settings, settings
from etl.jobs.marts import FROM_NOTHING
from etl.load.migrate import migrate
from etl.warehouse import sessions
from launch import postgres

_LISTS = ("benchmarks._attack_logins", "benchmarks._attack_audience")
_KINDS = {"leak": "leaks", "removal": "logins that cannot be removed", "stop": "work stopped by one login"}
_TRACKS, _EVENTS = 300, 1_000
_BEYOND_PATIENCE_SECONDS = 120


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.attacks", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--kinds", nargs="+", choices=_KINDS, default=list(_KINDS), metavar="KIND")
    parser.add_argument("--names", nargs="+", default=[], metavar="WORD", help="attacks whose name has one of these")
    parser.add_argument("--patience", type=float, default=5.0, help="seconds for which the work waits for a login")
    options = parser.parse_args()
    sessions.PATIENCE_SECONDS = options.patience
    jobs.TRACKS, jobs.EVENTS = _TRACKS, _EVENTS
    chosen = [
        attack
        for attack in attacks()
        if attack.kind in options.kinds and (not options.names or any(word in attack.name for word in options.names))
    ]
    with ExitStack() as stack:
        ground = _ground(options.patience + _BEYOND_PATIENCE_SECONDS, stack)
        calm = _seconds(ground)
        print(f"PostgreSQL {ground.server.major}; the work alone takes {calm:.1f} s", flush=True)
        sys.exit(_run_all(chosen, ground))


def attacks() -> tuple[Attack, ...]:
    """Return the attacks of all lists that there are."""
    found: tuple[Attack, ...] = ()
    for name in _LISTS:
        if find_spec(name) is not None:
            found += import_module(name).ATTACKS
    return found


def _run_all(chosen: list[Attack], ground: Ground) -> int:
    failed, tried, longest = Counter[str](), Counter[str](), 0.0
    for attack, role, other_role in pairs(chosen):
        result = run(attack, role, other_role, ground)
        kinds = {"removal" if "remov" in fault or "still" in fault else attack.kind for fault in result.faults}
        failed.update(kinds)
        tried[attack.kind] += 1
        longest = max(longest, result.work_seconds)
        state = "; ".join(result.faults) or "held"
        print(f"  {attack.kind:<8} {role:<9} {attack.name}: {result.work_seconds:.1f} s, {state}", flush=True)
    print(f"{len(chosen)} attacks, {tried.total()} by role; the longest work took {longest:.1f} s")
    for kind, words in _KINDS.items():
        print(f"{words:<36} {failed[kind]:>3}   of {tried.total() if kind == 'removal' else tried[kind]} (goal: 0)")
    return int(failed.total() > 0)


def _ground(bound_seconds: float, stack: ExitStack) -> Ground:
    state = Path(stack.enter_context(tempfile.TemporaryDirectory()))
    os.umask(0o077)
    server = postgres.start(state)
    stack.callback(postgres.remove, state)
    url = server.url("loader", "warehouse")
    migrate(url)
    make_elsewhere(server)
    chosen = settings({"STATE_DIR": str(state), "WAREHOUSE_URL": url})
    nights = count()

    def work() -> None:
        _night(next(nights), chosen)
        migrate_beside(url)

    work()
    return Ground(server, "warehouse", {"listener": "u1", "artist": "artist"}, work, bound_seconds)


def _night(night: int, chosen: Settings) -> None:
    jobs.receive(night, chosen)
    jobs.load_catalogue(night % 5, chosen, f".{night}")
    jobs.load_events(night, chosen)
    jobs.build_marts(night, chosen)
    jobs.build_marts(night, chosen, ".all", FROM_NOTHING)


def _seconds(ground: Ground) -> float:
    began = time.monotonic()
    ground.work()
    return time.monotonic() - began


if __name__ == "__main__":
    main()
