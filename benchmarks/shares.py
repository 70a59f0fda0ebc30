"""Age bands, plans, devices, hours and skips that the simulator was asked for, beside those found in the star.

    python -m benchmarks.shares [--kaggle PATH] [--users N] [--hours H] [--seed S]

Every step is the product's own: the import of the catalogue (and of the survey, if the folder has one), the feed and
its load. The requested values are fractions of plays (docs/simulator.md); listening_shares.sql of sql/queries/report
reads the values of the star.
"""

import argparse
from datetime import UTC, datetime, timedelta
from pathlib import Path

from benchmarks._temporary_catalogue import temporary_catalogue
from etl.database import connect, query_sql
from etl.jobs import events
from etl.settings import Settings
from simulator import warehouse_reads
from simulator.jobs import feed
from simulator.listeners.habits import AGES_AS_OF, from_survey_rows
from simulator.listeners.parameters import Parameters

_FEED_START = datetime(2026, 10, 1, tzinfo=UTC)
_NOW = datetime(2026, 11, 21, tzinfo=UTC)
_GOAL_DIFFERENCE = 0.02
_QUESTIONS = ("age_band", "plan", "device", "hour", "skip")
_QUERY = "queries/report/listening_shares"

FractionsByQuestion = dict[str, dict[str, float]]


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--kaggle", type=Path, help="a folder of Kaggle files; without it the synthetic catalogue")
    parser.add_argument("--users", type=int, default=20_000)
    parser.add_argument("--hours", type=int, default=72)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    with temporary_catalogue(options.kaggle, _NOW) as warehouse_settings:
        loaded = _load_feed(warehouse_settings, options)
        requested, measured = _compute_requested(warehouse_settings), _measure_fractions(warehouse_settings)
    print(
        f"{'Kaggle files' if options.kaggle else 'synthetic catalogue'}, {options.users:,} listeners, "
        f"{options.hours} h,"
        f" seed {options.seed}: {loaded:,} events in the star"
    )
    for question in _QUESTIONS:
        _print_question(question, requested[question], measured[question])


def _load_feed(warehouse_settings: Settings, options: argparse.Namespace) -> int:
    """Make a feed and load it; return the number of its events."""
    parameters = Parameters(options.users, _FEED_START, _FEED_START + timedelta(hours=options.hours), seed=options.seed)
    feed.simulate_feed("feed", parameters, _NOW, warehouse_settings)
    events.plan_events("events", warehouse_settings)
    return events.load_events("events", _NOW.date(), warehouse_settings)["fact_event"]


def _compute_requested(warehouse_settings: Settings) -> FractionsByQuestion:
    return from_survey_rows(
        warehouse_reads.read_survey_responses(warehouse_settings.warehouse_url)
    ).list_requested_fractions()


def _measure_fractions(warehouse_settings: Settings) -> FractionsByQuestion:
    fractions: FractionsByQuestion = {question: {} for question in _QUESTIONS}
    with connect(warehouse_settings.warehouse_url) as connection:
        for row in query_sql(connection, _QUERY, ages_as_of=AGES_AS_OF):
            fractions[str(row["question"])][str(row["answer"])] = float(str(row["share"]))
    return fractions


def _print_question(question: str, requested: dict[str, float], measured: dict[str, float]) -> None:
    """Print the greatest difference of a question, and the fractions of each answer (of hours only the farthest)."""
    differences = {
        answer: measured.get(answer, 0) - requested.get(answer, 0) for answer in requested.keys() | measured.keys()
    }
    farthest = max(differences, key=lambda answer: abs(differences[answer]))
    print(
        f"{question}: at most {abs(differences[farthest]) * 100:.2f} points off, goal <= {_GOAL_DIFFERENCE * 100:.0f}; "
        + "; ".join(
            f"{answer} asked {fraction:.1%}, found {measured.get(answer, 0):.1%}"
            for answer, fraction in requested.items()
            if question != "hour" or answer == farthest
        )
    )


if __name__ == "__main__":
    main()
