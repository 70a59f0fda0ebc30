"""Unusual input: odd texts, clocks and lengths in a feed stop no load."""

import random
import string
from datetime import UTC, datetime, timedelta
from io import BytesIO
from pathlib import Path
from typing import Any

import fastavro
import pytest

from etl.formats.avro.blocks import encode_block
from etl.formats.avro.container_files import read_header
from etl.formats.avro.salvage import UNREACHABLE_REASON
from etl.formats.contracts.avro import load_contract
from etl.settings import Settings, read_settings
from tests.jobs.test_events import fetch_row_counts, load_events, make_event, receive_feed
from tests.load.star_frames import select_rows

pytestmark = [pytest.mark.timeout(300), pytest.mark.usefixtures("one_session")]

LONG = "".join(random.Random(1).choices(string.ascii_letters, k=10_000))
QUOTED = 'O\'Brien "x" \\ {,} %s :name \t🎧 Ünï'
NEW_ZONE = "America/Coyhaique"
"""A timezone of 2025, which Java 17 does not have."""


@pytest.fixture
def settings(tmp_path: Path, warehouse_url: str) -> Settings:
    return read_settings({"STATE_DIR": str(tmp_path), "WAREHOUSE_URL": warehouse_url})


def make_event_at(timestamp: str, zone: str | None = None, **values: Any) -> dict[str, Any]:
    instant = datetime.fromisoformat(timestamp).replace(tzinfo=UTC)
    ends = instant + timedelta(seconds=1)
    return make_event(eventTime=instant, startTime=instant, endTime=ends, timezone=zone, **values)


def make_context(**values: Any) -> dict[str, Any]:
    names = ("platform", "reasonStart", "reasonEnd", "isShuffle", "isOffline", "isIncognito")
    return dict.fromkeys(names) | values


CLOCKS = {
    ("2026-10-31 23:59:59.999", "Asia/Tokyo"): ("2026_10", "2026-11-01 08:59:59.999", 20261101, 20261031),
    ("2026-11-01 00:00:00", "America/New_York"): ("2026_11", "2026-10-31 20:00:00", 20261031, 20261101),
    ("2026-10-25 00:30:00", "Europe/Berlin"): ("2026_10", "2026-10-25 02:30:00", 20261025, 20261025),
    ("2026-10-25 01:30:00", "Europe/Berlin"): ("2026_10", "2026-10-25 02:30:00", 20261025, 20261025),
    ("2026-03-29 00:59:59.999", "Europe/Berlin"): ("2026_03", "2026-03-29 01:59:59.999", 20260329, 20260329),
    ("2026-03-29 01:00:00", "Europe/Berlin"): ("2026_03", "2026-03-29 03:00:00", 20260329, 20260329),
    ("2025-12-31 23:59:59.999", "Pacific/Kiritimati"): ("2025_12", "2026-01-01 13:59:59.999", 20260101, 20251231),
    ("2026-11-02 12:00:00", "Mars/Olympus"): ("2026_11", "2026-11-02 12:00:00", 20261102, 20261102),
}


def test_each_event_has_the_day_of_its_listener_and_the_month_of_its_moment(settings: Settings) -> None:
    receive_feed(settings, "f1", [make_event_at(*clock) for clock in CLOCKS])
    assert load_events(settings, "r1") == {"fact_event": len(CLOCKS)}
    rows = select_rows(
        settings.warehouse_url,
        "select event_time, right(tableoid::regclass::text, 7) as month, local_time::text, date_key, utc_date_key"
        " from warehouse.fact_event",
    )
    expected = {
        datetime.fromisoformat(timestamp).replace(tzinfo=UTC): local_clock
        for (timestamp, _), local_clock in CLOCKS.items()
    }
    assert {row.pop("event_time"): tuple(row.values()) for row in rows} == expected


def test_what_had_not_happened_when_a_file_came_in_is_refused_whatever_came_in_later(settings: Settings) -> None:
    timestamps = ("2026-11-21 23:00:00", "2026-11-23 00:00:00")
    receive_feed(settings, "f1", [make_event_at(timestamp) for timestamp in timestamps])
    receive_feed(settings, "f2", [make_event_at(timestamps[1], user="u2")], received_at="2026-11-24T00:00:00+00:00")
    assert load_events(settings, "r1") == {"fact_event": 2}
    rejected = select_rows(settings.warehouse_url, "select input_id, reason from audit.rejected_row")
    assert rejected == [{"input_id": "f1", "reason": "eventTime is an impossible time"}]


def test_odd_texts_are_kept_and_stop_nothing(settings: Settings) -> None:
    odd = [
        make_event(0, user=QUOTED, song=LONG, songId="s1", artist=LONG, artistId="a1"),
        make_event(1, song="N\u0000ul", songId="s2", artist="\u0000", artistId="a2"),
        make_event(2, songId=None, artistId=None, song=LONG, artist=QUOTED),
        make_event(3, context=make_context(platform="", reasonStart="x")),
        make_event(4, context=make_context(platform=None, reasonStart="x")),
        make_event(5, context=make_context(platform="i\u0000os", reasonEnd="\u0000"), subscriptionType="fr\u0000ee"),
        make_event(6, context=make_context(platform=" ")),
        make_event(7, timezone=NEW_ZONE),
        make_event(8, userLocation="🎧", country="de", timezone="Europe/Berlin\u0000"),
    ]
    rejected = [
        make_event(9, context=make_context(platform=LONG)),
        make_event(10, subscriptionType=LONG),
        make_event(11, user="u\u0000"),
        make_event(12, endTime=odd[0]["startTime"] + timedelta(days=60)),
        make_event(13, user="unknown"),
    ]
    receive_feed(settings, "f1", odd + rejected)
    assert load_events(settings, "r1") == {"fact_event": len(odd)}
    assert fetch_row_counts(settings) == {"f1": (len(odd + rejected), len(odd), 0, len(rejected))}
    (named,) = select_rows(
        settings.warehouse_url,
        """
        select length(t.name) as title, length(a.name) as artist
        from warehouse.fact_event as e
        join warehouse.dim_user as u using (user_key)
        join warehouse.dim_track as t using (track_key)
        join warehouse.dim_artist as a using (artist_key)
        where u.user_id = :user
        """,
        user=QUOTED,
    )
    assert named == {"title": 10_000, "artist": 10_000}
    platforms = select_rows(
        settings.warehouse_url, "select platform from warehouse.dim_play_context where context_key > 0"
    )
    assert {row["platform"] for row in platforms} == {None, "i\ufffdos"}


def test_bytes_that_are_no_text_stop_nothing(settings: Settings) -> None:
    names = {"song": "BAD", "songId": "idBAD", "artist": "BAD", "artistId": "aBAD", "subscriptionType": "BAD"}
    received = receive_feed(settings, "f1", [make_event(0), make_event(1, **names), make_event(2, user="BAD")])
    (path,) = Path(received.url.removeprefix("file://")).glob("*.avro")
    path.write_bytes(path.read_bytes().replace(b"BAD", b"B\xff\xfe"))
    assert load_events(settings, "r1") == {"fact_event": 2}
    assert fetch_row_counts(settings) == {"f1": (3, 2, 0, 1)}
    rows = select_rows(
        settings.warehouse_url, "select track_id from warehouse.dim_track where track_key > 0 order by 1"
    )
    assert rows == [{"track_id": "idB\ufffd\ufffd"}, {"track_id": "track-A1"}]


@pytest.mark.parametrize("codec", ["null", "deflate", "snappy", "zstandard"])
def test_a_damaged_record_costs_none_before_it_and_all_are_accounted_for(settings: Settings, codec: str) -> None:
    """Load three blocks of eight records, of which the second is damaged in its sixth record."""
    target = BytesIO()
    events = [make_event(number, songId=f"track-{number:02}") for number in range(24)]
    fastavro.writer(target, load_contract("user_activity_2"), events[:8], codec=codec)
    target.seek(0)
    begin = read_header(target)
    block_contents = []
    for number in range(3):
        written = BytesIO()
        for event in events[8 * number : 8 * number + 8]:
            fastavro.schemaless_writer(written, fastavro.parse_schema(load_contract("user_activity_2")), event)
        content = written.getvalue()
        if number == 1:
            content = content.replace(b"\x10track-13", b"\xfe\x7frack-13")
        block_contents.append(encode_block(content, 8, codec, begin.marker))
    receive_feed(settings, "f1", events)
    path = Path(settings.state_dir) / "lake" / "feed" / "f1" / "part-0.avro"
    path.write_bytes(begin.content + b"".join(block_contents))
    assert load_events(settings, "r1") == {"fact_event": 21}
    assert fetch_row_counts(settings) == {"f1": (24, 21, 0, 3)}
    rejected = select_rows(
        settings.warehouse_url, "select reason, row ->> 'place' as place from audit.rejected_row order by row_number"
    )
    assert [row["place"] for row in rejected] == [f"part-0.avro, block 2, record {number}" for number in (6, 7, 8)]
    assert rejected[0]["reason"].startswith("the record cannot be read (")
    assert [row["reason"] for row in rejected[1:]] == [UNREACHABLE_REASON] * 2


def test_moments_that_no_calendar_has_stop_nothing(settings: Settings) -> None:
    last, first = 2**63 - 1, -(2**63)
    odd = [
        make_event(number + 1, **{name: extreme})
        for number, (name, extreme) in enumerate(
            (name, extreme) for name in ("eventTime", "startTime", "endTime") for extreme in (first, last)
        )
    ]
    receive_feed(settings, "f1", [make_event(0), *odd])
    born = {"userId": "u1", "updatedAt": make_event_at("2026-10-01 00:00:00")["eventTime"]}
    receive_feed(settings, "u1", [{**born, "birthdate": 2**31 - 1}, {**born, "updatedAt": last}], name="user")
    assert load_events(settings, "r1") == {"fact_event": 1}
    assert fetch_row_counts(settings) == {"f1": (7, 1, 0, 6), "u1": (2, 1, 0, 1)}


def test_odd_users_stop_nothing_and_their_clocks_are_those_that_are_known(settings: Settings) -> None:
    user_record = {
        "userId": "u1",
        "updatedAt": make_event_at("2026-10-01 00:00:00")["eventTime"],
        "country": "CL",
        "timezone": NEW_ZONE,
    }
    moved = {
        **user_record,
        "updatedAt": make_event_at("2026-11-03 00:00:00")["eventTime"],
        "timezone": "Asia/Tokyo",
        "username": LONG,
    }
    receive_feed(
        settings,
        "u1",
        [user_record, moved, {**user_record, "userId": "not applicable", "username": "N\u0000"}],
        name="user",
    )
    receive_feed(settings, "f1", [make_event_at("2026-11-02 20:00:00"), make_event_at("2026-11-03 20:00:00")])
    assert load_events(settings, "r1") == {"fact_event": 2}
    receive_feed(
        settings, "u2", [{**moved, "updatedAt": make_event_at("2026-11-02 00:00:00")["eventTime"]}], name="user"
    )
    load_events(settings, "r2")
    rows = select_rows(settings.warehouse_url, "select local_time::text from warehouse.fact_event order by event_id")
    assert [row["local_time"] for row in rows] == ["2026-11-03 05:00:00", "2026-11-04 05:00:00"]
    assert select_rows(settings.warehouse_url, "select username from warehouse.dim_user where user_key = 0") == [
        {"username": "Not applicable"}
    ]


def test_activities_and_devices_that_only_the_writer_knows_stop_nothing(settings: Settings) -> None:
    activities = (("SHARE", "CAR"), ("PLAY", "CAR"), ("PLAY", "MOBILE"))
    records = [make_event(minute, kind, deviceType=device) for minute, (kind, device) in enumerate(activities)]
    enum = {"type": "enum", "name": "Kind", "symbols": ["PLAY", "SHARE"]}
    devices = {"type": "enum", "name": "Device", "symbols": ["MOBILE", "CAR"]}
    receive_feed(
        settings, "f1", records, schema=replace_types("user_activity_1", activityType=enum, deviceType=devices)
    )
    texts = replace_types("user_activity_2", activityType=["null", "string"], deviceType="string")
    receive_feed(settings, "f2", [*records, make_event(9, activityType=None)], schema=texts)
    assert load_events(settings, "r1") == {"fact_event": 2}
    assert fetch_row_counts(settings) == {"f1": (3, 2, 0, 1), "f2": (4, 0, 2, 2)}
    reasons = select_rows(settings.warehouse_url, "select distinct reason from audit.rejected_row")
    assert reasons == [{"reason": "activityType is none that is known"}]
    rows = select_rows(settings.warehouse_url, "select device_type from warehouse.fact_event order by event_id")
    assert [row["device_type"] for row in rows] == [None, "MOBILE"]


def replace_types(name: str, **types: Any) -> dict[str, Any]:
    contract = load_contract(name)
    return contract | {
        "fields": [
            schema_field | {"type": types.get(schema_field["name"], schema_field["type"])}
            for schema_field in contract["fields"]
        ]
    }


def test_a_track_has_the_name_that_any_event_says(settings: Settings) -> None:
    receive_feed(settings, "f1", [make_event(0, song=None), make_event(1), make_event(2, artist=None, artistId=None)])
    load_events(settings, "r1")
    rows = select_rows(
        settings.warehouse_url,
        "select t.name, a.name as artist from warehouse.dim_track as t"
        " left join warehouse.bridge_track_artist using (track_key)"
        " left join warehouse.dim_artist as a using (artist_key)"
        " where track_key > 0",
    )
    assert rows == [{"name": "Name of track-A1", "artist": "X"}]
