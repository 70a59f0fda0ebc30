"""The embedded broker: who gets in, what survives a kill, and where passwords are."""

import os
import signal
import socket
import subprocess
import sys
import time
import uuid
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import psutil
import pytest
from confluent_kafka import Consumer, KafkaError, KafkaException, Producer, TopicPartition
from confluent_kafka.admin import (
    AdminClient,
    NewTopic,
    ScramCredentialInfo,
    ScramMechanism,
    UserScramCredentialUpsertion,
)

from etl.errors import ActionNeededError
from etl.settings import CHECKOUT
from launch import kafka
from launch.environment import STATE_MARKER
from launch.kafka import Broker
from launch.kafka.storage import prepare_files
from launch.processes import end_orphaned_processes
from tests.processes import list_listening_addresses, list_marked_processes

pytestmark = pytest.mark.spark
START = "import os, sys, time; from pathlib import Path; from launch.kafka import Broker; "
START += "print(Broker(Path(sys.argv[1]), dict(os.environ)).bootstrap_servers, flush=True); time.sleep(600)"


def make_options(variables: Mapping[str, str], **others: object) -> dict[str, Any]:
    return {
        "bootstrap.servers": variables["KAFKA_BOOTSTRAP_SERVERS"],
        "security.protocol": variables["KAFKA_SECURITY_PROTOCOL"],
        "sasl.mechanism": variables["KAFKA_SASL_MECHANISM"],
        "sasl.username": variables["KAFKA_SASL_USERNAME"],
        "sasl.password": variables["KAFKA_SASL_PASSWORD"],
        "log_level": 0,
        **others,
    }


def create_topic(broker: Broker, prefix: str = "SpotifyWrapped") -> str:
    topic = f"{prefix}-{uuid.uuid4().hex[:8]}"
    client = AdminClient(make_options(broker.variables))
    client.create_topics([NewTopic(topic, 2, 1)])[topic].result(10)
    return topic


def produce(broker: Broker, topic: str, values: range) -> None:
    producer = Producer(make_options(broker.variables, **{"transactional.id": topic, "compression.type": "zstd"}))
    producer.init_transactions(10)
    producer.begin_transaction()
    for number in values:
        producer.produce(topic, key="user", value=str(number), partition=1)
    producer.commit_transaction(10)


def read_values(broker: Broker, topic: str, count: int) -> list[int]:
    consumer = Consumer(make_options(broker.variables, **{"group.id": topic}))
    try:
        consumer.assign([TopicPartition(topic, 1, 0)])
        messages = consumer.consume(count, timeout=10)
        consumer.commit(asynchronous=False)
        return [int(message.value() or b"") for message in messages]
    finally:
        consumer.close()


def make_environ(state: Path) -> dict[str, str]:
    return {**os.environ, "AIRFLOW_HOME": str(state), "PYTHONPATH": str(CHECKOUT)}


@pytest.fixture
def kafka_state(tmp_path: Path) -> Path:
    """Return a STATE_DIR with Kafka's jars."""
    kafka.link_jars(tmp_path)
    return tmp_path


def test_the_user_of_the_streams_writes_in_transactions_and_reads(kafka_broker: Broker) -> None:
    topic = create_topic(kafka_broker)
    produce(kafka_broker, topic, range(100))
    assert read_values(kafka_broker, topic, 100) == list(range(100))


@pytest.mark.parametrize(
    "options", [{"sasl.password": "wrong"}, {"security.protocol": "PLAINTEXT"}], ids=["wrong password", "no SASL"]
)
def test_others_are_refused(kafka_broker: Broker, options: dict[str, str]) -> None:
    errors: list[KafkaError] = []
    client = AdminClient(make_options(kafka_broker.variables, **options, error_cb=errors.append))
    with pytest.raises(KafkaException):
        client.list_topics(timeout=2)
    client.poll(0)
    assert errors
    if "sasl.password" in options:
        assert KafkaError._AUTHENTICATION in {error.code() for error in errors}


def test_the_user_of_the_streams_has_no_other_rights(kafka_broker: Broker) -> None:
    with pytest.raises(KafkaException, match="TOPIC_AUTHORIZATION_FAILED"):
        create_topic(kafka_broker, prefix="other")
    credential = UserScramCredentialUpsertion("admin", ScramCredentialInfo(ScramMechanism.SCRAM_SHA_512, 4096), b"new")
    client = AdminClient(make_options(kafka_broker.variables))
    change = client.alter_user_scram_credentials([credential])
    with pytest.raises(KafkaException, match="CLUSTER_AUTHORIZATION_FAILED"):
        change["admin"].result(10)


def test_no_topic_is_created_by_its_use(kafka_broker: Broker) -> None:
    topic = f"SpotifyWrapped-{uuid.uuid4().hex[:8]}"
    errors: list[KafkaError | None] = []
    producer = Producer(make_options(kafka_broker.variables, **{"topic.metadata.propagation.max.ms": 500}))
    producer.produce(topic, value="1", on_delivery=lambda error, _: errors.append(error))
    producer.flush(10)
    assert [error.code() for error in errors if error] == [KafkaError.UNKNOWN_TOPIC_OR_PART]
    assert topic not in AdminClient(make_options(kafka_broker.admin_variables)).list_topics(timeout=5).topics


def test_a_killed_broker_comes_back_with_its_messages_and_its_address(kafka_state: Path) -> None:
    with kafka.run_embedded_broker(kafka_state, make_environ(kafka_state)) as broker:
        assert kafka.resolve_kafka_variables(kafka_state, {}) == broker.variables
        topic = create_topic(broker)
        produce(broker, topic, range(1000))
        broker._child.process.kill()
        broker._child.process.wait()
        messages = []
        deadline = time.monotonic() + 60
        while len(messages) < 2 and time.monotonic() < deadline:
            messages += filter(None, [broker.restart_if_ended()])
            time.sleep(0.1)
        assert messages[0].startswith("The embedded Kafka had ended (exit code -9) and will be started again in 1 s")
        assert messages[1] == "The embedded Kafka had ended (exit code -9) and was started again. No message was lost."
        produce(broker, topic, range(1000, 1010))
        assert read_values(broker, topic, 1010) == list(range(1010))
        assert list_listening_addresses(list_marked_processes(kafka_state)) == {"127.0.0.1"}
        started = time.monotonic()
    with pytest.raises(ActionNeededError, match="Kafka is not running: start bin/run --streams"):
        kafka.resolve_kafka_variables(kafka_state, {})
    assert time.monotonic() - started < 10 and not list_marked_processes(kafka_state)

    port = int(broker.bootstrap_servers.split(":")[1])
    with socket.create_server(("127.0.0.1", port)):
        broker = Broker(kafka_state, make_environ(kafka_state))
    assert broker.bootstrap_servers != f"127.0.0.1:{port}", "another process has taken its port"
    assert read_values(broker, topic, 1010) == list(range(1010))
    broker.stop()


def test_passwords_are_in_private_files_alone(kafka_state: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    commands: list[list[str]] = []
    run = subprocess.run

    def record_and_run(command: list[str], **options: Any) -> "subprocess.CompletedProcess[bytes]":
        commands.append(command)
        return run(command, **options)

    monkeypatch.setattr("launch.kafka.storage.subprocess.run", record_and_run)
    with kafka.run_embedded_broker(kafka_state, make_environ(kafka_state)) as broker:
        passwords = [v["KAFKA_SASL_PASSWORD"] for v in (broker.variables, broker.admin_variables)]
        processes = list_marked_processes(kafka_state)
        commands += [process.cmdline() for process in processes]
        texts = [" ".join(command) for command in commands]
        texts += [" ".join(process.environ().values()) for process in processes]
    assert len(set(passwords)) == 2 and "kafka.tools.StorageTool" in texts[0] and "kafka.Kafka" in texts[1]
    assert not [text for text in texts if any(password in text for password in passwords)]
    files = [path for path in kafka_state.rglob("*") if path.is_file() and path.suffix != ".jar"]
    secret_files = [path for path in files if any(password.encode() in path.read_bytes() for password in passwords)]
    assert {path.name for path in secret_files} == {"kafka-admin", "kafka-warehouse", "server.properties"}
    assert not [path for path in secret_files if path.stat().st_mode & 0o077]


def test_the_broker_of_a_killed_start_is_ended_by_the_next_one(kafka_state: Path) -> None:
    environ = {**make_environ(kafka_state), STATE_MARKER: str(kafka_state)}
    start = subprocess.Popen(
        [sys.executable, "-c", START, str(kafka_state)], env=environ, stdout=subprocess.PIPE, text=True
    )
    assert start.stdout is not None and start.stdout.readline().startswith("127.0.0.1:")
    os.kill(start.pid, signal.SIGKILL)
    start.wait()
    start.stdout.close()
    assert [psutil.Process.name(process) for process in list_marked_processes(kafka_state)] == ["java"]
    assert end_orphaned_processes(kafka_state) == 1
    assert not list_marked_processes(kafka_state)


def test_another_kafka_needs_no_variables_and_none_is_named(tmp_path: Path) -> None:
    assert kafka.resolve_kafka_variables(tmp_path, {"KAFKA_BOOTSTRAP_SERVERS": "kafka:9092"}) == {}
    with pytest.raises(ActionNeededError, match="set KAFKA_BOOTSTRAP_SERVERS"):
        kafka.resolve_kafka_variables(tmp_path, {})


def test_messages_are_not_given_up_with_the_passwords(tmp_path: Path) -> None:
    (tmp_path / "kafka" / "data").mkdir(parents=True)
    with pytest.raises(ActionNeededError, match="The password kafka-admin of the embedded Kafka is missing"):
        prepare_files(tmp_path, {})
