"""Events of a campaign: a feed file with known counts, and messages that are no events."""

import random
import time
from collections import Counter
from pathlib import Path
from typing import Any

import fastavro
from confluent_kafka import Producer

from etl.formats.contracts.avro import load_contract
from etl.settings import KafkaSettings
from etl.streams.clients import build_client_options
from etl.streams.messages import SCHEMA_VERSION_HEADER

EventKey = tuple[int, str, str, str]
"""Hour (ms since 1970), user, track and activity."""

_HOUR_MS = 3_600_000
_SPAN_MS = 5 * _HOUR_MS
_COUNTRIES = {
    "DE": "Europe",
    "US": "North America",
    "BR": "South America",
    "NG": "Africa",
    "JP": "Asia",
    "AU": "Oceania",
}
_USERS, _TRACKS = 400, 300
_POISON_SEND_SECONDS = 60


def write_feed(path: Path, count: int, draws: random.Random) -> Counter[EventKey]:
    """Write events of the last hours; return the number of events by key."""
    now_ms = int(time.time() * 1000)
    counts: Counter[EventKey] = Counter()

    def make_records() -> Any:
        for number in range(count):
            at_ms = now_ms - _SPAN_MS + _SPAN_MS * number // count
            record = _make_record(number, at_ms, draws)
            counts[at_ms - at_ms % _HOUR_MS, record["userId"], record["songId"], record["activityType"]] += 1
            yield record

    with path.open("wb") as target:
        fastavro.writer(target, load_contract("user_activity_2"), make_records())
    return counts


def send_poison(kafka: KafkaSettings, count: int, draws: random.Random) -> int:
    """Send messages that are no events, to random partitions; return how many Kafka has confirmed."""
    delivered = []
    options = {"enable.idempotence": True, "delivery.timeout.ms": _POISON_SEND_SECONDS * 1000}
    producer = Producer(build_client_options(kafka) | options)
    for _ in range(count):
        value, headers = _make_poison(draws)
        producer.produce(
            kafka.topic,
            value,
            partition=draws.randrange(7),
            headers=headers,
            on_delivery=lambda error, _: delivered.append(error is None),
        )
        producer.poll(0)
    producer.flush(_POISON_SEND_SECONDS)
    return sum(delivered)


def _make_record(number: int, at_ms: int, draws: random.Random) -> dict[str, Any]:
    track, country = draws.randrange(_TRACKS), draws.choice(list(_COUNTRIES))
    return {
        "userId": f"user-{draws.randrange(_USERS)}",
        "eventTime": at_ms,
        "activityType": "PLAY" if number % 10 else "SKIP",
        "song": f"Song {track}",
        "songId": f"{track:022}",
        "genre": "pop",
        "artist": f"Artist {track % 40}",
        "artistId": f"{track % 40:022}",
        "startTime": at_ms,
        "endTime": at_ms + 200_000,
        "deviceType": "MOBILE",
        "duration": 200_000,
        "eventId": f"event-{number}",
        "country": country,
        "continent": _COUNTRIES[country],
        "timezone": "UTC",
        "msPlayed": 200_000,
    }


def _make_poison(draws: random.Random) -> tuple[bytes | None, list[tuple[str, bytes]]]:
    version = [(SCHEMA_VERSION_HEADER, b"2")]
    return draws.choice(
        [
            (draws.randbytes(draws.randrange(400)), version),
            (draws.randbytes(20), []),
            (draws.randbytes(20), [(SCHEMA_VERSION_HEADER, b"99")]),
            (b"", version),
            (None, version),
        ]
    )
