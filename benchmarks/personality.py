"""Personalities inferred from the plays of synthetic listeners, scored by the parameters of the simulator.

    python -m benchmarks.personality [--kaggle PATH] [--users N] [--days D] [--seed S]

Every step is the product's own: the import of the catalogue, the feed, its load, the build of the marts, and the truth.
The score covers listeners with 200 plays or more: all of them, and those outside the middle tenth of each trait (true
value 0.45 to 0.55), to which the goals apply. A missing inference counts as wrong. The second table compares the
confidence of the inference with its accuracy.
"""

import argparse
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pandas as pd

from benchmarks._temporary_catalogue import temporary_catalogue
from etl.database import connect, fetch_rows
from etl.jobs import events
from etl.load.marts import MartDefinition, build_marts
from etl.settings import Settings
from simulator.jobs import feed
from simulator.listeners.parameters import Parameters

TRAITS = {"exploration": "EF", "newness": "NT", "loyalty": "LV", "commonality": "CU"}
MIN_PLAYS = 200
_FEED_START = datetime(2026, 9, 1, tzinfo=UTC)
_NOW = datetime(2026, 11, 21, tzinfo=UTC)
_GOAL_LETTERS, _GOAL_TRAIT = 0.90, 0.975
_COMPARISON_QUERY = """
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
    parser.add_argument("--kaggle", type=Path, help="a folder of Kaggle files; without it the synthetic catalogue")
    parser.add_argument("--users", type=int, default=2000)
    parser.add_argument("--days", type=int, default=60)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    with temporary_catalogue(options.kaggle, _NOW) as warehouse_settings:
        comparison = _compare_traits(warehouse_settings, options)
    name = "Kaggle files" if options.kaggle else "synthetic catalogue"
    print(
        f"{name}, {options.users:,} listeners, {options.days} days, seed {options.seed}; {len(comparison):,} of them"
        f" have {MIN_PLAYS} plays or more, {comparison['plays'].median():,.0f} at the median"
    )
    _print_scores(comparison)
    _print_sureness(comparison)


def _compare_traits(warehouse_settings: Settings, options: argparse.Namespace) -> pd.DataFrame:
    """Return a row for each listener with enough plays: the truth beside the inference."""
    parameters = Parameters(options.users, _FEED_START, _FEED_START + timedelta(days=options.days), seed=options.seed)
    feed.simulate_feed("feed", parameters, _NOW, warehouse_settings)
    events.plan_events("events", warehouse_settings)
    events.load_events("events", _NOW.date(), warehouse_settings)
    with connect(warehouse_settings.warehouse_url) as connection:
        build_marts(connection, MartDefinition(play_min_ms=30_000, session_gap_minutes=30))
        return pd.DataFrame(fetch_rows(connection, _COMPARISON_QUERY, least_plays=MIN_PLAYS))


def _print_scores(comparison: pd.DataFrame) -> None:
    is_right = _compute_is_right(comparison)
    is_middle = pd.DataFrame({trait: (comparison[trait] - 0.5).abs() < 0.05 for trait in TRAITS})
    is_outside = ~is_middle.any(axis=1)
    whole = is_right.all(axis=1)
    print(
        f"all four letters: {whole.mean():.1%} of all, {whole[is_outside].mean():.1%} of the {is_outside.sum():,}"
        f" outside the middle tenth of each trait, goal >= {_GOAL_LETTERS:.0%};"
        f" without letters {comparison['letters'].isna().mean():.1%}"
    )
    for trait in TRAITS:
        score, truth = comparison[f"{trait}_score"].astype(float), comparison[trait]
        is_trait_right = is_right[trait]
        print(
            f"{trait:12} {is_trait_right.mean():.1%} of all, {is_trait_right[~is_middle[trait]].mean():.1%} outside its"
            f" middle tenth, goal >= {_GOAL_TRAIT:.1%}; correlation {truth.corr(score):.3f}, area under the curve"
            f" {_compute_area_under_curve(score[score.notna()], truth[score.notna()] >= 0.5):.3f}"
        )


def _compute_is_right(comparison: pd.DataFrame) -> pd.DataFrame:
    """Return whether each inferred letter matches the truth; a missing letter is wrong."""
    return pd.DataFrame(
        {
            trait: comparison[f"{trait}_score"].notna()
            & (
                (comparison[f"{trait}_score"].astype(float) >= 0.5)
                == (comparison["personality"].str[index] == letters[0])
            )
            for index, (trait, letters) in enumerate(TRAITS.items())
        }
    )


def _compute_area_under_curve(score: pd.Series, is_first: pd.Series) -> float:
    """Return the probability that a listener of the first letter has a higher score than one of the second."""
    ranks, size = score.rank(), int(is_first.sum())
    return float((ranks[is_first].sum() - size * (size + 1) / 2) / (size * (len(score) - size)))


def _print_sureness(comparison: pd.DataFrame) -> None:
    is_right = _compute_is_right(comparison)
    print("sure of a letter | letters | on average sure | right")
    sureness = np.concatenate([comparison[f"{trait}_sureness"].astype(float) for trait in TRAITS])
    is_letter_right = np.concatenate([is_right[trait] for trait in TRAITS])
    for low, high in ((0.5, 0.6), (0.6, 0.75), (0.75, 0.9), (0.9, 0.97), (0.97, 1.001)):
        is_in_bin = (sureness >= low) & (sureness < high)
        if is_in_bin.any():
            print(
                f"{low:.2f} to {min(high, 1):.2f} | {is_in_bin.sum():,} | {sureness[is_in_bin].mean():.1%} |"
                f" {is_letter_right[is_in_bin].mean():.1%}"
            )


if __name__ == "__main__":
    main()
