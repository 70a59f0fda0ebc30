"""Counted plays are actual plays, through the whole load: many listeners, each with two exports, recently played and a
feed, several ids a song, copied files, near duplicates, pauses, and another listener's import, in several orders.

PLAYS_MADE_LISTENERS=10000 sets the number of listeners; the suite draws a few.
"""

import gzip
import io
import os
import random
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from etl.extract.account_export.export_fields import STORED_FIELDS
from etl.extract.account_export.export_records import encode_record
from etl.formats.api_responses import COLUMNS, compress_lines
from etl.formats.contracts.events import EXPORT_LINE
from etl.jobs import events
from etl.settings import Settings
from etl.settings import read_settings as settings_of
from etl.storage.inputs import ReceivedInput
from etl.storage.lake import Lake
from tests.exports import make_basic_play, make_play
from tests.jobs.test_events import make_event, receive_feed
from tests.listener_plays import ActualPlay
from tests.load.star_frames import select_rows

pytestmark = [pytest.mark.timeout(3600), pytest.mark.usefixtures("one_session")]

LISTENERS = int(os.environ.get("PLAYS_MADE_LISTENERS", "40"))
SEED = 11
FIRST = datetime(2026, 3, 1, 9, tzinfo=UTC)
RECEIVED = datetime(2026, 11, 1, tzinfo=UTC)
SONGS, IDS_A_SONG = 4, 3
EXPORTS = ("extended_export", "basic_export")
SOURCES = (*EXPORTS, "recently_played", "feed")
Lines = dict[str, list[Any]]


@dataclass
class DrawnPlays:
    """The number of plays of each listener, and the records of each source about them."""

    plays_made: dict[str, int] = field(default_factory=dict)
    records: Lines = field(default_factory=lambda: {source: [] for source in SOURCES})


def draw_plays(rng: random.Random) -> DrawnPlays:
    drawn = DrawnPlays()
    for number in range(LISTENERS):
        user, at = f"listener-{number}", FIRST + timedelta(minutes=rng.randrange(60 * 24 * 60))
        drawn.plays_made[user] = 0
        for _ in range(2):
            plays = draw_session(rng, at)
            at = plays[-1].ended_at + timedelta(hours=5)
            drawn.plays_made[user] += len(plays)
            is_from_feed = rng.random() < 0.2  # plays of a simulated feed are in no other source
            sources = ["feed"] if is_from_feed else rng.sample(SOURCES[:3], rng.randint(1, 3))
            for actual in plays:
                for source in sources:
                    drawn.records[source] += REPORTS[source](user, actual, rng)
    return drawn


def draw_session(rng: random.Random, at: datetime) -> list[ActualPlay]:
    plays = []
    for _ in range(rng.randint(1, 5)):
        at += timedelta(seconds=rng.choice([1, 1, 20, 300]))  # plays that end immediately are one record
        heard, paused = rng.choice([0, 3, 30, 95, 181, 240, 600]), rng.choice([0, 0, 0, 2, 40, 600, 3600])
        song, variant = rng.randrange(SONGS), rng.randrange(IDS_A_SONG)
        plays.append(ActualPlay(song, variant, at, timedelta(seconds=heard), timedelta(seconds=paused)))
        at = plays[-1].ended_at
    return plays


def make_extended_records(user: str, actual: ActualPlay, rng: random.Random) -> list[Any]:
    def record(seconds_later: int) -> Any:
        return make_play(
            ts=f"{actual.ended_at + timedelta(seconds=seconds_later):%Y-%m-%dT%H:%M:%SZ}",
            ms_played=actual.heard // timedelta(milliseconds=1),
            spotify_track_uri=f"spotify:track:{actual.track_id}",
            master_metadata_track_name=actual.title,
            offline_timestamp=None,
        )

    is_doubled = actual.heard > timedelta(seconds=90) and rng.random() < 0.3
    copies = ["0.json", "0 (1).json"] if rng.random() < 0.3 else ["0.json"]
    return [(user, file, record(later)) for file in copies for later in ([0, rng.randint(1, 9)] if is_doubled else [0])]


def make_basic_records(user: str, actual: ActualPlay, rng: random.Random) -> list[Any]:
    ms_played = actual.heard // timedelta(milliseconds=1) + rng.randrange(999)
    record = make_basic_play(endTime=f"{actual.ended_at:%Y-%m-%d %H:%M}", trackName=actual.title, msPlayed=ms_played)
    return [(user, file, record) for file in ("0.json", "0 (1).json")]


def make_recent_records(user: str, actual: ActualPlay, rng: random.Random) -> list[Any]:
    at = actual.ended_at if rng.random() < 0.5 else actual.started_at
    track = {
        "id": actual.track_id,
        "name": actual.title,
        "type": "track",
        "artists": [{"id": "singer", "name": "Singer"}],
    }
    return [(user, {"track": track, "played_at": f"{at:%Y-%m-%dT%H:%M:%S.%fZ}"})]


def make_feed_records(user: str, actual: ActualPlay, _: random.Random) -> list[Any]:
    times = {"eventTime": actual.started_at, "startTime": actual.started_at, "endTime": actual.ended_at}
    return [make_event(user=user, songId=actual.track_id, song=actual.title, **times)]


REPORTS: dict[str, Callable[[str, ActualPlay, random.Random], list[Any]]] = {
    "extended_export": make_extended_records,
    "basic_export": make_basic_records,
    "recently_played": make_recent_records,
    "feed": make_feed_records,
}


def store_export(settings: Settings, source: str, records: Iterable[Any], input_id: str) -> None:
    """Store an input with the exports of all listeners."""
    lines = [
        {"number": number, "user_id": user, "timezone": "Europe/Berlin", "file": f"{user}/{file}"}
        | {"body": encode_record(record, STORED_FIELDS[source])}
        for number, (user, file, record) in enumerate(records, 1)
    ]
    store_lines(settings, "account_export", source, lines, input_id, tuple(EXPORT_LINE.fieldNames()))


def store_recent_plays(settings: Settings, records: Iterable[Any], input_id: str) -> None:
    by_user: dict[str, list[Any]] = {}
    for user, item in records:
        by_user.setdefault(user, []).append(item)
    common = {"asked_at": "2026-10-01T00:00:00+00:00", "status": 200, "query": {}}
    responses = [
        {"account": user, "endpoint": endpoint, "path": endpoint, "body": content} | common
        for user, items in by_user.items()
        for endpoint, content in (("me", {"id": user, "account_id": user}), ("recently_played", {"items": items}))
    ]
    lines = [{"number": number, **line} for number, line in enumerate(responses)]
    store_lines(settings, "api", "spotify_answers", lines, input_id, COLUMNS)


def store_lines(
    settings: Settings, origin: str, format_name: str, lines: list[Any], input_id: str, columns: tuple[str, ...]
) -> None:
    lake, name, content = Lake(settings.lake_url), f"{format_name}.jsonl.gz", compress_lines(lines)
    assert gzip.decompress(content).count(b"\n") == len(lines)
    received = ReceivedInput(
        input_id=input_id,
        origin=origin,
        name=name,
        format=format_name,
        encoding="utf-8",
        delimiter="",
        columns=columns,
        row_count=len(lines),
        size_bytes=len(content),
        received_at=RECEIVED.isoformat(),
    )
    lake.inputs.store_input(io.BytesIO(content), received)


def store_other_listener(settings: Settings) -> None:
    """Store another listener's export, which contains a smaller id of each song."""
    plays = [
        ActualPlay(song, 0, FIRST + timedelta(hours=song), timedelta(minutes=3), timedelta(0)) for song in range(SONGS)
    ]
    records = [record for actual in plays for record in make_extended_records("another", actual, random.Random(SEED))]
    for song, (_, _, record) in enumerate(records):
        record["spotify_track_uri"] = f"spotify:track:{song:022}"
    store_export(settings, "extended_export", records[:SONGS], "another")


COUNTED = """
    select u.user_id, count(*) as plays, count(distinct t.recording_key) as recordings
    from warehouse.fact_event as e
    join warehouse.dim_user as u using (user_key)
    join warehouse.dim_track as t using (track_key)
    where u.user_id <> 'another'
    group by u.user_id
"""
ORDERS = (
    (("others",), ("basic_export",), ("recently_played", "feed"), ("extended_export",)),
    (("extended_export", "feed"), ("recently_played",), ("basic_export",), ("others",)),
)


@pytest.mark.parametrize("order", ORDERS, ids=["the best last", "the best first"])
def test_plays_counted_are_plays_made(order: tuple[tuple[str, ...], ...], tmp_path: Path, warehouse_url: str) -> None:
    settings = settings_of({"STATE_DIR": str(tmp_path / "state"), "WAREHOUSE_URL": warehouse_url})
    drawn = draw_plays(random.Random(SEED))
    for number, sources in enumerate(order):
        for source in sources:
            if source == "others":
                store_other_listener(settings)
            elif source == "recently_played":
                store_recent_plays(settings, drawn.records[source], source)
            elif source == "feed":
                receive_feed(settings, source, drawn.records[source], "user_activity_1")
            else:
                store_export(settings, source, drawn.records[source], source)
        assert events.plan_events(f"r{number}", settings)
        events.load_events(f"r{number}", date(2026, 11, 21), settings)
    counted = select_rows(warehouse_url, COUNTED)
    assert {row["user_id"]: row["plays"] for row in counted} == drawn.plays_made
    assert max(row["recordings"] for row in counted) <= SONGS, "ids of one name are one recording"
    assert select_rows(warehouse_url, "select from audit.rejected_row") == []
    accounts = select_rows(
        warehouse_url, "select sum(rows_in) as told, sum(rows_loaded + rows_duplicate) as kept from audit.row_count"
    )
    assert accounts[0]["told"] == accounts[0]["kept"]
