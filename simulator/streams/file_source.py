"""The records of Avro files of UserActivity as a stream, in the order of the files."""

import logging
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from etl.errors import WrongFileError
from etl.extract.feed import detect_format, find_files
from etl.formats.avro.container_files import read_header
from etl.formats.avro.records import UndecodableError, UndecodableRecords, read_blocks_separately, read_tables
from etl.formats.contracts.avro import load_contract
from etl.streams.messages import SCHEMA_VERSION
from etl.streams.topics import choose_partition
from simulator.listeners.hashed_draws import Integers
from simulator.streams.avro_values import encode_rows
from simulator.streams.blocks import Messages

log = logging.getLogger(__name__)

_CONTRACT = load_contract(f"user_activity_{SCHEMA_VERSION}")
_VERSION = SCHEMA_VERSION.encode()
_FILE_BITS = 32
"""A block's number has the file's number above these bits, and the number of the table in the file below."""


@dataclass(frozen=True)
class FileBlock:
    """Records of a file."""

    number: int
    due_ms: Integers
    records: pa.Table

    def encode_messages(self, first: int, end: int) -> Messages:
        """Return the messages from the index ``first`` to before ``end``, in the newest version of the contract."""
        records = self.records.slice(first, end - first)
        user_ids: list[str] = records["userId"].to_pylist()
        places = zip(
            user_ids,
            records["continent"].to_pylist(),
            pc.coalesce(records["country"], records["userLocation"]).to_pylist(),
            strict=True,
        )
        return Messages(
            encode_rows(records, _CONTRACT),
            [user_id.encode() for user_id in user_ids],
            [choose_partition(*place) for place in places],
            [_VERSION] * len(user_ids),
        )

    def count_errors(self, first: int, end: int) -> dict[str, int]:
        """Return no errors: none are injected."""
        return {}


class FileSource:
    """The stream of some files; records that cannot be decoded are reported, counted and left out."""

    first_number = 0

    def __init__(self, paths: list[Path], latest_due_ms: int | None) -> None:
        """
        :param latest_due_ms: records are due at their event's time, or at this time (UTC, ms since 1970) if that is
            earlier; None: all are due at once.
        :raises WrongFileError: if a file is no Avro file of UserActivity.
        """
        for path in paths:
            if detect_format(path) != "user_activity":
                raise WrongFileError(f"{path.name}: the records are none of UserActivity, so they are no events.")
        self._paths, self._latest_due_ms = paths, latest_due_ms
        self.undecodable_count = 0

    def iterate_blocks(self, first_number: int) -> Iterator[FileBlock]:
        """Yield the blocks from a number on."""
        first_file = first_number >> _FILE_BITS
        last_due_ms = 0
        for file_number, path in enumerate(self._paths[first_file:], first_file):
            for table_number, records in enumerate(self._iterate_tables(path)):
                due_ms = self._compute_due_times(records, last_due_ms)
                last_due_ms = int(due_ms[-1]) if len(due_ms) else last_due_ms
                number = file_number << _FILE_BITS | table_number
                if number >= first_number:
                    yield FileBlock(number, due_ms, records)

    def _iterate_tables(self, path: Path) -> Iterator[pa.Table]:
        for records in _read_file(path):
            if isinstance(records, UndecodableRecords):
                self._report_undecodable(records.row_count, records.reason, records.location)
                continue
            complete = records.filter(_is_encodable(records))
            if len(complete) < len(records):
                reason = "a required field has no value of the contract"
                self._report_undecodable(len(records) - len(complete), reason, path.name)
            yield complete

    def _report_undecodable(self, count: int, reason: str, location: str) -> None:
        self.undecodable_count += count
        log.warning("%s: %d records are not sent (%s).", location, count, reason)

    def _compute_due_times(self, records: pa.Table, earliest_ms: int) -> Integers:
        if self._latest_due_ms is None:
            return np.zeros(len(records), np.int64)
        times = records["eventTime"].cast(pa.int64()).to_numpy()
        return np.maximum.accumulate(np.clip(times, earliest_ms, self._latest_due_ms))


def find_event_files(path: str) -> list[Path]:
    """Return the files of UserActivity that a path names: itself, or those of a folder.

    :raises WrongFileError: if there are none, or the file is of another contract.
    """
    paths = find_files(path)
    return paths if len(paths) == 1 else [file for file in paths if detect_format(file) == "user_activity"]


def identify_file(path: Path) -> str:
    """Return what tells a file from others: its name, its size and the random bytes of its header."""
    with path.open("rb") as source:
        return f"{path.name} {path.stat().st_size} {read_header(source).marker.hex()}"


def _read_file(path: Path) -> Iterator[pa.Table | UndecodableRecords]:
    """Yield the records of a file: as they are read fastest, and block by block from the first damaged one on."""
    row_count = 0
    url = path.resolve().as_uri()
    try:
        for table in read_tables(url, _CONTRACT):
            row_count += len(table)
            yield table
        return
    except UndecodableError as error:
        log.info("%s: some records cannot be decoded (%s).", path.name, error)
    for records in read_blocks_separately(url, _CONTRACT):
        if isinstance(records, UndecodableRecords):
            yield records
            continue
        skipped = min(row_count, len(records))
        row_count -= skipped
        yield records.slice(skipped)


def _is_encodable(records: pa.Table) -> pa.ChunkedArray:
    """Return whether each record has a value of the contract in every required field."""
    flags = pa.chunked_array([np.ones(len(records), bool)])
    for field in _CONTRACT["fields"]:
        avro_type = field["type"]
        if isinstance(avro_type, list):
            continue
        is_enum = isinstance(avro_type, dict) and avro_type["type"] == "enum"
        column = records[field["name"]]
        valid = pc.is_in(column, pa.array(avro_type["symbols"])) if is_enum else column.is_valid()
        flags = pc.and_(flags, valid)
    return flags
