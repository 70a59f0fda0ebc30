"""Parts of the running product killed at random moments under Airflow: all tables beside undisturbed rounds.

    python -m benchmarks.crash_airflow [--kills N] [--kills-a-round N] [--rounds N] [--seed S] [--resume FILE]

bin/run is up, with a made-up catalogue and heartbeats shortened by Airflow's own settings. A round is a night of the
stand-in: a nightly refresh, a look at what was played lately, a feed; each with the load of its events and the marts.
Some rounds go undisturbed; then the lake and the warehouse are put back, and the rounds go again while a task's
process, its supervisor, Spark's JVM, a Python worker, the scheduler, the API server, the DAG processor, PostgreSQL and
the stand-in are killed. Nobody lends a hand: bin/run keeps its parts up, and Airflow tries tasks again. A run that has
failed all the same is started again once, as a person does, and counted. Then all tables of warehouse and marts are
compared by natural keys; moments at which something was asked are told by their round, for no clock stands still.
"""

import argparse
import json
import random
import re
import signal
import sys
import tempfile
import time
from collections import Counter
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime, timedelta
from importlib.metadata import version
from pathlib import Path

from benchmarks._crash_compare import LEFT_OUT, Reading, difference_in_reading
from benchmarks._crash_product import (
    API_SERVER,
    DAG_PROCESSOR,
    JVM,
    SCHEDULER,
    SERVER,
    STAND_IN,
    SUPERVISOR,
    TASK,
    WORKER,
    KilledProduct,
    Killer,
    NeedsHandError,
    killed_product,
)

_GOAL = 20
_VICTIMS = {
    TASK: 3,
    SUPERVISOR: 2,
    JVM: 3,
    WORKER: 2,
    SCHEDULER: 3,
    API_SERVER: 2,
    DAG_PROCESSOR: 1,
    SERVER: 2,
    STAND_IN: 2,
}
"""How often each is killed in twenty kills."""
_FEED = {"users": 15, "hours": 24.0, **dict.fromkeys(("duplicate", "late", "unknown_track", "broken"), 0.02)}
_MOMENT = re.compile(r"\d{4}-\d\d-\d\d[ T]\d\d:\d\d:\d\d(?:\.\d+)?(?:\+00(?::00)?)?")
_EVENT_ID = re.compile(r"\b([0-9a-f]{8})-([0-9a-f]{4})-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b")
_INPUT = "(select min(i.origin || ' ' || i.name) from audit.run_input as i inner join audit.input as k"
_INPUT += " on i.input_id = k.input_id where k.input_key = t.{0})"


@dataclass
class Result:
    """A round with kills: (victim, second of the round, tasks that ran), and what came of it."""

    number: int
    kills: list[tuple[str, float, list[str]]] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)
    """Runs that were started again, with the reason of their failure."""
    hand: str = ""
    differences: dict[str, list[str]] = field(default_factory=dict)
    said: list[str] = field(default_factory=list)
    seconds: float = 0.0


class Moments:
    """When rounds began, for one text to stand for all moments of a round, whenever it went."""

    def __init__(self) -> None:
        self._began: list[tuple[datetime, int]] = []

    def begin(self, number: int) -> None:
        self._began.append((datetime.now(UTC), number))

    def retell(self, line: str) -> str:
        """A row's text with rounds in place of moments, and of ids of events that hold a moment."""
        line = _EVENT_ID.sub(lambda found: self._event(found[0], int(found[1] + found[2], 16)), line)
        return _MOMENT.sub(lambda found: self._moment(found[0]), line)

    def _event(self, event_id: str, milliseconds: int) -> str:
        number = self._round_of(datetime.fromtimestamp(milliseconds / 1000, UTC)) if milliseconds < 1 << 42 else None
        return event_id if number is None else f"event of round {number}"

    def _moment(self, text: str) -> str:
        moment = datetime.fromisoformat(text.replace("+00", "+00:00") if text.endswith("+00") else text)
        number = self._round_of(moment if moment.tzinfo else moment.replace(tzinfo=UTC))
        return text if number is None else f"round {number}"

    def _round_of(self, moment: datetime) -> int | None:
        earlier = [number for began, number in self._began if began <= moment]
        return earlier[-1] if earlier else None


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n\n")[0])
    parser.add_argument("--kills", type=int, default=_GOAL)
    parser.add_argument("--kills-a-round", type=int, default=5)
    parser.add_argument("--rounds", type=int, default=1, help="how many nights follow each other before it begins anew")
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--resume", type=Path, help="a file of results: kills that it has are not made again")
    options = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # so that all that was started ends
    done = _read(options.resume)
    print(f"Airflow {version('apache-airflow')}, seed {options.seed}, {_count(done)} kills done before", flush=True)
    moments = Moments()
    moments.begin(0)
    with tempfile.TemporaryDirectory() as name, killed_product(Path(name)) as product:
        go_on(product, moments, options, done)
    _tell(done)
    sys.exit(any(result.differences or result.hand for result in done))


def go_on(product: KilledProduct, moments: Moments, options: argparse.Namespace, done: list[Result]) -> None:
    """Some rounds undisturbed, then the same with kills, again and again, until there were enough."""
    product.keep("after_0")
    seconds = _undisturbed(product, moments, options.rounds)
    while _count(done) < options.kills:
        for number in range(1, options.rounds + 1):
            if _count(done) >= options.kills or not _killed(product, moments, number, seconds, options, done):
                break
        if done[-1].hand:
            break


def _undisturbed(product: KilledProduct, moments: Moments, rounds: int) -> dict[int, float]:
    """Go through the rounds, keep what is there after each, and say how long each took."""
    seconds = {}
    for number in range(1, rounds + 1):
        moments.begin(number)
        began = time.monotonic()
        _go(product, number, None)
        if product.failed():
            raise RuntimeError(f"undisturbed: {[product.why(*run) for run in product.failed()]}")
        seconds[number] = time.monotonic() - began
        product.keep(f"after_{number}")
        print(f"round {number} undisturbed: {seconds[number]:.0f} s", flush=True)
    return seconds


def _killed(
    product: KilledProduct,
    moments: Moments,
    number: int,
    seconds: dict[int, float],
    options: argparse.Namespace,
    done: list[Result],
) -> bool:
    """A round with kills, compared.

    :returns: whether all is as after the same round undisturbed, so that the next may follow.
    """
    if number == 1:
        product.restore("after_0")
    before = _count(done)
    wanted = _deck(options)[before : min(before + options.kills_a_round, options.kills)]
    draw = random.Random(f"{options.seed} {before}")
    killer = Killer(product, wanted, seconds[number] / (len(wanted) + 1), draw)
    result, said, began = Result(number), product.report(), time.monotonic()
    moments.begin(number)
    try:
        result.failed = _go(product, number, killer)
        reading = Reading(("warehouse", "mart"), moments.retell, LEFT_OUT, {"input_key": _INPUT})
        result.differences = difference_in_reading(product.url(f"after_{number}"), product.url(), reading)
    except NeedsHandError as error:
        result.hand = str(error)
    result.seconds, result.kills = round(time.monotonic() - began), killer.kills
    result.said = [line for line in product.report()[len(said) :].splitlines() if line.strip()]
    done.append(result)
    _note(options.resume, result)
    _say(result, _count(done))
    return not result.differences and not result.hand


def _go(product: KilledProduct, number: int, killer: Killer | None) -> list[str]:
    """Go through a round.

    :returns: why runs failed that were then started again.
    """
    product.be_night(number)
    end = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0) - timedelta(days=number)
    feed = {**_FEED, "end": end.isoformat()}
    failures, known = [], product.failed()
    for dag_id, conf in (("nightly_refresh", {}), ("recently_played", {}), ("simulate_feed", feed)):
        product.start(dag_id, conf)
        product.rest(killer)
        again = sorted(product.failed() - known)
        known |= set(again)
        failures += [product.why(*run) for run in again]
        for failed_id, _ in again:
            product.start(failed_id, conf if failed_id == dag_id else {})
            product.rest(killer)
        if product.failed() - known:
            raise NeedsHandError(f"failed again: {[product.why(*run) for run in product.failed() - known]}")
    return failures


def _deck(options: argparse.Namespace) -> list[str]:
    """The victims, in the order in which they are killed."""
    deck: list[str] = []
    while len(deck) < options.kills:
        twenty = [victim for victim, count in _VICTIMS.items() for _ in range(count)]
        random.Random(f"{options.seed} {len(deck)}").shuffle(twenty)
        deck += twenty
    return deck


def _count(results: list[Result]) -> int:
    return sum(len(result.kills) for result in results)


def _say(result: Result, count: int) -> None:
    for line in result.said:
        print(f"  bin/run: {line}")
    for failure in result.failed:
        print(f"  FAILED and started again: {failure}")
    verdict = "NEEDS A HAND: " + result.hand if result.hand else "DIFFERS" if result.differences else "equal"
    print(f"{count} kills, round {result.number} in {result.seconds:.0f} s: {verdict}", flush=True)
    for name, lines in result.differences.items():
        print(f"  {name}: ", *lines, sep="\n    ", flush=True)


def _tell(done: list[Result]) -> None:
    equal = sum(len(result.kills) for result in done if not result.differences and not result.hand)
    print(f"{_count(done)} kills in {len(done)} rounds (goal: {_GOAL}): after {equal} all tables are equal (goal: all)")
    print(f"{sum(bool(result.hand) for result in done)} rounds needed a hand (goal: 0)")
    print(f"{sum(len(result.failed) for result in done)} runs failed for good and were started again")
    victims = Counter(victim for result in done for victim, _, _ in result.kills)
    print(", ".join(f"{victim} {count}" for victim, count in victims.most_common()))


def _read(kept: Path | None) -> list[Result]:
    if kept is None or not kept.exists():
        return []
    return [Result(**json.loads(line)) for line in kept.read_text(encoding="utf-8").splitlines()]


def _note(kept: Path | None, result: Result) -> None:
    if kept is not None:
        with kept.open("a", encoding="utf-8") as file:
            file.write(json.dumps(asdict(result), ensure_ascii=False) + "\n")


if __name__ == "__main__":
    main()
