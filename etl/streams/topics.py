"""The topics: their names, partitions and settings. The product creates and checks them; Kafka never does by itself."""

import logging
import zlib
from dataclasses import dataclass, field
from datetime import timedelta

from confluent_kafka import KafkaError, KafkaException, TopicCollection, TopicPartition, Uuid
from confluent_kafka.admin import AdminClient, ConfigResource, NewTopic, OffsetSpec, ResourceType

from etl.errors import ActionNeededError
from etl.formats.geography import CONTINENTS
from etl.settings import KafkaSettings
from etl.streams.clients import REQUEST_SECONDS, run_request

log = logging.getLogger(__name__)

CONTINENT_PARTITIONS = {continent: number for number, continent in enumerate(sorted(set(CONTINENTS.values())))}
"""The partition of each continent: the continents in alphabetical order."""

RETENTION = timedelta(days=7)
"""How long Kafka keeps events: landing may be down, and live tables can be built again, for so long."""

_DEAD_LETTER_RETENTION = timedelta(days=30)


def _to_ms(duration: timedelta) -> str:
    return str(duration // timedelta(milliseconds=1))


@dataclass(frozen=True)
class Topic:
    """A topic as the product creates it."""

    name: str
    partition_count: int
    options: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class TopicDescription:
    """A topic as it is in Kafka. Its id changes if it is deleted and created again, and differs between clusters."""

    name: str
    topic_id: str
    partition_count: int
    options: dict[str, str]


def list_topics(kafka: KafkaSettings) -> tuple[Topic, ...]:
    """Return the topics of the product: events, dead letters, findings, and positions of simulated streams."""
    dead_letter_options = {"retention.ms": _to_ms(_DEAD_LETTER_RETENTION)}
    # A closed segment is compacted. An open one is not, and a producer reads it from its begin when it starts.
    position_options = {"cleanup.policy": "compact", "segment.ms": _to_ms(timedelta(hours=1))}
    # The broker's clock gives the time of an event's message: a producer with a wrong clock cannot make the events of
    # others late.
    event_options = {"retention.ms": _to_ms(RETENTION), "message.timestamp.type": "LogAppendTime"}
    return (
        Topic(kafka.topic, len(CONTINENT_PARTITIONS), event_options),
        Topic(kafka.dead_letter_topic, 1, dead_letter_options),
        Topic(kafka.anomaly_topic, 1, dead_letter_options),
        Topic(kafka.position_topic, 1, position_options),
    )


def choose_partition(user_id: str, continent: str | None, country: str | None) -> int:
    """Return the partition of an event: its continent's, else that of its country's continent.

    Events of an unknown continent are spread by their user, so that the events of a user stay in order.
    """
    for name in (continent, CONTINENTS.get(country or "")):
        if name in CONTINENT_PARTITIONS:
            return CONTINENT_PARTITIONS[name]
    return zlib.crc32(user_id.encode()) % len(CONTINENT_PARTITIONS)


def create_topics(kafka: KafkaSettings, replication_factor: int = -1) -> list[str]:
    """Create the missing topics, and check those that exist.

    :param replication_factor: -1 for the cluster's default.
    :returns: the names of the created topics.
    :raises ActionNeededError: if a topic has another number of partitions or kind of timestamps, or the user may not
        create topics.
    :raises TryAgainError: if Kafka cannot be reached.
    """
    created = [topic.name for topic in list_topics(kafka) if _create_topic(kafka, topic, replication_factor)]
    for topic in list_topics(kafka):
        _check_topic(describe_topic(kafka, topic.name), topic)
    return created


def describe_topic(kafka: KafkaSettings, name: str) -> TopicDescription:
    """Return a topic as it is.

    :raises ActionNeededError: if it does not exist.
    :raises TryAgainError: if Kafka cannot be reached.
    """

    def request(client: AdminClient) -> TopicDescription:
        topics = client.describe_topics(TopicCollection([name]), request_timeout=REQUEST_SECONDS)
        description = topics[name].result(REQUEST_SECONDS)
        resource = ConfigResource(ResourceType.TOPIC, name)
        options = client.describe_configs([resource], request_timeout=REQUEST_SECONDS)[resource].result()
        return TopicDescription(
            name,
            format_topic_id(description.topic_id),
            len(description.partitions),
            {option.name: option.value for option in options.values()},
        )

    return run_request(kafka, request)


def fetch_oldest_offsets(kafka: KafkaSettings, name: str) -> dict[int, int]:
    """Return the offset of the oldest message that Kafka still has, by partition.

    :raises EtlError: as ``describe_topic`` does.
    """
    return _fetch_offsets(kafka, name, OffsetSpec.earliest())  # type: ignore[no-untyped-call]


def fetch_end_offsets(kafka: KafkaSettings, name: str) -> dict[int, int]:
    """Return the offset that the next message gets, by partition.

    :raises EtlError: as ``describe_topic`` does.
    """
    return _fetch_offsets(kafka, name, OffsetSpec.latest())  # type: ignore[no-untyped-call]


def _fetch_offsets(kafka: KafkaSettings, name: str, spec: OffsetSpec) -> dict[int, int]:
    partition_count = describe_topic(kafka, name).partition_count

    def request(client: AdminClient) -> dict[int, int]:
        partitions = {TopicPartition(name, partition): spec for partition in range(partition_count)}
        futures = client.list_offsets(partitions, request_timeout=REQUEST_SECONDS)
        return {topic.partition: future.result(REQUEST_SECONDS).offset for topic, future in futures.items()}

    return run_request(kafka, request)


def format_topic_id(topic_id: Uuid) -> str:
    """Return the id of a topic as Kafka's own tools write it, which is also a valid name of a folder."""
    # The client's text has the characters / and + of standard Base64.
    return str(topic_id).rstrip("=").replace("+", "-").replace("/", "_")


def _create_topic(kafka: KafkaSettings, topic: Topic, replication_factor: int) -> bool:
    new_topic = NewTopic(topic.name, topic.partition_count, replication_factor, config=topic.options)

    def request(client: AdminClient) -> bool:
        try:
            client.create_topics([new_topic], request_timeout=REQUEST_SECONDS)[topic.name].result(REQUEST_SECONDS)
        except KafkaException as error:
            if error.args[0].code() == KafkaError.TOPIC_ALREADY_EXISTS:
                return False
            raise
        return True

    return run_request(kafka, request)


def _check_topic(description: TopicDescription, topic: Topic) -> None:
    if description.partition_count != topic.partition_count:
        raise ActionNeededError(
            f"The topic {topic.name} has {description.partition_count} partitions and needs {topic.partition_count},"
            " one for each continent: the partition of an event would not be its continent's. Delete the topic, or use"
            " another Kafka."
        )
    name, wanted = "message.timestamp.type", topic.options.get("message.timestamp.type")
    if wanted and description.options.get(name, wanted) != wanted:
        raise ActionNeededError(
            f"The topic {topic.name} takes the times of messages from their producers, whose clocks may be wrong. Run"
            f" kafka-configs.sh --bootstrap-server ADDRESS --alter --entity-type topics --entity-name {topic.name}"
            f" --add-config {name}={wanted}"
        )
    for name, wanted in topic.options.items():
        if description.options.get(name) != wanted:
            log.warning(
                "The topic %s has %s=%s, and the product creates it with %s.",
                *(topic.name, name, description.options.get(name), wanted),
            )
