"""Age bands, plans, devices, hours and skips that the simulator was asked for, beside those found in the star.

    python -m benchmarks.shares [--kaggle PATH] [--users N] [--hours H] [--seed S]

Everything is the product's own: the import of the catalogue (and of the survey, where the folder has one), the feed and
its load. What is asked are shares of plays (docs/simulator.md); the star is asked by sql/report/listening_shares.sql.
"""

import argparse
from datetime import UTC, datetime, timedelta
from pathlib import Path

from benchmarks._catalogue import catalogue
from etl import catalogue_reads
from etl.config import CHECKOUT, Settings
from etl.jobs import events, feed
from etl.simulate.listeners.habits import AGES_AS_OF, from_survey
from etl.simulate.listeners.parameters import Parameters
from etl.warehouse import connect, rows

_START = datetime(2026, 10, 1, tzinfo=UTC)
_NOW = datetime(2026, 11, 21, tzinfo=UTC)
_GOAL = 0.02
_QUESTIONS = ("age_band", "plan", "device", "hour", "skip")
_QUESTION = CHECKOUT / "sql" / "report" / "listening_shares.sql"

Shares = dict[str, dict[str, float]]


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--kaggle", type=Path, help="a folder of Kaggle files; without it the made-up catalogue")
    parser.add_argument("--users", type=int, default=20_000)
    parser.add_argument("--hours", type=int, default=72)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    with catalogue(options.kaggle, _NOW) as place:
        loaded = _listen(place, options)
        asked, found = _asked(place), _found(place)
    print(
        f"{'Kaggle files' if options.kaggle else 'made-up catalogue'}, {options.users:,} listeners, {options.hours} h,"
        f" seed {options.seed}: {loaded:,} events in the star"
    )
    for question in _QUESTIONS:
        _print(question, asked[question], found[question])


def _listen(place: Settings, options: argparse.Namespace) -> int:
    """Make a feed and load it; the number of its events."""
    wanted = Parameters(options.users, _START, _START + timedelta(hours=options.hours), seed=options.seed)
    feed.simulate_feed("feed", wanted, _NOW, place)
    events.plan_events("events", place)
    return events.load_events("events", _NOW.date(), place)["fact_event"]


def _asked(place: Settings) -> Shares:
    return from_survey(catalogue_reads.survey(place.warehouse_url)).asked()


def _found(place: Settings) -> Shares:
    shares: Shares = {question: {} for question in _QUESTIONS}
    with connect(place.warehouse_url) as connection:
        for row in rows(connection, _QUESTION.read_text(encoding="utf-8"), ages_as_of=AGES_AS_OF):
            shares[str(row["question"])][str(row["answer"])] = float(str(row["share"]))
    return shares


def _print(question: str, asked: dict[str, float], found: dict[str, float]) -> None:
    """The greatest difference of a question, and each answer's shares (of hours the farthest alone)."""
    differences = {answer: found.get(answer, 0) - asked.get(answer, 0) for answer in asked.keys() | found.keys()}
    farthest = max(differences, key=lambda answer: abs(differences[answer]))
    print(
        f"{question}: at most {abs(differences[farthest]) * 100:.2f} points off, goal <= {_GOAL * 100:.0f}; "
        + "; ".join(
            f"{answer} asked {share:.1%}, found {found.get(answer, 0):.1%}"
            for answer, share in asked.items()
            if question != "hour" or answer == farthest
        )
    )


if __name__ == "__main__":
    main()
