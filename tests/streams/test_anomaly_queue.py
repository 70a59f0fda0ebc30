"""The queue of findings: a real broker, and a real Azurite where it is installed."""

import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from azure.storage.queue import QueueClient, TextBase64DecodePolicy
from confluent_kafka import Consumer

from etl.errors import ActionNeededError, TryAgainError
from etl.settings import KafkaSettings, read_settings
from etl.streams import anomaly_queue, clients, topics
from etl.streams.anomaly_queue import AzureAnomalyQueue, KafkaAnomalyQueue, open_anomaly_queue
from launch.kafka import Broker
from tests.processes import find_free_port
from tests.streams.test_topics import make_kafka_settings

HOUR = datetime(2026, 10, 1, 12, tzinfo=UTC)
FINDINGS = [
    {
        "user_id": user_id,
        "rule": "skips_beyond_plan",
        "window_start": HOUR,
        "window_end": HOUR.replace(hour=13),
        "reason": "9 skips in an hour on the free plan, which allows 6",
        "score": 0.8,
        "combined_score": 0.85,
        "detected_at": HOUR,
        "source": "stream",
    }
    for user_id in ("u1", "ü2")
]
_KEY = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=="
"""The public key of Azurite's account."""


@pytest.fixture(scope="module")
def kafka(kafka_broker: Broker) -> KafkaSettings:
    kafka = make_kafka_settings(dict(kafka_broker.variables))
    topics.create_topics(kafka)
    return kafka


def read_messages(kafka: KafkaSettings, count: int) -> list[tuple[str, dict[str, object]]]:
    consumer = Consumer(
        {**clients.build_client_options(kafka), "group.id": kafka.topic, "auto.offset.reset": "earliest"}
    )
    consumer.subscribe([kafka.anomaly_topic])
    messages = consumer.consume(count, timeout=30)
    consumer.close()
    return [(str(message.key(), "utf-8"), json.loads(message.value() or b"")) for message in messages]


def test_a_finding_is_a_message_of_kafka(kafka: KafkaSettings) -> None:
    assert KafkaAnomalyQueue(kafka).publish(FINDINGS) == 2
    messages = read_messages(kafka, 2)
    assert [key for key, _ in messages] == ["u1", "ü2"]
    assert messages[1][1] == {
        **FINDINGS[1],
        "window_start": "2026-10-01T12:00:00+00:00",
        "window_end": "2026-10-01T13:00:00+00:00",
        "detected_at": "2026-10-01T12:00:00+00:00",
    }


def test_a_refused_password_and_a_missing_topic_are_told_apart(
    kafka: KafkaSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(anomaly_queue, "REQUEST_SECONDS", 3.0)
    with pytest.raises(ActionNeededError, match="refuses the user or the password"):
        KafkaAnomalyQueue(replace(kafka, sasl_password="wrong")).publish(FINDINGS)
    with pytest.raises(ActionNeededError, match="A topic is missing"):
        KafkaAnomalyQueue(replace(kafka, topic="SpotifyWrapped-missing")).publish(FINDINGS)


def test_the_setting_chooses_the_queue() -> None:
    environ = {"WAREHOUSE_URL": "unused", "KAFKA_BOOTSTRAP_SERVERS": "127.0.0.1:1"}
    assert isinstance(open_anomaly_queue(read_settings(environ)), KafkaAnomalyQueue)
    with_azure = {**environ, "ANOMALY_QUEUE_CONNECTION_STRING": format_connection_string(1)}
    assert isinstance(open_anomaly_queue(read_settings(with_azure)), AzureAnomalyQueue)
    assert _KEY not in repr(read_settings(with_azure))
    with pytest.raises(ActionNeededError, match="KAFKA_BOOTSTRAP_SERVERS is not set"):
        open_anomaly_queue(read_settings({"WAREHOUSE_URL": "unused"}))
    with pytest.raises(ActionNeededError, match="no connection string of Azure Storage") as raised:
        open_anomaly_queue(read_settings({**environ, "ANOMALY_QUEUE_CONNECTION_STRING": "secret words"}))
    assert "secret words" not in str(raised.value)


def format_connection_string(port: int, key: str = _KEY) -> str:
    return (
        f"DefaultEndpointsProtocol=http;AccountName=devstoreaccount1;AccountKey={key};"
        f"QueueEndpoint=http://127.0.0.1:{port}/devstoreaccount1;"
    )


@pytest.fixture(scope="module")
def azurite_port(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    """Yield the port of an Azurite; skip the test if none is installed (npm install -g azurite@3.35.0)."""
    program = os.environ.get("AZURITE_QUEUE") or shutil.which("azurite-queue")
    if not program:
        pytest.skip("azurite-queue is not on the PATH: npm install -g azurite@3.35.0")
    port = find_free_port()
    folder: Path = tmp_path_factory.mktemp("azurite")
    command = [program, "--location", str(folder), "--queueHost", "127.0.0.1", "--queuePort", str(port)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as azurite:
        try:
            assert azurite.stdout and any("successfully listen" in line for line in azurite.stdout)
            yield port
        finally:
            azurite.terminate()


@pytest.mark.postgres
def test_a_finding_is_a_message_of_azure_storage(azurite_port: int) -> None:
    connection_string = format_connection_string(azurite_port)
    assert AzureAnomalyQueue(connection_string).publish(FINDINGS) == 2
    assert AzureAnomalyQueue(connection_string).publish(FINDINGS[:1]) == 1, "the queue exists already"
    reader = QueueClient.from_connection_string(
        connection_string,
        anomaly_queue.AZURE_QUEUE,
        api_version=anomaly_queue.AZURE_API_VERSION,
        message_decode_policy=TextBase64DecodePolicy(),
    )
    messages = [json.loads(message.content) for message in reader.receive_messages(max_messages=32)]
    assert sorted(str(message["user_id"]) for message in messages) == ["u1", "u1", "ü2"]
    assert messages[0]["reason"] == FINDINGS[0]["reason"]


@pytest.mark.postgres
def test_a_refused_key_and_a_missing_server_are_told_apart(azurite_port: int) -> None:
    with pytest.raises(ActionNeededError, match="refuses the access key"):
        AzureAnomalyQueue(format_connection_string(azurite_port, "d3Jvbmc=")).publish(FINDINGS)
    with pytest.raises(TryAgainError, match="cannot be reached"):
        AzureAnomalyQueue(format_connection_string(1)).publish(FINDINGS)
