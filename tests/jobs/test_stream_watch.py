"""The checks of the streams against a real broker, lake and warehouse."""

import json
import os
from datetime import UTC, datetime, timedelta
from pathlib import Path
from unittest.mock import Mock

import pytest
from confluent_kafka import Producer
from sqlalchemy import text

from etl.database import connect
from etl.errors import ActionNeededError, EtlError, TryAgainError
from etl.jobs import stream_watch
from etl.jobs.stream_watch import watch_streams
from etl.load.live_agreement import MAX_DIFFERENCES, AgreementResult
from etl.settings import Settings, read_settings
from etl.streams import clients
from etl.streams.lag import TopicOffsets, fetch_offsets
from etl.streams.topics import create_topics
from launch.kafka import Broker
from tests.load.star_frames import select_rows

CHECKS = {
    *("kafka", "topic", "dead_letters", "agreement"),
    *(f"{name}_{check}" for name in ("landing", "live") for check in ("progress", "lag", "loss", "restarts")),
}


@pytest.fixture
def settings(kafka_broker: Broker, warehouse_url: str, tmp_path: Path) -> Settings:
    """Return the settings of a new topic, lake and warehouse."""
    topic = f"SpotifyWrapped-{tmp_path.name}-{os.getpid()}"
    environ = {"STATE_DIR": str(tmp_path), "WAREHOUSE_URL": warehouse_url, "KAFKA_TOPIC": topic}
    return read_settings({**environ, **kafka_broker.variables})


def send_messages(settings: Settings, topic: str, partition: int, count: int) -> None:
    producer = Producer(clients.build_client_options(settings.require_kafka()))
    for _ in range(count):
        producer.produce(topic, b"value", b"user", partition=partition)
    assert producer.flush(30) == 0


def write_landing_progress(settings: Settings, **document: object) -> Path:
    path = settings.state_dir / "streams" / "landing.progress"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(document))
    return path


def write_live_progress(settings: Settings, next_offset: int, updated_at: datetime) -> None:
    statement = """
        insert into live.progress (
            partition, next_offset, accepted_events, duplicate_events, late_events, rejected_messages, lost_messages,
            complete_from, updated_at, continent, generation
        )
        select p, case when p = 3 then :next_offset else 0 end, 0, 0, 0, 0, 0, '-infinity', :updated_at, 'any', 'v1-any'
        from generate_series(0, 6) as p
        on conflict (partition) do update
        set next_offset = excluded.next_offset, updated_at = excluded.updated_at
    """
    with connect(settings.warehouse_url) as connection:
        connection.execute(text(statement), {"next_offset": next_offset, "updated_at": updated_at})


def test_a_watch_without_kafka_says_what_to_do() -> None:
    with pytest.raises(ActionNeededError, match="KAFKA_BOOTSTRAP_SERVERS is not set"):
        watch_streams("run", read_settings({"WAREHOUSE_URL": "unused"}))


def test_the_watch_passes_and_then_names_each_trouble(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    kafka = settings.require_kafka()
    create_topics(kafka)
    now = datetime.now(UTC)
    write_live_progress(settings, 0, now)
    write_landing_progress(settings, process_id=1, last_error=None)
    assert watch_streams("first", settings).keys() == CHECKS

    send_messages(settings, kafka.topic, 3, 500)
    send_messages(settings, kafka.dead_letter_topic, 0, 101)
    assert fetch_offsets(kafka, kafka.topic)[3] == TopicOffsets(0, 500)
    write_live_progress(settings, 499, now - timedelta(hours=1))
    old = write_landing_progress(settings, process_id=1, last_error=None)
    os.utime(old, (0, 0))
    monkeypatch.setattr(stream_watch, "check_agreement", lambda _: AgreementResult(2, 1000, 1))
    with pytest.raises(ActionNeededError) as raised:
        watch_streams("second", settings)
    message = str(raised.value)
    assert "The landing has reported no progress since 1970-01-01 00:00 UTC and 500 messages wait" in message
    assert "101 messages were rejected since the last check" in message
    assert "1 counts of the live tables differ from the star, of 1,000 events in 2 closed hours" in message
    rows = select_rows(
        settings.warehouse_url,
        "select check_name, value, is_passed from audit.stream_check where run_id = 'second' order by check_name",
    )
    failed = {row["check_name"]: row["value"] for row in rows if not row["is_passed"]}
    assert failed == {"agreement": 1, "dead_letters": 101, "landing_progress": 500}
    assert {row["check_name"] for row in rows} == CHECKS
    monkeypatch.undo()
    for _ in range(2):
        with pytest.raises(TryAgainError, match="The landing has reported no progress"):
            watch_streams("third", settings)
    rows = select_rows(settings.warehouse_url, "select count(*) as n from audit.stream_check where run_id = 'third'")
    assert rows == [{"n": len(CHECKS)}], "a run has the results of its last try"


def test_an_agreement_that_cannot_be_checked_is_no_fault_of_kafka(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    create_topics(settings.require_kafka())
    now = datetime.now(UTC)
    stale = AgreementResult(0, 0, 0, "There is no batch to compare.", now - timedelta(days=2))
    for check, message in (
        (Mock(side_effect=TryAgainError("PostgreSQL does not respond.")), "the star: PostgreSQL does not respond"),
        (Mock(return_value=stale), "There is no batch to compare. Messages were loaded last at"),
        (Mock(return_value=AgreementResult(2, 5000, MAX_DIFFERENCES)), "At least 1,000 counts"),
    ):
        monkeypatch.setattr(stream_watch, "check_agreement", check)
        with pytest.raises(EtlError, match=message) as raised:
            watch_streams("run", settings)
        assert isinstance(raised.value, TryAgainError) == ("does not respond" in message)
    rows = select_rows(settings.warehouse_url, "select check_name from audit.stream_check where is_passed")
    assert {row["check_name"] for row in rows} == CHECKS - {"agreement"}


def test_a_broker_that_does_not_respond_is_recorded(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clients, "REQUEST_SECONDS", 1.0)
    environ = {"STATE_DIR": str(settings.state_dir), "WAREHOUSE_URL": settings.warehouse_url}
    gone = read_settings({**environ, "KAFKA_BOOTSTRAP_SERVERS": "127.0.0.1:1"})
    with pytest.raises(TryAgainError, match="does not respond"):
        watch_streams("run", gone)
    rows = select_rows(settings.warehouse_url, "select check_name, is_passed from audit.stream_check")
    assert rows == [{"check_name": "kafka", "is_passed": False}]
