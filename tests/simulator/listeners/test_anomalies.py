"""Anomalous listeners: who they are, what their episodes look like, and that nobody else changes."""

import math
from datetime import timedelta

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from etl.errors import ActionNeededError
from simulator.listeners import simulation as simulation_module
from simulator.listeners.anomalies import ANOMALY_KINDS
from simulator.listeners.habits import PLANS
from simulator.listeners.homes import HOMES
from simulator.listeners.simulation import Simulation
from simulator.listeners.timeline import FREE_SKIPS_PER_HOUR, HOUR_MS
from tests.simulator.listeners.small_library import START, make_simulation, simulate_rows, sort_rows

USERS, SHARE = 1500, 0.1


@pytest.fixture(scope="module")
def simulation() -> Simulation:
    return make_simulation(USERS, 8, anomalous_share=SHARE)


@pytest.fixture(scope="module")
def rows(simulation: Simulation) -> pd.DataFrame:
    return simulate_rows(simulation)


@pytest.fixture(scope="module")
def episodes(simulation: Simulation) -> pd.DataFrame:
    return list_episodes(simulation)


def list_episodes(simulation: Simulation) -> pd.DataFrame:
    blocks = list(range(math.ceil(simulation.parameters.users / 10_000)))
    batches = simulation.make_episode_batches([pa.RecordBatch.from_pydict({"id": blocks})])
    frame = pd.concat([batch.to_pandas() for batch in batches])
    return frame.assign(
        number=frame["user_id"].str.rsplit("-", n=1).str[1].astype(int),
        start=frame["started_at"].astype("int64") // 1000,
        end=frame["ended_at"].astype("int64") // 1000,
    )


@pytest.fixture(scope="module")
def plays_by_kind(rows: pd.DataFrame, episodes: pd.DataFrame) -> dict[str, list[pd.DataFrame]]:
    """Return the plays of each episode that ends within the simulated interval, by kind."""
    by_number = dict(list(rows[rows["activity"] == "PLAY"].groupby("number")))
    selected: dict[str, list[pd.DataFrame]] = {kind: [] for kind in ANOMALY_KINDS}
    for episode in episodes[episodes["end"] < rows["at"].max()].itertuples():
        own = by_number[episode.number]
        selected[episode.kind].append(own[own["at"].between(episode.start, episode.end)])
    return selected


def test_a_share_of_listeners_has_one_kind_each(simulation: Simulation, episodes: pd.DataFrame) -> None:
    kinds_by_user = episodes.groupby("user_id")["kind"].nunique()
    assert (kinds_by_user == 1).all()
    assert set(episodes["kind"]) == set(ANOMALY_KINDS)
    listeners = simulation.make_listeners(0, USERS)
    drawn = simulation._draw_kinds(listeners) >= 0
    assert drawn.mean() == pytest.approx(SHARE, abs=0.005)
    assert set(episodes["number"]) <= set(np.flatnonzero(drawn))


def test_other_listeners_do_what_they_do_without_anomalies(simulation: Simulation, rows: pd.DataFrame) -> None:
    ordinary = simulate_rows(make_simulation(USERS, 8))
    anomalous = np.flatnonzero(simulation._draw_kinds(simulation.make_listeners(0, USERS)) >= 0)
    others = rows[~rows["number"].isin(anomalous)].reset_index(drop=True)
    pd.testing.assert_frame_equal(others, ordinary[~ordinary["number"].isin(anomalous)].reset_index(drop=True))
    assert rows["code"].is_unique and len(others) > len(rows) / 2


def test_users_keep_their_ids_and_a_larger_share_adds_listeners(episodes: pd.DataFrame) -> None:
    assert make_simulation(10).population_id == make_simulation(10, anomalous_share=0.5).population_id
    more = list_episodes(make_simulation(USERS, 8, anomalous_share=3 * SHARE))
    assert set(map(tuple, episodes[["user_id", "kind", "start"]].to_numpy())) < set(
        map(tuple, more[["user_id", "kind", "start"]].to_numpy())
    )


def test_chunks_and_intervals_change_nothing(
    rows: pd.DataFrame, episodes: pd.DataFrame, monkeypatch: pytest.MonkeyPatch
) -> None:
    longer = list_episodes(make_simulation(USERS, 20, START - timedelta(days=6), anomalous_share=SHARE))
    is_within = longer["start"].between(START.timestamp() * 1000, (START.timestamp() + 8 * 86_400) * 1000 - 1)
    assert len(longer) > is_within.sum() == len(episodes)
    assert set(longer.loc[is_within, "start"]) == set(episodes["start"])
    monkeypatch.setattr(simulation_module, "_ROWS_PER_CHUNK", 3000)
    monkeypatch.setattr(simulation_module, "_LONGEST_CHUNK_DAYS", 4)
    few = simulate_rows(make_simulation(200, 8, anomalous_share=SHARE))
    pd.testing.assert_frame_equal(sort_rows(few), sort_rows(rows[rows["number"] < 200]))


def test_nothing_else_happens_during_an_episode(plays_by_kind: dict[str, list[pd.DataFrame]]) -> None:
    for kind in ("short_play_runs", "shared_track_set", "skips_beyond_plan", "sudden_change", "impossible_travel"):
        for plays in plays_by_kind[kind]:
            assert (plays["at"].to_numpy()[1:] >= plays["ends"].to_numpy()[:-1]).all(), kind


def test_each_kind_shows_in_its_episodes(rows: pd.DataFrame, plays_by_kind: dict[str, list[pd.DataFrame]]) -> None:
    assert all(plays_by_kind.values())
    skips = rows[rows["activity"] == "SKIP"]
    for plays in plays_by_kind["skips_beyond_plan"]:
        start, end = plays["at"].min(), plays["ends"].max()
        own_skips = skips[(skips["number"] == plays["number"].iloc[0]) & skips["at"].between(start, end)]
        assert len(own_skips) > FREE_SKIPS_PER_HOUR and end - start <= HOUR_MS
        assert set(plays["plan"]) == {PLANS.index("free")}
    for plays in plays_by_kind["impossible_volume"]:
        assert plays["ms_played"].sum() > 1.2 * 2 * HOUR_MS
    for plays in plays_by_kind["overlapping_plays"]:
        assert (plays["at"].to_numpy()[1:] < plays["ends"].to_numpy()[:-1]).sum() >= 2
    for plays in plays_by_kind["impossible_travel"]:
        assert len({HOMES[home].country for home in plays["home"]}) == 2
    for plays in plays_by_kind["short_play_runs"]:
        assert len(plays) >= 12 and plays["ms_played"].between(30_000, 35_000).all()
    for plays in plays_by_kind["sudden_change"]:
        assert plays["ms_played"].sum() > 10 * HOUR_MS
    rings = [frozenset(plays["track"]) for plays in plays_by_kind["shared_track_set"]]
    assert len(rings) > 5 and max(map(len, rings)) <= 18
    assert all(ring <= max(rings, key=len) for ring in rings), "all play the tracks of one set"


def test_lookalikes_are_no_anomalies(rows: pd.DataFrame, episodes: pd.DataFrame) -> None:
    with_lookalikes = make_simulation(USERS, 8, anomalous_share=SHARE, lookalike_share=0.1)
    pd.testing.assert_frame_equal(list_episodes(with_lookalikes), episodes)
    added = simulate_rows(with_lookalikes).merge(rows, how="left", indicator=True).query("_merge == 'left_only'")
    assert len(added) > 1000 and not set(added["number"]) & set(episodes["number"])


def test_a_fraction_beyond_one_is_refused() -> None:
    with pytest.raises(ActionNeededError, match="anomalous listeners must lie between 0 and 1"):
        make_simulation(10, anomalous_share=1.5)
