"""Feeds from the lake to the star."""

from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import fastavro
import pytest

from etl.formats.contracts.avro import load_contract
from etl.jobs import events
from etl.load import load_frames
from etl.settings import Settings, read_settings
from etl.storage.inputs import ReceivedInput
from etl.storage.lake import Lake
from tests.load.star_frames import catalogue, local_frames, run, table

pytestmark = [pytest.mark.timeout(300), pytest.mark.usefixtures("one_session")]

FIRST = datetime(2026, 11, 2, 8, 0, tzinfo=UTC)


@pytest.fixture
def here(tmp_path: Path, warehouse_url: str) -> Settings:
    load_frames(local_frames(catalogue()), run(), warehouse_url)
    return read_settings({"STATE_DIR": str(tmp_path), "WAREHOUSE_URL": warehouse_url})


def activity(minute: float = 0, kind: str = "PLAY", user: str = "u1", **values: Any) -> dict[str, Any]:
    moment = FIRST + timedelta(minutes=minute)
    ends = moment + timedelta(seconds=180 if kind == "PLAY" else 0)
    told: dict[str, Any] = {
        "userId": user,
        "eventTime": moment,
        "activityType": kind,
        "song": "Name of track-A1",
        "songId": "track-A1",
        "genre": "pop",
        "artist": "X",
        "artistId": "artist-x",
        "duration": 180_000,
        "userLocation": "DE",
        "startTime": moment,
        "endTime": ends,
        "deviceType": "MOBILE",
    }
    return {**told, **values}


def receive(
    here: Settings,
    input_id: str,
    records: list[dict[str, Any]],
    name: str = "user_activity_2",
    files: int = 1,
    received_at: str = "2026-11-21T00:00:00+00:00",
    schema: Any = None,
) -> ReceivedInput:
    folder = Path(here.state_dir) / "lake" / "feed" / input_id
    folder.mkdir(parents=True)
    for number in range(files):
        with (folder / f"part-{number}.avro").open("wb") as file:
            fastavro.writer(file, schema or load_contract(name), records[number::files])
    known = "user" if name == "user" else "user_activity"
    received = ReceivedInput(
        input_id, "feed", input_id, known, "", "", (), len(records), 0, received_at, folder.as_uri()
    )
    return Lake(here.lake_url).inputs.store_manifest(received)


def publish(here: Settings, run_id: str) -> dict[str, int]:
    assert events.plan_events(run_id, here)
    return events.load_events(run_id, date(2026, 11, 21), here)


def accounts(here: Settings) -> dict[str, tuple[int, ...]]:
    statement = """
        select input_id, rows_in, rows_loaded, rows_duplicate, rows_rejected
        from audit.row_count
        where step = 'load_events'
    """
    return {row["input_id"]: tuple(list(row.values())[1:]) for row in table(here.warehouse_url, statement)}


def test_a_feed_becomes_events_with_their_keys(here: Settings) -> None:
    records = [
        activity(0),
        activity(3, "SKIP"),
        activity(4, "LIKE", songId="new-track", song="New", artist="Unheard", artistId="new-artist"),
        activity(5, "FOLLOW", song=None, songId=None),
        activity(6, user="u2", timezone="Asia/Tokyo", country="JP", subscriptionType="free", playlistId="list-1"),
    ]
    receive(here, "f1", records)
    assert publish(here, "r1") == {"fact_event": 5}
    found = table(
        here.warehouse_url,
        """
        select u.user_id, t.track_id, t.is_inferred as is_new, a.artist_id, p.playlist_id, c.subscription_plan as plan,
            e.activity_type, e.ms_played, e.is_skipped, e.local_time::text, e.local_hour, e.date_key, e.continent
        from warehouse.fact_event as e
        join warehouse.dim_user as u using (user_key)
        join warehouse.dim_track as t using (track_key)
        join warehouse.dim_artist as a using (artist_key)
        join warehouse.dim_playlist as p using (playlist_key)
        join warehouse.dim_play_context as c using (context_key)
        order by e.event_id
        """,
    )
    none = "not applicable"
    assert [tuple(row.values()) for row in found] == [
        (
            "u1",
            "track-A1",
            False,
            "artist-x",
            none,
            None,
            "PLAY",
            180_000,
            False,
            "2026-11-02 08:00:00",
            8,
            20261102,
            "Europe",
        ),
        (
            "u1",
            "track-A1",
            False,
            "artist-x",
            none,
            None,
            "SKIP",
            None,
            True,
            "2026-11-02 08:03:00",
            8,
            20261102,
            "Europe",
        ),
        (
            "u1",
            "new-track",
            True,
            "new-artist",
            none,
            None,
            "LIKE",
            None,
            False,
            "2026-11-02 08:04:00",
            8,
            20261102,
            "Europe",
        ),
        (
            "u1",
            none,
            False,
            "artist-x",
            none,
            None,
            "FOLLOW",
            None,
            False,
            "2026-11-02 08:05:00",
            8,
            20261102,
            "Europe",
        ),
        (
            "u2",
            "track-A1",
            False,
            "artist-x",
            "list-1",
            "free",
            "PLAY",
            180_000,
            False,
            "2026-11-02 17:06:00",
            17,
            20261102,
            "Asia",
        ),
    ]
    assert accounts(here) == {"f1": (5, 5, 0, 0)}


def test_what_is_told_twice_or_is_broken_is_counted_and_kept(here: Settings) -> None:
    good, late = activity(0), activity(60 * 24 * 40)
    broken = [activity(1, user=" "), activity(2, endTime=FIRST - timedelta(days=1)), activity(3, msPlayed=-1)]
    receive(
        here, "f1", [good, good, activity(5, eventId="e1"), activity(5, eventId="e1", genre="other"), *broken], files=2
    )
    assert publish(here, "r1") == {"fact_event": 2}
    receive(here, "f2", [good, activity(7), late, activity(0, user="u2")])
    assert publish(here, "r2") == {"fact_event": 2}
    assert accounts(here) == {"f1": (7, 2, 2, 3), "f2": (4, 2, 1, 1)}
    reasons = table(
        here.warehouse_url, "select input_id, reason from audit.rejected_row where run_id like 'r%' order by 1, 2"
    )
    assert [tuple(row.values()) for row in reasons] == [
        ("f1", "endTime is before startTime"),
        ("f1", "msPlayed is negative"),
        ("f1", "userId is missing or longer than 255 bytes"),
        ("f2", "eventTime is an impossible time"),
    ]
    assert events.plan_events("r3", here) == 0


def test_a_change_of_a_user_moves_the_events_that_it_came_too_late_for(here: Settings) -> None:
    receive(here, "f1", [activity(0), activity(60 * 24)], name="user_activity_1")
    publish(here, "r1")
    told = {"userId": "u1", "updatedAt": FIRST - timedelta(days=9), "country": "DE", "timezone": "Europe/Berlin"}
    moved = {**told, "updatedAt": FIRST + timedelta(hours=9), "country": "US", "timezone": "America/New_York"}
    receive(here, "u", [told, moved, moved], name="user")
    publish(here, "r2")
    found = table(
        here.warehouse_url,
        """
        select u.country, e.local_time::text, e.local_hour, e.date_key, u.is_inferred
        from warehouse.fact_event as e inner join warehouse.dim_user as u using (user_key) order by e.event_time
        """,
    )
    assert [tuple(row.values()) for row in found] == [
        ("DE", "2026-11-02 09:00:00", 9, 20261102, False),
        ("US", "2026-11-03 03:00:00", 3, 20261103, False),
    ]
    assert accounts(here)["u"] == (3, 2, 1, 0)


def test_months_that_are_there_take_more_and_new_ones_come_whole(here: Settings) -> None:
    receive(here, "f1", [activity(0), activity(-60 * 24 * 40)])
    assert publish(here, "r1") == {"fact_event": 2}
    receive(here, "f2", [activity(0.5), activity(-60 * 24 * 80)])
    assert publish(here, "r2") == {"fact_event": 2}
    months = table(
        here.warehouse_url,
        "select tableoid::regclass::text as part, count(*) as size from warehouse.fact_event group by 1 order by 1",
    )
    assert [tuple(row.values()) for row in months] == [
        ("warehouse.fact_event_2026_08", 1),
        ("warehouse.fact_event_2026_09", 1),
        ("warehouse.fact_event_2026_11", 2),
    ]
