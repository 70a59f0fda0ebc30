"""The figures of an artist are published in batches, whose differences never reveal a small or dominated group."""

import random
from collections import Counter, defaultdict
from datetime import date, timedelta
from itertools import combinations
from typing import TypeVar

import pytest
from sqlalchemy import text

from etl.database import connect, lock_warehouse
from etl.load.marts import has_changes
from tests.load.star_frames import select_rows
from tests.marts.listening import DEFINITION, fill_dimensions, insert_events, make_events, rebuild

Play = tuple[int, str, str, int]
"""Listener, week, country, recording."""

Key = TypeVar("Key")
Part = str | int
"""A week, a country or a recording."""

_DAYS = 100
_FIRST = date(2025, 12, 22)
_COUNTED = """
    select p.listener_key, date_trunc('week', p.local_date::timestamp)::date::text as week, c.country, t.recording_key,
        count(*)::integer as plays
    from mart.counted_play as p
    inner join mart.listening_context as c on c.listening_context_key = p.listening_context_key
    inner join mart.counted_track as t on t.track_key = p.track_key
    where p.artist_key = 1 and not p.is_excluded
    group by 1, 2, 3, 4
"""
_UNPUBLISHED = """
    select listener_key, week_start::text as week, country, recording_key, plays
    from audit.unpublished_play
    where artist_key = 1
"""
_SHOWN = {
    1: "select week_start::text as part, plays from audit.published_artist_week where artist_key = 1",
    2: "select country as part, plays from audit.published_artist_country where artist_key = 1",
    3: "select recording_key as part, plays from audit.published_artist_track where artist_key = 1",
}
_NAMELESS = ("-infinity", "", 0)
_LOGIN = "insert into audit.login (login_name, kind, artist_id) values ('band', 'artist', 'a1')"


def is_publishable(plays: Counter[Play]) -> bool:
    """Return whether docs/access.md permits a published number; an empty group is permitted."""
    by_listener: Counter[int] = Counter()
    for play, count in plays.items():
        by_listener[play[0]] += count
    sizes = sorted((abs(size) for size in by_listener.values() if size), reverse=True)
    return not sizes or (len(sizes) >= 5 and sum(sizes[2:]) >= 0.2 * sizes[0])


def count_plays(url: str, query: str) -> Counter[Play]:
    plays: Counter[Play] = Counter()
    for row in select_rows(url, query):
        *play, count = row.values()
        plays[tuple(play)] = count  # type: ignore[index]
    return plays


def add_plays(url: str, plays: Counter[Play]) -> None:
    """Add plays as a build does."""
    line = """
        insert into audit.unpublished_play as u (artist_key, listener_key, week_start, country, recording_key, plays)
        values (1, :listener, :week, :country, :recording, :plays)
        on conflict (artist_key, listener_key, week_start, recording_key, country) do update
        set plays = u.plays + excluded.plays
    """
    names = ("listener", "week", "country", "recording")
    lines = [dict(zip(names, play, strict=True)) | {"plays": count} for play, count in plays.items()]
    with connect(url) as connection:
        if lines:
            connection.execute(text(line), lines)
        connection.execute(text("select audit.publish_artists()"))


def fetch_shown_plays(url: str) -> dict[int, Counter[Part]]:
    """Return the plays by part, for each view."""
    return {view: Counter({row["part"]: row["plays"] for row in select_rows(url, it)}) for view, it in _SHOWN.items()}


def compute_changes(after: Counter[Key], before: Counter[Key]) -> Counter[Key]:
    difference = Counter(after)
    difference.subtract(before)
    return Counter({key: count for key, count in difference.items() if count})


def make_day(number: int, chance: random.Random) -> Counter[Play]:
    """Draw many rare listeners and one dominant one; in one of three weeks only two listen."""
    day = _FIRST + timedelta(days=number)
    week = str(day - timedelta(days=day.weekday()))
    plays: Counter[Play] = Counter()
    for user in (2, 3) if number // 7 % 3 == 2 else range(1, 26):
        for _ in range(30 if user == 1 else 1 + user % 3 if chance.random() < 2.5 / user else 0):
            country = chance.choices(["DE", "FR", "JP", "BR"], [20, 8, 2, user % 2])[0]
            plays[user, week, country, chance.choices([0, 1, 2, 3, 4], [1, 9, 9, 3, 1])[0]] += 1
    return plays


def group_plays_by_row(batch: Counter[Play], risen: Counter[Part], view: int) -> dict[Part, Counter[Play]]:
    """Return the plays behind the change of each row of a view by one batch."""
    named = set(risen) - set(_NAMELESS)
    groups: dict[Part, Counter[Play]] = defaultdict(Counter)
    for play, count in batch.items():
        groups[play[view] if play[view] in named else _NAMELESS[view - 1]][play] = count
    return groups


@pytest.mark.parametrize("seed", range(2))
def test_differences_of_a_hundred_days_tell_of_no_small_or_dominated_group(warehouse_url: str, seed: int) -> None:
    chance = random.Random(seed)
    with connect(warehouse_url) as connection:
        fill_dimensions(connection, users=25)
        connection.execute(text(_LOGIN))
    all_plays: Counter[Play] = Counter()
    before: tuple[Counter[Play], dict[int, Counter[Part]]] = (Counter(), fetch_shown_plays(warehouse_url))
    steps = []
    for number in range(_DAYS):
        plays = make_day(number, chance)
        if number == 40:  # the history of one listener, and the withdrawn plays of another
            plays.update({(2, str(_FIRST), "DE", 2): 60})
        if number == 70:
            plays.subtract({play: count for play, count in all_plays.items() if play[0] == 4})
        all_plays.update(plays)
        add_plays(warehouse_url, plays)
        published = compute_changes(all_plays, count_plays(warehouse_url, _UNPUBLISHED))
        after = (published, fetch_shown_plays(warehouse_url))
        batch = compute_changes(published, before[0])
        assert batch or after == before, "numbers have changed, though no plays were published"
        if batch:
            assert is_publishable(batch)
            steps.append({})
            for view in _SHOWN:
                risen = compute_changes(after[1][view], before[1][view])
                for part, group in group_plays_by_row(batch, risen, view).items():
                    steps[-1][view, part] = group
                    assert risen[part] == sum(group.values())
        before = after
    for first, last in combinations(range(len(steps) + 1), 2):
        differences: dict[tuple[int, Part], Counter[Play]] = defaultdict(Counter)
        for step in steps[first:last]:
            for row, group in step.items():
                differences[row].update(group)
        assert all(map(is_publishable, differences.values()))
    assert len(steps) >= 3, "a hundred days have shown nothing new"
    assert sum(before[0].values()) > 0.6 * sum(all_plays.values())
    assert {"DE", "FR"} < before[1][2].keys() and len(before[1][1]) > 6 and before[1][3].keys() > {1, 2}


def test_what_is_shown_and_what_waits_are_the_plays_that_count_however_marts_are_built(warehouse_url: str) -> None:
    with connect(warehouse_url) as connection:
        fill_dimensions(connection, users=9)
        insert_events(connection, make_events(1, users=9))
    rebuild(warehouse_url)
    with connect(warehouse_url) as connection:
        connection.execute(text(_LOGIN))
        assert not has_changes(connection, DEFINITION), (
            "the login was made beside no build: the artist is there at once"
        )
    assert len(fetch_shown_plays(warehouse_url)[1]) > 1

    def assert_counted() -> None:
        waiting = sum(count_plays(warehouse_url, _UNPUBLISHED).values())
        total = sum(count_plays(warehouse_url, _COUNTED).values())
        for view in _SHOWN:
            assert sum(fetch_shown_plays(warehouse_url)[view].values()) + waiting == total

    for step, change in enumerate(_CHANGES):
        with connect(warehouse_url) as connection:
            insert_events(connection, make_events(step + 2, users=9, size=60))
            connection.execute(text(change))
        rebuild(warehouse_url)
        assert_counted()
        waiting = count_plays(warehouse_url, _UNPUBLISHED)
        before = fetch_shown_plays(warehouse_url)
        rebuild(warehouse_url, is_from_nothing=True)
        assert (count_plays(warehouse_url, _UNPUBLISHED), fetch_shown_plays(warehouse_url)) == (waiting, before)
    assert not [play for play in waiting if play[0] == 4], "the key of a listener who is gone may become another's"


_CHANGES = (
    "select",
    "update warehouse.dim_track set recording_key = 1 where track_key = 2",
    "insert into warehouse.exclusion (kind, id) values ('user', 'u2'), ('track', 't3')",
    "delete from warehouse.exclusion; delete from warehouse.fact_event where user_key = 4;"
    " delete from warehouse.dim_user where user_key = 4",
)


def test_an_artist_whose_login_was_made_beside_a_build_is_there_after_the_next_one(warehouse_url: str) -> None:
    with connect(warehouse_url) as connection:
        fill_dimensions(connection, users=9)
        insert_events(connection, make_events(1, users=9))
    rebuild(warehouse_url)
    with lock_warehouse(warehouse_url), connect(warehouse_url) as connection:
        connection.execute(text(_LOGIN))
    assert fetch_shown_plays(warehouse_url)[1] == Counter()
    with connect(warehouse_url) as connection:
        assert has_changes(connection, DEFINITION)
    rebuild(warehouse_url)
    assert len(fetch_shown_plays(warehouse_url)[1]) > 1
    with connect(warehouse_url) as connection:
        assert not has_changes(connection, DEFINITION)
