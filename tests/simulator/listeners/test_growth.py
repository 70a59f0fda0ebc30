"""A growing population shows each of its effects, in rows and in accounts, and depends on its seed only."""

from datetime import UTC, date, datetime, timedelta

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from etl.errors import ActionNeededError
from simulator.jobs.feed import parse_parameters
from simulator.listeners import simulation as simulation_module
from simulator.listeners.homes import HOMES
from simulator.listeners.parameters import Parameters
from simulator.listeners.simulation import Simulation
from simulator.listeners.yearly_rhythm import HOLIDAY_FACTOR, SEASON_AMPLITUDE, find_holidays
from simulator.streams.activity_tables import make_words
from simulator.streams.listener_source import ListenerSource, StreamErrors
from tests.simulator.listeners.small_library import PLAYLIST_IDS, TRACKS, make_simulation, simulate_rows, sort_rows

OPENING = date(2024, 7, 1)
START = datetime(2024, 7, 1, tzinfo=UTC)
_DAYS = 730
_HOUR_MS = 3_600_000
_FIRST_BLOCK = pa.RecordBatch.from_pydict({"id": [0]})


def make_growing(users: int, days: float = 3, start: datetime = START, since: date = OPENING) -> Simulation:
    return make_simulation(users, days, start, growing_since=since)


@pytest.fixture(scope="module")
def grown() -> Simulation:
    return make_growing(700, _DAYS)


@pytest.fixture(scope="module")
def rows(grown: Simulation) -> pd.DataFrame:
    return _simulate_session_rows(grown)


def _simulate_session_rows(made: Simulation) -> pd.DataFrame:
    """Return all rows with their listening day and a number for each session."""
    frame = simulate_rows(made)
    return frame.assign(day=frame["code"] // 2**15 % 2**16, session=frame["code"] // 2**11)


@pytest.fixture(scope="module")
def truth(grown: Simulation) -> pd.DataFrame:
    """Return the days of signing up and leaving, by number."""
    (batch,) = grown.make_truth_batches([_FIRST_BLOCK])
    frame = batch.to_pandas()
    return frame.assign(number=frame["user_id"].str.rsplit("-", n=1).str[1].astype(int)).set_index("number")


@pytest.fixture(scope="module")
def sessions(rows: pd.DataFrame) -> pd.DataFrame:
    """Return a row a session: number, day and home."""
    return rows.drop_duplicates("session")[["number", "day", "home"]]


@pytest.fixture(scope="module")
def member_days(grown: Simulation, rows: pd.DataFrame) -> pd.DataFrame:
    return _count_sessions(grown, rows)


def _count_sessions(made: Simulation, rows: pd.DataFrame) -> pd.DataFrame:
    """Return a row for each listener and day of membership: home, number of sessions, the usual number of sessions."""
    listeners, days = made.make_listeners(0, made.parameters.users), made.listening_days[1:-1]
    index, column = np.nonzero(listeners.find_members(days))
    frame = pd.DataFrame(
        {
            "number": listeners.numbers[index],
            "day": days[column],
            "home": listeners.find_homes(days)[index, column],
            "usual": listeners.sessions_per_day[index],
        }
    )
    counts = rows.groupby(["number", "day"])["session"].nunique().rename("sessions").reset_index()
    return frame.merge(counts, on=["number", "day"], how="left").fillna({"sessions": 0})


def _to_day(text: str) -> int:
    return (date.fromisoformat(text) - date(1970, 1, 1)).days


def test_listeners_sign_up_at_the_opening_and_over_four_years(rows: pd.DataFrame, truth: pd.DataFrame) -> None:
    sign_up_days = pd.to_datetime(truth["sign_up_date"]) - pd.Timestamp(OPENING)
    assert sign_up_days.min() >= timedelta(0)
    for days, fraction in ((28, 0.2), (28 + 365, 0.4), (28 + 730, 0.6), (28 + 1460, 1)):
        assert (sign_up_days < timedelta(days)).mean() == pytest.approx(fraction, abs=0.05)
    first_days = pd.to_datetime(rows.groupby("number")["day"].min(), unit="D")
    waits = first_days - pd.to_datetime(truth["sign_up_date"].loc[first_days.index])
    assert (waits >= timedelta(0)).all() and (waits <= timedelta(14)).mean() > 0.95


def test_listeners_leave_for_good(rows: pd.DataFrame, truth: pd.DataFrame) -> None:
    churn, sign_up = pd.to_datetime(truth["churn_date"]), pd.to_datetime(truth["sign_up_date"])
    for days in (365, 730):
        has_left = (churn - sign_up) <= timedelta(days)
        assert 1 - has_left.mean() == pytest.approx((1 + days / 365) ** -0.5, abs=0.05)
    last_days = pd.to_datetime(rows.groupby("number")["day"].max(), unit="D")
    left = churn.loc[last_days.index]
    has_left = left <= START.replace(tzinfo=None) + timedelta(_DAYS)
    assert has_left.sum() > 80
    assert (last_days[has_left] < left[has_left]).all()
    assert ((left - last_days)[has_left] < timedelta(14)).mean() > 0.9


def test_accounts_are_those_of_members(grown: Simulation, rows: pd.DataFrame, truth: pd.DataFrame) -> None:
    (batch,) = grown.make_user_batches([_FIRST_BLOCK])
    users = batch.to_pandas()
    users["number"] = users["userId"].str.rsplit("-", n=1).str[1].astype(int)
    first = users.drop_duplicates("number").set_index("number")
    assert set(rows["number"]) <= set(first.index)
    first_events = pd.to_datetime(rows.groupby("number")["at"].min(), unit="ms", utc=True)
    assert (first["updatedAt"].loc[first_events.index] <= first_events).all()
    local_dates = [row.updatedAt.tz_convert(row.timezone).date() for row in first.itertuples()]
    assert local_dates == truth["sign_up_date"].loc[first.index].to_list()
    sign_up_ends = pd.to_datetime(truth["sign_up_date"]).dt.tz_localize("UTC") + timedelta(days=2)
    assert set(truth.index[sign_up_ends < pd.Timestamp(grown.parameters.end)]) <= set(first.index) < set(truth.index)
    changes = users[users["number"].duplicated()]
    churn_dates = truth["churn_date"].loc[changes["number"]]
    assert len(changes) > 50
    for change, churn_date in zip(changes.itertuples(), churn_dates, strict=True):
        assert churn_date is None or change.updatedAt.tz_convert(change.timezone).date() < churn_date


def test_an_early_feed_has_no_records_of_later_sign_ups() -> None:
    """Check it without growth, too: children who are born after the interval sign up after it."""
    for made in (make_simulation(2000, 3, datetime(2010, 2, 1, tzinfo=UTC)), make_growing(300)):
        (batch,) = made.make_user_batches([_FIRST_BLOCK])
        users = batch.to_pandas()
        assert 0 < users["userId"].nunique() < made.parameters.users
        assert (users["updatedAt"] < made.parameters.end).all()


def test_winter_has_more_sessions_than_summer_in_both_hemispheres(member_days: pd.DataFrame) -> None:
    countries = member_days["home"].map(lambda home: HOMES[home].country)
    month = pd.to_datetime(member_days["day"], unit="D").dt.month
    is_january, is_july = month.isin((12, 1, 2)), month.isin((6, 7, 8))
    is_holiday = _find_holiday_flags(member_days)
    rate = member_days["sessions"] / member_days["usual"]

    def compare(is_there: pd.Series) -> float:
        is_counted = is_there & ~is_holiday
        return float(rate[is_counted & is_january].mean() / rate[is_counted & is_july].mean())

    # The mean of the cosine over a season of three months is 0.9 of its height.
    expected = (1 + 0.9 * SEASON_AMPLITUDE) / (1 - 0.9 * SEASON_AMPLITUDE)
    assert compare(countries.isin(("US", "CA", "GB", "DE", "FR", "ES", "IT", "SE"))) == pytest.approx(expected, rel=0.1)
    assert compare(countries.isin(("BR", "AR", "CL", "ZA", "AU", "NZ"))) == pytest.approx(1 / expected, rel=0.12)


def _find_holiday_flags(member_days: pd.DataFrame) -> pd.Series:
    holidays = {
        (home, (day - date(1970, 1, 1)).days)
        for home, residence in enumerate(HOMES)
        for year in (2024, 2025, 2026)
        for day in find_holidays(residence.country, year)
    }
    index = pd.MultiIndex.from_frame(member_days[["home", "day"]])
    return pd.Series(index.isin(list(holidays)), index=member_days.index)


def test_holidays_have_fewer_sessions(member_days: pd.DataFrame) -> None:
    """Compare with the same weekday a week before and after."""
    is_holiday = _find_holiday_flags(member_days)
    rate = (member_days["sessions"] / member_days["usual"]).set_axis(
        pd.MultiIndex.from_frame(member_days[["number", "day"]])
    )
    days = member_days[is_holiday]
    near = [
        rate.reindex(pd.MultiIndex.from_arrays([days["number"], days["day"] + shift])).to_numpy() for shift in (-7, 7)
    ]
    ratio = rate.to_numpy()[is_holiday].mean() / np.nanmean(np.stack(near))
    assert is_holiday.sum() > 3_000
    assert ratio == pytest.approx(HOLIDAY_FACTOR, abs=0.06)


def test_levels_drift(member_days: pd.DataFrame) -> None:
    """Check that the weeks of a listener are more alike the nearer they are, and those of a steady one are not."""

    def correlate(frame: pd.DataFrame) -> list[float]:
        # Days of all listeners together share growth, seasons and outages: a ratio to them leaves the listener's own.
        ratio = frame["sessions"] / frame["usual"] / frame.groupby("day")["sessions"].transform("mean")
        weeks = ratio.groupby([frame["number"], frame["day"] // 28]).agg(["mean", "size"])
        table = weeks["mean"][weeks["size"] == 28].unstack()
        table = table[table.notna().sum(axis=1) >= 20]
        table = table.sub(table.mean(axis=1), axis=0)
        return [float(np.corrcoef(*_pair(table, lag))[0, 1]) for lag in (1, 10)]

    near, far = correlate(member_days)
    assert near > 0.2 and near > far + 0.25, (near, far)
    steady = make_simulation(80, _DAYS, START)
    steady_near, _ = correlate(_count_sessions(steady, _simulate_session_rows(steady)))
    assert abs(steady_near) < 0.12


def _pair(table: pd.DataFrame, lag: int) -> tuple[np.ndarray, np.ndarray]:
    earlier, later = table.iloc[:, :-lag].to_numpy().ravel(), table.iloc[:, lag:].to_numpy().ravel()
    is_known = ~(np.isnan(earlier) | np.isnan(later))
    return earlier[is_known], later[is_known]


def test_outages_have_no_events(grown: Simulation, rows: pd.DataFrame) -> None:
    outages = grown.list_outages()
    assert 12 <= len(outages) <= 40  # about one a month
    per_hour = rows.groupby(rows["at"] // _HOUR_MS).size()
    hours = np.arange(per_hour.index.min(), per_hour.index.max() + 1)
    counts = per_hour.reindex(hours, fill_value=0)
    is_outage = np.zeros(len(hours), bool)
    for population, begin, end in outages:
        assert population == grown.population_id and timedelta(0) < end - begin <= timedelta(hours=6)
        first, last = (int(edge.timestamp()) * 1000 // _HOUR_MS for edge in (begin, end))
        is_outage |= (hours >= first) & (hours < last)
    assert counts[is_outage].sum() == 0
    assert (counts[~is_outage][2000:] > 0).mean() > 0.999
    plays = rows[rows["activity"] == "PLAY"]
    for _, begin, end in outages:
        assert not ((plays["at"] < end.timestamp() * 1000) & (plays["ends"] > begin.timestamp() * 1000)).any()


def test_the_audience_grows(sessions: pd.DataFrame) -> None:
    quarters = sessions.groupby((sessions["day"] - _to_day("2024-07-01")) // 91)["number"].nunique()
    assert quarters[7] > 1.5 * quarters[0] and (quarters.loc[1:7].diff().dropna() > -20).all()


def test_a_longer_interval_and_more_listeners_extend_a_feed(monkeypatch: pytest.MonkeyPatch) -> None:
    start = datetime(2025, 3, 1, tzinfo=UTC)
    short = make_growing(80, 5, start)
    expected = simulate_rows(short)
    assert len(expected) > 500
    monkeypatch.setattr(simulation_module, "_ROWS_PER_CHUNK", 2000)
    monkeypatch.setattr(simulation_module, "_LONGEST_CHUNK_DAYS", 40)
    long = make_growing(120, 100, start - timedelta(days=60))
    assert long.chunk_layout[0] > 10 and long.population_id == short.population_id
    within = simulate_rows(long).query("number < 80 and code in @expected.code")
    pd.testing.assert_frame_equal(sort_rows(expected), sort_rows(within))
    assert set(short.list_outages()) <= set(long.list_outages())
    (few,), (many,) = (made.make_user_batches([_FIRST_BLOCK]) for made in (short, long))
    known = many.to_pandas()
    number = known["userId"].str.rsplit("-", n=1).str[1].astype(int)
    is_in_both = (number < 80) & (known["updatedAt"] < short.parameters.end)
    pd.testing.assert_frame_equal(few.to_pandas(), known[is_in_both].reset_index(drop=True))


def test_a_stream_has_the_rows_of_the_feed() -> None:
    made = make_growing(300, 12, START - timedelta(days=2))
    source = ListenerSource(made, make_words(TRACKS, PLAYLIST_IDS), StreamErrors())
    streamed = np.concatenate([block.rows.code for block in source.iterate_blocks(source.first_number)])
    assert len(streamed) > 50
    assert sorted(streamed) == sorted(simulate_rows(made)["code"])


def test_anomalous_listeners_are_members_and_have_no_outages() -> None:
    made = make_simulation(300, 200, START, growing_since=OPENING, anomalous_share=0.3)
    listeners, days = made.make_listeners(0, 300), made.listening_days
    (batch,) = made.make_episode_batches([_FIRST_BLOCK])
    episodes = batch.to_pandas()
    assert len(episodes) > 500
    for _, begin, end in made.list_outages():
        assert not ((episodes["started_at"] < end) & (episodes["ended_at"] > begin)).any()
    is_member = pd.DataFrame(listeners.find_members(days), columns=days)
    numbers = episodes["user_id"].str.rsplit("-", n=1).str[1].astype(int)
    first_days = (episodes["started_at"] - timedelta(hours=18)).dt.tz_localize(None).astype("datetime64[ms]")
    day = first_days.astype("int64") // 86_400_000
    columns = np.clip(day.to_numpy()[:, None] - days[0] + np.arange(3), 0, len(days) - 1)
    assert is_member.to_numpy()[numbers.to_numpy()[:, None], columns].any(axis=1).all()


def test_growth_is_another_population() -> None:
    ids = {
        make_simulation(5).population_id,
        make_growing(5).population_id,
        make_growing(5, since=date(2024, 7, 2)).population_id,
    }
    assert len(ids) == 3
    assert make_simulation(5).list_outages() == make_simulation(5).list_holidays() == []


def test_holidays_are_those_of_the_calendar() -> None:
    assert {date(2026, 11, 26), date(2026, 5, 25), date(2026, 9, 7), date(2026, 7, 4)} <= set(find_holidays("US", 2026))
    assert {date(2026, 4, 3), date(2026, 5, 4), date(2026, 12, 26)} <= set(find_holidays("GB", 2026))
    assert {date(2027, 3, 29), date(2027, 5, 6), date(2027, 5, 17)} <= set(find_holidays("DE", 2027))
    days = make_growing(5, 40, datetime(2025, 12, 20, tzinfo=UTC)).list_holidays()
    assert ("AU", date(2026, 1, 26)) in days and len(days) == len(set(days))


def test_an_opening_has_to_be_a_day_before_the_end() -> None:
    now = datetime(2026, 10, 5, tzinfo=UTC)
    assert parse_parameters({"users": 5, "growing_since": "2025-01-01"}, now).growing_since == date(2025, 1, 1)
    assert parse_parameters({"users": 5, "growing_since": None}, now).growing_since is None
    for text, message in (
        ("soon", "is no time"),
        ("2026-10-05", "opens on 2026-10-05"),
        ("1999-01-01", "can grow since"),
    ):
        with pytest.raises(ActionNeededError, match=message):
            parse_parameters({"users": 5, "growing_since": text}, now)
    with pytest.raises(ActionNeededError, match="can grow since"):
        Parameters(1, START, START + timedelta(days=1), growing_since=date(2101, 1, 1))
