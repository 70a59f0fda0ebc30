"""The topics of a real broker: made once, checked, and described."""

import uuid

import pytest
from confluent_kafka import Uuid

from etl.errors import ActionNeededError, TryAgainError
from etl.formats.geography import CONTINENTS
from etl.settings import KafkaSettings, read_settings
from etl.streams import clients, topics
from launch import create_topics
from launch.kafka import Broker


def make_kafka_settings(variables: dict[str, str]) -> KafkaSettings:
    """Return settings with a topic of their own."""
    topic = f"SpotifyWrapped-{uuid.uuid4().hex[:8]}"
    return read_settings({"WAREHOUSE_URL": "unused", "KAFKA_TOPIC": topic, **variables}).require_kafka()


def test_topics_are_created_once_and_described(kafka_broker: Broker) -> None:
    kafka = make_kafka_settings(dict(kafka_broker.variables))
    names = [topic.name for topic in topics.list_topics(kafka)]
    assert topics.create_topics(kafka) == names
    assert topics.create_topics(kafka) == []
    description = topics.describe_topic(kafka, kafka.topic)
    assert (description.name, description.partition_count) == (kafka.topic, 7)
    assert description.options["message.timestamp.type"] == "LogAppendTime"
    assert description.topic_id == topics.describe_topic(kafka, kafka.topic).topic_id


def test_other_options_are_reported(caplog: pytest.LogCaptureFixture) -> None:
    topic = topics.list_topics(make_kafka_settings({"KAFKA_BOOTSTRAP_SERVERS": "unused:1"}))[0]
    options = {**topic.options, "retention.ms": "1000"}
    topics._check_topic(topics.TopicDescription(topic.name, "id", 7, options), topic)
    assert "has retention.ms=1000, and the product creates it with 604800000" in caplog.text
    with pytest.raises(ActionNeededError, match=r"--add-config message\.timestamp\.type=LogAppendTime"):
        options = {**options, "message.timestamp.type": "CreateTime"}
        topics._check_topic(topics.TopicDescription(topic.name, "id", 7, options), topic)


def test_the_command_creates_and_describes_the_topics(
    kafka_broker: Broker, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    topic = f"SpotifyWrapped-{uuid.uuid4().hex[:8]}"
    for name, value in {**kafka_broker.variables, "KAFKA_TOPIC": topic}.items():
        monkeypatch.setenv(name, value)
    for state in ("created", "exists"):
        assert create_topics.main([]) == 0
        lines = capsys.readouterr().out.splitlines()
        assert [line.split()[:2] for line in lines] == [
            [f"{topic}{suffix}", state] for suffix in ("", ".dlq", ".anomalies", ".positions")
        ]
        assert "7 partitions" in lines[0] and "retention.ms 604800000" in lines[0] and "1 partition " in lines[1]


def test_a_missing_topic_is_named(kafka_broker: Broker) -> None:
    kafka = make_kafka_settings(dict(kafka_broker.variables))
    with pytest.raises(ActionNeededError, match="A topic is missing"):
        topics.describe_topic(kafka, kafka.topic)


def test_a_wrong_password_and_a_missing_broker_are_told_apart(
    kafka_broker: Broker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(clients, "REQUEST_SECONDS", 2.0)
    variables = dict(kafka_broker.variables)
    with pytest.raises(ActionNeededError, match="refuses the user or the password"):
        topics.create_topics(make_kafka_settings({**variables, "KAFKA_SASL_PASSWORD": "wrong"}))
    with pytest.raises(TryAgainError, match=r"127\.0\.0\.1:1 does not respond"):
        topics.create_topics(make_kafka_settings({**variables, "KAFKA_BOOTSTRAP_SERVERS": "127.0.0.1:1"}))


def test_the_partition_is_the_continents() -> None:
    assert list(topics.CONTINENT_PARTITIONS) == sorted(set(CONTINENTS.values()))
    assert topics.choose_partition("u", "Europe", None) == topics.choose_partition("u", None, "DE") == 3
    assert topics.choose_partition("u", "Atlantis", "ZZ") == topics.choose_partition("u", None, None)
    assert {topics.choose_partition(f"user {number}", None, None) for number in range(99)} == set(range(7))


def test_a_topic_id_names_a_folder() -> None:
    assert topics.format_topic_id(Uuid(-1, 2**63 - 5)) == "__________9_________-w"
