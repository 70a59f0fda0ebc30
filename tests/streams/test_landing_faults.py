"""Landing when something fails: suspended processes, deleted topics and messages, a full disk, refused users."""

import errno
import logging
import os
import signal
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any
from unittest.mock import Mock

import pytest
from confluent_kafka import TopicPartition
from confluent_kafka.admin import AdminClient

from etl.errors import ActionNeededError
from etl.storage.folder import LakeFolder
from etl.storage.offset_ranges import OffsetRange
from etl.streams import clients, landing, topics
from etl.streams.landing_consumer import LandingConsumer
from launch.kafka import Broker
from tests.streams.landing_topic import LandingTopic, make_event

pytestmark = [pytest.mark.timeout(240)]


@pytest.fixture
def topic(kafka_broker: Broker, tmp_path: Path) -> LandingTopic:
    return LandingTopic(kafka_broker, tmp_path)


def wait_until(condition: Callable[[], bool], seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.1)


def test_a_process_suspended_beyond_its_session_leaves_its_partitions_to_another(topic: LandingTopic) -> None:
    users = [f"u{number}" for number in range(700)]
    suspended = topic.start_process(LANDING_INSTANCE="one", LANDING_MAX_RECORDS="20")
    try:
        for partition in range(7):
            topic.produce([make_event(user) for user in users[partition:350:7]] + [b"poison"], partition)
        topic.wait_until_landed(20)
        suspended.send_signal(signal.SIGSTOP)
        with topic.run_landing(LANDING_INSTANCE="two"):
            for partition in range(7):
                topic.produce([make_event(user) for user in users[350 + partition :: 7]] + [b"more"], partition)
            wait_until(lambda: len(topic.read_values()) >= 700)
            suspended.send_signal(signal.SIGCONT)
            for partition in range(7):
                topic.produce([make_event(f"last {partition}")], partition)
            wait_until(lambda: len(topic.read_values()) >= 707)
            topic.wait_until_settled()
    finally:
        suspended.send_signal(signal.SIGCONT)
        suspended.terminate()
        assert suspended.wait(30) == 0
    assert topic.read_values() == Counter([*users, *(f"last {partition}" for partition in range(7))])
    letters = Counter(letter.value() for letter in topic.read_topic(topic.kafka.dead_letter_topic))
    assert letters == {b"poison": 7, b"more": 7}


def test_messages_that_arrive_with_new_partitions_are_read_again(topic: LandingTopic) -> None:
    topic.produce([make_event(user) for user in "abc"])
    consumer = LandingConsumer(topic.kafka, topic.settings.landing, topic.landed)
    try:
        client, read = consumer._consumer, []
        consumer._consumer = Mock(wraps=client)

        def consume(limit: int, seconds: float) -> list[Any]:
            messages: list[Any] = client.consume(limit, seconds)
            if messages and not any(read):
                consumer.assignment_count += 1  # The client calls this process during the request.
            read.append(len(messages))
            return messages

        consumer._consumer.consume = consume
        deadline, offsets = time.monotonic() + 60, []
        while len(offsets) < 3 and time.monotonic() < deadline:
            offsets += [message.offset() for message in consumer.consume(2, 1.0)]
        assert offsets == [0, 1, 2] and sum(read) > 3
    finally:
        client.close()


def test_a_topic_that_is_made_again_is_landed_from_its_first_message(
    topic: LandingTopic, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    caplog.set_level(logging.INFO)
    monkeypatch.setattr(landing, "_PROGRESS_SECONDS", 3.0)
    topic.produce([make_event("former")])
    admin = AdminClient(clients.build_client_options(topic.kafka))
    with topic.run_landing():
        topic.wait_until_landed(1)
        admin.delete_topics([topic.kafka.topic])[topic.kafka.topic].result(10)
        wait_until(lambda: topic.kafka.topic not in admin.list_topics(timeout=5).topics)
        topics.create_topics(topic.kafka)
        topic.produce([make_event("new")])
        topic.wait_until_landed(2, 100)
    assert topic.read_values() == Counter(["former", "new"])
    assert "has another id than before" in caplog.text


def test_messages_that_kafka_deleted_are_a_gap(topic: LandingTopic, caplog: pytest.LogCaptureFixture) -> None:
    topic.produce([make_event("first")])
    with topic.run_landing():
        topic.wait_until_landed(1)
    topic.produce([make_event(f"lost {number}") for number in range(5)])
    admin = AdminClient(clients.build_client_options(topic.kafka))
    partition = TopicPartition(topic.kafka.topic, 3, 7)
    admin.delete_records([partition])[partition].result(10)
    topic.produce([make_event("last")])
    topic.produce([make_event("never landed")], partition=5)
    partition = TopicPartition(topic.kafka.topic, 5, 1)
    admin.delete_records([partition])[partition].result(10)
    with topic.run_landing():
        topic.wait_until_landed(2)
    assert topic.read_values() == Counter(["first", "last"])
    assert topic.landed.list_gaps(3) == [OffsetRange(3, 1, 7)]
    assert topic.landed.list_gaps(5) == [OffsetRange(5, 0, 1)]
    assert "Kafka has deleted 6 offsets of partition 3" in caplog.text
    assert "Kafka has deleted 1 offsets of partition 5" in caplog.text


class SlowDownError(Exception):
    """An error of an object store's driver, which is no OSError."""

    __module__ = "botocore.exceptions"


@pytest.mark.parametrize(
    ("error", "message"),
    [
        (OSError(errno.ENOSPC, os.strerror(errno.ENOSPC)), "is full"),
        (OSError(errno.EIO, os.strerror(errno.EIO)), "The lake cannot be read or written"),
        (SlowDownError("reduce your rate"), "SlowDownError: reduce your rate"),
    ],
)
def test_a_lake_that_cannot_be_written_is_reported_and_loses_nothing(
    topic: LandingTopic,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    error: Exception,
    message: str,
) -> None:
    real_write, failures = LakeFolder._write_file, 2
    monkeypatch.setattr(landing, "_PAUSE_SECONDS", 0.1)

    def write_file(folder: LakeFolder, path: str, *arguments: Any, **options: Any) -> None:
        nonlocal failures
        if failures and path.endswith(".avro"):
            failures -= 1
            raise error
        real_write(folder, path, *arguments, **options)

    monkeypatch.setattr(LakeFolder, "_write_file", write_file)
    topic.produce([make_event("a"), b"poison"])
    topic.produce([make_event("b")], partition=5)
    with topic.run_landing():
        topic.wait_until_landed(3)
        topic.wait_until_settled()
    assert topic.read_values() == Counter("ab") and not failures
    assert len(topic.read_topic(topic.kafka.dead_letter_topic)) == 1
    assert message in caplog.text
    assert topic.read_progress()["last_error"] is None


def test_a_refused_user_ends_the_process_with_a_message(topic: LandingTopic, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clients, "REQUEST_SECONDS", 2.0)
    with (
        pytest.raises(ActionNeededError, match="refuses the user or the password"),
        topic.run_landing(KAFKA_SASL_PASSWORD="wrong"),
    ):
        wait_until(lambda: (topic.state_dir / "streams" / "landing.progress").exists())
    assert "refuses the user" in topic.read_progress()["last_error"]


def test_messages_that_kafka_lost_stop_landing(topic: LandingTopic) -> None:
    topic.landed.write_range(OffsetRange(3, 0, 100), [b"unread"], None, None)
    with (
        pytest.raises(ActionNeededError, match="ends at offset 0, and 100 is landed"),
        topic.run_landing(),
    ):
        wait_until(lambda: (topic.state_dir / "streams" / "landing.progress").exists())


def test_two_processes_of_one_instance_are_told_apart(topic: LandingTopic) -> None:
    first = topic.start_process()
    try:
        topic.produce([make_event("a")])
        topic.wait_until_landed(1)
        with topic.run_landing():
            assert first.wait(60) == 1
            topic.produce([make_event("b")])
            topic.wait_until_landed(2)
    finally:
        first.kill()
        first.wait()
    assert "same LANDING_INSTANCE" in (topic.state_dir / "landing.log").read_text()
