"""Events get the keys of their dimension members, and the local times of their countries."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pyarrow as pa

from etl.transform.events.dimension_members import CONTEXT_COLUMNS
from etl.transform.events.facts import build_fact_batches
from tests.transform.events.parsed_rows import NOON, make_event_rows

LONG_AGO, FAR_OFF = datetime(1900, 1, 1, tzinfo=UTC), datetime(2200, 1, 1, tzinfo=UTC)
MOVED = NOON + timedelta(days=1)
KEYS: dict[str, list[dict[str, Any]]] = {
    "user": [
        {"user_id": "u1", "valid_from": LONG_AGO, "valid_to": MOVED, "home_timezone": None, "user_key": 11},
        {"user_id": "u1", "valid_from": MOVED, "valid_to": FAR_OFF, "home_timezone": "Asia/Tokyo", "user_key": 12},
        {"user_id": "u2", "valid_from": NOON, "valid_to": FAR_OFF, "home_timezone": "America/New_York", "user_key": 13},
    ],
    "artist": [{"artist_id": "a1", "artist_key": 21}, {"artist_id": "name:a", "artist_key": 22}],
    "track": [
        {"track_id": "t1", "track_key": 31, "first_artist_key": 23},
        {"track_id": "name:t", "track_key": 32, "first_artist_key": 1},
    ],
    "playlist": [{"playlist_id": "p1", "playlist_key": 41}],
    "context": [
        {**dict.fromkeys(CONTEXT_COLUMNS), "platform": "ios", "context_key": 51},
        {**dict.fromkeys(CONTEXT_COLUMNS), "is_shuffle": True, "context_key": 52},
        {**dict.fromkeys(CONTEXT_COLUMNS), "context_key": 53},
    ],
    "input": [{"input_id": "in", "input_key": 61}, {"input_id": "other", "input_key": 62}],
    "name_derived_id": [],
}
_MOMENT = pa.timestamp("us", "UTC")
_TYPES = {"valid_from": _MOMENT, "valid_to": _MOMENT, "is_shuffle": pa.bool_(), "is_offline": pa.bool_()}
_TYPES |= {"is_incognito": pa.bool_()}
_COLUMNS = {
    "user": ("user_id", "valid_from", "valid_to", "home_timezone", "user_key"),
    "artist": ("artist_id", "artist_key"),
    "track": ("track_id", "track_key", "first_artist_key"),
    "playlist": ("playlist_id", "playlist_key"),
    "context": ("context_key", *CONTEXT_COLUMNS),
    "input": ("input_id", "input_key"),
    "name_derived_id": ("track_name", "artist_name", "made_track", "made_artist"),
}
NAMED = {"track_name": "Song", "artist_name": "Nova", "made_track": "name:t", "made_artist": "name:a"}


def build_facts(*rows: dict[str, Any], table: str = "fact_event", **keys: Any) -> list[dict[str, Any]]:
    known = {name: _make_table(name, event_table) for name, event_table in {**KEYS, **keys}.items()}
    event_table = make_event_rows(*rows).drop_columns("identity")
    numbered = event_table.append_column("event_id", pa.array([bytes([number]) for number in range(len(rows))]))
    return [row for batch in build_fact_batches(numbered, known, table) for row in batch.to_pylist()]


def _make_table(name: str, rows: list[dict[str, Any]]) -> pa.Table:
    return pa.Table.from_pylist(rows, pa.schema([pa.field(column, _get_type(column)) for column in _COLUMNS[name]]))


def _get_type(column: str) -> pa.DataType:
    return _TYPES.get(column, pa.int32() if column.endswith("_key") else pa.string())


def list_values(rows: list[dict[str, Any]], *names: str) -> list[tuple[Any, ...]]:
    return [tuple(row[name] for name in names) for row in sorted(rows, key=lambda row: row["event_id"])]


def test_each_member_is_found_by_its_own_id() -> None:
    fields = {"playlist_id": "p1", "input_id": "other", "country": "JP", "ms_played": 5, "device_type": "TV"}
    (row,) = build_facts(fields)
    expected = {
        "event_id": b"\0",
        "event_time": NOON,
        "user_key": 11,
        "track_key": 31,
        "artist_key": 21,
        "playlist_key": 41,
        "context_key": 53,
        "input_key": 62,
        "continent": "Asia",
        "country": "JP",
        "ms_played": 5,
        "device_type": "TV",
        "activity_type": "PLAY",
        "source": "feed",
    }
    assert {name: row[name] for name in expected} == expected
    assert list_values(build_facts({}), "playlist_key", "continent") == [(0, None)]


def test_a_user_has_the_version_of_the_moment_and_its_clock() -> None:
    timestamps = [NOON, MOVED - timedelta(milliseconds=1), MOVED, MOVED + timedelta(days=1)]
    rows = build_facts(*({"event_time": timestamp} for timestamp in timestamps))
    assert list_values(rows, "user_key", "local_hour") == [(11, 12), (11, 11), (12, 21), (12, 21)]


def test_an_event_of_nobody_then_is_left_out() -> None:
    rows = build_facts(
        {"user_id": "u2", "event_time": NOON - timedelta(seconds=1)}, {"user_id": "u2"}, {"user_id": "u9"}
    )
    assert list_values(rows, "event_id", "user_key") == [(b"\1", 13)]


def test_times_are_those_of_the_place_else_of_home_else_utc() -> None:
    rows = build_facts(
        {"event_time": NOON.replace(hour=20), "timezone": "Asia/Tokyo"},
        {"event_time": NOON.replace(hour=20)},
        {"event_time": NOON.replace(hour=23, day=30), "user_id": "u2"},
        {"event_time": NOON.replace(hour=2), "user_id": "u2"},
        {"event_time": NOON, "timezone": "Mars/Olympus"},
        user=[*KEYS["user"][:2], {**KEYS["user"][2], "valid_from": LONG_AGO}],
    )
    assert list_values(rows, "local_time", "local_hour", "date_key", "utc_date_key", "is_home_time") == [
        (datetime(2026, 11, 3, 5), 5, 20261103, 20261102, False),
        (datetime(2026, 11, 2, 20), 20, 20261102, 20261102, True),
        (datetime(2026, 11, 30, 18), 18, 20261130, 20261130, True),
        (datetime(2026, 11, 1, 21), 21, 20261101, 20261102, True),
        (datetime(2026, 11, 2, 12), 12, 20261102, 20261102, False),
    ]


def test_a_clock_is_turned_at_its_moment() -> None:
    turn = datetime(2026, 11, 1, 6, tzinfo=UTC)  # New York sets the clock back an hour
    zone = {"timezone": "America/New_York"}
    timestamps = [turn - timedelta(milliseconds=1), turn, turn + timedelta(seconds=1)]
    rows = build_facts(*({**zone, "event_time": timestamp} for timestamp in timestamps))
    assert [hour for (hour,) in list_values(rows, "local_hour")] == [1, 1, 1]
    assert [time.minute for (time,) in list_values(rows, "local_time")] == [59, 0, 0]
    assert len(rows) == 3


def test_what_is_not_known_is_told_from_what_does_not_apply() -> None:
    nothing = {"track_id": None, "artist_id": None}
    rows = build_facts(
        {**nothing},
        {**nothing, "activity_type": "FOLLOW", "artist_id": "a1"},
        {**nothing, "activity_type": "FOLLOW", "playlist_id": "p1"},
        {**nothing, "activity_type": "LIKE", "playlist_id": "p1"},
        {"artist_id": None},
        {"artist_id": "a9", "track_id": "t9"},
        {"activity_type": "FOLLOW", "artist_id": None, "track_id": None},
    )
    assert list_values(rows, "track_key", "artist_key", "playlist_key") == [
        (-1, -1, 0),
        (0, 21, 0),
        (0, 0, 41),
        (-1, -1, 41),
        (31, 23, 0),
        (-1, -1, 0),
        (0, -1, 0),
    ]


def test_a_context_is_found_by_all_that_is_said_of_it_and_belongs_to_plays() -> None:
    rows = build_facts(
        {"platform": "ios"},
        {"platform": "ios", "is_shuffle": True},
        {"is_shuffle": True},
        {"is_shuffle": False},
        {"activity_type": "LIKE", "platform": "ios"},
        {"reason_start": "ios"},
    )
    assert list_values(rows, "context_key") == [(51,), (-1,), (52,), (-1,), (0,), (-1,)]


def test_a_skip_is_one_only_where_it_is_told() -> None:
    rows = build_facts({"is_skipped": True}, {"is_skipped": False}, {})
    assert list_values(rows, "is_skipped") == [(True,), (False,), (False,)]


def test_names_find_made_ids_where_no_id_is_told() -> None:
    named = {"track_name": "Song", "artist_name": "Nova", "track_id": None, "artist_id": None}
    rows = build_facts(
        named,
        {**named, "track_id": "t1"},
        {**named, "artist_id": "a1"},
        {**named, "track_name": "Other"},
        {**named, "artist_name": "Other"},
        {**named, "track_name": None, "activity_type": "FOLLOW"},
        {"track_name": None, "artist_name": None},
        {**named, "track_name": "Nobody's"},
        name_derived_id=[
            NAMED,
            {**NAMED, "track_name": None, "made_track": None},
            {**NAMED, "track_name": "Nobody's", "made_track": "name:n"},
        ],
        track=[*KEYS["track"], {"track_id": "name:n", "track_key": 33, "first_artist_key": -1}],
    )
    # A known track's own artist takes precedence over another artist with the name in the event.
    assert list_values(rows, "track_key", "artist_key") == [
        (32, 1),
        (31, 23),
        (32, 21),
        (-1, -1),
        (-1, -1),
        (0, 22),
        (31, 21),
        (33, 22),
    ]


def test_music_and_what_is_spoken_go_apart() -> None:
    spoken = {"spoken_id": "s1", "spoken_name": "Talk", "track_id": None, "artist_id": None}
    assert list_values(build_facts({}, spoken), "event_id") == [(b"\0",)]
    rows = build_facts({}, spoken, table="fact_spoken_event")
    assert list_values(rows, "event_id", "spoken_id", "spoken_name", "user_key") == [(b"\1", "s1", "Talk", 11)]
    assert build_facts({}, table="fact_spoken_event") == []
    assert build_facts(spoken) == []


def test_an_event_stands_once_however_many_members_are_known() -> None:
    rows = build_facts(*({"playlist_id": "p1", "country": "DE", "platform": "ios"} for _ in range(3)))
    assert list_values(rows, "event_id") == [(b"\0",), (b"\1",), (b"\2",)]
