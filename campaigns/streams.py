"""Streams whose processes are killed at random moments: nothing is lost, nothing is there twice, no hand is needed.

    python -m campaigns.streams [--kills N] [--kills-per-round N] [--seed S] [--events N] [--poison N]
        [--pause-seconds S] [--sleep-seconds S] [--victims VICTIM …] [--resume FILE]

A round sends events, and messages that are no events, while producer, landing, broker, live queries, Spark's JVM and
PostgreSQL are killed (-9), and all of them are suspended for a while as by a laptop that sleeps. Processes that end are
restarted as bin/run does it. Then the star, the live tables, the audit and the dead-letter topic are compared with what
was sent, key by key. ``--resume`` stores the results of rounds in a file and continues after them.
"""

import argparse
import json
import random
import tempfile
import time
from collections import Counter
from importlib.metadata import version
from pathlib import Path

from campaigns._termination import exit_in_order_on_sigterm
from campaigns.stream_runs.environment import VICTIMS, StreamEnvironment, choose_victims, open_environment
from campaigns.stream_runs.events import EventKey, send_poison, write_feed
from campaigns.stream_runs.verification import find_differences, load_landed_messages, wait_until_caught_up
from launch.streams import get_progress_path

_GOAL_KILLS = 50
_CATCH_UP_SECONDS = 600.0
_FIRST_BATCH_SECONDS = 300.0
_MIN_PAUSE_SECONDS = 2.0


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--kills", type=int, default=_GOAL_KILLS)
    parser.add_argument("--kills-per-round", type=int, default=10)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--events", type=int, default=20_000, help="of a round")
    parser.add_argument("--poison", type=int, default=200, help="messages of a round that are no events")
    parser.add_argument("--pause-seconds", type=float, default=10.0, help="the most between two kills")
    parser.add_argument("--sleep-seconds", type=float, default=90.0)
    parser.add_argument("--victims", nargs="+", choices=VICTIMS, default=list(VICTIMS), metavar="VICTIM")
    parser.add_argument("--resume", type=Path, help="a file of results: what it has is not done again")
    options = parser.parse_args()
    exit_in_order_on_sigterm()
    rounds = json.loads(options.resume.read_text()) if options.resume and options.resume.exists() else []
    print(
        f"pyspark {version('pyspark')}, confluent-kafka {version('confluent-kafka')}, seed {options.seed}", flush=True
    )
    while sum(len(finished["kills"]) for finished in rounds) < options.kills:
        rounds.append(_run_round(options, random.Random(f"{options.seed} {len(rounds)}")))
        if options.resume:
            options.resume.write_text(json.dumps(rounds))
    kills = sum(len(finished["kills"]) for finished in rounds)
    differing = [finished for finished in rounds if finished["differences"]]
    print(f"{kills} kills in {len(rounds)} rounds, {len(differing)} rounds differ", flush=True)
    raise SystemExit(bool(differing))


def _run_round(options: argparse.Namespace, draws: random.Random) -> dict[str, list[str]]:
    """Run a round; return its kills and differences."""
    with (
        tempfile.TemporaryDirectory(prefix="streams-", ignore_cleanup_errors=True) as folder,
        open_environment(Path(folder)) as environment,
    ):
        feed = Path(folder) / "feed.avro"
        sent = write_feed(feed, options.events, draws)
        _wait_for_first_batch(environment)
        kill_seconds = options.kills_per_round * (_MIN_PAUSE_SECONDS + options.pause_seconds) / 2
        rate = max(1, round(options.events / kill_seconds))
        environment.start_producer(feed, rate)
        poison_count = send_poison(environment.settings.require_kafka(), options.poison // 2, draws)
        kills = _kill_victims(environment, options, draws)
        poison_count += send_poison(environment.settings.require_kafka(), options.poison - options.poison // 2, draws)
        differences = _wait_and_compare(environment, sent, poison_count)
        for message in dict.fromkeys(environment.messages):
            print(f"    {message}", flush=True)
        print("\n".join(differences) or f"{sum(sent.values())} events and {poison_count} others: equal", flush=True)
        return {"kills": kills, "differences": differences}


def _wait_for_first_batch(environment: StreamEnvironment) -> None:
    deadline = time.monotonic() + _FIRST_BATCH_SECONDS
    while not get_progress_path(environment.state, "live").exists():
        if time.monotonic() > deadline:
            raise RuntimeError(f"The live queries have not started: {environment.messages}")
        time.sleep(1)


def _kill_victims(environment: StreamEnvironment, options: argparse.Namespace, draws: random.Random) -> list[str]:
    kills = []
    for victim in choose_victims(options.kills_per_round, tuple(options.victims), draws):
        time.sleep(draws.uniform(_MIN_PAUSE_SECONDS, options.pause_seconds))
        if environment.kill(victim, options.sleep_seconds):
            kills.append(victim)
            print(f"  {victim}", flush=True)
    return kills


def _wait_and_compare(environment: StreamEnvironment, sent: Counter[EventKey], poison_count: int) -> list[str]:
    deadline = time.monotonic() + _CATCH_UP_SECONDS
    while not environment.has_producer_ended() and time.monotonic() < deadline:
        time.sleep(1)
    differences = [] if environment.has_producer_ended() else ["the producer has not ended"]
    if not wait_until_caught_up(environment.settings, sum(sent.values()) + poison_count, _CATCH_UP_SECONDS):
        differences.append("landing or the live tables have not caught up")
    load_landed_messages(environment.settings)
    return differences + find_differences(environment.settings, sent, poison_count)


if __name__ == "__main__":
    main()
