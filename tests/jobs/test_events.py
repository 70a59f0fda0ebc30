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
from tests.load.star_frames import create_local_frames, make_catalogue, make_run, select_rows

pytestmark = [pytest.mark.timeout(300), pytest.mark.usefixtures("one_session")]

FIRST = datetime(2026, 11, 2, 8, 0, tzinfo=UTC)


@pytest.fixture
def settings(tmp_path: Path, warehouse_url: str) -> Settings:
    load_frames(create_local_frames(make_catalogue()), make_run(), warehouse_url)
    return read_settings({"STATE_DIR": str(tmp_path), "WAREHOUSE_URL": warehouse_url})


def make_event(minute: float = 0, kind: str = "PLAY", user: str = "u1", **values: Any) -> dict[str, Any]:
    started_at = FIRST + timedelta(minutes=minute)
    ends = started_at + timedelta(seconds=180 if kind == "PLAY" else 0)
    record: dict[str, Any] = {
        "userId": user,
        "eventTime": started_at,
        "activityType": kind,
        "song": "Name of track-A1",
        "songId": "track-A1",
        "genre": "pop",
        "artist": "X",
        "artistId": "artist-x",
        "duration": 180_000,
        "userLocation": "DE",
        "startTime": started_at,
        "endTime": ends,
        "deviceType": "MOBILE",
    }
    return {**record, **values}


def receive_feed(
    settings: Settings,
    input_id: str,
    records: list[dict[str, Any]],
    name: str = "user_activity_2",
    files: int = 1,
    received_at: str = "2026-11-21T00:00:00+00:00",
    schema: Any = None,
) -> ReceivedInput:
    folder = Path(settings.state_dir) / "lake" / "feed" / input_id
    folder.mkdir(parents=True)
    for number in range(files):
        with (folder / f"part-{number}.avro").open("wb") as file:
            fastavro.writer(file, schema or load_contract(name), records[number::files])
    contract_name = "user" if name == "user" else "user_activity"
    received = ReceivedInput(
        input_id, "feed", input_id, contract_name, "", "", (), len(records), 0, received_at, folder.as_uri()
    )
    return Lake(settings.lake_url).inputs.store_manifest(received)


def load_events(settings: Settings, run_id: str) -> dict[str, int]:
    assert events.plan_events(run_id, settings)
    return events.load_events(run_id, date(2026, 11, 21), settings)


def fetch_row_counts(settings: Settings) -> dict[str, tuple[int, ...]]:
    statement = """
        select input_id, rows_in, rows_loaded, rows_duplicate, rows_rejected
        from audit.row_count
        where step = 'load_events'
    """
    return {row["input_id"]: tuple(list(row.values())[1:]) for row in select_rows(settings.warehouse_url, statement)}


def test_a_feed_becomes_events_with_their_keys(settings: Settings) -> None:
    records = [
        make_event(0),
        make_event(3, "SKIP"),
        make_event(4, "LIKE", songId="new-track", song="New", artist="Unheard", artistId="new-artist"),
        make_event(5, "FOLLOW", song=None, songId=None),
        make_event(6, user="u2", timezone="Asia/Tokyo", country="JP", subscriptionType="free", playlistId="list-1"),
    ]
    receive_feed(settings, "f1", records)
    assert load_events(settings, "r1") == {"fact_event": 5}
    rows = select_rows(
        settings.warehouse_url,
        """
        select
            concat_ws(' ', u.user_id, t.track_id, t.is_inferred, a.artist_id, p.playlist_id, c.subscription_plan)
                as what,
            concat_ws(' ', e.activity_type, e.ms_played, e.is_skipped) as activity,
            concat_ws(' ', e.local_time, e.local_hour, e.date_key, e.continent) as place
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
    assert [tuple(row.values()) for row in rows] == [
        (f"u1 track-A1 f artist-x {none}", "PLAY 180000 f", "2026-11-02 08:00:00 8 20261102 Europe"),
        (f"u1 track-A1 f artist-x {none}", "SKIP t", "2026-11-02 08:03:00 8 20261102 Europe"),
        (f"u1 new-track t new-artist {none}", "LIKE f", "2026-11-02 08:04:00 8 20261102 Europe"),
        (f"u1 {none} f artist-x {none}", "FOLLOW f", "2026-11-02 08:05:00 8 20261102 Europe"),
        ("u2 track-A1 f artist-x list-1 free", "PLAY 180000 f", "2026-11-02 17:06:00 17 20261102 Asia"),
    ]
    assert fetch_row_counts(settings) == {"f1": (5, 5, 0, 0)}


def test_what_is_told_twice_or_is_broken_is_counted_and_kept(settings: Settings) -> None:
    good, late = make_event(0), make_event(60 * 24 * 40)
    broken = [make_event(1, user=" "), make_event(2, endTime=FIRST - timedelta(days=1)), make_event(3, msPlayed=-1)]
    receive_feed(
        settings,
        "f1",
        [good, good, make_event(5, eventId="e1"), make_event(5, eventId="e1", genre="other"), *broken],
        files=2,
    )
    assert load_events(settings, "r1") == {"fact_event": 2}
    receive_feed(settings, "f2", [good, make_event(7), late, make_event(0, user="u2")])
    assert load_events(settings, "r2") == {"fact_event": 2}
    assert fetch_row_counts(settings) == {"f1": (7, 2, 2, 3), "f2": (4, 2, 1, 1)}
    reasons = select_rows(
        settings.warehouse_url, "select input_id, reason from audit.rejected_row where run_id like 'r%' order by 1, 2"
    )
    assert [tuple(row.values()) for row in reasons] == [
        ("f1", "endTime is before startTime"),
        ("f1", "msPlayed is negative"),
        ("f1", "userId is missing or longer than 255 bytes"),
        ("f2", "eventTime is an impossible time"),
    ]
    assert events.plan_events("r3", settings) == 0


def test_a_change_of_a_user_moves_the_events_that_it_came_too_late_for(settings: Settings) -> None:
    receive_feed(settings, "f1", [make_event(0), make_event(60 * 24)], name="user_activity_1")
    load_events(settings, "r1")
    user_record = {"userId": "u1", "updatedAt": FIRST - timedelta(days=9), "country": "DE", "timezone": "Europe/Berlin"}
    moved = {**user_record, "updatedAt": FIRST + timedelta(hours=9), "country": "US", "timezone": "America/New_York"}
    receive_feed(settings, "u", [user_record, moved, moved], name="user")
    load_events(settings, "r2")
    rows = select_rows(
        settings.warehouse_url,
        """
        select u.country, e.local_time::text, e.local_hour, e.date_key, u.is_inferred
        from warehouse.fact_event as e inner join warehouse.dim_user as u using (user_key) order by e.event_time
        """,
    )
    assert [tuple(row.values()) for row in rows] == [
        ("DE", "2026-11-02 09:00:00", 9, 20261102, False),
        ("US", "2026-11-03 03:00:00", 3, 20261103, False),
    ]
    assert fetch_row_counts(settings)["u"] == (3, 2, 1, 0)


def test_months_that_are_there_take_more_and_new_ones_come_whole(settings: Settings) -> None:
    receive_feed(settings, "f1", [make_event(0), make_event(-60 * 24 * 40)])
    assert load_events(settings, "r1") == {"fact_event": 2}
    receive_feed(settings, "f2", [make_event(0.5), make_event(-60 * 24 * 80)])
    assert load_events(settings, "r2") == {"fact_event": 2}
    months = select_rows(
        settings.warehouse_url,
        "select tableoid::regclass::text as part, count(*) as size from warehouse.fact_event group by 1 order by 1",
    )
    assert [tuple(row.values()) for row in months] == [
        ("warehouse.fact_event_2026_08", 1),
        ("warehouse.fact_event_2026_09", 1),
        ("warehouse.fact_event_2026_11", 2),
    ]
