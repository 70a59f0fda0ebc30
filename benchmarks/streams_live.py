"""Live tables by Spark beside a consumer that only decodes with fastavro: processor time, latency, rest.

    python -m benchmarks.streams_live [--events N] [--only throughput latency] [--anomalies]

``throughput``: the events of a topic into the live tables, from the start of the session to the last batch, and without
the start and the first batch: processor time of the driver's JVM, the Python processes and PostgreSQL, beside that of a
confluent-kafka consumer of the same messages, without its start, that decodes each with fastavro and does nothing else.

``latency``: 200 events a second for a minute, from the producer to the row in live.user_hour; then the processor time
and memory of a minute without messages.
"""

import argparse
import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from io import BytesIO
from random import Random
from threading import Thread

import fastavro
import psutil
from confluent_kafka import Consumer, TopicPartition

from benchmarks._live_tables import fetch_position, run_live_tables, wait_until_read
from benchmarks._stream_topic import (
    SCHEMA,
    list_java_processes,
    make_event,
    make_producer,
    produce,
    read_spark_seconds,
    send,
    start_servers,
)
from etl.database import connect, fetch_rows
from etl.settings import KafkaSettings, Settings
from etl.streams.clients import build_client_options
from etl.streams.topics import fetch_end_offsets
from launch import postgres

_RATE, _SECONDS = 200, 60
_COUNT = "select coalesce(sum(events + late_events), 0)::bigint as n from live.user_hour"


def main() -> None:
    """Run the chosen measurements."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--events", type=int, default=1_000_000)
    parser.add_argument("--only", nargs="+", choices=("throughput", "latency"), default=("throughput", "latency"))
    parser.add_argument("--anomalies", action="store_true", help="with the query for anomalies beside the live tables")
    options = parser.parse_args()
    with start_servers("on" if options.anomalies else "off") as (settings, server):
        if "throughput" in options.only:
            _measure_throughput(settings, server, options.events)
        if "latency" in options.only:
            _measure_latency(settings, server)


def _measure_throughput(settings: Settings, server: postgres.Server, count: int) -> None:
    kafka_settings = settings.require_kafka()
    with run_live_tables(settings):
        # The first events start the session, the Python workers and the compilation of Java.
        produce(kafka_settings, 2_000, datetime.now(UTC) - timedelta(hours=1))
        wait_until_read(settings)
    produce(kafka_settings, count, datetime.now(UTC) - timedelta(minutes=30))
    with run_live_tables(settings):
        while not list_java_processes():
            time.sleep(0.1)
        start = _take_snapshot(settings, server)
        while (first_batch := _take_snapshot(settings, server)).position == start.position:
            time.sleep(0.1)
        wait_until_read(settings)
        end = _take_snapshot(settings, server)
    _print_rate("live tables", start, end)
    ours = _print_rate("without the start", first_batch, end)
    cpu_seconds, seconds = _decode_all(kafka_settings, count)
    other = cpu_seconds / count * 1e6
    print(f"fastavro only          {other:6.1f} µs an event, {count / seconds:,.0f} events/s")
    print(f"ratio                  {ours / other:6.2f}  (without the start of the session and its first batch)")


@dataclass(frozen=True)
class _Snapshot:
    """A time of the measurement: processor seconds by process, and the number of messages in the live tables."""

    taken_at: float
    cpu_seconds: dict[str, float]
    position: int


def _take_snapshot(settings: Settings, server: postgres.Server) -> _Snapshot:
    return _Snapshot(time.monotonic(), _read_cpu_seconds(server), fetch_position(settings))


def _print_rate(name: str, start: _Snapshot, end: _Snapshot) -> float:
    """Print and return the processor time of an event between two snapshots, µs."""
    count = end.position - start.position
    cpu = {part: (value - start.cpu_seconds[part]) / count * 1e6 for part, value in end.cpu_seconds.items()}
    parts = ", ".join(f"{part} {value:.1f}" for part, value in cpu.items())
    rate = count / (end.taken_at - start.taken_at)
    print(f"{name:22} {sum(cpu.values()):6.1f} µs an event ({parts}), {rate:,.0f} events/s")
    return sum(cpu.values())


def _measure_latency(settings: Settings, server: postgres.Server) -> None:
    kafka_settings = settings.require_kafka()
    with run_live_tables(settings):
        produce(kafka_settings, 100, datetime.now(UTC))
        wait_until_read(settings)
        arrivals: list[float] = []
        with connect(settings.warehouse_url) as connection:
            (row,) = fetch_rows(connection, _COUNT)
        base = int(str(row["n"]))
        sent: list[float] = []
        producing = Thread(target=_produce_steadily, args=(kafka_settings, sent))
        producing.start()
        while producing.is_alive() or len(arrivals) < len(sent):
            with connect(settings.warehouse_url) as connection:
                (row,) = fetch_rows(connection, _COUNT)
            arrivals += [time.monotonic()] * (int(str(row["n"])) - base - len(arrivals))
            time.sleep(0.02)
        latencies = sorted(arrived - at for at, arrived in zip(sent, arrivals, strict=True))
        p50, p95 = (latencies[int(len(latencies) * part)] for part in (0.5, 0.95))
        print(f"latency                p50 {p50:.2f} s, p95 {p95:.2f} s at {_RATE} events/s")
        cpu_before = _read_cpu_seconds(server)
        time.sleep(_SECONDS)
        idle = sum(_read_cpu_seconds(server).values()) - sum(cpu_before.values())
        processes = [psutil.Process(), *psutil.Process().children(recursive=True)]
        print(
            f"at rest                {idle / _SECONDS:.1%} of a core,"
            f" {_read_memory(processes) / 2**20:,.0f} MiB with the broker"
        )


def _produce_steadily(kafka_settings: KafkaSettings, sent: list[float]) -> None:
    random = Random(1)
    producer = make_producer(kafka_settings)
    begin = time.monotonic()
    for number in range(_RATE * _SECONDS):
        time.sleep(max(0.0, begin + number / _RATE - time.monotonic()))
        sent.append(time.monotonic())
        send(producer, kafka_settings, make_event(random, datetime.now(UTC)))
        producer.poll(0)
    producer.flush()


def _decode_all(kafka_settings: KafkaSettings, count: int) -> tuple[float, float]:
    """Decode the newest ``count`` messages with fastavro; return processor seconds and seconds."""
    consumer = Consumer({**build_client_options(kafka_settings), "group.id": "benchmark"})
    ends = fetch_end_offsets(kafka_settings, kafka_settings.topic)
    consumer.assign([TopicPartition(kafka_settings.topic, partition, 0) for partition in ends])
    cpu_before, started_at, decoded = time.process_time(), time.monotonic(), 0
    while decoded < count:
        for message in consumer.consume(10_000, timeout=5):
            fastavro.schemaless_reader(BytesIO(message.value()), SCHEMA)
            decoded += 1
    result = time.process_time() - cpu_before, time.monotonic() - started_at
    consumer.close()
    return result


def _read_cpu_seconds(server: postgres.Server) -> dict[str, float]:
    """Return the processor seconds so far of the driver, its Java process, the Python workers, and PostgreSQL."""
    postmaster = psutil.Process(postgres.find_running_pid(server.installation))
    return {
        **read_spark_seconds(),
        "PostgreSQL": sum(sum(process.cpu_times()[:2]) for process in postmaster.children())
        + sum(postmaster.cpu_times()[2:4]),
    }


def _read_memory(processes: list[psutil.Process]) -> int:
    """Return the memory of processes, bytes: a page that several share counts in part for each."""
    return sum(process.memory_full_info().pss for process in processes if process.name() != "postgres")


if __name__ == "__main__":
    main()
