"""The files of a load of events: each is decoded, validated and written as Arrow files, in a process of its own.

In: a file of a feed, the lines of extended histories, or a Parquet file that Spark wrote of other exports or API
responses. Out: Arrow files in the lake, of
accepted and of rejected rows, so that no file is loaded as a whole and none is decoded twice.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby, islice
from typing import Any

import fsspec
import pyarrow as pa
import pyarrow.parquet
from fsspec.core import url_to_fs
from pyspark.sql.pandas.types import to_arrow_schema

from etl.engines.datafusion import convert_batch
from etl.formats.avro.records import UndecodableError, UndecodableRecords, read_blocks_separately, read_tables
from etl.formats.contracts.events import EVENT_ROW, USER_ROW
from etl.formats.geography import get_timezones
from etl.storage import arrow_files
from etl.storage.inputs import ReceivedInput
from etl.transform.account_export import extended
from etl.transform.events.dimension_members import collect_members
from etl.transform.events.event_ids import add_event_ids
from etl.transform.events.feed_records import (
    MAX_ROWS,
    REJECTED_SCHEMA,
    build_rejected_rows,
    build_undecodable_rows,
    validate_records,
)

_EVENT_SCHEMA = to_arrow_schema(EVENT_ROW)
_USER_SCHEMA = to_arrow_schema(USER_ROW)
_LINES_PER_TABLE = 50_000


@dataclass(frozen=True)
class FeedFile:
    """An Avro file of a feed. ``query`` is one of ``feed_queries``, and reads ``fields`` of ``contract``.

    ``target`` is the beginning of the URLs of the files to write.
    """

    url: str
    target: str
    input_id: str
    query: str
    contract: dict[str, Any]
    fields: tuple[str, ...]
    has_users: bool = False

    @property
    def row_schema(self) -> pa.Schema:
        """Return the columns of accepted rows."""
        return _USER_SCHEMA if self.has_users else _EVENT_SCHEMA


@dataclass(frozen=True)
class EventRowFile:
    """A Parquet file of rows of ``EVENT_ROW``."""

    url: str
    target: str


@dataclass(frozen=True)
class RejectedRowFile:
    """A Parquet file of rows of ``REJECTED_ROW``; ``input_id`` is set if the rows do not have it."""

    url: str
    target: str
    input_id: str | None = None


@dataclass(frozen=True)
class ExtendedHistories:
    """The extended histories of a load, which are read together: late reports of one may show in another."""

    inputs: tuple[ReceivedInput, ...]
    target: str


SourceFile = FeedFile | ExtendedHistories | EventRowFile | RejectedRowFile


@dataclass(frozen=True)
class ParsedFile:
    """URLs of Arrow files: ``accepted`` of rows of ``EVENT_ROW`` with an event_id, or of ``USER_ROW``; ``rejected`` of
    rows of ``REJECTED_ROW``. ``members`` are the dimension members of the events (``collect_members``); None of users.
    """

    accepted: tuple[str, ...]
    rejected: tuple[str, ...]
    members: pa.Table | None


def parse_source_file(source_file: SourceFile) -> ParsedFile:
    """Read a file, and write its accepted and rejected rows under its ``target``; a second call overwrites them."""
    if isinstance(source_file, RejectedRowFile):
        rejected_tables = _read_parquet(source_file.url, REJECTED_SCHEMA)
        return _write_rows(
            source_file.target, ((None, _set_input_id(rows, source_file.input_id)) for rows in rejected_tables)
        )
    if isinstance(source_file, ExtendedHistories):
        return _write_rows(source_file.target, parse_extended_histories(source_file.inputs))
    if isinstance(source_file, EventRowFile):
        return _write_rows(source_file.target, ((rows, None) for rows in _read_parquet(source_file.url, _EVENT_SCHEMA)))
    try:
        return _write_rows(source_file.target, _parse_whole_file(source_file), source_file.has_users)
    except UndecodableError:
        return _write_rows(source_file.target, _parse_blocks(source_file), source_file.has_users)


def _write_rows(
    target: str, row_pairs: Iterator[tuple[pa.Table | None, pa.Table | None]], has_users: bool = False
) -> ParsedFile:
    """Write pairs of accepted and rejected rows, one pair at a time."""
    accepted, rejected, members = [], [], []
    for number, (rows, rejected_rows) in enumerate(row_pairs):
        if rows is not None and len(rows):
            if not has_users:
                members.append(collect_members(rows))
                rows = add_event_ids(rows)
            accepted.append(f"{target}-{number:06}-accepted.arrow")
            arrow_files.write_table(accepted[-1], rows)
        if rejected_rows is not None and len(rejected_rows):
            rejected.append(f"{target}-{number:06}-rejected.arrow")
            arrow_files.write_table(rejected[-1], rejected_rows)
    return ParsedFile(tuple(accepted), tuple(rejected), pa.concat_tables(members) if members else None)


def parse_extended_histories(
    inputs: Iterable[ReceivedInput],
) -> Iterator[tuple[pa.Table | None, pa.Table | None]]:
    """Parse the lines of extended histories: tables of rejected rows, then of accepted ones."""
    plays = []
    for received_input in inputs:
        received_at = datetime.fromisoformat(received_input.received_at)
        with fsspec.open(received_input.url, "rt", compression="gzip", encoding="utf-8") as lines:
            while chunk := list(islice(lines, _LINES_PER_TABLE)):
                parsed = extended.parse_plays(chunk, received_input.input_id, received_at, get_timezones())
                plays.append(parsed.accepted)
                yield None, parsed.rejected
    rows = extended.resolve_late_reports(pa.concat_tables(plays)) if plays else _EVENT_SCHEMA.empty_table()
    for start in range(0, len(rows), MAX_ROWS):
        yield rows.slice(start, MAX_ROWS), None


def _parse_whole_file(feed_file: FeedFile) -> Iterator[tuple[pa.Table | None, pa.Table | None]]:
    """Parse a file that DataFusion can decode.

    :raises UndecodableError: if it cannot.
    """
    reasons = []
    for records in read_tables(feed_file.url, feed_file.contract, feed_file.fields):
        rows, batch_reasons = validate_records(records, feed_file.query, feed_file.row_schema)
        reasons.append(batch_reasons)
        yield rows, None
    # A rejected row shows the whole record, but the query reads a part of the fields, and most files have no rejected
    # rows. So a file is read with all its fields only if some record was rejected.
    if any(batch_reasons.null_count < len(batch_reasons) for batch_reasons in reasons):
        for records, batch_reasons in zip(read_tables(feed_file.url, feed_file.contract), reasons, strict=True):
            yield None, build_rejected_rows(feed_file.input_id, records, batch_reasons)


def _parse_blocks(feed_file: FeedFile) -> Iterator[tuple[pa.Table | None, pa.Table | None]]:
    """Parse a file block by block, so that a damaged block costs no other block."""
    for is_undecodable, blocks in groupby(
        read_blocks_separately(feed_file.url, feed_file.contract), lambda block: isinstance(block, UndecodableRecords)
    ):
        if is_undecodable:
            for rejected_rows in build_undecodable_rows(feed_file.input_id, blocks):
                yield None, rejected_rows
            continue
        for records in blocks:
            rows, reasons = validate_records(records, feed_file.query, feed_file.row_schema)
            yield rows, build_rejected_rows(feed_file.input_id, records, reasons)


def _set_input_id(rows: pa.Table, input_id: str | None) -> pa.Table:
    if input_id is None:
        return rows
    index = REJECTED_SCHEMA.get_field_index("input_id")
    return rows.set_column(index, REJECTED_SCHEMA.field(index), [pa.repeat(input_id, len(rows))])


def _read_parquet(url: str, schema: pa.Schema) -> Iterator[pa.Table]:
    files, path = url_to_fs(url)
    with files.open(path, "rb") as source:
        for batch in pyarrow.parquet.ParquetFile(source).iter_batches(MAX_ROWS):
            yield pa.Table.from_batches([convert_batch(batch, schema)])
