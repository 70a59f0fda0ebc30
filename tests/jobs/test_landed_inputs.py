"""Messages of a real topic from the lake into the star, and without a forgotten user."""

from contextlib import nullcontext
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pyarrow as pa
import pytest

from etl.erasure.data_subject import DataSubject
from etl.jobs import erasure, events
from etl.jobs.streamed_events import drop_forgotten_events
from etl.load import load_frames
from etl.settings import read_settings
from etl.storage.forgotten_users import ForgottenUsers
from etl.storage.lake import Lake
from launch.kafka import Broker
from tests.jobs.test_forget import find_identifiers
from tests.load.star_frames import create_local_frames, make_catalogue, make_run, select_rows
from tests.streams.landing_topic import LandingTopic, make_event

pytestmark = [pytest.mark.timeout(300)]

COUNTS = """
    select sum(rows_in) as rows_in, sum(rows_loaded) as loaded, sum(rows_duplicate) as duplicate,
        sum(rows_rejected) as rejected
    from audit.row_count where step = 'load_events'
"""
REJECTED = """
    select input_id, row ->> 'offset' as number from audit.rejected_row where run_id like 'r%' order by 2
"""
USERS = """
    select u.user_id from warehouse.fact_event as e inner join warehouse.dim_user as u using (user_key) order by 1
"""


@pytest.fixture
def topic(kafka_broker: Broker, tmp_path: Path, warehouse_url: str) -> LandingTopic:
    load_frames(create_local_frames(make_catalogue()), make_run(), warehouse_url)
    return LandingTopic(kafka_broker, tmp_path, {"WAREHOUSE_URL": warehouse_url})


def load_events(topic: LandingTopic, run_id: str) -> None:
    assert events.plan_events(run_id, topic.settings)
    events.load_events(run_id, date(2026, 11, 30), topic.settings)


def fetch_users(topic: LandingTopic) -> list[object]:
    return [row["user_id"] for row in select_rows(topic.settings.warehouse_url, USERS)]


def test_a_user_is_forgotten_although_the_clock_of_kafka_is_ahead(lake: Lake, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(erasure, "lock_landed_files", lambda _url: nullcontext())
    environ = {"WAREHOUSE_URL": "postgresql://h/d", "LAKE_URL": lake.url, "KAFKA_BOOTSTRAP_SERVERS": "h:1"}
    now = datetime.now(UTC)
    erasure._erase_from_streams(lake, DataSubject(frozenset({"a"})), read_settings(environ))
    received = [now + timedelta(minutes=minutes) for minutes in (5, 15)]
    messages = pa.table({"user_id": ["a", "a"], "received_at": received})
    remaining = drop_forgotten_events(messages, ForgottenUsers(lake.url).read_times())
    assert remaining["received_at"].to_pylist() == received[1:]


def test_messages_reach_the_star_and_a_forgotten_user_does_not_come_back(
    topic: LandingTopic, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(erasure, "CLOCK_MARGIN", timedelta(0))
    url = topic.settings.warehouse_url
    wanted = "listener-7f3a91"
    repeated = make_event("a", eventId="e1")
    topic.produce([repeated, make_event(wanted), b"poison " + wanted.encode(), b"other poison"])
    topic.produce([repeated, make_event("b")], partition=5)
    with topic.run_landing():
        topic.wait_until_landed(6)
    load_events(topic, "r1")
    assert select_rows(url, COUNTS) == [{"rows_in": 6, "loaded": 3, "duplicate": 1, "rejected": 2}]
    assert fetch_users(topic) == ["a", "b", wanted]
    rejected = select_rows(url, REJECTED)
    assert [row["number"] for row in rejected] == ["2", "3"] and len({row["input_id"] for row in rejected}) == 1
    assert not events.plan_events("r2", topic.settings)

    topic.produce([make_event("c"), make_event(wanted), b"more poison " + wanted.encode()])
    with topic.run_landing():
        topic.wait_until_landed(3)
    topic.produce([make_event("d"), make_event(wanted), make_event(f" {wanted}\t")])
    assert erasure.forget_user(wanted, "forget", topic.settings)["inputs_rewritten"] == 2
    lake = topic.state_dir / "lake"
    assert find_identifiers(url, lake, wanted) == []
    assert [row["number"] for row in select_rows(url, REJECTED)] == ["3"]
    with topic.run_landing():
        topic.wait_until_landed(1)
    load_events(topic, "r3")
    assert fetch_users(topic) == ["a", "b", "c", "d"]
    assert find_identifiers(url, lake, wanted) == []

    topic.produce([make_event(wanted)])
    with topic.run_landing():
        topic.wait_until_landed(1)
    load_events(topic, "r4")
    assert fetch_users(topic) == ["a", "b", "c", "d", wanted], "a user who comes back is not shut out"
