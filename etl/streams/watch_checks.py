"""The checks of the streams: whether their processes work, keep up, and lose or reject messages.

Each check compares the present state with the results of earlier checks, newest first.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any

from etl.streams.lag import TopicOffsets, compute_lag
from etl.streams.topics import CONTINENT_PARTITIONS

SILENT_AFTER = timedelta(minutes=2)
"""A process reports its progress every ten seconds at least."""

_IDLE_LAG = 10
"""Offsets of transaction markers at the end of a partition are never read: such a lag is none."""

_CHECKS_COMPARED = 3
_CONTINENTS = {partition: continent for continent, partition in CONTINENT_PARTITIONS.items()}


@dataclass(frozen=True)
class CheckResult:
    """The result of a check; ``details`` are its figures by partition or by name."""

    check_name: str
    is_passed: bool
    value: int
    message: str
    details: Mapping[str, Any] = field(default_factory=dict)


History = Mapping[str, Sequence[CheckResult]]
"""Earlier results by the name of their check, newest first."""


@dataclass(frozen=True)
class ConsumerState:
    """How far a consumer of the topic is; ``positions`` are next offsets, ``lost_messages`` those it has counted.

    ``active_at`` is when it last reported its progress, None if it does so on another machine. ``process_id`` changes
    with each start.
    """

    name: str
    title: str
    log_name: str
    positions: Mapping[int, int]
    active_at: datetime | None = None
    lost_messages: int = 0
    process_id: int | None = None
    last_error: str = ""


def check_consumer(
    consumer: ConsumerState, offsets: Mapping[int, TopicOffsets], history: History, now: datetime, lag_limit: int
) -> list[CheckResult]:
    """Return whether a consumer works, keeps up, loses no messages and does not start again and again.

    :param lag_limit: a smaller lag may grow.
    """
    lag = compute_lag(offsets, consumer.positions)
    return [
        _check_progress(consumer, lag, history, now),
        _check_lag(consumer, lag, history, lag_limit),
        _check_loss(consumer, offsets, history),
        _check_restarts(consumer, history),
    ]


def check_dead_letters(end_offset: int, topic: str, history: History, limit: int) -> CheckResult:
    """Return whether at most ``limit`` messages were rejected since the last check.

    :param end_offset: of the dead-letter topic, in which transaction markers count too.
    """
    earlier = _get_last(history, "dead_letters")
    new_count = end_offset - int(earlier.details["end_offset"]) if earlier else 0
    details = {"end_offset": end_offset}
    if new_count <= limit:
        return CheckResult(
            "dead_letters", True, max(new_count, 0), f"{max(new_count, 0)} dead letters are new.", details
        )
    message = (
        f"{new_count} messages were rejected since the last check and are in the dead-letter topic {topic}. Their"
        " reasons are in audit.rejected_row after the next load, and in the header reason of each dead letter. Correct"
        " the producer."
    )
    return CheckResult("dead_letters", False, new_count, message, details)


def check_topic(topic: str, topic_id: str, history: History) -> CheckResult:
    """Return whether the topic is the one of the last check."""
    earlier = _get_last(history, "topic")
    details = {"topic_id": topic_id}
    if earlier is None or earlier.details["topic_id"] == topic_id:
        return CheckResult("topic", True, 0, f"The topic {topic} has the id {topic_id}.", details)
    message = (
        f"The topic {topic} was deleted and created again since the last check, or Kafka is another one. The landing"
        " and the live tables begin with its oldest message; messages of the former one that were not landed are lost."
    )
    return CheckResult("topic", False, 1, message, details)


def _check_progress(consumer: ConsumerState, lag: Mapping[int, int], history: History, now: datetime) -> CheckResult:
    name = f"{consumer.name}_progress"
    waiting = sum(count for count in lag.values() if count > _IDLE_LAG)
    details = {"positions": _format_partitions(consumer.positions)}
    if waiting and consumer.last_error and not _is_silent(consumer, history, name, now, details):
        message = f"The {consumer.title} cannot go on, and {waiting} messages wait: {consumer.last_error}"
        return CheckResult(name, False, waiting, message, details)
    if not waiting or not _is_silent(consumer, history, name, now, details):
        return CheckResult(name, True, waiting, f"{waiting} messages wait.", details)
    since = f" since {consumer.active_at:%Y-%m-%d %H:%M} UTC" if consumer.active_at else ""
    cause = f" Its last error: {consumer.last_error}" if consumer.last_error else ""
    message = (
        f"The {consumer.title} has reported no progress{since} and {waiting} messages wait. Look at the last lines of"
        f" {consumer.log_name}, then start it again: bin/run --streams does so.{cause}"
    )
    return CheckResult(name, False, waiting, message, details)


def _is_silent(consumer: ConsumerState, history: History, name: str, now: datetime, details: Mapping[str, Any]) -> bool:
    if consumer.active_at is not None:
        return now - consumer.active_at > SILENT_AFTER
    earlier = _get_last(history, name)
    return earlier is not None and earlier.value > 0 and earlier.details.get("positions") == details["positions"]


def _check_lag(consumer: ConsumerState, lag: Mapping[int, int], history: History, limit: int) -> CheckResult:
    name = f"{consumer.name}_lag"
    growing: list[str] = []
    for partition, current in lag.items():
        earlier = [int(result.details.get(str(partition), 0)) for result in history.get(name, ())]
        counts = [*reversed(earlier[: _CHECKS_COMPARED - 1]), current]
        is_growing = all(before < after for before, after in pairwise(counts))
        if current > limit and len(counts) == _CHECKS_COMPARED and is_growing:
            growing.append(f"{_describe_partition(partition)}: {', '.join(f'{count:,}' for count in counts)}")
    total = sum(lag.values())
    if not growing:
        return CheckResult(name, True, total, f"The lag is {total:,} messages.", _format_partitions(lag))
    message = (
        f"The lag of the {consumer.title} grows in three checks"
        f" ({'; '.join(growing)}). It is slower than the producers: give it more processor time, or see"
        " docs/streams.md. Nothing is lost until Kafka's retention ends."
    )
    return CheckResult(name, False, total, message, _format_partitions(lag))


def _check_loss(consumer: ConsumerState, offsets: Mapping[int, TopicOffsets], history: History) -> CheckResult:
    name = f"{consumer.name}_loss"
    aged_out = {
        partition: offsets[partition].earliest - position
        for partition, position in consumer.positions.items()
        if partition in offsets and position < offsets[partition].earliest
    }
    earlier = _get_last(history, name)
    newly_counted = consumer.lost_messages - int(earlier.details["lost_messages"]) if earlier else 0
    lost = sum(aged_out.values()) + max(newly_counted, 0)
    details = {"lost_messages": consumer.lost_messages}
    if not lost:
        return CheckResult(name, True, 0, "No message was lost.", details)
    partitions = ", ".join(_describe_partition(partition) for partition in aged_out)
    message = (
        f"Kafka removed {lost:,} messages before the {consumer.title} had read"
        f" them{f' ({partitions})' if partitions else ''}. They are gone from Kafka: replay them from their producer,"
        " and raise retention.ms of the topic above the longest time that the streams may stand still."
    )
    return CheckResult(name, False, lost, message, details)


def _check_restarts(consumer: ConsumerState, history: History) -> CheckResult:
    name = f"{consumer.name}_restarts"
    details = {"process_id": consumer.process_id}
    earlier = [result.details.get("process_id") for result in history.get(name, ())][: _CHECKS_COMPARED - 1]
    ids = {consumer.process_id, *earlier}
    if len(earlier) < _CHECKS_COMPARED - 1 or None in ids or len(ids) < _CHECKS_COMPARED:
        return CheckResult(name, True, 0, "It does not start again and again.", details)
    message = (
        f"The {consumer.title} was started again before each of the last three checks. Look at"
        f" {consumer.log_name}: the line before each start says why it ended.{' ' if consumer.last_error else ''}"
        f"{consumer.last_error}"
    )
    return CheckResult(name, False, len(ids), message, details)


def _get_last(history: History, name: str) -> CheckResult | None:
    return next(iter(history.get(name, ())), None)


def _format_partitions(values: Mapping[int, int]) -> dict[str, int]:
    return {str(partition): values[partition] for partition in sorted(values)}


def _describe_partition(partition: int) -> str:
    return f"{_CONTINENTS.get(partition, 'partition')} ({partition})"
