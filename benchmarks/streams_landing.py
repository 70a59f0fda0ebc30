"""Landing a topic with validation, beside a consumer that only decodes with fastavro.

    python -m benchmarks.streams_landing [--events N] [--rounds N]

Both read the same topic of the embedded broker from its beginning, in a process each, one after the other. Landing
validates each event, writes Avro files of a quarter of a million events with fsync, and commits. The other side
consumes with confluent-kafka, up to 20,000 messages at a time, decodes each with fastavro, and drops it. The figure is
the processor time of the process for each event, without its start; the broker's is not included.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import time
import uuid
from datetime import UTC, datetime
from importlib.metadata import version
from io import BytesIO
from pathlib import Path
from statistics import median

import fastavro
from confluent_kafka import Consumer, Producer, TopicPartition

from etl.formats.avro.schemas import remove_logical_types
from etl.formats.contracts.avro import load_contract
from etl.jobs import landing as landing_job
from etl.settings import CHECKOUT, KafkaSettings, read_settings
from etl.streams import landing, topics
from etl.streams.clients import build_client_options
from launch import kafka

_GOAL_RATIO = 0.25
_CONSUME_MESSAGES = 20_000
_USERS = 20_000


class _Stopwatch:
    """Sets the event once enough messages are landed, and measures from the first batch."""

    def __init__(self, count: int) -> None:
        self.count = count
        self.landed = 0
        self.started: tuple[float, float] | None = None
        self.ended = (0.0, 0.0)

    def is_set(self) -> bool:
        return self.landed >= self.count

    def wait(self, timeout: float) -> bool:
        time.sleep(timeout)
        return self.is_set()

    def begin(self) -> None:
        if self.started is None:
            self.started = (time.process_time(), time.monotonic())

    def add(self, count: int) -> None:
        self.landed += count
        self.ended = (time.process_time(), time.monotonic())


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--events", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--side", choices=("landing", "fastavro"), help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.side:
        measure = _measure_landing if options.side == "landing" else _measure_fastavro
        cpu_seconds, seconds = measure(options.events)
        print(cpu_seconds / options.events * 1e6, options.events / seconds)
        return
    state = Path(os.environ.get("STATE_DIR") or CHECKOUT / ".state").resolve()
    with tempfile.TemporaryDirectory(dir=state) as folder:
        kafka.link_jars(Path(folder))
        _run_with_broker(Path(folder), options)


def _run_with_broker(folder: Path, options: argparse.Namespace) -> None:
    with kafka.run_embedded_broker(folder, {**os.environ, "AIRFLOW_HOME": str(folder)}) as broker:
        environ = {
            **os.environ,
            **broker.variables,
            "WAREHOUSE_URL": "postgresql://unused@127.0.0.1/none",
            "KAFKA_TOPIC": f"SpotifyWrapped-{uuid.uuid4().hex[:8]}",
        }
        _produce_events(read_settings(environ).require_kafka(), options.events)
        _run_rounds(environ, folder, options)


def _produce_events(settings: KafkaSettings, count: int) -> None:
    """Send events of many users to all partitions, 275 bytes each on average."""
    topics.create_topics(settings)
    schema = fastavro.parse_schema(remove_logical_types(load_contract("user_activity_2")))
    now = int(datetime.now(UTC).timestamp() * 1000)
    values = [_encode_event(schema, number, now) for number in range(_USERS)]
    producer = Producer(
        {**build_client_options(settings), "compression.type": "lz4", "enable.idempotence": True, "linger.ms": 20}
    )
    for number in range(count):
        while True:
            try:
                producer.produce(
                    settings.topic,
                    values[number % _USERS],
                    f"user{number % _USERS}",
                    partition=number % 7,
                    headers=[("schema_version", b"2")],
                )
                break
            except BufferError:
                producer.poll(0.1)
    producer.flush(60)


def _encode_event(schema: object, number: int, now: int) -> bytes:
    target = BytesIO()
    record = {
        "userId": f"listener-{number:022}",
        "eventTime": now - number * 1000,
        "startTime": now - number * 1000 - 180_000,
        "endTime": now - number * 1000,
        "activityType": "PLAY",
        "song": f"A song called {number}",
        "songId": f"bench{number:017}",
        "genre": f"genre {number % 114}",
        "artist": f"Artist {number % 17_000}",
        "artistId": f"artist{number % 17_000:016}",
        "playlistId": None,
        "duration": 180_000,
        "userLocation": "DE",
        "deviceType": "MOBILE",
        "valence": 0.5,
        "tempo": 120.0,
        "acousticness": 0.1,
        "energy": 0.7,
        "danceability": 0.6,
        "eventId": f"{number:032x}",
        "subscriptionType": "premium",
        "country": "DE",
        "continent": "Europe",
        "timezone": "Europe/Berlin",
        "msPlayed": 180_000,
    }
    fastavro.schemaless_writer(target, schema, record)
    return target.getvalue()


def _run_rounds(environ: dict[str, str], folder: Path, options: argparse.Namespace) -> None:
    figures: dict[str, list[tuple[float, float]]] = {"landing": [], "fastavro": []}
    for number in range(options.rounds):
        for side, side_figures in figures.items():
            state = folder / f"{side}-{number}"
            output = subprocess.run(
                [sys.executable, "-m", "benchmarks.streams_landing", "--side", side, "--events", str(options.events)],
                env={**environ, "STATE_DIR": str(state), "LANDING_INSTANCE": f"bench-{number}"},
                cwd=CHECKOUT,
                capture_output=True,
                text=True,
                check=True,
            ).stdout
            cpu, rate = output.split()[-2:]
            side_figures.append((float(cpu), float(rate)))
    (ours, our_rate), (theirs, their_rate) = (
        (median(cpu for cpu, _ in side_figures), median(rate for _, rate in side_figures))
        for side_figures in figures.values()
    )
    print(
        f"{options.events:,} events, medians of {options.rounds} rounds, {os.cpu_count()} cores;"
        f" confluent-kafka {version('confluent-kafka')}, fastavro {version('fastavro')}"
    )
    print(
        f"landing with validation {ours:.2f} µs/event of processor time ({our_rate:,.0f} events/s), a consumer that"
        f" decodes with fastavro {theirs:.2f} µs/event ({their_rate:,.0f} events/s), ratio {ours / theirs:.2f}"
        f" goal <= {_GOAL_RATIO}"
    )


def _measure_landing(count: int) -> tuple[float, float]:
    """Return the processor time and the time of landing, from the first messages to the last commit."""
    stopwatch = _Stopwatch(count)
    real_consume, real_settle = landing.LandingConsumer.consume, landing.LandingSession._settle

    def consume(consumer: landing.LandingConsumer, limit: int, seconds: float) -> list[object]:
        messages = real_consume(consumer, limit, seconds)
        if messages:
            stopwatch.begin()
        return messages  # type: ignore[return-value]

    def settle(session: landing.LandingSession) -> None:
        real_settle(session)
        stopwatch.landed = session._progress.landed_count
        stopwatch.add(0)

    landing.LandingConsumer.consume = consume  # type: ignore[method-assign,assignment]
    landing.LandingSession._settle = settle  # type: ignore[method-assign]
    landing_job.land_messages(read_settings(), stopwatch)  # type: ignore[arg-type]
    cpu_start, start = stopwatch.started or (0.0, 0.0)
    return stopwatch.ended[0] - cpu_start, stopwatch.ended[1] - start


def _measure_fastavro(count: int) -> tuple[float, float]:
    settings = read_settings().require_kafka()
    schema = fastavro.parse_schema(load_contract("user_activity_2"))
    consumer = Consumer({**build_client_options(settings), "group.id": uuid.uuid4().hex, "enable.auto.commit": False})
    consumer.assign([TopicPartition(settings.topic, partition, 0) for partition in range(7)])
    stopwatch = _Stopwatch(count)
    while not stopwatch.is_set():
        messages = consumer.consume(_CONSUME_MESSAGES, 1)
        if messages:
            stopwatch.begin()
        for message in messages:
            fastavro.schemaless_reader(BytesIO(message.value()), schema)  # type: ignore[arg-type]
        stopwatch.add(len(messages))
    consumer.close()
    cpu_start, start = stopwatch.started or (0.0, 0.0)
    return stopwatch.ended[0] - cpu_start, stopwatch.ended[1] - start


if __name__ == "__main__":
    main()
