"""All that can be wrong with feeds at once, in any order and grouping: accounts are exact, the star is what it must be.

What must be is worked out here from the records alone, by plain loops, without a look at what the product does.
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
from tests.conftest import database
from tests.jobs.test_events import activity
from tests.load.star_frames import catalogue, local_frames, run, table

pytestmark = [pytest.mark.timeout(1200), pytest.mark.usefixtures("one_session")]

RECEIVED = datetime(2026, 11, 21, tzinfo=UTC)
FIRST = datetime(2026, 11, 2, 8, tzinfo=UTC)
USERS = ("u1", "u2")
TRACKS = ("track-A1", "track-A2", "never-heard-of")
MINUTES = (-60 * 24 * 40, -60 * 24 * 3, -90, 0, 1, 2, 60 * 24, 60 * 24 * 9)
"""In three months; some a change of the user before others."""
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
class File:
    """A file of a feed: its records in the order in which they stand; what it was cut to holds ``kept`` of them."""

    name: str
    contract: str
    records: list[dict[str, Any]]
    is_cut: bool
    kept: list[dict[str, Any]] = field(default_factory=list)
    input_id: str = ""


def played(user: str, minute: int, track: str, version: int) -> dict[str, Any]:
    told = activity(minute, user=user, songId=track, song=f"Song {track}")
    return told if version == 1 else told | {"timezone": "Europe/London", "eventId": f"{user} {minute} {track}"}


def said(user: str, day: int, home: int, plan: int) -> dict[str, Any]:
    country, timezone = HOMES[home]
    moment = FIRST + timedelta(days=day, hours=3)
    given = {"country": country, "timezone": timezone, "subscriptionType": PLANS[plan]}
    return {"userId": user, "updatedAt": moment, **given}


@st.composite
def deliveries(draw: st.DrawFn) -> list[list[File]]:
    """Loads, each with the files that it finds."""
    # One event is always told in the same words; whoever tells it, and how often.
    plays = draw(
        st.lists(
            st.builds(played, st.sampled_from(USERS), st.sampled_from(MINUTES), st.sampled_from(TRACKS), st.just(1)),
            min_size=6,
            max_size=12,
        )
    )
    named = draw(
        st.lists(
            st.builds(played, st.sampled_from(USERS), st.sampled_from(MINUTES), st.sampled_from(TRACKS), st.just(2)),
            min_size=6,
            max_size=12,
        )
    )
    changes = draw(
        st.lists(
            st.builds(said, st.sampled_from(USERS), st.integers(-50, 3), st.integers(0, 2), st.integers(0, 1)),
            max_size=6,
            unique_by=lambda one: (one["userId"], one["updatedAt"]),
        )
    )
    files = []
    for number, (name, records) in enumerate(
        (name, records)
        for name, records in (("user_activity_1", plays), ("user_activity_2", named), ("user", changes))
        for _ in range(2)
    ):
        told = draw(st.lists(st.sampled_from(records), min_size=1, max_size=14)) if records else []
        if name != "user":
            wrong = draw(st.lists(st.sampled_from(sorted(BROKEN)), max_size=3))
            told += [activity(5) | BROKEN[reason] for reason in wrong]
        if told:
            order = draw(st.permutations(told))
            files.append(File(f"{number}-{name}.avro", name, order, draw(st.booleans())))
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
@given(loads=deliveries())
def test_all_dirt_at_once(
    loads: list[list[File]],
    embedded_server: postgres.Server,
    migrated_template: str,
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    folder = tmp_path_factory.mktemp("mix")
    with database(embedded_server, migrated_template) as url:
        here = settings_of({"STATE_DIR": str(folder), "WAREHOUSE_URL": url})
        load_frames(local_frames(catalogue()), run(), url)
        for number, files in enumerate(loads):
            for one in files:
                bring(one, folder, here)
            assert events.plan_events(f"r{number}", here) == len(files)
            events.load_events(f"r{number}", date(2026, 11, 21), here)
        assert star_of(url) == star_that_must_be(loads)
        assert accounts_of(url) == accounts_that_must_be(loads)
        assert reasons_of(url) == reasons_that_must_be(loads)


def bring(one: File, folder: Path, here: Settings) -> None:
    """Write a file, cut it where it is to be, and receive it; ``kept`` is what fastavro reads of the whole blocks."""
    path = folder / one.name
    with path.open("wb") as file:
        marker = hashlib.md5(one.name.encode(), usedforsecurity=False).digest()
        fastavro.writer(file, load_contract(one.contract), one.records, sync_interval=400, sync_marker=marker)
    if one.is_cut:
        content = path.read_bytes()
        path.write_bytes(content[: len(content) - 20])
    one.kept = []
    with path.open("rb") as file:
        try:
            for block in fastavro.block_reader(file):
                one.kept += list(block)
        except (EOFError, ValueError):
            assert one.is_cut
    received = feed.receive_file(path, Lake(here.lake_url), RECEIVED)
    one.input_id = received.input_id


def is_broken(record: dict[str, Any]) -> str | None:
    if "activityType" not in record:
        return None
    wrong = [reason for reason, values in BROKEN.items() if all(record.get(name) == values[name] for name in values)]
    return wrong[0] if wrong else None


def key_of(record: dict[str, Any]) -> tuple[Any, ...]:
    if "activityType" in record:
        return (record["userId"], record["startTime"], record.get("eventId"), record["songId"])
    return (record["userId"], record["updatedAt"])


def good(records: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    return [one for one in records if not is_broken(one)]


def star_that_must_be(loads: list[list[File]]) -> list[tuple[Any, ...]]:
    """User, time, track, version of the user (since when, country, plan) and local time of each event."""
    kept = [record for files in loads for one in files for record in good(one.kept)]
    told = {key_of(record): record for record in kept}
    versions = {user: versions_of(user, told.values()) for user in USERS}
    found = []
    for record in told.values():
        if "activityType" not in record:
            continue
        moment, user = record["startTime"], record["userId"]
        since, country, zone, plan = next(
            (one for one in reversed(versions[user]) if one[0] is None or one[0] <= moment), (None, None, None, None)
        )
        local = moment.astimezone(ZoneInfo(record.get("timezone") or zone or "UTC")).replace(tzinfo=None)
        found.append((user, moment, record["songId"], since, country, plan, local))
    return sorted(found, key=str)


def versions_of(user: str, told: Iterable[dict[str, Any]]) -> list[tuple[Any, ...]]:
    """What a user was from when on; the first version since ever, equal ones in a row are one."""
    of_user = [one for one in told if "updatedAt" in one and one["userId"] == user]
    found: list[tuple[Any, ...]] = []
    for one in sorted(of_user, key=lambda one: one["updatedAt"]):
        what = (one["country"], one["timezone"], one["subscriptionType"])
        if not found or found[-1][1:] != what:
            found.append((one["updatedAt"] if found else None, *what))
    return found


def accounts_that_must_be(loads: list[list[File]]) -> dict[str, tuple[int, ...]]:
    """Rows in, loaded, duplicate and rejected of each input; of one load's inputs the first by id counts an event."""
    known: set[tuple[Any, ...]] = set()
    found = {}
    for files in loads:
        for one in sorted(files, key=lambda one: one.input_id):
            keys = [key_of(record) for record in good(one.kept)]
            # A user's record is not looked for in other inputs.
            new = set(keys) - (known if one.contract != "user" else set())
            rejected = len(one.kept) - len(keys) + one.is_cut
            found[one.input_id] = (len(one.kept) + one.is_cut, len(new), len(keys) - len(new), rejected)
            known |= set(keys)
    return found


def reasons_that_must_be(loads: list[list[File]]) -> Counter[tuple[str, str]]:
    files = [one for files in loads for one in files]
    wrong = [(one.input_id, reason) for one in files for record in one.kept if (reason := is_broken(record))]
    return Counter(wrong + [(one.input_id, CUT) for one in files if one.is_cut])


def star_of(url: str) -> list[tuple[Any, ...]]:
    statement = """
        select u.user_id, e.event_time, t.track_id, nullif(u.valid_from, '-infinity') as valid_from, u.country,
            u.subscription_plan, e.local_time
        from warehouse.fact_event as e
        join warehouse.dim_user as u using (user_key)
        join warehouse.dim_track as t using (track_key)
        where e.event_time >= u.valid_from and e.event_time < u.valid_to
    """
    return sorted((tuple(row.values()) for row in table(url, statement)), key=str)


def accounts_of(url: str) -> dict[str, tuple[int, ...]]:
    statement = """
        select input_id, rows_in, rows_loaded, rows_duplicate, rows_rejected
        from audit.row_count
        where step = 'load_events'
    """
    return {row["input_id"]: tuple(list(row.values())[1:]) for row in table(url, statement)}


def reasons_of(url: str) -> Counter[tuple[str, str]]:
    statement = "select input_id, reason from audit.rejected_row where run_id like 'r%'"
    return Counter((row["input_id"], row["reason"]) for row in table(url, statement))
