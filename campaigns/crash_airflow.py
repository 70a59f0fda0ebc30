"""Parts of the running product killed at random moments under Airflow: all tables beside undisturbed rounds.

    python -m campaigns.crash_airflow [--kills N] [--kills-a-round N] [--rounds N] [--seed S] [--resume FILE]

bin/run is up, with a synthetic catalogue and heartbeats shortened by Airflow's own settings. A round is a simulated day
of the mock API: a daily refresh, a fetch of recent plays, a feed; each with the load of its events and the marts. Some
rounds run undisturbed; then the lake and the warehouse are restored, and the rounds repeat while a task's process, its
supervisor, Spark's JVM, a Python worker, the scheduler, the API server, the DAG processor, PostgreSQL and the mock API
are killed. No operator helps: bin/run restarts its components, and Airflow retries tasks. A run that fails all the same
is restarted once, as an operator does, and counted. Then all tables of warehouse and marts are compared by natural
keys; a request's timestamp is replaced by its round, because no clock stands still.
"""

import argparse
import json
import random
import re
import sys
import tempfile
import time
from collections import Counter
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime, timedelta
from importlib.metadata import version
from pathlib import Path

from campaigns._termination import exit_in_order_on_sigterm
from campaigns.crash_runs.killed_product import (
    API_SERVER,
    DAG_PROCESSOR,
    DATABASE_SERVER,
    MOCK_API,
    PYTHON_WORKER,
    SCHEDULER,
    SPARK_JVM,
    TASK_PROCESS,
    TASK_SUPERVISOR,
    KilledProduct,
    NeedsOperatorError,
    ProcessKiller,
    start_killed_product,
)
from campaigns.crash_runs.warehouse_comparison import IGNORED_COLUMNS, ComparisonRules, compare_with_rules

_GOAL_KILLS = 20
_KILLS_BY_VICTIM = {
    TASK_PROCESS: 3,
    TASK_SUPERVISOR: 2,
    SPARK_JVM: 3,
    PYTHON_WORKER: 2,
    SCHEDULER: 3,
    API_SERVER: 2,
    DAG_PROCESSOR: 1,
    DATABASE_SERVER: 2,
    MOCK_API: 2,
}
"""The number of kills of each victim in twenty kills."""
_FEED_FORM = {"users": 15, "hours": 24.0, **dict.fromkeys(("duplicate", "late", "unknown_track", "broken"), 0.02)}
_TIMESTAMP = re.compile(r"\d{4}-\d\d-\d\d[ T]\d\d:\d\d:\d\d(?:\.\d+)?(?:\+00(?::00)?)?")
_EVENT_ID = re.compile(r"\b([0-9a-f]{8})-([0-9a-f]{4})-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b")
_INPUT_NATURAL_KEY = "(select min(i.origin || ' ' || i.name) from audit.run_input as i inner join audit.input as k"
_INPUT_NATURAL_KEY += " on i.input_id = k.input_id where k.input_key = t.{0})"


@dataclass
class RoundResult:
    """A round with kills: (victim, second of the round, running tasks), and its outcome."""

    number: int
    kills: list[tuple[str, float, list[str]]] = field(default_factory=list)
    restarted_runs: list[str] = field(default_factory=list)
    """Restarted runs, with the reason of their failure."""
    operator_reason: str = ""
    differences: dict[str, list[str]] = field(default_factory=dict)
    output_lines: list[str] = field(default_factory=list)
    seconds: float = 0.0


class RoundClock:
    """The begins of rounds, which replace all timestamps of a round by the same text."""

    def __init__(self) -> None:
        self._round_starts: list[tuple[datetime, int]] = []

    def start_round(self, number: int) -> None:
        self._round_starts.append((datetime.now(UTC), number))

    def normalise_row(self, line: str) -> str:
        """Return a row's text with rounds in place of timestamps, and of event ids that contain a timestamp."""
        line = _EVENT_ID.sub(lambda match: self._replace_event_id(match[0], int(match[1] + match[2], 16)), line)
        return _TIMESTAMP.sub(lambda match: self._replace_timestamp(match[0]), line)

    def _replace_event_id(self, event_id: str, milliseconds: int) -> str:
        number = self._find_round(datetime.fromtimestamp(milliseconds / 1000, UTC)) if milliseconds < 1 << 42 else None
        return event_id if number is None else f"event of round {number}"

    def _replace_timestamp(self, text: str) -> str:
        timestamp = datetime.fromisoformat(text.replace("+00", "+00:00") if text.endswith("+00") else text)
        number = self._find_round(timestamp if timestamp.tzinfo else timestamp.replace(tzinfo=UTC))
        return text if number is None else f"round {number}"

    def _find_round(self, timestamp: datetime) -> int | None:
        earlier = [number for began, number in self._round_starts if began <= timestamp]
        return earlier[-1] if earlier else None


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n\n")[0])
    parser.add_argument("--kills", type=int, default=_GOAL_KILLS)
    parser.add_argument("--kills-a-round", type=int, default=5)
    parser.add_argument("--rounds", type=int, default=1, help="simulated days before the warehouse is reset")
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--resume", type=Path, help="a file of results: kills that it has are not made again")
    options = parser.parse_args()
    exit_in_order_on_sigterm()
    results = _read_results(options.resume)
    print(
        f"Airflow {version('apache-airflow')}, seed {options.seed}, {_count_kills(results)} kills done before",
        flush=True,
    )
    clock = RoundClock()
    clock.start_round(0)
    with tempfile.TemporaryDirectory() as name, start_killed_product(Path(name)) as product:
        run_rounds(product, clock, options, results)
    _print_summary(results)
    sys.exit(any(result.differences or result.operator_reason for result in results))


def run_rounds(
    product: KilledProduct, clock: RoundClock, options: argparse.Namespace, results: list[RoundResult]
) -> None:
    """Run some rounds undisturbed, then repeat them with kills until there are enough."""
    product.save_snapshot("after_0")
    seconds = _run_undisturbed(product, clock, options.rounds)
    while _count_kills(results) < options.kills:
        for number in range(1, options.rounds + 1):
            if _count_kills(results) >= options.kills or not _run_with_kills(
                product, clock, number, seconds, options, results
            ):
                break
        if results[-1].operator_reason:
            break


def _run_undisturbed(product: KilledProduct, clock: RoundClock, rounds: int) -> dict[int, float]:
    """Run the rounds, save a snapshot after each, and return the seconds of each."""
    seconds = {}
    for number in range(1, rounds + 1):
        clock.start_round(number)
        began = time.monotonic()
        _run_round(product, number, None)
        if product.list_failed_runs():
            raise RuntimeError(f"undisturbed: {[product.describe_failure(*run) for run in product.list_failed_runs()]}")
        seconds[number] = time.monotonic() - began
        product.save_snapshot(f"after_{number}")
        print(f"round {number} undisturbed: {seconds[number]:.0f} s", flush=True)
    return seconds


def _run_with_kills(
    product: KilledProduct,
    clock: RoundClock,
    number: int,
    seconds: dict[int, float],
    options: argparse.Namespace,
    results: list[RoundResult],
) -> bool:
    """Run a round with kills, and compare it with the undisturbed one.

    :returns: whether the state equals that after the undisturbed round, so that the next round may follow.
    """
    if number == 1:
        product.restore_snapshot("after_0")
    kills_before = _count_kills(results)
    victims = _shuffle_victims(options)[kills_before : min(kills_before + options.kills_a_round, options.kills)]
    rng = random.Random(f"{options.seed} {kills_before}")
    killer = ProcessKiller(product, victims, seconds[number] / (len(victims) + 1), rng)
    result, report_before, began = RoundResult(number), product.read_report(), time.monotonic()
    clock.start_round(number)
    try:
        result.restarted_runs = _run_round(product, number, killer)
        rules = ComparisonRules(
            ("warehouse", "mart"), clock.normalise_row, IGNORED_COLUMNS, {"input_key": _INPUT_NATURAL_KEY}
        )
        result.differences = compare_with_rules(
            product.get_warehouse_url(f"after_{number}"), product.get_warehouse_url(), rules
        )
    except NeedsOperatorError as error:
        result.operator_reason = str(error)
    result.seconds, result.kills = round(time.monotonic() - began), killer.kills
    result.output_lines = [line for line in product.read_report()[len(report_before) :].splitlines() if line.strip()]
    results.append(result)
    _append_result(options.resume, result)
    _print_result(result, _count_kills(results))
    return not result.differences and not result.operator_reason


def _run_round(product: KilledProduct, number: int, killer: ProcessKiller | None) -> list[str]:
    """Run a round.

    :returns: the failure reasons of restarted runs.
    """
    product.set_simulated_day(number)
    feed_end = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0) - timedelta(days=number)
    feed = {**_FEED_FORM, "end": feed_end.isoformat()}
    failures, known_failures = [], product.list_failed_runs()
    for dag_id, conf in (("nightly_refresh", {}), ("recently_played", {}), ("simulate_feed", feed)):
        product.start_run(dag_id, conf)
        product.wait_until_idle(killer)
        new_failures = sorted(product.list_failed_runs() - known_failures)
        known_failures |= set(new_failures)
        failures += [product.describe_failure(*run) for run in new_failures]
        for failed_id, _ in new_failures:
            product.start_run(failed_id, conf if failed_id == dag_id else {})
            product.wait_until_idle(killer)
        if product.list_failed_runs() - known_failures:
            repeated_failures = product.list_failed_runs() - known_failures
            raise NeedsOperatorError(f"failed again: {[product.describe_failure(*run) for run in repeated_failures]}")
    return failures


def _shuffle_victims(options: argparse.Namespace) -> list[str]:
    """Return the victims in the order of their kills."""
    victims: list[str] = []
    while len(victims) < options.kills:
        batch = [victim for victim, count in _KILLS_BY_VICTIM.items() for _ in range(count)]
        random.Random(f"{options.seed} {len(victims)}").shuffle(batch)
        victims += batch
    return victims


def _count_kills(results: list[RoundResult]) -> int:
    return sum(len(result.kills) for result in results)


def _print_result(result: RoundResult, count: int) -> None:
    for line in result.output_lines:
        print(f"  bin/run: {line}")
    for failure in result.restarted_runs:
        print(f"  FAILED and started again: {failure}")
    verdict = (
        "NEEDS AN OPERATOR: " + result.operator_reason
        if result.operator_reason
        else "DIFFERS"
        if result.differences
        else "equal"
    )
    print(f"{count} kills, round {result.number} in {result.seconds:.0f} s: {verdict}", flush=True)
    for name, lines in result.differences.items():
        print(f"  {name}: ", *lines, sep="\n    ", flush=True)


def _print_summary(results: list[RoundResult]) -> None:
    equal = sum(len(result.kills) for result in results if not result.differences and not result.operator_reason)
    print(
        f"{_count_kills(results)} kills in {len(results)} rounds (goal: {_GOAL_KILLS}): "
        f"after {equal} all tables are equal (goal: all)"
    )
    print(f"{sum(bool(result.operator_reason) for result in results)} rounds needed an operator (goal: 0)")
    print(f"{sum(len(result.restarted_runs) for result in results)} runs failed for good and were started again")
    victims = Counter(victim for result in results for victim, _, _ in result.kills)
    print(", ".join(f"{victim} {count}" for victim, count in victims.most_common()))


def _read_results(results_file: Path | None) -> list[RoundResult]:
    if results_file is None or not results_file.exists():
        return []
    return [RoundResult(**json.loads(line)) for line in results_file.read_text(encoding="utf-8").splitlines()]


def _append_result(results_file: Path | None, result: RoundResult) -> None:
    if results_file is not None:
        with results_file.open("a", encoding="utf-8") as file:
            file.write(json.dumps(asdict(result), ensure_ascii=False) + "\n")


if __name__ == "__main__":
    main()
