"""Feeds with all errors at once, in any order and grouping: the row counts are exact, the star is as expected.

The expected values are computed here from the records alone, by plain loops and without the code of the product.
"""

import hashlib
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import fastavro
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from etl.extract import feed
from etl.formats.contracts.avro import load_contract
from etl.jobs import events
from etl.load import load_frames
from etl.settings import Settings
from etl.settings import read_settings as settings_of
from etl.storage.lake import Lake
from launch import postgres
from tests.conftest import copy_database
from tests.jobs.test_events import make_event
from tests.load.star_frames import create_local_frames, make_catalogue, make_run, select_rows

pytestmark = [pytest.mark.timeout(1200), pytest.mark.usefixtures("one_session")]

RECEIVED = datetime(2026, 11, 21, tzinfo=UTC)
FIRST = datetime(2026, 11, 2, 8, tzinfo=UTC)
USERS = ("u1", "u2")
TRACKS = ("track-A1", "track-A2", "never-heard-of")
MINUTES = (-60 * 24 * 40, -60 * 24 * 3, -90, 0, 1, 2, 60 * 24, 60 * 24 * 9)
"""In three months; some before a change of the user, others after it."""
HOMES = (("DE", "Europe/Berlin"), ("US", "America/New_York"), ("JP", "Asia/Tokyo"))
PLANS = ("free", "premium")
BROKEN: dict[str, dict[str, Any]] = {
    "userId is missing or longer than 255 bytes": {"userId": ""},
    "endTime is before startTime": {"endTime": FIRST - timedelta(days=99)},
    "duration is negative": {"duration": -1},
    "eventTime is an impossible time": {"eventTime": datetime(1999, 1, 1, tzinfo=UTC)},
    "neither track nor artist is named": {"song": None, "songId": None, "artist": None, "artistId": None},
}
CUT = "the file ends in the middle of a block"


@dataclass
class FeedFile:
    """A file of a feed and its records in order; ``kept`` are the records that are left after a truncation."""

    name: str
    contract: str
    records: list[dict[str, Any]]
    is_cut: bool
    kept: list[dict[str, Any]] = field(default_factory=list)
    input_id: str = ""


def make_feed_event(user: str, minute: int, track: str, version: int) -> dict[str, Any]:
    record = make_event(minute, user=user, songId=track, song=f"Song {track}")
    return record if version == 1 else record | {"timezone": "Europe/London", "eventId": f"{user} {minute} {track}"}


def make_user_record(user: str, day: int, home: int, plan: int) -> dict[str, Any]:
    country, timezone = HOMES[home]
    updated_at = FIRST + timedelta(days=day, hours=3)
    fields = {"country": country, "timezone": timezone, "subscriptionType": PLANS[plan]}
    return {"userId": user, "updatedAt": updated_at, **fields}


@st.composite
def draw_loads(draw: st.DrawFn) -> list[list[FeedFile]]:
    """Draw loads, each with the files that it loads."""
    # Records of the same event are always equal, regardless of their file and number.
    plays = draw(
        st.lists(
            st.builds(
                make_feed_event, st.sampled_from(USERS), st.sampled_from(MINUTES), st.sampled_from(TRACKS), st.just(1)
            ),
            min_size=6,
            max_size=12,
        )
    )
    named = draw(
        st.lists(
            st.builds(
                make_feed_event, st.sampled_from(USERS), st.sampled_from(MINUTES), st.sampled_from(TRACKS), st.just(2)
            ),
            min_size=6,
            max_size=12,
        )
    )
    changes = draw(
        st.lists(
            st.builds(
                make_user_record, st.sampled_from(USERS), st.integers(-50, 3), st.integers(0, 2), st.integers(0, 1)
            ),
            max_size=6,
            unique_by=lambda record: (record["userId"], record["updatedAt"]),
        )
    )
    files = []
    for number, (name, records) in enumerate(
        (name, records)
        for name, records in (("user_activity_1", plays), ("user_activity_2", named), ("user", changes))
        for _ in range(2)
    ):
        file_records = draw(st.lists(st.sampled_from(records), min_size=1, max_size=14)) if records else []
        if name != "user":
            wrong = draw(st.lists(st.sampled_from(sorted(BROKEN)), max_size=3))
            file_records += [make_event(5) | BROKEN[reason] for reason in wrong]
        if file_records:
            order = draw(st.permutations(file_records))
            files.append(FeedFile(f"{number}-{name}.avro", name, order, draw(st.booleans())))
    order = draw(st.permutations(files))
    bounds = sorted(draw(st.lists(st.integers(1, max(len(files) - 1, 1)), max_size=2)))
    groups = [order[begin:end] for begin, end in zip([0, *bounds], [*bounds, len(order)], strict=True)]
    return [group for group in groups if group]


@settings(
    max_examples=4,
    deadline=None,
    derandomize=True,
    database=None,
    phases=[Phase.generate],
    suppress_health_check=list(HealthCheck),
)
@given(loads=draw_loads())
def test_all_dirt_at_once(
    loads: list[list[FeedFile]],
    embedded_server: postgres.Server,
    migrated_template: str,
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    folder = tmp_path_factory.mktemp("mix")
    with copy_database(embedded_server, migrated_template) as url:
        job_settings = settings_of({"STATE_DIR": str(folder), "WAREHOUSE_URL": url})
        load_frames(create_local_frames(make_catalogue()), make_run(), url)
        for number, files in enumerate(loads):
            for feed_file in files:
                write_and_receive(feed_file, folder, job_settings)
            assert events.plan_events(f"r{number}", job_settings) == len(files)
            events.load_events(f"r{number}", date(2026, 11, 21), job_settings)
        assert fetch_events(url) == compute_expected_events(loads)
        assert fetch_row_counts(url) == compute_expected_row_counts(loads)
        assert fetch_rejections(url) == compute_expected_rejections(loads)


def write_and_receive(feed_file: FeedFile, folder: Path, job_settings: Settings) -> None:
    """Write a file, truncate it if required, and receive it; set ``kept`` to the records that fastavro reads."""
    path = folder / feed_file.name
    with path.open("wb") as file:
        marker = hashlib.md5(feed_file.name.encode(), usedforsecurity=False).digest()
        fastavro.writer(
            file, load_contract(feed_file.contract), feed_file.records, sync_interval=400, sync_marker=marker
        )
    if feed_file.is_cut:
        content = path.read_bytes()
        path.write_bytes(content[: len(content) - 20])
    feed_file.kept = []
    with path.open("rb") as file:
        try:
            for block in fastavro.block_reader(file):
                feed_file.kept += list(block)
        except (EOFError, ValueError):
            assert feed_file.is_cut
    received = feed.receive_file(path, Lake(job_settings.lake_url), RECEIVED)
    feed_file.input_id = received.input_id


def is_broken(record: dict[str, Any]) -> str | None:
    if "activityType" not in record:
        return None
    wrong = [reason for reason, values in BROKEN.items() if all(record.get(name) == values[name] for name in values)]
    return wrong[0] if wrong else None


def get_event_key(record: dict[str, Any]) -> tuple[Any, ...]:
    if "activityType" in record:
        return (record["userId"], record["startTime"], record.get("eventId"), record["songId"])
    return (record["userId"], record["updatedAt"])


def select_valid_records(records: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    return [record for record in records if not is_broken(record)]


def compute_expected_events(loads: list[list[FeedFile]]) -> list[tuple[Any, ...]]:
    """Return user, time, track, version of the user (valid from, country, plan) and local time of each event."""
    kept = [record for files in loads for version in files for record in select_valid_records(version.kept)]
    told = {get_event_key(record): record for record in kept}
    versions = {user: compute_user_versions(user, told.values()) for user in USERS}
    found = []
    for record in told.values():
        if "activityType" not in record:
            continue
        moment, user = record["startTime"], record["userId"]
        since, country, zone, plan = next(
            (version for version in reversed(versions[user]) if version[0] is None or version[0] <= moment),
            (None, None, None, None),
        )
        local = moment.astimezone(ZoneInfo(record.get("timezone") or zone or "UTC")).replace(tzinfo=None)
        found.append((user, moment, record["songId"], since, country, plan, local))
    return sorted(found, key=str)


def compute_user_versions(user: str, all_records: Iterable[dict[str, Any]]) -> list[tuple[Any, ...]]:
    """Return the versions of a user; the first one is always valid, consecutive equal records are one version."""
    user_records = [record for record in all_records if "updatedAt" in record and record["userId"] == user]
    versions: list[tuple[Any, ...]] = []
    for record in sorted(user_records, key=lambda record: record["updatedAt"]):
        attributes = (record["country"], record["timezone"], record["subscriptionType"])
        if not versions or versions[-1][1:] != attributes:
            versions.append((record["updatedAt"] if versions else None, *attributes))
    return versions


def compute_expected_row_counts(loads: list[list[FeedFile]]) -> dict[str, tuple[int, ...]]:
    """Return the counts of received, loaded, duplicate and rejected rows of each input.

    Within a load, an event counts for the input with the smallest id.
    """
    seen_keys: set[tuple[Any, ...]] = set()
    row_counts = {}
    for files in loads:
        for feed_file in sorted(files, key=lambda feed_file: feed_file.input_id):
            keys = [get_event_key(record) for record in select_valid_records(feed_file.kept)]
            # A user's record is not compared with other inputs.
            new = set(keys) - (seen_keys if feed_file.contract != "user" else set())
            rejected = len(feed_file.kept) - len(keys) + feed_file.is_cut
            row_counts[feed_file.input_id] = (
                len(feed_file.kept) + feed_file.is_cut,
                len(new),
                len(keys) - len(new),
                rejected,
            )
            seen_keys |= set(keys)
    return row_counts


def compute_expected_rejections(loads: list[list[FeedFile]]) -> Counter[tuple[str, str]]:
    files = [feed_file for files in loads for feed_file in files]
    broken_records = [
        (feed_file.input_id, reason)
        for feed_file in files
        for record in feed_file.kept
        if (reason := is_broken(record))
    ]
    return Counter(broken_records + [(feed_file.input_id, CUT) for feed_file in files if feed_file.is_cut])


def fetch_events(url: str) -> list[tuple[Any, ...]]:
    statement = """
        select u.user_id, e.event_time, t.track_id, nullif(u.valid_from, '-infinity') as valid_from, u.country,
            u.subscription_plan, e.local_time
        from warehouse.fact_event as e
        join warehouse.dim_user as u using (user_key)
        join warehouse.dim_track as t using (track_key)
        where e.event_time >= u.valid_from and e.event_time < u.valid_to
    """
    return sorted((tuple(row.values()) for row in select_rows(url, statement)), key=str)


def fetch_row_counts(url: str) -> dict[str, tuple[int, ...]]:
    statement = """
        select input_id, rows_in, rows_loaded, rows_duplicate, rows_rejected
        from audit.row_count
        where step = 'load_events'
    """
    return {row["input_id"]: tuple(list(row.values())[1:]) for row in select_rows(url, statement)}


def fetch_rejections(url: str) -> Counter[tuple[str, str]]:
    statement = "select input_id, reason from audit.rejected_row where run_id like 'r%'"
    return Counter((row["input_id"], row["reason"]) for row in select_rows(url, statement))
