"""Events of a topic for tests: values of UserActivity, and their delivery to the partition of their continent."""

import io
import uuid
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

import fastavro
from confluent_kafka import Producer

from etl.formats.contracts.avro import load_contract
from etl.settings import KafkaSettings
from etl.streams.clients import build_client_options
from etl.streams.topics import choose_partition

_SCHEMA = fastavro.parse_schema(load_contract("user_activity_2"))


def make_event(at: datetime, **fields: Any) -> dict[str, Any]:
    """Return a play of one minute in Germany with an event id of its own, and with other fields as given."""
    return {
        "userId": "u1",
        "eventTime": at,
        "startTime": at,
        "endTime": at + timedelta(minutes=1),
        "activityType": "PLAY",
        "song": "Song",
        "songId": "track-1",
        "artist": "Artist",
        "artistId": "artist-1",
        "genre": "rock",
        "deviceType": "MOBILE",
        "country": "DE",
        "msPlayed": 60_000,
        "eventId": uuid.uuid4().hex,
        **fields,
    }


def encode_event(event: dict[str, Any]) -> bytes:
    target = io.BytesIO()
    fastavro.schemaless_writer(target, _SCHEMA, event)
    return target.getvalue()


def produce(kafka: KafkaSettings, events: Iterable[dict[str, Any] | tuple[bytes | None, str | None, int]]) -> None:
    """Send events to the topic; a tuple of value, schema version and partition is sent as it is."""
    producer = Producer({**build_client_options(kafka), "enable.idempotence": True})
    for event in events:
        if isinstance(event, dict):
            partition = choose_partition(event["userId"], None, event["country"])
            value, version = encode_event(event), "2"
        else:
            value, version, partition = event  # type: ignore[assignment]
        headers = [("schema_version", version.encode())] if version else []
        producer.produce(kafka.topic, value, partition=partition, headers=headers)
    assert producer.flush(20) == 0
