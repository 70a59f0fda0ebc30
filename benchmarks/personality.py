"""Personalities inferred from the plays of synthetic listeners, scored by the parameters of the simulator.

    python -m benchmarks.personality [--kaggle PATH] [--users N] [--days D] [--seed S]

Everything is the product's own: the import of the catalogue, the feed, its load, the build of the marts, and the truth.
Scored are listeners with 200 plays or more: all, and those outside the middle tenth of each trait (true value 0.45 to
0.55), which the goals are about. What cannot be said counts as wrong. The second table compares how sure the inference
is with how often it is right.
"""

import argparse
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pandas as pd

from benchmarks._catalogue import catalogue
from etl.config import Settings
from etl.jobs import events, feed
from etl.load.marts import Definition, build
from etl.simulate.listeners.parameters import Parameters
from etl.warehouse import connect, rows

TRAITS = {"exploration": "EF", "newness": "NT", "loyalty": "LV", "commonality": "CU"}
LEAST_PLAYS = 200
_START = datetime(2026, 9, 1, tzinfo=UTC)
_NOW = datetime(2026, 11, 21, tzinfo=UTC)
_GOAL_LETTERS, _GOAL_TRAIT = 0.90, 0.975
_COMPARED = """
    select
        t.personality, p.letters, p.sureness, p.choices, e.plays,
        t.exploration, p.exploration as exploration_score, p.exploration_sureness,
        t.newness, p.newness as newness_score, p.newness_sureness,
        t.loyalty, p.loyalty as loyalty_score, p.loyalty_sureness,
        t.commonality, p.commonality as commonality_score, p.commonality_sureness
    from simulation.listener as t
    inner join (select user_id, count(*) as plays from mart.play group by user_id) as e on e.user_id = t.user_id
    left join mart.user_personality as p on p.user_id = t.user_id
    where e.plays >= :least_plays
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--kaggle", type=Path, help="a folder of Kaggle files; without it the made-up catalogue")
    parser.add_argument("--users", type=int, default=2000)
    parser.add_argument("--days", type=int, default=60)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    with catalogue(options.kaggle, _NOW) as place:
        compared = _compared(place, options)
    name = "Kaggle files" if options.kaggle else "made-up catalogue"
    print(
        f"{name}, {options.users:,} listeners, {options.days} days, seed {options.seed}; {len(compared):,} of them"
        f" have {LEAST_PLAYS} plays or more, {compared['plays'].median():,.0f} at the median"
    )
    _print_scores(compared)
    _print_sureness(compared)


def _compared(chosen: Settings, options: argparse.Namespace) -> pd.DataFrame:
    """A row a listener with enough plays: truth beside inference."""
    wanted = Parameters(options.users, _START, _START + timedelta(days=options.days), seed=options.seed)
    feed.simulate_feed("feed", wanted, _NOW, chosen)
    events.plan_events("events", chosen)
    events.load_events("events", _NOW.date(), chosen)
    with connect(chosen.warehouse_url) as connection:
        build(connection, Definition(play_min_ms=30_000, session_gap_minutes=30))
        return pd.DataFrame(rows(connection, _COMPARED, least_plays=LEAST_PLAYS))


def _print_scores(compared: pd.DataFrame) -> None:
    is_right = _is_right(compared)
    is_middle = pd.DataFrame({trait: (compared[trait] - 0.5).abs() < 0.05 for trait in TRAITS})
    is_outside = ~is_middle.any(axis=1)
    whole = is_right.all(axis=1)
    print(
        f"all four letters: {whole.mean():.1%} of all, {whole[is_outside].mean():.1%} of the {is_outside.sum():,}"
        f" outside the middle tenth of each trait, goal >= {_GOAL_LETTERS:.0%};"
        f" without letters {compared['letters'].isna().mean():.1%}"
    )
    for trait in TRAITS:
        score, truth = compared[f"{trait}_score"].astype(float), compared[trait]
        own = is_right[trait]
        print(
            f"{trait:12} {own.mean():.1%} of all, {own[~is_middle[trait]].mean():.1%} outside its middle tenth, goal >="
            f" {_GOAL_TRAIT:.1%}; correlation {truth.corr(score):.3f}, area under the curve"
            f" {_area(score[score.notna()], truth[score.notna()] >= 0.5):.3f}"
        )


def _is_right(compared: pd.DataFrame) -> pd.DataFrame:
    """Whether each letter is that of the truth; nothing said is wrong."""
    return pd.DataFrame(
        {
            trait: compared[f"{trait}_score"].notna()
            & ((compared[f"{trait}_score"].astype(float) >= 0.5) == (compared["personality"].str[place] == letters[0]))
            for place, (trait, letters) in enumerate(TRAITS.items())
        }
    )


def _area(score: pd.Series, is_first: pd.Series) -> float:
    """How often a listener of the first letter has a higher score than one of the second."""
    ranks, size = score.rank(), int(is_first.sum())
    return float((ranks[is_first].sum() - size * (size + 1) / 2) / (size * (len(score) - size)))


def _print_sureness(compared: pd.DataFrame) -> None:
    is_right = _is_right(compared)
    print("sure of a letter | letters | on average sure | right")
    sureness = np.concatenate([compared[f"{trait}_sureness"].astype(float) for trait in TRAITS])
    right = np.concatenate([is_right[trait] for trait in TRAITS])
    for low, high in ((0.5, 0.6), (0.6, 0.75), (0.75, 0.9), (0.9, 0.97), (0.97, 1.001)):
        chosen = (sureness >= low) & (sureness < high)
        if chosen.any():
            print(
                f"{low:.2f} to {min(high, 1):.2f} | {chosen.sum():,} | {sureness[chosen].mean():.1%} |"
                f" {right[chosen].mean():.1%}"
            )


if __name__ == "__main__":
    main()
