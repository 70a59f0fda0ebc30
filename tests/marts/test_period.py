"""Any period of a user: figures and top lists, compared with a count of the events in Python."""

from collections import Counter
from collections.abc import Iterator
from datetime import date, timedelta
from random import Random
from typing import Any

import pytest

from etl.database import connect, fetch_rows
from launch import postgres
from tests.conftest import copy_database
from tests.load.star_frames import select_rows
from tests.marts.listening import StarEvent, fill_dimensions, insert_events, make_events, rebuild
from tests.marts.spoken import SPOKEN, SpokenPlay, add_albums, insert_spoken

EVENTS = make_events(3, size=1200)
PERIODS = ((1, 400), (5, 7), (4, 28), (0, 1), (20, 20), (-300, 330), (60, 5))
"""Days after FIRST and lengths in days: with all plays, with some, and with none."""

FIRST = date(2025, 12, 27)


@pytest.fixture(scope="module")
def url(embedded_server: postgres.Server, migrated_template: str) -> Iterator[str]:
    with copy_database(embedded_server, migrated_template) as url:
        with connect(url) as connection:
            fill_dimensions(connection)
            add_albums(connection)
            insert_events(connection, EVENTS)
            insert_spoken(connection, SPOKEN)
        rebuild(url)
        yield url


def count_plays(user: int, first: date, last: date) -> list[StarEvent]:
    """Return the plays of a user that count, from the first day to the last."""
    return [
        event
        for event in EVENTS
        if event.user == user
        and event.activity_type == "PLAY"
        and (event.source == "recently_played" or (event.ms_played or 0) >= 30_000)
        and first <= event.row()["local_time"].date() <= last
    ]


def count_spoken(user: int, first: date, last: date) -> list[SpokenPlay]:
    return [
        play
        for play in SPOKEN
        if play.user == user
        and play.activity_type == "PLAY"
        and play.ms_played >= 30_000
        and first <= play.local_time.date() <= last
    ]


def recording_of(play: StarEvent) -> int:
    return min(play.track, 11)


def album_of(play: StarEvent) -> int:
    return 0 if play.track in (-1, 10) else (play.track - 1) % 4 + 1


def expect_figures(user: int, first: date, last: date) -> dict[str, Any]:
    plays, spoken = count_plays(user, first, last), count_spoken(user, first, last)
    artists = {play.row()["artist_key"] for play in plays} - {-1}
    earlier = {play.row()["artist_key"] for play in count_plays(user, date.min, first - timedelta(days=1))}
    hours = Counter(play.row()["local_hour"] for play in plays)
    return {
        "minutes_played": sum(play.ms_played or 0 for play in plays) // 60_000,
        "plays": len(plays),
        "tracks": len({recording_of(play) for play in plays} - {-1}),
        "albums": len({album_of(play) for play in plays} - {0}),
        "artists": len(artists),
        "new_artists": len(artists - earlier),
        "days_with_plays": len({play.row()["local_time"].date() for play in plays}),
        "favourite_hour": min(hours, key=lambda hour: (-hours[hour], hour)) if hours else None,
        "spoken_minutes": sum(play.ms_played for play in spoken) // 60_000,
        "spoken_plays": len(spoken),
        "shows": len({play.show or play.spoken_id for play in spoken}),
    }


def list_periods() -> Iterator[tuple[date, date]]:
    for start, length in PERIODS:
        yield FIRST + timedelta(days=start), FIRST + timedelta(days=start + length)


@pytest.mark.parametrize("user", range(1, 7))
def test_figures_are_those_of_the_events(url: str, user: int) -> None:
    statement = "select * from mart.period_figures(:user, :first, :last)"
    for first, last in list_periods():
        with connect(url) as connection:
            (shown,) = fetch_rows(connection, statement, user=f"u{user}", first=first, last=last)
        assert shown == expect_figures(user, first, last), (first, last)


def rank_counts(counts: Counter[int]) -> dict[int, tuple[int, int]]:
    """Return the rank and the plays of each key."""
    ordered = sorted((key for key in counts if key > 0), key=lambda key: (-counts[key], key))
    return {key: (rank, counts[key]) for rank, key in enumerate(ordered, 1)}


@pytest.mark.parametrize(
    ("kind", "prefix", "key_of"),
    [
        ("track", "t", recording_of),
        ("album", "al", album_of),
        ("artist", "a", lambda play: play.row()["artist_key"]),
    ],
)
def test_top_lists_are_those_of_the_events(url: str, kind: str, prefix: str, key_of: Any) -> None:
    statement = (
        "select item_id, rank, plays, earlier_rank, earlier_plays"
        " from mart.period_top(:user, :first, :last, :earlier, :until) where kind = :kind"
    )
    chance = Random(5)
    for user in range(1, 7):
        first = FIRST + timedelta(days=chance.randrange(30))
        last, earlier = first + timedelta(days=9), first - timedelta(days=10)
        until = first - timedelta(days=1)
        now = rank_counts(Counter(map(key_of, count_plays(user, first, last))))
        then = rank_counts(Counter(map(key_of, count_plays(user, earlier, until))))
        expected = {(f"{prefix}{key}", *now[key], *then.get(key, (None, None))) for key in now}
        parameters = {"user": f"u{user}", "first": first, "last": last, "earlier": earlier, "until": until}
        with connect(url) as connection:
            shown = fetch_rows(connection, statement, kind=kind, **parameters)
        assert {tuple(row.values()) for row in shown} == expected


@pytest.mark.parametrize("user", range(1, 7))
def test_genres_are_those_of_the_plays_whichever_months_a_period_cuts(url: str, user: int) -> None:
    shown = "select genre_key, play_millionths, ms_millionths from mart.period_genre(:user, :first, :last)"
    counted = (
        "select g.genre_key, sum(g.weight_millionths)::bigint as play_millionths,"
        " sum(p.ms_played::bigint * g.weight_millionths)::bigint as ms_millionths"
        " from mart.period_play(:user, :first, :last) as p"
        " inner join mart.counted_track_genre as g on g.track_key = p.track_key group by 1"
    )
    periods = [*list_periods(), (date(2026, 1, 1), date(2026, 1, 31)), (date(2025, 12, 31), date(2026, 2, 1))]
    for first, last in periods:
        days = {"user": f"u{user}", "first": first, "last": last}
        with connect(url) as connection:
            rows, expected = (
                {tuple(row.values()) for row in fetch_rows(connection, statement, **days)}
                for statement in (shown, counted)
            )
        assert rows == expected, days
    assert expected


def test_a_calendar_year_is_wrapped(url: str) -> None:
    for kind, item in (("track", "recording_id"), ("artist", "artist_id"), ("genre", "genre")):
        wrapped = f"select user_id, rank, {item}, plays::numeric, ms_played from mart.wrapped_{kind} where year = 2026"
        period = (
            "select l.user_id, p.rank, p.item_id, p.plays, p.ms_played from mart.listener as l cross join lateral"
            f" mart.period_top(l.user_id, '2026-01-01', '2026-12-31') as p where p.kind = '{kind}'"
        )
        assert select_rows(url, f"select count(*) as rows from ({wrapped}) as w")[0]["rows"]
        for one, other in ((wrapped, period), (period, wrapped)):
            assert select_rows(url, f"({one}) except ({other})") == []


def test_shows_are_ranked_by_time_and_count_as_no_music(url: str) -> None:
    statement = (
        "select rank, item_id, name, plays, ms_played, earlier_rank"
        " from mart.period_top('u1', '2026-01-10', '2026-01-31', '2026-01-10', '2026-01-10') where kind = 'show'"
    )
    assert [tuple(row.values()) for row in select_rows(url, statement)] == [
        (1, "Moby Dick", "Moby Dick", 1, 3_600_000, 1),
        (2, "History", "History", 2, 3_500_000, 2),
        (3, "spotify:episode:9", None, 1, 30_000, None),
    ]
    kinds = select_rows(url, "select spoken_kind, count(*) as plays from mart.spoken_play group by 1 order by 1")
    assert [tuple(row.values()) for row in kinds] == [("audiobook", 1), ("podcast", 4), ("unknown", 1)]
    assert select_rows(url, "select count(*) as rows from mart.play")[0]["rows"] == len(
        [play for user in range(1, 7) for play in count_plays(user, date.min, date.max)]
    )


def test_an_excluded_user_and_an_unknown_one_have_nothing(url: str) -> None:
    with connect(url) as connection:
        connection.exec_driver_sql("insert into warehouse.exclusion (kind, id) values ('user', 'u3')")
        rows = fetch_rows(connection, "select count(*) as plays from mart.spoken_play where user_id = 'u3'")
        connection.rollback()
    assert rows == [{"plays": 0}]
    (figures,) = select_rows(url, "select * from mart.period_figures('nobody', '2020-01-01', '2030-01-01')")
    assert figures["plays"] == figures["spoken_plays"] == 0


def test_a_period_reads_the_index_alone(url: str) -> None:
    with connect(url) as connection:
        connection.exec_driver_sql("set local enable_seqscan = off; set local enable_bitmapscan = off")
        plan = fetch_rows(connection, "explain select * from mart.period_play('u1', '2026-01-01', '2026-01-31')")
    assert any("Index Only Scan using counted_play_listener_key_idx" in str(row) for row in plan)
