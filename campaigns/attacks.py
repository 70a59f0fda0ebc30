"""Attacks by people with a login, by role pairwise: leaks, logins that cannot be removed, work that one login stops.

    python -m campaigns.attacks [--kinds KIND …] [--names WORD …] [--patience S]

The campaign fills a small warehouse. Then each role that an attack of ``login_attacks`` and ``disclosure_attacks``
names runs it, beside a login of another role. During an attack of the kind ``stop``, a load of tracks, a load of
events, a build of changed marts, a build of all marts and a migration must end within a bounded time. After each attack
of any kind both logins are removed: neither may sign in any more or leave a role behind.
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

from campaigns.attack_cases.attack import Attack
from campaigns.attack_cases.attack_runner import (
    TargetWarehouse,
    create_other_database,
    pair_roles,
    run_attack,
    run_concurrent_migration,
)
from campaigns.concurrent_runs import spark_free_jobs as jobs
from etl.database import sessions
from etl.jobs.marts import FULL_REFRESH
from etl.load.migrate import migrate_warehouse
from etl.settings import Settings, read_settings
from launch import postgres

_ATTACK_MODULES = ("campaigns.attack_cases.login_attacks", "campaigns.attack_cases.disclosure_attacks")
_KIND_LABELS = {"leak": "leaks", "removal": "logins that cannot be removed", "stop": "work stopped by one login"}
_TRACK_COUNT, _EVENT_COUNT = 300, 1_000
_EXTRA_TIMEOUT_SECONDS = 120


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m campaigns.attacks", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--kinds", nargs="+", choices=_KIND_LABELS, default=list(_KIND_LABELS), metavar="KIND")
    parser.add_argument("--names", nargs="+", default=[], metavar="WORD", help="attacks whose name has one of these")
    parser.add_argument("--patience", type=float, default=5.0, help="seconds for which the work waits for a login")
    options = parser.parse_args()
    sessions.BLOCKING_TIMEOUT_SECONDS = options.patience
    jobs.TRACK_COUNT, jobs.EVENT_COUNT = _TRACK_COUNT, _EVENT_COUNT
    selected = [
        attack
        for attack in list_attacks()
        if attack.kind in options.kinds and (not options.names or any(word in attack.name for word in options.names))
    ]
    with ExitStack() as stack:
        target = _create_target(options.patience + _EXTRA_TIMEOUT_SECONDS, stack)
        baseline_seconds = _time_workload(target)
        print(f"PostgreSQL {target.server.major}; the work alone takes {baseline_seconds:.1f} s", flush=True)
        sys.exit(_run_attacks(selected, target))


def list_attacks() -> tuple[Attack, ...]:
    """Return the attacks of all lists."""
    all_attacks: tuple[Attack, ...] = ()
    for name in _ATTACK_MODULES:
        if find_spec(name) is not None:
            all_attacks += import_module(name).ATTACKS
    return all_attacks


def _run_attacks(selected: list[Attack], target: TargetWarehouse) -> int:
    failed, tried, longest = Counter[str](), Counter[str](), 0.0
    for attack, role, other_role in pair_roles(selected):
        result = run_attack(attack, role, other_role, target)
        kinds = {
            "removal" if "remov" in violation or "still" in violation else attack.kind
            for violation in result.violations
        }
        failed.update(kinds)
        tried[attack.kind] += 1
        longest = max(longest, result.workload_seconds)
        state = "; ".join(result.violations) or "held"
        print(f"  {attack.kind:<8} {role:<9} {attack.name}: {result.workload_seconds:.1f} s, {state}", flush=True)
    print(f"{len(selected)} attacks, {tried.total()} by role; the longest work took {longest:.1f} s")
    for kind, label in _KIND_LABELS.items():
        print(f"{label:<36} {failed[kind]:>3}   of {tried.total() if kind == 'removal' else tried[kind]} (goal: 0)")
    return int(failed.total() > 0)


def _create_target(bound_seconds: float, stack: ExitStack) -> TargetWarehouse:
    state = Path(stack.enter_context(tempfile.TemporaryDirectory()))
    os.umask(0o077)
    server = postgres.start_server(state)
    stack.callback(postgres.remove_servers, state)
    url = server.build_url("loader", "warehouse")
    migrate_warehouse(url)
    create_other_database(server)
    target_settings = read_settings({"STATE_DIR": str(state), "WAREHOUSE_URL": url})
    days = count()

    def run_workload() -> None:
        _run_day(next(days), target_settings)
        run_concurrent_migration(url)

    run_workload()
    return TargetWarehouse(server, "warehouse", {"listener": "u1", "artist": "artist"}, run_workload, bound_seconds)


def _run_day(day: int, target_settings: Settings) -> None:
    jobs.receive_feed(day, target_settings)
    jobs.load_catalogue(day % 5, target_settings, f".{day}")
    jobs.load_events(day, target_settings)
    jobs.build_marts(day, target_settings)
    jobs.build_marts(day, target_settings, ".all", FULL_REFRESH)


def _time_workload(target: TargetWarehouse) -> float:
    began = time.monotonic()
    target.run_workload()
    return time.monotonic() - began


if __name__ == "__main__":
    main()
