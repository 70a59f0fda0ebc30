"""Plays counted are plays made, through the whole load: many listeners, each with two exports, recently played and a
feed, several ids a song, copied files, near duplicates, pauses, and another listener's import, in several orders.

PLAYS_MADE_LISTENERS=10000 draws so many; the suite draws few.
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

from etl.extract.account_export.export_records import STORED_FIELDS, encode_record
from etl.formats.api_responses import COLUMNS, compress_lines
from etl.formats.contracts.events import EXPORT_LINE
from etl.jobs import events
from etl.settings import Settings
from etl.settings import read_settings as settings_of
from etl.storage.inputs import ReceivedInput
from etl.storage.lake import Lake
from tests.exports import basic_play, play
from tests.jobs.test_events import activity, receive
from tests.load.star_frames import table

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
class Drawn:
    """What listeners did, and what each source reports of it."""

    plays_made: dict[str, int] = field(default_factory=dict)
    records: Lines = field(default_factory=lambda: {source: [] for source in SOURCES})


def draw(rng: random.Random) -> Drawn:
    drawn = Drawn()
    for number in range(LISTENERS):
        user, at = f"listener-{number}", FIRST + timedelta(minutes=rng.randrange(60 * 24 * 60))
        drawn.plays_made[user] = 0
        for _ in range(2):
            plays = draw_session(rng, at)
            at = plays[-1].ended_at + timedelta(hours=5)
            drawn.plays_made[user] += len(plays)
            of_feed = rng.random() < 0.2  # what a simulated feed reports, no other source does
            told_by = ["feed"] if of_feed else rng.sample(SOURCES[:3], rng.randint(1, 3))
            for made in plays:
                for source in told_by:
                    drawn.records[source] += REPORTS[source](user, made, rng)
    return drawn


@dataclass(frozen=True)
class Made:
    song: int
    variant: int
    started_at: datetime
    heard: timedelta
    paused: timedelta

    @property
    def ended_at(self) -> datetime:
        return self.started_at + self.heard + self.paused

    @property
    def track_id(self) -> str:
        return f"{1000 + 10 * self.song + self.variant:022}"

    @property
    def title(self) -> str:
        return f"Song {self.song}"


def draw_session(rng: random.Random, at: datetime) -> list[Made]:
    plays = []
    for _ in range(rng.randint(1, 5)):
        at += timedelta(seconds=rng.choice([1, 1, 20, 300]))  # plays that end at once are one record
        heard, paused = rng.choice([0, 3, 30, 95, 181, 240, 600]), rng.choice([0, 0, 0, 2, 40, 600, 3600])
        song, variant = rng.randrange(SONGS), rng.randrange(IDS_A_SONG)
        plays.append(Made(song, variant, at, timedelta(seconds=heard), timedelta(seconds=paused)))
        at = plays[-1].ended_at
    return plays


def extended(user: str, made: Made, rng: random.Random) -> list[Any]:
    def record(seconds_later: int) -> Any:
        return play(
            ts=f"{made.ended_at + timedelta(seconds=seconds_later):%Y-%m-%dT%H:%M:%SZ}",
            ms_played=made.heard // timedelta(milliseconds=1),
            spotify_track_uri=f"spotify:track:{made.track_id}",
            master_metadata_track_name=made.title,
            offline_timestamp=None,
        )

    is_doubled = made.heard > timedelta(seconds=90) and rng.random() < 0.3
    copies = ["0.json", "0 (1).json"] if rng.random() < 0.3 else ["0.json"]
    return [(user, file, record(later)) for file in copies for later in ([0, rng.randint(1, 9)] if is_doubled else [0])]


def basic(user: str, made: Made, rng: random.Random) -> list[Any]:
    ms_played = made.heard // timedelta(milliseconds=1) + rng.randrange(999)
    record = basic_play(endTime=f"{made.ended_at:%Y-%m-%d %H:%M}", trackName=made.title, msPlayed=ms_played)
    return [(user, file, record) for file in ("0.json", "0 (1).json")]


def recent(user: str, made: Made, rng: random.Random) -> list[Any]:
    at = made.ended_at if rng.random() < 0.5 else made.started_at
    track = {"id": made.track_id, "name": made.title, "type": "track", "artists": [{"id": "singer", "name": "Singer"}]}
    return [(user, {"track": track, "played_at": f"{at:%Y-%m-%dT%H:%M:%S.%fZ}"})]


def of_feed(user: str, made: Made, _: random.Random) -> list[Any]:
    times = {"eventTime": made.started_at, "startTime": made.started_at, "endTime": made.ended_at}
    return [activity(user=user, songId=made.track_id, song=made.title, **times)]


REPORTS: dict[str, Callable[[str, Made, random.Random], list[Any]]] = {
    "extended_export": extended,
    "basic_export": basic,
    "recently_played": recent,
    "feed": of_feed,
}


def bring_export(here: Settings, source: str, records: Iterable[Any], input_id: str) -> None:
    """An input with the exports of all listeners."""
    lines = [
        {"number": number, "user_id": user, "timezone": "Europe/Berlin", "file": f"{user}/{file}"}
        | {"body": encode_record(record, STORED_FIELDS[source])}
        for number, (user, file, record) in enumerate(records, 1)
    ]
    bring(here, "account_export", source, lines, input_id, tuple(EXPORT_LINE.fieldNames()))


def bring_recent(here: Settings, records: Iterable[Any], input_id: str) -> None:
    by_user: dict[str, list[Any]] = {}
    for user, item in records:
        by_user.setdefault(user, []).append(item)
    common = {"asked_at": "2026-10-01T00:00:00+00:00", "status": 200, "query": {}}
    answers = [
        {"account": user, "endpoint": endpoint, "path": endpoint, "body": content} | common
        for user, items in by_user.items()
        for endpoint, content in (("me", {"id": user, "account_id": user}), ("recently_played", {"items": items}))
    ]
    lines = [{"number": number, **line} for number, line in enumerate(answers)]
    bring(here, "api", "spotify_answers", lines, input_id, COLUMNS)


def bring(
    here: Settings, origin: str, format_name: str, lines: list[Any], input_id: str, columns: tuple[str, ...]
) -> None:
    lake, name, content = Lake(here.lake_url), f"{format_name}.jsonl.gz", compress_lines(lines)
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


def bring_others(here: Settings) -> None:
    """Another listener knows a smaller id of each song."""
    made = [Made(song, 0, FIRST + timedelta(hours=song), timedelta(minutes=3), timedelta(0)) for song in range(SONGS)]
    records = [record for one in made for record in extended("another", one, random.Random(SEED))]
    for song, (_, _, record) in enumerate(records):
        record["spotify_track_uri"] = f"spotify:track:{song:022}"
    bring_export(here, "extended_export", records[:SONGS], "another")


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
    here = settings_of({"STATE_DIR": str(tmp_path / "state"), "WAREHOUSE_URL": warehouse_url})
    drawn = draw(random.Random(SEED))
    for number, sources in enumerate(order):
        for source in sources:
            if source == "others":
                bring_others(here)
            elif source == "recently_played":
                bring_recent(here, drawn.records[source], source)
            elif source == "feed":
                receive(here, source, drawn.records[source], "user_activity_1")
            else:
                bring_export(here, source, drawn.records[source], source)
        assert events.plan_events(f"r{number}", here)
        events.load_events(f"r{number}", date(2026, 11, 21), here)
    counted = table(warehouse_url, COUNTED)
    assert {row["user_id"]: row["plays"] for row in counted} == drawn.plays_made
    assert max(row["recordings"] for row in counted) <= SONGS, "ids of one name are one recording"
    assert table(warehouse_url, "select from audit.rejected_row") == []
    accounts = table(
        warehouse_url, "select sum(rows_in) as told, sum(rows_loaded + rows_duplicate) as kept from audit.row_count"
    )
    assert accounts[0]["told"] == accounts[0]["kept"]
