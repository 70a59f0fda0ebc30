"""Personalities are recovered from plays alone, and only from a sufficient number of plays."""

import re
from collections.abc import Callable
from random import Random
from typing import Any

import pandas as pd
import pytest
from sqlalchemy import Connection, text

from etl.database import connect
from etl.load.mart_files import MART_FILES
from etl.settings import CHECKOUT
from simulator.listeners.personalities import NAMES_BY_CODE
from simulator.listeners.track_library import NO_RELEASE_DAY
from tests.load.star_frames import select_rows
from tests.marts.listeners import add_plays, add_synthetic_plays, add_user, fill_catalogue
from tests.marts.listening import fetch_mart_rows, rebuild
from tests.simulator.listeners.small_library import LIBRARY

_TRAITS = ("exploration", "newness", "loyalty", "commonality")
_DATED = [index + 1 for index in range(2000) if LIBRARY.release_days[index] != NO_RELEASE_DAY]
_UNDATED = [index + 1 for index in range(2000) if LIBRARY.release_days[index] == NO_RELEASE_DAY]


@pytest.fixture
def url(warehouse_url: str) -> str:
    with connect(warehouse_url) as connection:
        fill_catalogue(connection)
    return warehouse_url


def _fetch_personalities(url: str) -> dict[str, dict[str, Any]]:
    return {str(row["user_id"]): row for row in select_rows(url, "select * from mart.user_personality")}


def _compute_personality(url: str, *plays: Callable[[Connection], None]) -> dict[str, Any]:
    """Return the row of user 1 after some plays."""
    with connect(url) as connection:
        add_user(connection, 1)
        for add_play in plays:
            add_play(connection)
    rebuild(url)
    return _fetch_personalities(url)["u1"]


def test_traits_of_made_up_listeners_are_found_again(url: str) -> None:
    with connect(url) as connection:
        truth = add_synthetic_plays(connection, users=300, days=60, seed=11)
        connection.execute(text("drop schema simulation cascade"))  # the inference cannot have read the true traits
    rebuild(url)
    personalities = pd.DataFrame(_fetch_personalities(url).values()).set_index("user_id")
    personalities = personalities[personalities["plays"] >= 200]
    truth = truth.loc[personalities.index]
    assert len(personalities) > 150
    is_middle = (truth - 0.5).abs() < 0.05
    is_right = pd.DataFrame(
        {trait: (truth[trait] >= 0.5) == (personalities[trait].astype(float) >= 0.5) for trait in _TRAITS}
    )
    by_trait = {trait: is_right[trait][~is_middle[trait]].mean() for trait in _TRAITS}
    assert min(by_trait.values()) > 0.86, by_trait
    assert is_right[~is_middle.any(axis=1)].all(axis=1).mean() > 0.72
    for trait in _TRAITS:
        assert truth[trait].corr(personalities[trait].astype(float)) > 0.9, trait
    sure = personalities["sureness"] > 0.95
    assert sure.sum() > 30 and is_right[sure].all(axis=1).mean() > 0.88


def test_too_few_plays_give_no_letters_but_say_why(url: str) -> None:
    row = _compute_personality(url, lambda connection: add_plays(connection, 1, _DATED[:49]))
    assert (row["letters"], row["name"], row["sureness"], row["loyalty"]) == (None, None, None, None)
    assert (row["plays"], row["choices"]) == (49, 49)
    assert row["what_is_missing"] == "There are too few plays outside of playlists so far (49): 50 are needed."


def test_without_release_dates_newness_alone_is_open(url: str) -> None:
    row = _compute_personality(url, lambda connection: add_plays(connection, 1, _UNDATED[:200]))
    assert (row["newness"], row["letters"], row["dated_plays"], row["plays"]) == (None, None, 0, 200)
    assert row["exploration"] > 0.8 and row["loyalty"] == 0 and row["commonality_sureness"] >= 0.5
    assert "release dates" in row["what_is_missing"]


def test_one_artist_is_familiarity_and_one_track_is_no_choice(url: str) -> None:
    def plays(connection: Connection) -> None:
        add_plays(connection, 1, _DATED[:80] * 2)
        connection.execute(text("update warehouse.fact_event set artist_key = 7"))
        add_user(connection, 2)
        add_plays(connection, 2, _DATED[:1] * 300)

    row = _compute_personality(url, plays)
    assert (row["exploration"], row["loyalty"], row["choices"]) == (0, 0, 160)
    assert row["exploration_sureness"] > 0.99 and row["letters"].startswith("F")
    one_track = _fetch_personalities(url)["u2"]
    assert (one_track["loyalty"], one_track["exploration"], one_track["letters"]) == (1, None, None)
    assert one_track["what_is_missing"] == "There are too few choices among the plays so far (1): 10 are needed."


def test_what_is_new_is_what_was_new_at_that_time(url: str) -> None:
    newest = sorted(_DATED, key=lambda track: LIBRARY.release_days[track - 1])[-150:]
    row = _compute_personality(url, lambda connection: add_plays(connection, 1, newest))
    assert row["newness"] > 0.9 and row["newness_sureness"] > 0.99


def test_playlists_and_excluded_artists_tell_nothing(url: str) -> None:
    def plays(connection: Connection) -> None:
        add_plays(connection, 1, _DATED[:100])
        add_plays(connection, 1, _DATED[100:200], first=100, playlist=1)

    assert _compute_personality(url, plays)["plays"] == 100
    with connect(url) as connection:
        statement = (
            "insert into warehouse.exclusion (kind, id)"
            " select 'track', track_id from warehouse.dim_track where track_key = :key"
        )
        connection.execute(text(statement), {"key": _DATED[0]})
    rebuild(url)
    assert _fetch_personalities(url)["u1"]["plays"] == 99
    with connect(url) as connection:
        connection.execute(text("insert into warehouse.exclusion (kind, id) values ('user', 'u1')"))
    rebuild(url)
    assert _fetch_personalities(url) == {}


def test_what_follows_is_what_stands_from_nothing(url: str) -> None:
    with connect(url) as connection:
        add_synthetic_plays(connection, users=12, days=40, seed=3)
    rebuild(url)
    first = _fetch_personalities(url)
    with connect(url) as connection:
        add_plays(connection, 1, _DATED[:300], first=7000)
    rebuild(url)
    followed = _fetch_personalities(url)
    assert {user for user in first if first[user] != followed[user]} == {"u1"}
    _assert_same_after_full_refresh(url)


def test_popularity_counts_anew_once_it_has_moved_far(url: str) -> None:
    with connect(url) as connection:
        add_synthetic_plays(connection, users=12, days=40, seed=3)
    rebuild(url)
    first = _fetch_personalities(url)
    with connect(url) as connection:
        connection.execute(text("update warehouse.dim_artist set popularity = popularity + 1 where popularity = 50"))
    _change_another_day(url)
    assert _fetch_personalities(url) == first
    with connect(url) as connection:
        connection.execute(text("update warehouse.dim_artist set popularity = 100 where popularity < 40"))
    _change_another_day(url)
    followed = _fetch_personalities(url)
    rated_users = [user for user in first if first[user]["commonality"] is not None]
    assert len(rated_users) > 5 and all(
        first[user]["commonality"] != followed[user]["commonality"] for user in rated_users
    )
    _assert_same_after_full_refresh(url)


def _change_another_day(url: str) -> None:
    """Run a build that the play of another user triggers."""
    with connect(url) as connection:
        connection.execute(text("insert into audit.changed_day (listener_key, local_date) values (12, '2026-09-01')"))
    assert not rebuild(url)


def _assert_same_after_full_refresh(url: str) -> None:
    followed = fetch_mart_rows(url)
    assert rebuild(url, is_from_nothing=True)
    anew = fetch_mart_rows(url)
    for name in ("personality_day", "personality_month", "listener_personality", "catalogue_place", "artist_place"):
        assert anew[name] and followed[name] == anew[name], name


def test_the_sixteen_are_those_that_listeners_are_made_with(url: str) -> None:
    names_by_letters = {
        str(row["letters"]): row["name"] for row in select_rows(url, "select letters, name from mart.personality")
    }
    assert names_by_letters == NAMES_BY_CODE


def test_inference_names_no_truth() -> None:
    folders = ("marts", "queries/lookup", "schema/mart", "schema/warehouse", "schema/audit")
    files = [file for folder in folders for file in (CHECKOUT / "sql" / folder).rglob("*.sql")]
    assert {"user_personality.sql", "personality_day.sql"} <= {file.name for file in files}
    assert not [file for file in files if re.search(r"\bsimulation\b", file.read_text(encoding="utf-8"))]
    assert "user_personality" in MART_FILES


def test_the_plays_that_tell_are_those_of_the_latest_months_whatever_came_late_or_is_gone(url: str) -> None:
    with connect(url) as connection:
        add_user(connection, 1)
        add_plays(connection, 1, [_DATED[n % 300] for n in range(7_000)])  # 144 a day: 4,320 of them in September
    rebuild(url)
    assert _fetch_personalities(url)["u1"]["plays"] == 2_680
    for change, plays in (
        (lambda connection: add_plays(connection, 1, _DATED[300:350], first=7_000), 2_730),
        (lambda connection: _delete_plays(connection, "event_time > timestamptz '2026-10-14'"), 4_320 + 13 * 144 + 1),
    ):
        with connect(url) as connection:
            change(connection)
        assert not rebuild(url)
        assert _fetch_personalities(url)["u1"]["plays"] == plays
        _assert_same_after_full_refresh(url)


@pytest.mark.parametrize("seed", range(3))
def test_days_tell_the_same_whatever_came_late_or_is_gone_around_them(url: str, seed: int) -> None:
    chance = Random(seed)
    with connect(url) as connection:
        for user, days in ((1, 110), (2, 110), (3, 6)):
            add_user(connection, user)
            for day in range(days):
                _insert_day(connection, chance, user, day)
    rebuild(url)
    for number in range(6):
        with connect(url) as connection:
            for user in (1, 2, 3):
                middle = chance.randrange(110)
                for day in {middle, middle + chance.randrange(4), chance.randrange(110)}:
                    _delete_plays(connection, f"user_key = {user} and local_time::date = date '2026-09-01' + {day}")
                    if chance.random() < 0.6:
                        _insert_day(connection, chance, user, day)
        assert not rebuild(url)
        if number % 2:
            _assert_same_after_full_refresh(url)


def _insert_day(connection: Connection, chance: Random, user: int, day: int) -> None:
    """Insert some plays of a day: user 1 plays few tracks, the others many; some plays are from a playlist."""
    first = day * 144 + chance.randrange(100)
    stock = _DATED[: 8 if user == 1 else 150]
    add_plays(connection, user, chance.choices(stock, k=chance.choice([0, 1, 2, 5, 20, 40])), first=first)
    add_plays(connection, user, chance.choices(stock, k=3), first=first + 40, playlist=1)


def _delete_plays(connection: Connection, condition: str) -> None:
    connection.execute(text(f"delete from warehouse.fact_event where {condition}"))
