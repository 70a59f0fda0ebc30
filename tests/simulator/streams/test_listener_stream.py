"""Streams of simulated listeners on a real broker: the feed's events, each once, whatever happens to the producer."""

import json
import os
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict
from io import BytesIO
from itertools import pairwise
from typing import Any

import fastavro
import pyarrow as pa
import pytest
from confluent_kafka import KafkaError, KafkaException, Message

from etl.errors import ActionNeededError
from etl.formats.contracts.avro import load_contract
from etl.settings import CHECKOUT, KafkaSettings
from etl.streams.messages import MESSAGE_SCHEMA, decode_messages
from etl.streams.topics import CONTINENT_PARTITIONS
from launch.kafka import Broker
from simulator.listeners.parameters import InjectedErrorRates
from simulator.streams import transactions
from simulator.streams.listener_source import StreamErrors
from simulator.streams.observer import Observer, Progress
from simulator.streams.pacing import Pace
from simulator.streams.positions import read_position
from simulator.streams.sending import StreamStart
from simulator.streams.transactions import TransactionalProducer
from tests.simulator.streams.small_streams import (
    KILLED_USERS,
    consume_committed,
    list_event_ids,
    make_source,
    make_topics,
    send,
)

_SCHEMA = fastavro.parse_schema(load_contract("user_activity_2"))


@pytest.fixture
def kafka(kafka_broker: Broker) -> KafkaSettings:
    return make_topics(kafka_broker.variables)


def decode(message: Message) -> dict[str, Any]:
    record: Any = fastavro.schemaless_reader(BytesIO(message.value() or b""), _SCHEMA)
    return dict(record)


def read_event_ids(kafka: KafkaSettings) -> list[str]:
    return [decode(message)["eventId"] for message in consume_committed(kafka)]


def test_all_events_are_sent_once_in_order_to_the_partition_of_their_continent(kafka: KafkaSettings) -> None:
    source = make_source()
    result = send(kafka, source)
    messages = consume_committed(kafka)
    assert Counter(decode(message)["eventId"] for message in messages) == Counter(list_event_ids(source))
    assert result.position.sent == len(messages) > 500 and result.position.is_complete
    for message in messages:
        record = decode(message)
        assert message.partition() == CONTINENT_PARTITIONS[record["continent"]]
        assert message.key() == record["userId"].encode()
        assert message.headers() == [("schema_version", b"2")]
    times = [(message.partition(), decode(message)["eventTime"]) for message in messages]
    assert all(first[1] <= second[1] for first, second in pairwise(times) if first[0] == second[0])


def test_injected_errors_are_as_many_as_reported(kafka: KafkaSettings) -> None:
    rates = InjectedErrorRates(duplicate=0.05, late=0.05, disorder=0.05, unknown_track=0.05, broken=0.05)
    source = make_source(dirt=rates, errors=StreamErrors(late_minutes=90, undecodable=0.1))
    errors = send(kafka, source).position.errors
    assert errors.keys() == {*asdict(rates), "undecodable"} and all(errors.values())
    messages = consume_committed(kafka)
    rows = [
        {
            "value": message.value(),
            "schema_version": dict(message.headers() or []).get("schema_version", b"").decode() or None,
        }
        for message in messages
    ]
    decoded = decode_messages(pa.Table.from_pylist(rows, MESSAGE_SCHEMA), tuple(f["name"] for f in _SCHEMA["fields"]))
    records = decoded.rows.to_pylist()
    assert len(messages) - len(records) == errors["undecodable"]
    ids = Counter(record["eventId"] for record in records)
    assert sum(count - 1 for count in ids.values()) == errors["duplicate"]
    assert sum((record["songId"] or "").startswith("madeupUnknown") for record in records) == errors["unknown_track"]
    broken = [r for r in records if not r["userId"] or r["endTime"] < r["startTime"] or (r["duration"] or 0) < 0]
    assert len(broken) == errors["broken"]
    assert len(set(list_event_ids(source)) - ids.keys()) == errors["undecodable"]


def test_a_killed_producer_goes_on_without_gap_or_repeat(kafka: KafkaSettings, kafka_broker: Broker) -> None:
    variables = {**kafka_broker.variables, "KAFKA_TOPIC": kafka.topic}
    sent_counts: list[int] = []
    for _ in range(3):
        process = subprocess.Popen(
            [sys.executable, "-m", "tests.simulator.streams.small_streams"],
            stdin=subprocess.PIPE,
            cwd=CHECKOUT,
            env={**os.environ, "PYTHONPATH": str(CHECKOUT)},
            text=True,
        )
        assert process.stdin is not None
        process.stdin.write(json.dumps(variables) + "\n")
        process.stdin.flush()
        first_count = sent_counts[-1] if sent_counts else 0
        deadline = time.monotonic() + 60
        while len(consume_committed(kafka)) <= first_count + 40 and time.monotonic() < deadline:
            assert process.poll() is None, "the stream ended before the kill"
        process.kill()
        process.wait()
        sent_counts.append(len(consume_committed(kafka)))
    source = make_source(KILLED_USERS)
    assert 0 < sent_counts[0] < sent_counts[1] < sent_counts[2] < len(list_event_ids(source))
    result = send(kafka, source)
    assert Counter(read_event_ids(kafka)) == Counter(list_event_ids(source))
    assert result.position.sent == len(list_event_ids(source))


def test_a_lost_transaction_is_sent_again(kafka: KafkaSettings, monkeypatch: pytest.MonkeyPatch) -> None:
    source = make_source(20)
    reports: list[str] = []
    send_transaction = TransactionalProducer._send_transaction
    outcomes: Iterator[str] = iter(["committed", "before", "committed", "after", "committed"])

    def fail_sometimes(self: TransactionalProducer, *arguments: Any) -> None:
        outcome = next(outcomes, "committed")
        if outcome != "before":
            send_transaction(self, *arguments)
        if outcome != "committed":
            raise KafkaException(KafkaError(KafkaError._TIMED_OUT))

    monkeypatch.setattr(TransactionalProducer, "_send_transaction", fail_sometimes)
    send(kafka, source, observer=Observer(report=reports.append), max_transaction_messages=50)
    assert Counter(read_event_ids(kafka)) == Counter(list_event_ids(source))
    assert len(reports) == 2 and all("A transaction was lost" in report for report in reports)


def test_a_stream_waits_for_a_broker_that_is_gone(
    kafka: KafkaSettings, kafka_broker: Broker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(transactions, "_REQUEST_SECONDS", 2.0)
    source = make_source()
    reports: list[str] = []

    def restart_broker(report: str) -> None:
        reports.append(report)
        if report.endswith("Waiting for Kafka."):
            kafka_broker.start()

    def stop_broker(progress: Progress) -> None:
        if progress.sent and not stopped:
            stopped.append(progress.sent)
            kafka_broker.stop()

    stopped: list[int] = []
    result = send(kafka, source, observer=Observer(restart_broker, stop_broker), pace=Pace(rate=300))
    assert 0 < stopped[0] < result.progress.sent
    assert [report.split(":")[0] for report in reports[:1]] == ["A transaction was lost"]
    assert reports[-1].startswith("Kafka responds again")
    assert Counter(read_event_ids(kafka)) == Counter(list_event_ids(source))


def test_a_second_process_takes_over_the_stream(kafka: KafkaSettings) -> None:
    source = make_source(20)

    def start_second(progress: object) -> None:
        if not taken_over:
            taken_over.append(send(kafka, source, max_messages=10))

    taken_over: list[object] = []
    first = Observer(show_progress=start_second)
    with pytest.raises(ActionNeededError, match="Another process sends the stream tests now"):
        send(kafka, source, observer=first, pace=Pace(rate=50), max_transaction_messages=20)
    assert send(kafka, source).position.is_complete
    assert Counter(read_event_ids(kafka)) == Counter(list_event_ids(source))


def test_a_stream_stops_after_a_number_of_messages_and_goes_on(kafka: KafkaSettings) -> None:
    source = make_source(20)
    assert send(kafka, source, max_messages=70, max_transaction_messages=30).progress.sent == 70
    assert len(consume_committed(kafka)) == 70
    position = read_position(kafka, "tests")
    assert position is not None and position.sent == 70 and not position.is_complete
    assert send(kafka, source).position.sent == len(list_event_ids(source))
    assert send(kafka, source).progress.sent == 0
    assert Counter(read_event_ids(kafka)) == Counter(list_event_ids(source))


def test_a_name_belongs_to_one_stream(kafka: KafkaSettings) -> None:
    send(kafka, make_source(2))
    with pytest.raises(ActionNeededError, match="The stream tests has other parameters: users 60 and not 3"):
        send(kafka, make_source(3), start=StreamStart({"users": 3}, 0, 0, can_repeat=False))
    send(kafka, make_source(3), name="other", start=StreamStart({"users": 3}, 0, 0, can_repeat=False))


def test_a_rate_is_kept(kafka: KafkaSettings) -> None:
    started = time.monotonic()
    result = send(kafka, make_source(), pace=Pace(rate=300), commit_ms=50, max_messages=450)
    assert 1.4 <= time.monotonic() - started <= 6
    assert result.progress.sent == 450
    assert result.transaction_count >= 10


def test_missing_topics_are_named(kafka_broker: Broker) -> None:
    kafka = make_topics(kafka_broker.variables)
    missing = type(kafka)(**{**asdict(kafka), "topic": f"{kafka.topic}-missing"})
    with pytest.raises(ActionNeededError, match="A topic is missing"):
        send(missing, make_source(1))
