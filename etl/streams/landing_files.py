"""The files of a batch of messages: accepted ones as Avro, rejected ones as rows of the audit and as dead letters."""

import base64
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from pyspark.sql.pandas.types import to_arrow_schema

from etl.formats.avro.datum_files import encode_datum_file
from etl.formats.contracts import REJECTED_ROW
from etl.formats.contracts.avro import LATEST_CONTRACT, load_contract
from etl.storage.forgotten_users import ForgottenUsers
from etl.storage.landed_files import LandedTopic
from etl.storage.offset_ranges import OffsetRange
from etl.streams.dead_letters import DEAD_LETTER_SCHEMA
from etl.streams.forgotten import find_forgotten_messages
from etl.streams.landing_consumer import StartAgainError
from etl.streams.message_batch import MessageBatch
from etl.streams.messages import RegistryAddress, convert_values

FindReasons = Callable[[pa.Table, RegistryAddress | None], pa.ChunkedArray]
"""Return for each message the reason of its rejection, NULL for an accepted one; see ``decode_messages``."""

_MAX_AUDITED_BYTES = 3_000
"""The bytes of a rejected value that the audit shows; the dead letter has all of them."""
_REJECTED_SCHEMA = to_arrow_schema(REJECTED_ROW)


@dataclass(frozen=True)
class ValidatedBatch:
    """A batch with, for each message, the reason of its rejection, and whether its user was forgotten.

    ``values`` are the accepted ones as the latest contract writes them. ``forgotten`` are the users by whom
    ``is_forgotten`` was decided.
    """

    batch: MessageBatch
    table: pa.Table
    partitions: npt.NDArray[np.int64]
    offsets: npt.NDArray[np.int64]
    values: list[bytes]
    reasons: dict[int, str]
    is_forgotten: npt.NDArray[np.bool_]
    forgotten: Mapping[str, datetime]


@dataclass(frozen=True)
class WrittenRange:
    """A landed range: its numbers of accepted and rejected messages."""

    offsets: OffsetRange
    accepted_count: int
    rejected_count: int


class LandingFiles:
    """Writes batches of messages of a topic to the lake."""

    def __init__(
        self,
        landed: LandedTopic,
        forgotten_users: ForgottenUsers,
        find_reasons: FindReasons,
        registry: RegistryAddress | None,
    ) -> None:
        self._landed = landed
        self._forgotten_users = forgotten_users
        self._find_reasons = find_reasons
        self._registry = registry
        self._contract = load_contract(LATEST_CONTRACT["user_activity"])

    def validate_batch(self, batch: MessageBatch) -> ValidatedBatch:
        """Validate the messages of a batch together."""
        table = batch.build_table()
        reasons = self._find_reasons(table, self._registry)
        rejected_indexes = np.flatnonzero(reasons.is_valid().to_numpy())
        reason_by_index = {int(index): reasons[int(index)].as_py() for index in rejected_indexes}
        values, versions = batch.values, batch.versions
        if reason_by_index:
            values, versions = list(values), list(versions)
            for index in reason_by_index:
                values[index], versions[index] = b"", None
        # An accepted message has a value.
        accepted = [value or b"" for value in values] if None in values else values
        return self._convert(batch, table, accepted, versions, reason_by_index)  # type: ignore[arg-type]

    def write_partitions(self, validated: ValidatedBatch, positions: dict[int, int]) -> Iterator[WrittenRange]:
        """Write the files of each partition, and move its position behind them; landed messages are left out.

        :param positions: of the partitions of this process; changed in place.
        :raises StartAgainError: if another process has landed messages of a partition meanwhile.
        """
        for partition in np.unique(validated.partitions).tolist():
            indexes = np.flatnonzero((validated.partitions == partition) & (validated.offsets >= positions[partition]))
            if not len(indexes):
                continue
            offsets = OffsetRange(partition, positions[partition], int(validated.offsets[indexes[-1]]) + 1)
            self._check_owner(offsets, validated.offsets[indexes])
            written: WrittenRange | None = None
            while written is None or self._forgotten_users.read_times() != validated.forgotten:
                # The erasure records a user before it reads the landed files. So either it finds this file, or the file
                # is written again without the user.
                if self._forgotten_users.read_times() != validated.forgotten:
                    validated = self.validate_batch(validated.batch)
                written = self._write_range(validated, offsets, indexes)
            positions[partition] = offsets.next
            yield written

    def _convert(
        self,
        batch: MessageBatch,
        table: pa.Table,
        values: list[bytes],
        versions: list[str | None],
        reasons: dict[int, str],
    ) -> ValidatedBatch:
        if reasons:
            indexes = [index for index in range(len(values)) if index not in reasons]
            converted, failures = convert_values(
                [values[index] for index in indexes], [versions[index] for index in indexes], self._registry
            )
            for index, value in zip(indexes, converted, strict=True):
                values[index] = value
            reasons = reasons | {indexes[index]: reason for index, reason in failures.items()}
        else:
            values, reasons = convert_values(values, versions, self._registry)
        forgotten = self._forgotten_users.read_times()
        is_forgotten = (
            find_forgotten_messages(table, batch.keys, forgotten, self._registry)
            if forgotten
            else np.zeros(len(values), np.bool_)
        )
        return ValidatedBatch(batch, table, batch.partitions, batch.offsets, values, reasons, is_forgotten, forgotten)

    def _check_owner(self, offsets: OffsetRange, message_offsets: npt.NDArray[np.int64]) -> None:
        """Check that the files will continue the landed ones, and that no message is missing or twice among them.

        A process that was suspended between this check and the end of the write can still write a file that overlaps
        another one: see ``storage.landed_files``.
        """
        landed_position = self._landed.find_position(offsets.partition)
        if landed_position not in (None, offsets.first) or (np.diff(message_offsets) <= 0).any():
            raise StartAgainError(f"Another process has landed messages of partition {offsets.partition}.")

    def _write_range(
        self, validated: ValidatedBatch, offsets: OffsetRange, indexes: npt.NDArray[np.int64]
    ) -> WrittenRange:
        remaining = indexes[~validated.is_forgotten[indexes]] if validated.forgotten else indexes
        rejected = [index for index in remaining.tolist() if index in validated.reasons] if validated.reasons else []
        accepted = np.setdiff1d(remaining, rejected, assume_unique=True) if rejected else remaining
        metadata = {
            "topic": self._landed.topic,
            "topic_id": self._landed.topic_id,
            "partition": str(offsets.partition),
            "first_offset": str(offsets.first),
            "next_offset": str(offsets.next),
        }
        values = [validated.values[index] for index in accepted.tolist()]
        letters = self._build_dead_letters(validated, rejected) if rejected else None
        self._landed.write_range(
            offsets,
            encode_datum_file(values, self._contract, metadata),
            None if letters is None else self._build_rejected_rows(letters),
            letters,
        )
        return WrittenRange(offsets, len(accepted), len(rejected))

    def _build_dead_letters(self, validated: ValidatedBatch, indexes: list[int]) -> pa.Table:
        messages = validated.table.take(pa.array(indexes, pa.int64()))
        keys = pa.array([validated.batch.keys[index] for index in indexes], pa.binary())
        reasons = pa.array([validated.reasons[index] for index in indexes], pa.string())
        return messages.append_column("key", keys).append_column("reason", reasons).select(DEAD_LETTER_SCHEMA.names)

    def _build_rejected_rows(self, letters: pa.Table) -> pa.Table:
        """Return rows of ``REJECTED_ROW``; the load fills input_id."""
        rows = [
            json.dumps(
                {
                    "topic": self._landed.topic,
                    "partition": letter["partition"],
                    "offset": letter["offset"],
                    "timestamp": letter["timestamp"].isoformat(),
                    "key": _to_text(letter["key"]),
                    "schema_version": _to_text((letter["schema_version"] or "").encode()[:40]) or None,
                    "value_base64": base64.b64encode((letter["value"] or b"")[:_MAX_AUDITED_BYTES]).decode(),
                    "value_bytes": len(letter["value"] or b""),
                },
                ensure_ascii=False,
            )
            for letter in letters.to_pylist()
        ]
        columns = {field.name: pa.nulls(len(rows), field.type) for field in _REJECTED_SCHEMA} | {
            "reason": letters["reason"],
            "row": pa.array(rows, pa.string()),
        }
        return pa.table(columns).cast(_REJECTED_SCHEMA)


def _to_text(content: bytes | None) -> str | None:
    """Return bytes as a text that PostgreSQL accepts."""
    return None if content is None else content.decode("utf-8", "replace").replace("\0", "\ufffd")
