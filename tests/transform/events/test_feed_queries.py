"""The fields of feed records, and why a record is rejected."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pyarrow as pa
import pytest

from etl.engines.datafusion import TableSession
from etl.formats.avro.records import build_arrow_schema
from etl.formats.contracts.avro import load_contract
from etl.transform.events import feed_queries

START = datetime(2026, 11, 2, 12, tzinfo=UTC)
END = START + timedelta(seconds=180)
NOT_AFTER = datetime(2026, 11, 21, tzinfo=UTC)
ZONES = ("UTC", "Asia/Tokyo")
FIRST = datetime(2006, 4, 23, tzinfo=UTC)
TICK = timedelta(milliseconds=1)
NO_USER = "userId is missing or longer than 255 bytes"
NO_ACTIVITY = "activityType is none that is known"
NOTHING = "neither track nor artist is named"
LONG_ID = "an id is longer than 255 bytes"
LONG_CONTEXT = "context and plan are longer than 600 bytes"
FULL = dict.fromkeys(("platform", "reasonStart", "reasonEnd"), "x" * 150)

RECORD: dict[str, Any] = {
    "userId": "u1",
    "eventTime": START + timedelta(seconds=200),
    "activityType": "PLAY",
    "song": "Song",
    "songId": "t1",
    "artist": "Nova",
    "artistId": "a1",
    "startTime": START,
    "endTime": END,
    "userLocation": "DE",
}


def parse_activity(**values: Any) -> dict[str, Any]:
    return run_query("user_activity_2", feed_queries.build_event_query, {**RECORD, **values})


def parse_user(**values: Any) -> dict[str, Any]:
    return run_query("user", feed_queries.build_user_query, {"userId": "u1", "updatedAt": START, **values})


def run_query(name: str, query: Any, record: dict[str, Any]) -> dict[str, Any]:
    records = pa.Table.from_pylist([record], build_arrow_schema(load_contract(name)))
    (row,) = TableSession(records=records).collect_table(query("in", NOT_AFTER, ZONES)).to_pylist()
    return row


# Identity


def test_an_event_is_known_by_its_id_where_it_has_one() -> None:
    assert parse_activity(eventId="e1")["identity"] == "id e1"
    assert parse_activity(eventId="e1", song="Other", songId=None)["identity"] == "id e1"


def test_an_event_without_an_id_is_known_by_all_that_it_names() -> None:
    start_us = int(START.timestamp() * 1000)
    assert parse_activity(playlistId="p1")["identity"] == "\u0001".join(
        ("PLAY", str(start_us), "t1", "Song", "a1", "Nova", "p1")
    )
    alone = parse_activity()["identity"]
    assert {parse_activity(eventId=blank)["identity"] for blank in ("", " ", "\t", None)} == {alone}
    others = [
        parse_activity(activityType="SKIP"),
        parse_activity(startTime=START - TICK),
        *(parse_activity(**{name: None}) for name in ("songId", "song", "artistId", "artist")),
        parse_activity(playlistId="p1"),
    ]
    assert len({alone, *(row["identity"] for row in others)}) == 8
    # Other fields do not change the identity of an event.
    assert parse_activity(endTime=END + TICK, msPlayed=5, country="US", eventTime=END)["identity"] == alone
    # The same name in another field is another event.
    assert parse_activity(song="x", songId=None)["identity"] != parse_activity(songId="x", song=None)["identity"]


# Values


def test_a_play_happened_at_its_start_anything_else_at_its_moment() -> None:
    play, skip = parse_activity(), parse_activity(activityType="SKIP")
    assert (play["event_time"], play["started_at"], play["ended_at"]) == (START, START, END)
    assert (skip["event_time"], skip["started_at"], skip["ended_at"]) == (RECORD["eventTime"], None, None)
    assert (play["is_skipped"], skip["is_skipped"]) == (False, True)
    assert (play["ms_played"], skip["ms_played"]) == (180_000, None)
    assert parse_activity(msPlayed=5)["ms_played"] == 5
    assert parse_activity(msPlayed=0)["ms_played"] == 0


def test_values_are_taken_as_they_are() -> None:
    context = {"platform": "ios", "reasonStart": "a", "reasonEnd": "b", "isShuffle": True, "isOffline": False}
    row = parse_activity(
        context=context, playlistId="p1", deviceType="MOBILE", subscriptionType="free", timezone="Asia/Tokyo"
    )
    expected = {
        "input_id": "in",
        "source": "feed",
        "user_id": "u1",
        "activity_type": "PLAY",
        "track_id": "t1",
        "track_name": "Song",
        "artist_id": "a1",
        "artist_name": "Nova",
        "playlist_id": "p1",
        "device_type": "MOBILE",
        "platform": "ios",
        "reason_start": "a",
        "reason_end": "b",
        "is_shuffle": True,
        "is_offline": False,
        "is_incognito": None,
        "subscription_plan": "free",
        "timezone": "Asia/Tokyo",
        "country": "DE",
        "reason": None,
    }
    assert {name: row[name] for name in expected} == expected


def test_blanks_unknown_clocks_and_codes_that_are_none_are_nothing() -> None:
    row = parse_activity(songId="\t", song="\na\0b ", timezone="Mars/Olympus", country="de", userLocation="US")
    assert (row["track_id"], row["track_name"], row["timezone"], row["country"]) == (None, "a\ufffdb", None, None)
    assert parse_activity(country="JP")["country"] == "JP"
    assert parse_activity(country="JPN")["country"] is None


def test_blanks_around_an_id_are_no_part_of_it() -> None:
    row = parse_activity(userId=" u1\t", songId="t1 ", artistId="\r\na1", eventId=" e1", playlistId="\ufeffp1")
    assert [row[name] for name in ("user_id", "track_id", "artist_id", "identity", "playlist_id")] == [
        *("u1", "t1", "a1", "id e1", "p1")
    ]
    assert parse_activity(userId=f" {'u' * 255} ")["reason"] is None
    assert parse_user(userId="u1\n")["user_id"] == "u1"


def test_a_kind_of_device_that_is_not_known_is_nothing() -> None:
    kinds = ("MOBILE", "DESKTOP", "TABLET", "SMART_SPEAKER")
    assert [parse_activity(deviceType=kind)["device_type"] for kind in (*kinds, "CAR", "", None)] == [
        *kinds,
        None,
        None,
        None,
    ]
    assert parse_activity(deviceType="CAR")["reason"] is None


def test_of_a_play_without_context_nothing_is_said() -> None:
    fields = ("platform", "reason_start", "reason_end", "is_shuffle", "is_offline", "is_incognito")
    assert [parse_activity(context=None)[name] for name in fields] == [None] * len(fields)
    context = {"isShuffle": False, "isOffline": True, "isIncognito": False}
    assert [parse_activity(context=context)[name] for name in fields] == [None, None, None, False, True, False]


def test_what_is_said_of_a_user() -> None:
    row = parse_user(username="Ann", birthdate=date(1990, 5, 1), country="DE", timezone="UTC", gender=" ")
    assert (row["valid_from"], row["username"], row["birthdate"], row["country"], row["timezone"], row["gender"]) == (
        *(START, "Ann", date(1990, 5, 1), "DE", "UTC", None),
    )
    assert (row["input_id"], row["source"], row["reason"]) == ("in", "feed", None)
    assert parse_user(birthdate=date(9999, 12, 31))["birthdate"] == date(9999, 12, 31)
    assert parse_user(birthdate=date(1, 1, 1))["birthdate"] == date(1, 1, 1)


# Rejections


@pytest.mark.parametrize(
    ("values", "reason"),
    [
        *(({"userId": name}, NO_USER) for name in (None, "", " ", "\t\u00a0", "unknown", "\nunknown", "a\0", "\0")),
        ({"userId": " not applicable "}, NO_USER),
        ({"userId": "u" * 256}, NO_USER),
        *(({"userId": name}, None) for name in ("u" * 255, "unknown1", "ü" * 127)),
        ({"userId": "ü" * 128}, NO_USER),
        *(({"activityType": kind}, NO_ACTIVITY) for kind in (None, "", "SHARE", "play", "PLAY ")),
        *(({"activityType": kind}, None) for kind in ("PLAY", "PAUSE", "SKIP", "LIKE", "FOLLOW")),
        *(({name: None}, f"{name} is an impossible time") for name in ("eventTime", "startTime")),
        *(({"eventTime": moment}, "eventTime is an impossible time") for moment in (FIRST - TICK, NOT_AFTER + TICK)),
        *(({"eventTime": moment}, None) for moment in (FIRST, NOT_AFTER)),
        ({"startTime": FIRST - TICK}, "startTime is an impossible time"),
        ({"startTime": NOT_AFTER + TICK, "endTime": NOT_AFTER + 2 * TICK}, "startTime is an impossible time"),
        ({"startTime": NOT_AFTER, "endTime": NOT_AFTER}, None),
        ({"startTime": FIRST, "endTime": FIRST}, None),
        *(({"endTime": moment}, "endTime is before startTime") for moment in (None, START - TICK)),
        ({"endTime": START}, None),
        ({"msPlayed": -1}, "msPlayed is negative"),
        ({"msPlayed": 0}, None),
        ({"duration": -1}, "duration is negative"),
        ({"duration": 0}, None),
        ({"endTime": START + timedelta(milliseconds=2**31)}, "endTime is weeks after startTime"),
        ({"endTime": START + timedelta(milliseconds=2**31 - 1)}, None),
        *(
            (dict.fromkeys(("songId", "song", "artistId", "artist"), blank), NOTHING)
            for blank in (None, "", " ", "\t\ufeff")
        ),
        *(
            ({name: None for name in ("songId", "song", "artistId", "artist") if name != field}, None)
            for field in ("songId", "song", "artistId", "artist")
        ),
        ({"activityType": "FOLLOW", "artistId": None, "artist": None}, NOTHING),
        ({"activityType": "FOLLOW", "artistId": None, "artist": " ", "playlistId": "\n"}, NOTHING),
        ({"activityType": "FOLLOW", "artistId": None}, None),
        ({"activityType": "FOLLOW", "artistId": None, "artist": None, "playlistId": "p1"}, None),
        ({"songId": None, "song": None, "artistId": None, "artist": None, "playlistId": "p1"}, NOTHING),
        *(({name: "x" * 256}, LONG_ID) for name in ("songId", "artistId", "playlistId", "eventId")),
        *(({name: "x" * 255}, None) for name in ("songId", "artistId", "playlistId", "eventId")),
        ({"context": FULL, "subscriptionType": "x" * 151}, LONG_CONTEXT),
        ({"context": FULL, "subscriptionType": "x" * 150}, None),
        ({"subscriptionType": "x" * 601}, LONG_CONTEXT),
        ({"subscriptionType": "x" * 600}, None),
        ({"context": {"isShuffle": True}, "subscriptionType": "x" * 600}, None),
    ],
)
def test_a_record_is_refused_for_the_first_thing_that_is_wrong(values: dict[str, Any], reason: str | None) -> None:
    assert parse_activity(**values)["reason"] == reason


@pytest.mark.parametrize(
    ("values", "reason"),
    [
        ({"userId": "unknown"}, NO_USER),
        ({"updatedAt": FIRST - TICK}, "updatedAt is an impossible time"),
        ({"updatedAt": NOT_AFTER + TICK}, "updatedAt is an impossible time"),
        ({"updatedAt": None}, "updatedAt is an impossible time"),
        ({"updatedAt": NOT_AFTER}, None),
    ],
)
def test_a_user_is_refused(values: dict[str, Any], reason: str | None) -> None:
    assert parse_user(**values)["reason"] == reason
