"""Simulated activities are plausible, and depend only on the seed."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from simulator.listeners import activities, personalities
from simulator.listeners import simulation as simulation_module
from simulator.listeners.activities import BROKEN_KINDS, DUPLICATE, FIRST_BROKEN
from simulator.listeners.habits import DEFAULTS, DEVICES, PLANS
from simulator.listeners.homes import HOMES
from simulator.listeners.parameters import InjectedErrorRates
from simulator.listeners.simulation import Simulation
from simulator.listeners.timeline import FREE_SKIPS_PER_HOUR, HOUR_MS
from simulator.listeners.track_library import NO_RELEASE_DAY
from tests.simulator.listeners.small_library import LIBRARY, START, TRACKS, make_simulation, simulate_rows, sort_rows

_FREE = PLANS.index("free")


@pytest.fixture(scope="module")
def made() -> pd.DataFrame:
    """Return a year of few listeners, with two changes of the clocks."""
    return simulate_rows(make_simulation(40, 366, datetime(2025, 1, 10, tzinfo=UTC)))


@pytest.fixture(scope="module")
def crowd() -> pd.DataFrame:
    return simulate_rows(make_simulation(6000, 7))


def test_a_listener_is_the_same_among_few_and_many() -> None:
    few, many = simulate_rows(make_simulation(20)), simulate_rows(make_simulation(200))
    pd.testing.assert_frame_equal(sort_rows(few), sort_rows(many[many["number"] < 20]))
    assert many["number"].nunique() > 180


def test_a_listener_of_twenty_is_that_of_twenty_thousand() -> None:
    few, many = make_simulation(20), make_simulation(20_000)
    of_many = activities.to_record_batch(many.generate_rows(0)).to_pandas()  # the chunk that contains them
    of_few = activities.to_record_batch(few.generate_rows(0)).to_pandas()
    pd.testing.assert_frame_equal(sort_rows(of_few), sort_rows(of_many[of_many["number"] < 20]))
    assert few.population_id == many.population_id
    pd.testing.assert_frame_equal(
        read_user_records(few), read_user_records(many).query("userId in @read_user_records(@few).userId")
    )


def test_a_longer_interval_tells_of_the_same_users_and_of_later_changes() -> None:
    short = read_user_records(make_simulation(500))
    long = read_user_records(make_simulation(500, 400))
    end = pd.Timestamp(START + timedelta(days=3))
    pd.testing.assert_frame_equal(short, long[long["updatedAt"] < end].reset_index(drop=True))
    assert len(long) > len(short)


def read_user_records(made: Simulation) -> pd.DataFrame:
    """Return the records of a simulation's first users."""
    (first,) = made.make_user_batches([pa.RecordBatch.from_pydict({"id": [0]})])
    return first.to_pandas()


def test_a_longer_interval_extends_a_shorter_one() -> None:
    short = simulate_rows(make_simulation(60, 3))
    long = simulate_rows(make_simulation(60, 80, datetime(2026, 9, 1, tzinfo=UTC)))
    within = long[(long["at"] >= START.timestamp() * 1000) & (long["at"] < (START.timestamp() + 3 * 86400) * 1000)]
    first_play = within[within["activity"] == "PLAY"].groupby("number")["at"].min()
    # The shorter interval omits only events that belong to a play from before it.
    more = within[~within["code"].isin(short["code"])]
    pd.testing.assert_frame_equal(sort_rows(short), sort_rows(within[within["code"].isin(short["code"])]))
    assert set(more["activity"]) <= {"SKIP", "PAUSE", "LIKE", "FOLLOW"} and len(more) <= len(first_play)


def test_chunks_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = simulate_rows(make_simulation(50, 10))
    monkeypatch.setattr(simulation_module, "_ROWS_PER_CHUNK", 300)
    monkeypatch.setattr(simulation_module, "_LONGEST_CHUNK_DAYS", 4)
    small = make_simulation(50, 10)
    assert small.chunk_layout[0] > 20
    pd.testing.assert_frame_equal(sort_rows(whole), sort_rows(simulate_rows(small)))


def test_another_seed_makes_others() -> None:
    first, second = simulate_rows(make_simulation(20)), simulate_rows(make_simulation(20, seed=2))
    assert make_simulation(20).population_id != make_simulation(20, seed=2).population_id
    assert not set(first["at"]) & set(second["at"])


def test_rows_are_told_apart_by_their_code(crowd: pd.DataFrame) -> None:
    assert crowd["code"].is_unique and (crowd["code"] > 0).all()


def test_plays_of_a_listener_never_overlap(made: pd.DataFrame) -> None:
    plays = made[made["activity"] == "PLAY"].sort_values(["number", "at"])
    same = plays["number"].to_numpy()[1:] == plays["number"].to_numpy()[:-1]
    assert len(plays) > 50_000
    assert (plays["at"].to_numpy()[1:] >= plays["ends"].to_numpy()[:-1])[same].all()


def test_nothing_is_heard_longer_than_it_lasts(made: pd.DataFrame) -> None:
    plays = made[made["activity"] == "PLAY"]
    durations = LIBRARY.durations[plays["track"].to_numpy()]
    assert (plays["ms_played"] > 0).all() and (plays["ms_played"] <= durations).all()


def test_nothing_is_played_before_it_is_out(made: pd.DataFrame) -> None:
    released = LIBRARY.release_days[made["track"].to_numpy()]
    assert (released <= made["at"].to_numpy() // 86_400_000 + 1).all()


def test_a_skip_ends_a_play_of_its_track(made: pd.DataFrame) -> None:
    plays = made[made["activity"] == "PLAY"].set_index(["number", "ends", "track"])
    for activity in ("SKIP", "PAUSE", "FOLLOW"):
        ended = made[made["activity"] == activity].set_index(["number", "at", "track"])
        assert len(ended) and ended.index.isin(plays.index).all(), activity


def test_a_like_lies_within_a_play_of_its_track(made: pd.DataFrame) -> None:
    likes = made[made["activity"] == "LIKE"].sort_values("at")
    plays = made[made["activity"] == "PLAY"].sort_values("at")
    latest = pd.merge_asof(likes, plays, on="at", by=["number", "track"], suffixes=("", "_of_play"))
    assert len(likes) > 500 and (likes["playlist"] >= 0).mean() == pytest.approx(0.3, abs=0.05)
    assert (latest["at"] <= latest["ends_of_play"]).all()


def test_a_free_plan_has_an_advertisement_after_every_third_track_and_no_other_gap(made: pd.DataFrame) -> None:
    plays = made[made["activity"] == "PLAY"].sort_values("code")
    session, place = plays["code"] // 2048, plays["code"] // 8 % 256
    is_paused = plays.set_index(["number", "ends"]).index.isin(
        made[made["activity"] == "PAUSE"].set_index(["number", "at"]).index
    )
    gap = (plays["at"].shift(-1) - plays["ends"])[(session == session.shift(-1)) & ~is_paused]
    has_break = (plays["plan"] == _FREE)[gap.index] & (place[gap.index] % 3 == 2)
    assert gap[has_break].between(15_000, 31_500).all() and has_break.sum() > 1_000
    assert (gap[~has_break] <= 1_500).all() and (~has_break).sum() > 10_000


def test_a_free_plan_skips_six_times_an_hour_at_most(made: pd.DataFrame) -> None:
    skips = made[(made["activity"] == "SKIP") & (made["plan"] == _FREE)].sort_values(["number", "at"])
    back = FREE_SKIPS_PER_HOUR
    timestamps, who = skips["at"].to_numpy(), skips["number"].to_numpy()
    near = (timestamps[back:] - timestamps[:-back] <= HOUR_MS) & (who[back:] == who[:-back])
    assert len(skips) > 500 and not near.any()


def test_local_hours_hold_across_changes_of_the_clock(made: pd.DataFrame) -> None:
    """Check that the quietest hour is the same local hour throughout the year."""
    places = [n for n, home in enumerate(HOMES) if home.timezone in ("America/New_York", "Europe/Berlin")]
    plays = made[(made["activity"] == "PLAY") & made["home"].isin(places)]
    quiet = []
    for place, group in plays.groupby("home"):
        zone = ZoneInfo(HOMES[int(str(place))].timezone)
        local = pd.to_datetime(group["at"], unit="ms", utc=True).dt.tz_convert(zone)
        quiet += [local.dt.hour.isin((4, 5))[local.dt.month.isin(months)].mean() for months in ((1, 2, 12), (6, 7, 8))]
    assert quiet and max(quiet) < 0.06


def test_what_is_asked_for_is_found_in_the_rows(crowd: pd.DataFrame) -> None:
    asked = DEFAULTS.list_requested_fractions()
    plays = crowd[crowd["activity"] == "PLAY"]
    who = make_simulation(6000).make_listeners(0, 6000)
    actual = {
        "age_band": np.bincount(who.age_bands[crowd["number"]]),
        "plan": np.bincount(crowd["plan"]),
        "device": np.bincount(crowd["device"], minlength=len(DEVICES)),
        "hour": np.bincount(_compute_local_hours(plays), minlength=24),
    }
    for name, counts in actual.items():
        difference = np.abs(counts / counts.sum() - np.array(list(asked[name].values())))
        assert difference.max() < 0.02, (name, difference.round(3))
    skips = (crowd["activity"] == "SKIP").sum() / len(plays)
    assert abs(skips - asked["skip"]["skip"]) < 0.02


def _compute_local_hours(frame: pd.DataFrame) -> np.ndarray:
    hours = np.zeros(len(frame), np.int64)
    timestamps = pd.to_datetime(frame["at"], unit="ms", utc=True)
    for place in frame["home"].unique():
        is_here = (frame["home"] == place).to_numpy()
        hours[is_here] = timestamps[is_here].dt.tz_convert(HOMES[place].timezone).dt.hour
    return hours


@pytest.mark.parametrize("fraction", [0.0, 0.3, 1.0])
def test_as_many_have_a_free_plan_as_are_wanted(fraction: float) -> None:
    plays = simulate_rows(make_simulation(4000, 1, free_share=fraction))
    counted = plays.drop_duplicates("number")
    assert (counted["plan"] == _FREE).mean() == pytest.approx(fraction, abs=0.02 if 0 < fraction < 1 else 0)


def test_a_mix_says_how_often_each_personality_comes() -> None:
    def shares(**options: object) -> dict[str, float]:
        traits = make_simulation(8000, **options).make_listeners(0, 8000).traits
        return dict(pd.Series(personalities.find_codes(traits)).value_counts(normalize=True))

    assert shares() == pytest.approx(dict.fromkeys(personalities.CODES, 1 / 16), abs=0.01)
    expected = shares(mix={"ENLC": 3, "Deep Diver": 1})
    assert expected == pytest.approx({"ENLC": 0.75, "FTVU": 0.25}, abs=0.02)


def test_traits_are_continuous_and_their_middle_is_populated() -> None:
    traits = make_simulation(8000).make_listeners(0, 8000).traits
    tenths = np.stack([np.histogram(traits[:, n], bins=10, range=(0, 1))[0] for n in range(4)]) / 8000
    assert np.abs(tenths - 0.1).max() < 0.02


def test_dirt_comes_at_the_asked_rate() -> None:
    rates = InjectedErrorRates(duplicate=0.02, late=0.03, disorder=0.04, unknown_track=0.05, broken=0.03)
    clean, dirty = simulate_rows(make_simulation(800)), simulate_rows(make_simulation(800, dirt=rates))
    kinds = dirty["dirt"].value_counts()
    size = len(dirty)
    for kind, rate in ((DUPLICATE, 0.02), (2, 0.03), (3, 0.04)):
        assert kinds[kind] / size == pytest.approx(rate, rel=0.25)
    assert all(kinds[FIRST_BROKEN + way] for way in range(len(BROKEN_KINDS)))
    is_unknown = dirty["track"] >= LIBRARY.known_track_count
    assert is_unknown.mean() == pytest.approx(0.05, rel=0.25)
    assert dirty["code"].duplicated().sum() == kinds[DUPLICATE]
    assert not (np.diff(dirty[dirty["number"] == 5]["at"]) >= 0).all() or not (np.diff(dirty["code"]) >= 0).all()
    assert (clean["dirt"] == 0).all()


def test_each_trait_tells_from_plays_alone() -> None:
    made = make_simulation(600, 60)
    plays = simulate_rows(made)
    plays = plays[plays["activity"] == "PLAY"]
    plays = plays.assign(artist=_get_artists(plays["track"].to_numpy()))
    plays = plays[plays["number"].map(plays["number"].value_counts()) >= 100]
    plays = plays.assign(
        day=LIBRARY.release_days[plays["track"]],
        popularity=plays["artist"] * 37 % 101,
        month=plays["at"] // (30 * 86_400_000),
    )
    by_month = plays.groupby(["number", "month"])
    by_track = plays.groupby(["number", "month", "track"]).size()
    most_played = by_track.groupby(["number", "month"]).apply(lambda counts: counts.nlargest(10).sum() / counts.sum())
    statistics = pd.DataFrame(
        {
            "exploration": (by_month["artist"].nunique() / by_month.size() ** 0.5).groupby("number").mean(),
            "newness": plays[plays["day"] != NO_RELEASE_DAY].groupby("number")["day"].median(),
            "loyalty": most_played.groupby("number").mean(),
            "commonality": plays.groupby("number")["popularity"].median(),
        }
    )
    traits = made.make_listeners(0, 600).traits[statistics.index]
    actual = [np.corrcoef(traits[:, n], statistics.iloc[:, n].rank())[0, 1] for n in range(4)]
    assert min(actual) > 0.5, actual


def _get_artists(places: np.ndarray) -> np.ndarray:
    return TRACKS["artist_id"].str[1:].where(TRACKS["artist_id"].str[0] == "A", "0").astype(int).to_numpy()[places]
