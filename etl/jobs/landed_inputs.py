"""Landed messages of topics as inputs of a load: the files that wait become one input of each topic.

A landing process writes a file every few seconds; a load of each would cost more than its events. The input is recorded
before its first file is moved, so that the next call completes one that was killed.
"""

import hashlib
import logging
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime

from etl.database import lock_landed_files
from etl.formats.avro.container_files import count_records
from etl.formats.contracts.avro import LATEST_CONTRACT, load_contract
from etl.settings import Settings
from etl.storage.inputs import ReceivedInput
from etl.storage.lake import Lake
from etl.storage.landed_files import LandedTopic, PendingInput, list_landed_topics
from etl.storage.offset_ranges import OffsetRange, find_chain

log = logging.getLogger(__name__)

ORIGIN = "feed"
_FORMAT = "user_activity"


def register_landed_files(lake: Lake, warehouse_url: str, received_at: datetime) -> list[ReceivedInput]:
    """Make inputs of all landed files.

    :param received_at: with a timezone.
    :returns: the new inputs; at most two of each topic.
    :raises EtlError: if the warehouse, which has the lock, cannot be reached.
    """
    if not list_landed_topics(lake.url):
        return []
    with lock_landed_files(warehouse_url):
        return register_locked_files(lake, received_at)


def register_locked_files(lake: Lake, received_at: datetime) -> list[ReceivedInput]:
    """Make inputs of all landed files, within ``lock_landed_files``; else as ``register_landed_files``."""
    return [
        received_input
        for landed in list_landed_topics(lake.url)
        for received_input in _register_topic(lake, landed, received_at)
    ]


@dataclass(frozen=True)
class WaitingMessages:
    """Landed messages that wait for a load: the name and time of the oldest file, and the number of offsets."""

    oldest_name: str
    oldest_landed_at: datetime
    offset_count: int


def find_due_messages(settings: Settings, now: datetime) -> WaitingMessages | None:
    """Return the landed messages that wait if they are worth a load: many, or for long; else None."""
    waiting = find_waiting_messages(Lake(settings.lake_url))
    if waiting is None:
        return None
    is_due = (
        waiting.offset_count >= settings.landing.load_records
        or (now - waiting.oldest_landed_at).total_seconds() >= settings.landing.load_seconds
    )
    return waiting if is_due else None


def find_waiting_messages(lake: Lake) -> WaitingMessages | None:
    """Return the landed messages that wait for a load; None if there are none."""
    files = [
        (landed.get_landed_at(offsets), landed.get_path(offsets, ""), offsets.next - offsets.first)
        for landed in list_landed_topics(lake.url)
        for offsets in _list_waiting_ranges(landed)
    ]
    if not files:
        return None
    oldest_landed_at, oldest_name, _ = min(files)
    return WaitingMessages(oldest_name, oldest_landed_at, sum(count for _, _, count in files))


def has_landed_files(lake: Lake) -> bool:
    """Return whether landed files wait for a load."""
    return any(landed.read_pending_input() or _list_waiting_ranges(landed) for landed in list_landed_topics(lake.url))


def _list_waiting_ranges(landed: LandedTopic) -> list[OffsetRange]:
    """Return the ranges of the chains that no input has; gaps have no messages."""
    positions = landed.read_positions()
    waiting: list[OffsetRange] = []
    for partition in landed.list_partitions():
        gaps = set(landed.list_gaps(partition))
        chain = find_chain(landed.list_ranges(partition), positions.get(partition))
        waiting += [offsets for offsets in chain if offsets not in gaps]
    return waiting


def _register_topic(lake: Lake, landed: LandedTopic, received_at: datetime) -> list[ReceivedInput]:
    inputs = []
    pending = landed.read_pending_input()
    if pending is not None:
        inputs.append(_make_input(lake, landed, pending))
    pending = _plan_input(lake, landed, received_at)
    if pending is not None:
        landed.write_pending_input(pending)
        inputs.append(_make_input(lake, landed, pending))
    return inputs


def _plan_input(lake: Lake, landed: LandedTopic, received_at: datetime) -> PendingInput | None:
    """Return the input of the files that wait; None if there are none."""
    positions = landed.read_positions()
    ranges: list[OffsetRange] = []
    gaps: list[OffsetRange] = []
    for partition in landed.list_partitions():
        partition_gaps = set(landed.list_gaps(partition))
        for offsets in find_chain(landed.list_ranges(partition), positions.get(partition)):
            (gaps if offsets in partition_gaps else ranges).append(offsets)
            positions[partition] = offsets.next
    if not ranges:
        return None
    input_id = compute_input_id(landed.topic_id, ranges)
    received = ReceivedInput(
        input_id=input_id,
        origin=ORIGIN,
        name=f"{landed.topic} of {received_at:%Y-%m-%d %H:%M:%S}",
        format=_FORMAT,
        encoding="avro",
        delimiter="",
        columns=tuple(field["name"] for field in load_contract(LATEST_CONTRACT[_FORMAT])["fields"]),
        row_count=sum(landed.count_rows(offsets, count_records) for offsets in ranges),
        size_bytes=sum(map(landed.get_size_bytes, ranges)),
        received_at=received_at.isoformat(),
        url=f"{lake.url}/{ORIGIN}/{input_id}",
        remarks=tuple(map(_describe_gap, gaps)),
    )
    return PendingInput(asdict(received), tuple(ranges), tuple(gaps), positions)


def _make_input(lake: Lake, landed: LandedTopic, pending: PendingInput) -> ReceivedInput:
    received = ReceivedInput.from_manifest(pending.manifest)
    landed.move_to_input(pending, received)
    stored = lake.inputs.store_manifest(received)
    landed.finish_input(pending)
    log.info("%s: %d messages in %d files.", stored.name, stored.row_count, len(pending.ranges))
    return stored


def compute_input_id(topic_id: str, ranges: Sequence[OffsetRange]) -> str:
    """Return the id of the input that has these ranges of a topic, in the order of partitions and offsets."""
    names = (f"{offsets.partition}-{offsets.first}-{offsets.next}" for offsets in ranges)
    return hashlib.sha256(" ".join([topic_id, *names]).encode()).hexdigest()[:16]


def _describe_gap(gap: OffsetRange) -> str:
    return (
        f"Offsets {gap.first} to {gap.next - 1} of partition {gap.partition} are missing: Kafka deleted them before"
        " they were landed."
    )
