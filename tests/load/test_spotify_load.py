"""The API's responses in the star, day by day: users, playlists, popularity, and the times of requests."""

from collections.abc import Iterator
from datetime import UTC, date, datetime
from typing import Any

import pytest

from etl.load import load_frames
from launch import postgres
from tests.conftest import copy_database
from tests.load.star_frames import (
    Rows,
    create_local_frames,
    make_catalogue,
    make_run,
    select_row_locations,
    select_rows,
)

VERSIONS = """
select user_key, user_id, username, country, subscription_plan as plan, valid_from::text as since,
    valid_to::text as until, is_current
from warehouse.dim_user where user_key > 0 order by user_id, valid_from
"""
HISTORY = """
select track_id, occurrence,
    to_char(valid_from, 'YYYY-MM-DD HH24') as since,
    to_char(valid_to, 'YYYY-MM-DD HH24') as until,
    to_char(added_at, 'YYYY-MM-DD HH24') as added
from warehouse.fact_playlist_track
inner join warehouse.dim_track using (track_key)
inner join warehouse.dim_playlist using (playlist_key)
where playlist_id = :playlist_id
order by 1, 2, 3
"""
ALWAYS, FOREVER = None, None  # to_char returns NULL for infinity


@pytest.fixture(scope="module")
def loaded_template(embedded_server: postgres.Server, migrated_template: str) -> Iterator[str]:
    with copy_database(embedded_server, migrated_template) as url:
        file_rows = {
            name: rows for name, rows in make_catalogue().items() if name not in ("user_record", "refresh_state")
        }
        load_frames(create_local_frames(file_rows), make_run(), url)
        yield url.rsplit("/", 1)[1]


@pytest.fixture
def url(embedded_server: postgres.Server, loaded_template: str) -> Iterator[str]:
    """Yield a warehouse with a small catalogue from files, loaded on 1 November."""
    with copy_database(embedded_server, loaded_template) as url:
        yield url


def publish_rows(url: str, staged: Rows, run_id: str, day: int = 2) -> dict[str, int]:
    return load_frames(create_local_frames(staged), make_run(run_id, date(2026, 11, day), inputs=()), url)


def make_time(day: int, hour: int = 3, month: int = 11, year: int = 2026) -> datetime:
    return datetime(year, month, day, hour, tzinfo=UTC)


def make_user(
    day: int, plan: str | None, country: str | None = "DE", user_id: str = "a-1", username: str | None = "Ada"
) -> dict[str, Any]:
    attributes = {"username": username, "country": country, "subscription_plan": plan}
    return {"user_id": user_id, **attributes, "source": "api", "valid_from": make_time(day)}


def fetch_versions(url: str) -> list[tuple[Any, ...]]:
    return [tuple(row.values()) for row in select_rows(url, VERSIONS)]


def test_a_user_begins_where_nothing_earlier_is_known(url: str) -> None:
    written = publish_rows(
        url, {"user_record": [make_user(2, "free", user_id="b"), make_user(2, None, None, user_id="a")]}, "n1"
    )
    assert written == {"user_record": 2, "dim_user": 2}
    assert fetch_versions(url) == [
        (1, "a", "Ada", None, None, "-infinity", "infinity", True),
        (2, "b", "Ada", "DE", "free", "-infinity", "infinity", True),
    ]


def test_a_new_plan_is_a_new_version_and_a_new_name_is_not(url: str) -> None:
    publish_rows(url, {"user_record": [make_user(2, "free")]}, "n1", 2)
    publish_rows(url, {"user_record": [make_user(3, "premium", username="Ada L.")]}, "n2", 3)
    publish_rows(url, {"user_record": [make_user(4, "premium", "AT", username=None)]}, "n3", 4)
    second, third = "2026-11-03 03:00:00+00", "2026-11-04 03:00:00+00"
    assert fetch_versions(url) == [
        (1, "a-1", "Ada L.", "DE", "free", "-infinity", second, False),
        (2, "a-1", "Ada L.", "DE", "premium", second, third, False),
        (3, "a-1", "Ada L.", "AT", "premium", third, "infinity", True),
    ]


def test_what_is_not_said_keeps_what_is_known_and_what_was_not_known_is_filled_in(url: str) -> None:
    publish_rows(url, {"user_record": [make_user(2, None, None)]}, "n1", 2)
    assert publish_rows(url, {"user_record": [make_user(3, "free", "DE")]}, "n2", 3) == {
        "user_record": 1,
        "dim_user": 1,
    }
    assert publish_rows(url, {"user_record": [make_user(4, None, None, username=None)]}, "n3", 4) == {}
    assert fetch_versions(url) == [(1, "a-1", "Ada", "DE", "free", "-infinity", "infinity", True)]


def test_a_repeated_answer_changes_nothing(url: str) -> None:
    publish_rows(url, {"user_record": [make_user(2, "free")]}, "n1", 2)
    publish_rows(url, {"user_record": [make_user(4, "premium")]}, "n2", 4)
    before = select_row_locations(url)
    assert publish_rows(url, {"user_record": [make_user(4, "premium")]}, "again", 4) == {}
    assert select_row_locations(url) == before


def test_a_change_that_is_told_late_gets_its_place_between_what_was_known(url: str) -> None:
    publish_rows(url, {"user_record": [make_user(2, "free")]}, "n1", 2)
    publish_rows(url, {"user_record": [make_user(4, "premium")]}, "n2", 4)
    publish_rows(url, {"user_record": [make_user(3, "free", "AT")]}, "older", 3)
    third, fourth = "2026-11-03 03:00:00+00", "2026-11-04 03:00:00+00"
    assert fetch_versions(url) == [
        (1, "a-1", "Ada", "DE", "free", "-infinity", third, False),
        (3, "a-1", "Ada", "AT", "free", third, fourth, False),
        (2, "a-1", "Ada", "DE", "premium", fourth, "infinity", True),
    ]


def test_a_user_of_whom_only_the_id_was_known_is_completed_under_its_key(url: str) -> None:
    select_rows(
        url,
        "insert into warehouse.dim_user (user_key, user_id, source, is_inferred, valid_from)"
        " values (7, 'a-1', 'api', true, '-infinity') returning user_key",
    )
    publish_rows(url, {"user_record": [make_user(3, "free")]}, "n1")
    assert fetch_versions(url) == [(7, "a-1", "Ada", "DE", "free", "-infinity", "infinity", True)]
    assert select_rows(url, "select is_inferred from warehouse.dim_user where user_key = 7") == [{"is_inferred": False}]


def make_playlist(playlist_id: str = "list-2", snapshot_id: str = "s1", **more: Any) -> dict[str, Any]:
    attributes = {"name": "Mine", "owner_id": "ada", "snapshot_id": snapshot_id, "source": "api"}
    return {"playlist_id": playlist_id, **attributes, **more}


def make_member(
    track_id: str, added_at: datetime | None, occurrence: int = 1, playlist_id: str = "list-2"
) -> dict[str, Any]:
    return {"playlist_id": playlist_id, "track_id": track_id, "occurrence": occurrence, "added_at": added_at}


def load_playlist(
    url: str,
    day: int,
    *members: dict[str, Any],
    run_id: str = "",
    playlist_id: str = "list-2",
    seen_at: datetime | None = None,
) -> dict[str, int]:
    """Load one playlist: a snapshot that the API returned at ``seen_at``, else the list of a file."""
    staged = {
        "dim_playlist": [make_playlist(playlist_id, f"s{len(members)}")],
        "playlist_snapshot": [{"playlist_id": playlist_id, "seen_at": seen_at}] if seen_at else [],
        "fact_playlist_track": [
            {**member_row, "playlist_id": playlist_id, "seen_at": seen_at} for member_row in members
        ],
    }
    return publish_rows(url, staged, run_id or f"night {day}", day)


def fetch_history(url: str, playlist_id: str = "list-2") -> list[tuple[Any, ...]]:
    return [tuple(row.values()) for row in select_rows(url, HISTORY, playlist_id=playlist_id)]


LONG_AGO, LATER = make_time(5, 6, 1, 2020), make_time(7, 8, 3, 2020)


def test_a_playlist_that_is_new_to_us_is_as_old_as_its_dates(url: str) -> None:
    load_playlist(
        url, 2, make_member("track-A1", LONG_AGO), make_member("track-A1", LATER, 2), make_member("track-B", None)
    )
    assert fetch_history(url) == [
        ("track-A1", 1, "2020-01-05 06", FOREVER, "2020-01-05 06"),
        ("track-A1", 2, "2020-03-07 08", FOREVER, "2020-03-07 08"),
        ("track-B", 1, ALWAYS, FOREVER, None),
    ]


def test_what_is_added_after_the_answer_that_shows_it_is_there_since_the_answer(url: str) -> None:
    load_playlist(
        url,
        2,
        make_member("track-A1", make_time(2, 20)),
        make_member("track-B", make_time(2, 1)),
        seen_at=make_time(2, 3),
    )
    assert fetch_history(url) == [
        ("track-A1", 1, "2026-11-02 03", FOREVER, "2026-11-02 20"),
        ("track-B", 1, "2026-11-02 01", FOREVER, "2026-11-02 01"),
    ]


def test_three_nights_of_a_playlist(url: str) -> None:
    stays = make_member("track-A1", LONG_AGO)
    load_playlist(url, 2, stays, make_member("track-A1", LATER, 2), make_member("track-B", LATER))
    load_playlist(url, 3, stays, make_member("track-A2", make_time(2, 10)), make_member("name:00", None))
    load_playlist(url, 4, stays, make_member("track-B", make_time(3, 12)), make_member("name:00", None))
    assert fetch_history(url) == [
        ("name:00", 1, "2026-11-03 00", FOREVER, None),
        ("track-A1", 1, "2020-01-05 06", FOREVER, "2020-01-05 06"),
        ("track-A1", 2, "2020-03-07 08", "2026-11-03 00", "2020-03-07 08"),
        ("track-A2", 1, "2026-11-02 10", "2026-11-04 00", "2026-11-02 10"),
        ("track-B", 1, "2020-03-07 08", "2026-11-03 00", "2020-03-07 08"),
        ("track-B", 1, "2026-11-03 12", FOREVER, "2026-11-03 12"),
    ]


def test_a_night_that_is_loaded_again_writes_nothing(url: str) -> None:
    before_last = (make_member("track-A1", LONG_AGO), make_member("track-B", LATER))
    load_playlist(url, 2, *before_last)
    load_playlist(url, 3, make_member("track-A1", LONG_AGO))
    last = (make_member("track-A1", LONG_AGO), make_member("track-B", make_time(3, 12)))
    load_playlist(url, 4, *last)
    before = select_row_locations(url)
    assert load_playlist(url, 4, *last, run_id="night 4 again") == {}
    assert load_playlist(url, 3, *last, run_id="night 3 again, from all that is known by now") == {}
    assert select_row_locations(url) == before


def test_a_stay_does_not_begin_before_the_last_one_ended(url: str) -> None:
    load_playlist(url, 2, make_member("track-A1", LONG_AGO), make_member("track-B", LATER))
    load_playlist(url, 3, make_member("track-A1", LONG_AGO))
    load_playlist(url, 5, make_member("track-A1", LONG_AGO), make_member("track-B", LATER))
    stays = [row[2:4] for row in fetch_history(url) if row[0] == "track-B"]
    assert stays == [("2020-03-07 08", "2026-11-03 00"), ("2026-11-03 00", FOREVER)]


def test_of_a_repeated_track_one_may_go(url: str) -> None:
    load_playlist(url, 2, make_member("track-A1", LONG_AGO), make_member("track-A1", LATER, 2))
    load_playlist(url, 3, make_member("track-A1", LATER))
    assert fetch_history(url) == [
        ("track-A1", 1, "2020-01-05 06", FOREVER, "2020-03-07 08"),
        ("track-A1", 2, "2020-03-07 08", "2026-11-03 00", "2020-03-07 08"),
    ]


def test_a_playlist_of_a_file_that_the_api_then_reads_keeps_key_and_history(url: str) -> None:
    (before,) = select_rows(url, "select * from warehouse.dim_playlist where playlist_id = 'list-1'")
    load_playlist(url, 2, make_member("track-A1", LONG_AGO), make_member("track-A2", LATER), playlist_id="list-1")
    (after,) = select_rows(url, "select * from warehouse.dim_playlist where playlist_id = 'list-1'")
    attributes = {
        "name": "Mine",
        "owner_id": "ada",
        "snapshot_id": "s2",
        "source": "api",
        "genre": None,
        "subgenre": None,
    }
    assert after == {**before, **attributes}
    assert fetch_history(url, "list-1") == [
        ("track-A1", 1, ALWAYS, FOREVER, "2020-01-05 06"),
        ("track-A1", 2, ALWAYS, "2026-11-02 00", None),
        ("track-A2", 1, "2020-03-07 08", FOREVER, "2020-03-07 08"),
        ("track-B", 1, ALWAYS, "2026-11-02 00", None),
    ]


def test_an_emptied_playlist_stays_and_holds_nothing(url: str) -> None:
    load_playlist(url, 2, make_member("track-A1", LONG_AGO), seen_at=make_time(2, 0))
    load_playlist(url, 3, seen_at=make_time(3, 0))
    assert [row[3] for row in fetch_history(url)] == ["2026-11-03 00"]
    load_playlist(url, 4, make_member("track-A1", make_time(3, 9)), seen_at=make_time(4, 0))
    assert [row[2:4] for row in fetch_history(url)] == [("2020-01-05 06", "2026-11-03 00"), ("2026-11-03 09", FOREVER)]


def test_tracks_of_a_file_stay_where_the_api_names_the_playlist_and_nobody_says_what_stands_on_it(url: str) -> None:
    """Simulate development mode: another user's playlist that the newest version of the file no longer contains."""
    before = fetch_history(url, "list-1")
    assert [row[3] for row in before] == [FOREVER] * 3
    load_playlist(url, 2, playlist_id="list-1")
    assert fetch_history(url, "list-1") == before
    assert select_rows(url, "select source from warehouse.dim_playlist where playlist_id = 'list-1'") == [
        {"source": "api"}
    ]
    load_playlist(url, 3, playlist_id="list-1", seen_at=make_time(3, 0))
    assert [row[3] for row in fetch_history(url, "list-1")] == ["2026-11-03 00"] * 3


def test_what_was_asked_when_only_goes_forward(url: str) -> None:
    def make_refresh_row(kind: str, id_: str, day: int) -> dict[str, Any]:
        return {"kind": kind, "id": id_, "asked_at": make_time(day)}

    publish_rows(
        url, {"refresh_state": [make_refresh_row("track", "t1", 3), make_refresh_row("artist", "t1", 3)]}, "n1"
    )
    publish_rows(
        url,
        {
            "refresh_state": [
                make_refresh_row("track", "t1", 2),
                make_refresh_row("artist", "t1", 4),
                make_refresh_row("audio_features", "t1", 2),
            ]
        },
        "n2",
    )
    rows = select_rows(url, "select kind, id, asked_at from audit.refresh_state order by 1")
    assert rows == [
        make_refresh_row("artist", "t1", 4),
        make_refresh_row("audio_features", "t1", 2),
        make_refresh_row("track", "t1", 3),
    ]


POPULARITY = """
select date_key - 20261100 as day, popularity from warehouse.fact_track_popularity order by day
"""
ARTISTS_POPULARITY = """
select date_key - 20261100 as day, f.popularity, f.followers
from warehouse.fact_artist_popularity as f inner join warehouse.dim_artist using (artist_key) order by day
"""


def make_popularity_rows(day: int, track_popularity: int, artist_popularity: int | None, followers: int) -> Rows:
    """Return the popularity values that the API returned on a day."""
    on = {"asked_on": date(2026, 11, day)}
    return {
        "fact_track_popularity": [{"track_id": "track-A1", "popularity": track_popularity, **on}],
        "fact_artist_popularity": [
            {"artist_id": "artist-y", "popularity": artist_popularity, "followers": followers, **on},
        ],
    }


POPULARITIES = [(2, 0, 50, 0), (3, 0, 50, 0), (4, 0, None, 0), (5, 7, None, 10), (6, 0, 50, 10)]
TRACK_POPULARITIES = [{"day": day, "popularity": popularity} for day, popularity in ((2, 0), (5, 7), (6, 0))]
ARTIST_POPULARITIES = [
    {"day": day, "popularity": popularity, "followers": followers}
    for day, popularity, followers in ((2, 50, 0), (4, None, 0), (5, None, 10), (6, 50, 10))
]


def test_popularity_has_a_line_for_each_day_on_which_the_api_said_another(url: str) -> None:
    for popularity in POPULARITIES:
        publish_rows(url, make_popularity_rows(*popularity), f"day {popularity[0]}", 30)
        assert publish_rows(url, make_popularity_rows(*popularity), f"day {popularity[0]} again", 30) == {}
    assert select_rows(url, POPULARITY) == TRACK_POPULARITIES
    assert select_rows(url, ARTISTS_POPULARITY) == ARTIST_POPULARITIES
    for name in ("track", "artist"):
        assert select_rows(url, f"select distinct source from warehouse.fact_{name}_popularity") == [{"source": "api"}]


def test_days_that_come_at_once_have_the_lines_that_they_have_one_by_one(url: str) -> None:
    days = [make_popularity_rows(*popularity) for popularity in POPULARITIES]
    together = {name: [line for day in days for line in day[name]] for name in days[0]}
    publish_rows(url, make_popularity_rows(*POPULARITIES[0]), "the first day", 2)
    publish_rows(url, together, "all days", 30)
    assert select_rows(url, POPULARITY) == TRACK_POPULARITIES
    assert select_rows(url, ARTISTS_POPULARITY) == ARTIST_POPULARITIES
    assert publish_rows(url, together, "all days again", 30) == {}


def test_of_a_day_the_last_word_holds_also_where_it_is_that_of_the_day_before(url: str) -> None:
    for number, popularity in enumerate((40, 41, 40)):
        publish_rows(url, make_popularity_rows(3 if number else 2, popularity, popularity, 5), f"answer {number}", 3)
    assert select_rows(url, POPULARITY) == [{"day": 2, "popularity": 40}, {"day": 3, "popularity": 40}]
    assert [row["popularity"] for row in select_rows(url, ARTISTS_POPULARITY)] == [40, 40]


def test_what_files_say_of_popularity_has_no_day(url: str) -> None:
    rows = make_catalogue()
    rows["dim_track"][0] |= {"popularity": 61, "popularity_source": "api"}
    publish_rows(url, {name: rows[name] for name in ("dim_artist", "dim_track")}, "no day is staged", 2)
    assert select_rows(url, POPULARITY) == [] and select_rows(url, ARTISTS_POPULARITY) == []
