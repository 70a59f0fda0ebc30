"""How far the consumers are behind the topic: the offsets that Kafka has, less those that they have read."""

from collections.abc import Mapping
from dataclasses import dataclass

from etl.settings import KafkaSettings
from etl.streams.topics import fetch_end_offsets, fetch_oldest_offsets


@dataclass(frozen=True)
class TopicOffsets:
    """The offsets that Kafka has of a partition: the oldest one, and the one that the next message gets."""

    earliest: int
    end: int


def fetch_offsets(kafka: KafkaSettings, topic: str) -> dict[int, TopicOffsets]:
    """Return the offsets of each partition of a topic.

    :raises EtlError: if Kafka cannot be reached, or the topic does not exist.
    """
    oldest = fetch_oldest_offsets(kafka, topic)
    return {
        partition: TopicOffsets(oldest[partition], end) for partition, end in fetch_end_offsets(kafka, topic).items()
    }


def compute_lag(offsets: Mapping[int, TopicOffsets], positions: Mapping[int, int]) -> dict[int, int]:
    """Return the number of offsets of each partition that a consumer has not read yet.

    Offsets of transaction markers count too, so the lag of a consumer that has read everything may be 1. A partition
    without a position is read from its oldest message on.
    """
    return {
        partition: max(0, topic_offsets.end - max(positions.get(partition, 0), topic_offsets.earliest))
        for partition, topic_offsets in offsets.items()
    }
