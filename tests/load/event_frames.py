"""Events for tests, and their load without Spark: frames of ``schemas.EVENTS`` from short definitions."""

import hashlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from etl.database import EVENT_LOAD_JOB, read_sql
from etl.load import Run, RunInput
from etl.load.event_load import EventLoad, open_event_load
from etl.load.lookup import LOOKUPS
from etl.transform.events.play_matching import SOURCES, match_plays
from etl.transform.events.play_pairing import Play
from tests.load.star_frames import create_local_frames, select_rows

NOON = datetime(2026, 11, 2, 12, tzinfo=UTC)

Keys = Mapping[str, list[dict[str, Any]]]


@dataclass(frozen=True)
class SourcePlay:
    """A play as a source reports it; of one second by default."""

    at: datetime
    user: str = "u1"
    track: str = "track-1"
    seconds: int = 1
    source: str = "feed"
    timezone: str | None = None
    name: str | None = None
    artist: str | None = "artist-1"
    artist_name: str | None = "Artist"
    is_spoken: bool = False

    @property
    def event_id(self) -> bytes:
        whole = f"{self.source} {self.user} {self.at.isoformat()} {self.track}"
        milliseconds = (self.at - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(milliseconds=1)
        return milliseconds.to_bytes(6, "big") + b"\x80" + hashlib.sha256(whole.encode()).digest()[:9]


@dataclass(frozen=True)
class Delivery:
    """An input: its events, its users, and its number of rows in the manifest."""

    input_id: str
    events: tuple[SourcePlay, ...] = ()
    users: tuple[dict[str, Any], ...] = ()
    row_count: int | None = None
    refused: tuple[str, ...] = ()
    names: Mapping[str, str] = field(default_factory=dict)
    """The name-derived ids of tracks that its events contain, by track_id."""


@dataclass(frozen=True)
class StepHooks:
    """Actions of a test between the steps of a load."""

    after: Callable[[str], None] = field(default=lambda step: None)


def make_user_record(user_id: str, valid_from: datetime, **values: Any) -> dict[str, Any]:
    """Return a row of user_record; the source is feed by default."""
    return {"user_id": user_id, "valid_from": valid_from, "source": "feed", **values}


def make_event_run(run_id: str, deliveries: Sequence[Delivery]) -> Run:
    inputs = tuple(
        RunInput(
            delivery.input_id,
            "feed",
            delivery.input_id,
            "user" if delivery.users else "user_activity",
            _count_rows(delivery),
        )
        for delivery in deliveries
    )
    return Run(run_id, EVENT_LOAD_JOB, datetime(2026, 11, 21, tzinfo=UTC), date(2026, 11, 21), inputs)


def load_events(url: str, run_id: str, *deliveries: Delivery, steps: StepHooks | None = None) -> dict[str, int]:
    """Run the steps of ``jobs.events`` over deliveries; return no counts if the run was published already."""
    after = (steps or StepHooks()).after
    with open_event_load(make_event_run(run_id, deliveries), url) as load:
        if load is None:
            return {}
        events = [(delivery.input_id, event) for delivery in deliveries for event in delivery.events]
        load.stage_dimension_members(create_local_frames(make_dimension_rows(deliveries)))
        load.publish_dimension_members()
        after("members")
        staged = {
            name: frame.batches
            for name, frame in create_local_frames(make_fact_rows(events, fetch_lookup_keys(url))).items()
        }
        months = load.stage_events(lambda: load.staging_writer.write_events(0, staged), _first_days(events))
        after("stage_events")
        written = load.publish_events(months, SOURCES, list_matches(load))
        after("publish_events")
        return written


def list_matches(load: EventLoad) -> Iterable[tuple[object, ...]]:
    plays = [
        Play((play.pop("event_id"), play.pop("event_time")), **play) for play in load.list_matchable_plays(SOURCES)
    ]
    names = load.list_track_name_ids({play.track_key for play in plays})
    return [(*match.duplicate_key, *match.retained_key, match.rule) for match in match_plays(plays, names)]


def fetch_lookup_keys(url: str) -> Keys:
    """Return the keys of sql/queries/lookup."""
    return {name: select_rows(url, read_sql(f"queries/lookup/{name}")) for name in LOOKUPS}


def make_dimension_rows(deliveries: Sequence[Delivery]) -> dict[str, list[dict[str, Any]]]:
    events = [event for delivery in deliveries for event in delivery.events]
    records = [record for delivery in deliveries for record in delivery.users]
    return {
        "event_user": [{"user_id": name, "source": "feed"} for name in sorted({event.user for event in events})],
        "event_artist": [
            {"artist_id": artist, "name": name, "source": "feed"}
            for artist, name in {event.artist: event.artist_name for event in events if event.artist}.items()
        ],
        "event_track": [
            {"track_id": track, "name": event.name, "artist_id": event.artist, "source": "feed"}
            for track, event in sorted({event.track: event for event in events if not event.is_spoken}.items())
            if not any(track in delivery.names for delivery in deliveries)
        ],
        "event_named": [
            {"name_set": "things", "source": "extended_export", "track_id": track, "made_track": name, "row_count": 1}
            for delivery in deliveries
            for track, name in delivery.names.items()
        ],
        "event_playlist": [],
        "event_context": [{"platform": "ios"}] if events else [],
        "user_record": records,
        "event_count": [
            {
                "input_id": delivery.input_id,
                "rows_accepted": len(delivery.events) + len(delivery.users),
                "rows_repeated": 0,
            }
            for delivery in deliveries
            if delivery.events or delivery.users
        ],
        "rejected_row": [
            {"input_id": delivery.input_id, "row_number": number, "reason": reason, "row": "{}"}
            for delivery in deliveries
            for number, reason in enumerate(delivery.refused, 1)
        ],
    }


def make_fact_rows(events: Iterable[tuple[str, SourcePlay]], lookup_keys: Keys) -> dict[str, list[dict[str, Any]]]:
    """Return events with the keys of their dimension members, as ``transform.events.facts`` does."""
    versions: dict[str, list[dict[str, Any]]] = {}
    for row in lookup_keys["user"]:
        versions.setdefault(row["user_id"], []).append(row)
    tracks = {row["track_id"]: row for row in lookup_keys["track"]}
    inputs = {row["input_id"]: row["input_key"] for row in lookup_keys["input"]}
    context = next((row["context_key"] for row in lookup_keys["context"] if row["platform"] == "ios"), -1)
    rows: dict[str, list[dict[str, Any]]] = {"fact_event": [], "fact_spoken_event": []}
    for input_id, event in events:
        (version,) = (row for row in versions[event.user] if row["valid_from"] <= event.at < row["valid_to"])
        local = event.at.astimezone(ZoneInfo(event.timezone or version["home_timezone"] or "UTC")).replace(tzinfo=None)
        row = {
            "event_id": event.event_id,
            "event_time": event.at,
            "started_at": event.at,
            "ended_at": event.at + timedelta(seconds=event.seconds),
            "local_time": local,
            "user_key": version["user_key"],
            "context_key": context,
            "date_key": int(f"{local:%Y%m%d}"),
            "utc_date_key": int(f"{event.at:%Y%m%d}"),
            "ms_played": event.seconds * 1000,
            "input_key": inputs[input_id],
            "local_hour": local.hour,
            "is_skipped": False,
            "is_home_time": event.timezone is None,
            "activity_type": "PLAY",
            "source": event.source,
        }
        if event.is_spoken:
            rows["fact_spoken_event"].append({**row, "spoken_id": event.track, "spoken_name": event.name})
        else:
            track = tracks[event.track]
            artist = {"artist_key": track["first_artist_key"], "playlist_key": 0}
            rows["fact_event"].append({**row, "track_key": track["track_key"], **artist})
    return rows


def _first_days(events: Iterable[tuple[str, SourcePlay]]) -> dict[str, list[date]]:
    first_days: dict[str, list[date]] = {"fact_event": [], "fact_spoken_event": []}
    months = {(event.is_spoken, event.at.date().replace(day=1)) for _, event in events}
    for is_spoken, day in sorted(months):
        first_days["fact_spoken_event" if is_spoken else "fact_event"].append(day)
    return first_days


def _count_rows(delivery: Delivery) -> int:
    return (
        len(delivery.events) + len(delivery.users) + len(delivery.refused)
        if delivery.row_count is None
        else delivery.row_count
    )
