"""Landed files: the messages of a topic in the lake, until a load takes them as an input.

    <lake>/landing/<topic>/<topic id>/<partition>/<name>.avro              the accepted messages of a range of offsets
    …/<name>.rejected.parquet                                              the rejected ones, as ``REJECTED_ROW``
    …/<name>.dead-letters.arrow                                            the same, until they are sent as dead letters
    …/<name>.gap                                                           offsets that Kafka deleted before landing
    <lake>/landing/<topic>/<topic id>/positions.json                       what inputs have taken

``<name>`` is ``<topic>-<partition>-<first offset>-<next offset>``. The names are the truth about what is landed: the
files of a partition form a chain in which each begins with the offset that the one before ends with. The Avro file, or
the gap, is written last and makes a range landed.

A consumer that lost its partition without noticing (its process was suspended) may write a file that overlaps the
chain. It cannot damage it: the chain is the longest one, and a file beside it has only messages that the chain has or
will have, because the partition's owner reads on from the chain's end. Such files are removed when an input is made.
"""

import io
import json
import re
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any

import pyarrow as pa
import pyarrow.parquet

from etl.storage.folder import LakeFolder
from etl.storage.inputs import ReceivedInput
from etl.storage.offset_ranges import OffsetRange, find_chain

ACCEPTED_SUFFIX = ".avro"
REJECTED_SUFFIX = ".rejected.parquet"
DEAD_LETTER_SUFFIX = ".dead-letters.arrow"
GAP_SUFFIX = ".gap"
_POSITIONS = "positions.json"
_NAME = re.compile(r"^(?P<stem>.+-(?P<partition>\d+)-(?P<first>\d{20})-(?P<next>\d{20}))(?P<suffix>\..+)$")


@dataclass(frozen=True)
class PendingInput:
    """An input that is being made of landed files: its manifest, its ranges, and the positions once it is made."""

    manifest: dict[str, Any]
    ranges: tuple[OffsetRange, ...]
    gaps: tuple[OffsetRange, ...]
    positions: dict[int, int]


class LandedTopic(LakeFolder):
    """The landed files of a topic with a certain id."""

    def __init__(self, lake_url: str, topic: str, topic_id: str) -> None:
        super().__init__(f"{lake_url}/landing/{topic}/{topic_id}")
        self.topic = topic
        self.topic_id = topic_id

    def find_position(self, partition: int) -> int | None:
        """Return the offset that follows the landed ones; None if nothing of the partition was ever landed."""
        # The files first: an input that is made meanwhile writes the positions before it moves the first file.
        ranges = self.list_ranges(partition)
        start = self.read_positions().get(partition)
        chain = find_chain(ranges, start)
        return chain[-1].next if chain else start

    def list_partitions(self) -> list[int]:
        """Return the partitions that have a folder."""
        return sorted(int(name) for name in self._list_current_names(self._root) if name.isdecimal())

    def list_ranges(self, partition: int) -> list[OffsetRange]:
        """Return the ranges of a partition that are landed and in no input yet, with those beside the chain."""
        return self._list_ranges(partition, (ACCEPTED_SUFFIX, GAP_SUFFIX))

    def list_gaps(self, partition: int) -> list[OffsetRange]:
        """Return the ranges of a partition that Kafka deleted before they were landed."""
        return self._list_ranges(partition, (GAP_SUFFIX,))

    def count_lost_messages(self) -> int:
        """Return the number of offsets that Kafka deleted before they were landed, in inputs or not."""
        # The files first: an input that is made meanwhile records its gaps before it removes their files.
        waiting = {gap for partition in self.list_partitions() for gap in self.list_gaps(partition)}
        document = self._read_document()
        pending = document["pending"] or {"gaps": []}
        gaps = waiting | {OffsetRange(**gap) for gap in (*document["gaps"], *pending["gaps"])}
        return sum(gap.next - gap.first for gap in gaps)

    def list_dead_letters(self, partition: int) -> list[OffsetRange]:
        """Return the ranges of a partition that have dead letters to send."""
        return self._list_ranges(partition, (DEAD_LETTER_SUFFIX,))

    def read_positions(self) -> dict[int, int]:
        """Return the offset that follows those in inputs, by partition."""
        document = self._read_document()
        positions = (document["pending"] or document)["positions"]
        return {int(partition): position for partition, position in positions.items()}

    def write_range(
        self,
        offsets: OffsetRange,
        accepted: Iterable[bytes],
        rejected: pa.Table | None,
        dead_letters: pa.Table | None,
    ) -> None:
        """Write the files of a range, durably; over those of an attempt that broke off.

        :param accepted: the bytes of an Avro file; written last.
        :param rejected: rows of ``REJECTED_ROW``.
        """
        path = self._get_path(offsets)
        if rejected is not None:
            self._write_file(path + REJECTED_SUFFIX, [_to_parquet(rejected)], is_durable=True)
        if dead_letters is not None:
            self._write_file(path + DEAD_LETTER_SUFFIX, [_to_arrow_file(dead_letters)], is_durable=True)
        self._write_file(path + ACCEPTED_SUFFIX, accepted, is_durable=True)

    def write_gap(self, offsets: OffsetRange) -> None:
        """Record that Kafka deleted a range before it was landed."""
        self._write_file(self._get_path(offsets) + GAP_SUFFIX, [json.dumps(asdict(offsets)).encode()], is_durable=True)

    def read_dead_letters(self, offsets: OffsetRange) -> pa.Table:
        """Return the dead letters of a range."""
        with self._filesystem.open(self._get_path(offsets) + DEAD_LETTER_SUFFIX, "rb") as source:
            return pa.ipc.open_file(source).read_all()

    def replace_dead_letters(self, offsets: OffsetRange, dead_letters: pa.Table) -> None:
        """Replace the dead letters of a range."""
        self._write_file(self._get_path(offsets) + DEAD_LETTER_SUFFIX, [_to_arrow_file(dead_letters)], is_durable=True)

    def drop_dead_letters(self, offsets: OffsetRange) -> None:
        """Remove the dead letters of a range that Kafka has."""
        self._drop_file(self._get_path(offsets) + DEAD_LETTER_SUFFIX)

    def find_files(self, suffix: str) -> list[str]:
        """Return the paths of files by the end of their names."""
        return sorted(
            f"{self._root}/{partition}/{name}"
            for partition in self.list_partitions()
            for name in self._list_current_names(f"{self._root}/{partition}")
            if name.endswith(suffix)
        )

    def get_path(self, offsets: OffsetRange, suffix: str) -> str:
        """Return the path of a file of a range."""
        return self._get_path(offsets) + suffix

    def get_landed_at(self, offsets: OffsetRange) -> datetime:
        """Return when a range was landed; now for a range that an input has taken meanwhile."""
        try:
            return self._get_modified_at(self._get_path(offsets) + ACCEPTED_SUFFIX)
        except FileNotFoundError:
            return datetime.now(UTC)

    def count_rows(self, offsets: OffsetRange, count_records: Any) -> int:
        """Return the number of accepted and rejected messages of a range.

        :param count_records: returns the number of records of an Avro file; ``container_files.count_records``.
        """
        path = self._get_path(offsets)
        accepted_count = int(count_records(self._filesystem, path + ACCEPTED_SUFFIX))
        if not self._filesystem.exists(path + REJECTED_SUFFIX):
            return accepted_count
        with self._filesystem.open(path + REJECTED_SUFFIX, "rb") as source:
            return accepted_count + int(pyarrow.parquet.ParquetFile(source).metadata.num_rows)

    def get_size_bytes(self, offsets: OffsetRange) -> int:
        """Return the size of the accepted messages of a range."""
        return int(self._filesystem.size(self._get_path(offsets) + ACCEPTED_SUFFIX))

    def read_pending_input(self) -> PendingInput | None:
        """Return the input that a killed process was making; None if there is none."""
        pending = self._read_document()["pending"]
        if pending is None:
            return None
        return PendingInput(
            pending["manifest"],
            tuple(OffsetRange(**offsets) for offsets in pending["ranges"]),
            tuple(OffsetRange(**offsets) for offsets in pending["gaps"]),
            {int(partition): position for partition, position in pending["positions"].items()},
        )

    def write_pending_input(self, pending: PendingInput) -> None:
        """Record the input that is to be made, before its first file is moved."""
        self._write_json(
            f"{self._root}/{_POSITIONS}", {**self._read_document(), "pending": asdict(pending)}, is_durable=True
        )

    def move_to_input(self, pending: PendingInput, received: ReceivedInput) -> None:
        """Move the files of an input into its folder; those that an earlier attempt moved are there already."""
        folder = self._filesystem._strip_protocol(received.url)
        self._filesystem.makedirs(folder, exist_ok=True)
        for offsets in pending.ranges:
            for suffix in (REJECTED_SUFFIX, ACCEPTED_SUFFIX):
                path = self._get_path(offsets) + suffix
                if self._filesystem.exists(path):
                    self._filesystem.mv(path, f"{folder}/{path.rsplit('/', 1)[-1]}")

    def finish_input(self, pending: PendingInput) -> None:
        """Record the positions of an input that is made, and remove the files that its ranges replace."""
        suffixes = (ACCEPTED_SUFFIX, REJECTED_SUFFIX, GAP_SUFFIX)
        for partition, position in pending.positions.items():
            for offsets in set(self._list_ranges(partition, suffixes)):
                if offsets.first < position:
                    for suffix in suffixes:
                        self._drop_file(self._get_path(offsets) + suffix)
        document = {
            "positions": pending.positions,
            "gaps": [*self._read_document()["gaps"], *(asdict(offsets) for offsets in pending.gaps)],
            "pending": None,
        }
        self._write_json(f"{self._root}/{_POSITIONS}", document, is_durable=True)

    def _list_ranges(self, partition: int, suffixes: tuple[str, ...]) -> list[OffsetRange]:
        matches = (_NAME.match(name) for name in self._list_current_names(f"{self._root}/{partition}"))
        return [
            OffsetRange(partition, int(match["first"]), int(match["next"]))
            for match in matches
            if match and match["suffix"] in suffixes and int(match["partition"]) == partition
        ]

    def _list_current_names(self, folder: str) -> list[str]:
        self._filesystem.invalidate_cache(folder)  # another process writes and moves files
        return self._list_names(folder)

    def _get_path(self, offsets: OffsetRange) -> str:
        name = f"{self.topic}-{offsets.partition}-{offsets.first:020}-{offsets.next:020}"
        return f"{self._root}/{offsets.partition}/{name}"

    def _read_document(self) -> dict[str, Any]:
        try:
            return self._read_json(f"{self._root}/{_POSITIONS}")
        except FileNotFoundError:
            return {"positions": {}, "gaps": [], "pending": None}

    def _drop_file(self, path: str) -> None:
        if self._filesystem.exists(path):
            self._filesystem.rm(path)


def list_input_ranges(url: str) -> list[OffsetRange]:
    """Return the ranges of offsets whose files an input has, in their order.

    :param url: of the input's folder.
    """
    matches = map(_NAME.match, _LandingFolder(url).list_file_names())
    return sorted(
        OffsetRange(int(match["partition"]), int(match["first"]), int(match["next"]))
        for match in matches
        if match and match["suffix"] == ACCEPTED_SUFFIX
    )


def list_landed_topics(lake_url: str, topic: str | None = None) -> list[LandedTopic]:
    """Return the topics that have a folder of landed files, each id of a topic for itself.

    :param topic: None for all topics.
    """
    folder = _LandingFolder(f"{lake_url}/landing")
    return [
        LandedTopic(lake_url, topic_name, topic_id)
        for topic_name in folder.list_names("")
        if topic in (None, topic_name)
        for topic_id in folder.list_names(f"/{topic_name}")
    ]


class _LandingFolder(LakeFolder):
    def list_file_names(self) -> list[str]:
        self._filesystem.invalidate_cache(self._root)
        return self._list_names(self._root)

    def list_names(self, path: str) -> list[str]:
        folder = f"{self._root}{path}"
        self._filesystem.invalidate_cache(folder)
        if not self._filesystem.isdir(folder):
            return []
        return [
            name for name in self._list_names(folder) if "." not in name or self._filesystem.isdir(f"{folder}/{name}")
        ]


def _to_parquet(table: pa.Table) -> bytes:
    target = io.BytesIO()
    pyarrow.parquet.write_table(table, target)
    return target.getvalue()


def _to_arrow_file(table: pa.Table) -> bytes:
    target = io.BytesIO()
    with pa.ipc.new_file(target, table.schema) as writer:
        writer.write_table(table)
    return target.getvalue()
