"""What sources tell of events and users: looked at once, part by part, and laid ready for what follows.

A part is a file: of a feed, or of rows that Spark has made of an export or of the API's answers. What is accepted of
it, and what is refused, goes into Arrow files, so that no part is in memory whole and none is decoded twice.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import groupby
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet
from fsspec.core import url_to_fs
from pyspark.sql.pandas.types import to_arrow_schema

from etl.engines.datafusion import TableSession, convert_batch, convert_table
from etl.formats.avro.records import UndecodableError, UndecodableRecords, read_blocks_separately, read_tables, to_json
from etl.formats.contracts import REJECTED_ROW
from etl.formats.contracts.events import EVENT_ROW, USER_ROW
from etl.storage import arrow_files
from etl.transform.events.dimension_members import collect_members
from etl.transform.events.event_ids import add_event_ids

_MAX_ROWS = 250_000
_EVENT_SCHEMA = to_arrow_schema(EVENT_ROW)
_USER_SCHEMA = to_arrow_schema(USER_ROW)
_REJECTED_SCHEMA = to_arrow_schema(REJECTED_ROW)


@dataclass(frozen=True)
class FeedFile:
    """A file of a feed.

    ``query`` is of ``transform.events.feed`` and reads ``fields`` of ``contract``; of users where ``is_of_users``.
    """

    url: str
    target: str
    input_id: str
    query: str
    contract: dict[str, Any]
    fields: tuple[str, ...]
    has_users: bool = False


@dataclass(frozen=True)
class EventRowFile:
    """A Parquet file of rows of EVENT_ROW."""

    url: str
    target: str


@dataclass(frozen=True)
class RejectedRowFile:
    """A Parquet file of rows of REJECTED_ROW."""

    url: str
    target: str


SourceFile = FeedFile | EventRowFile | RejectedRowFile


@dataclass(frozen=True)
class ParsedEvents:
    """URLs of Arrow files: ``accepted`` of rows of EVENT_ROW with an event_id, or of USER_ROW, and ``refused`` of
    REJECTED_ROW, where a row that has no place of its own has no row_number; what the events name, as
    ``members.named`` gives it."""

    accepted: tuple[str, ...]
    rejected: tuple[str, ...]
    members: pa.Table | None


def parse_source_file(source_file: SourceFile) -> ParsedEvents:
    """Read a part, and write what it tells under its ``target``; again replaces it."""
    if isinstance(source_file, RejectedRowFile):
        return _write_rows(
            source_file.target, ((None, rows) for rows in _read_parquet(source_file.url, _REJECTED_SCHEMA))
        )
    if isinstance(source_file, EventRowFile):
        return _write_rows(source_file.target, ((rows, None) for rows in _read_parquet(source_file.url, _EVENT_SCHEMA)))
    try:
        return _write_rows(source_file.target, _read_whole_file(source_file), source_file.has_users)
    except UndecodableError:
        return _write_rows(source_file.target, _read_blocks(source_file), source_file.has_users)


def build_cut_off_row(input_id: str, message: str) -> pa.Table:
    """The row of REJECTED_ROW for what a cut file lacks."""
    row = {
        "input_id": input_id,
        "reason": "the file ends in the middle of a block",
        "row": _encode_object("cut_off", message),
    }
    return pa.Table.from_pylist([row], _REJECTED_SCHEMA)


def _write_rows(
    target: str, row_pairs: Iterator[tuple[pa.Table | None, pa.Table | None]], has_users: bool = False
) -> ParsedEvents:
    """Write accepted and refused rows, some at a time."""
    accepted, rejected, members = [], [], []
    for number, (rows, rejected_rows) in enumerate(row_pairs):
        if rows is not None and len(rows):
            if not has_users:
                members.append(collect_members(rows))
                rows = add_event_ids(rows)
            accepted.append(f"{target}-{number:06}-accepted.arrow")
            arrow_files.write_table(accepted[-1], rows)
        if rejected_rows is not None and len(rejected_rows):
            rejected.append(f"{target}-{number:06}-refused.arrow")
            arrow_files.write_table(rejected[-1], rejected_rows)
    return ParsedEvents(tuple(accepted), tuple(rejected), pa.concat_tables(members) if members else None)


def _read_whole_file(feed_file: FeedFile) -> Iterator[tuple[pa.Table | None, pa.Table | None]]:
    """Rows accepted; then, read anew with all their fields, the records refused."""
    reasons = []
    for records in read_tables(feed_file.url, feed_file.contract, feed_file.fields):
        rows, batch_reasons = _validate_records(feed_file, records)
        reasons.append(batch_reasons)
        yield rows, None
    if any(reason_array.null_count < len(reason_array) for reason_array in reasons):
        for records, batch_reasons in zip(read_tables(feed_file.url, feed_file.contract), reasons, strict=True):
            yield None, _build_rejected_rows(feed_file, records, batch_reasons)


def _read_blocks(feed_file: FeedFile) -> Iterator[tuple[pa.Table | None, pa.Table | None]]:
    for is_undecodable, segment_group in groupby(
        read_blocks_separately(feed_file.url, feed_file.contract),
        lambda segment: isinstance(segment, UndecodableRecords),
    ):
        if is_undecodable:
            for rows in _merge_small_tables(
                rows
                for undecodable in segment_group
                for rows in _build_undecodable_rows(feed_file.input_id, undecodable)
            ):
                yield None, rows
            continue
        for records in segment_group:
            rows, batch_reasons = _validate_records(feed_file, records)
            yield rows, _build_rejected_rows(feed_file, records, batch_reasons)


def _merge_small_tables(tables: Iterable[pa.Table]) -> Iterator[pa.Table]:
    """The same rows in fewer tables: each becomes a file."""
    pending_tables: list[pa.Table] = []
    row_count = 0
    for table in tables:
        pending_tables.append(table)
        row_count += len(table)
        if row_count >= _MAX_ROWS:
            yield pa.concat_tables(pending_tables)
            pending_tables, row_count = [], 0
    if pending_tables:
        yield pa.concat_tables(pending_tables)


def _validate_records(feed_file: FeedFile, records: pa.Table) -> tuple[pa.Table, pa.ChunkedArray]:
    """The rows that are accepted, and the reason for each record, NULL where it is."""
    validated = TableSession(records=records).collect_table(feed_file.query)
    reason = validated["reason"]
    accepted = validated if reason.null_count == len(reason) else validated.filter(pc.is_null(reason))
    return convert_table(accepted, _USER_SCHEMA if feed_file.has_users else _EVENT_SCHEMA), reason


def _build_rejected_rows(feed_file: FeedFile, records: pa.Table, reason: pa.ChunkedArray) -> pa.Table:
    is_rejected = pc.is_valid(reason)
    rejected_records = records.filter(is_rejected)
    columns = {
        "input_id": pa.array([feed_file.input_id] * len(rejected_records), pa.string()),
        "reason": reason.filter(is_rejected),
        "row": pa.array(to_json(rejected_records), pa.string()),
    }
    return convert_table(pa.table(columns), _REJECTED_SCHEMA)


def _build_undecodable_rows(input_id: str, records: UndecodableRecords) -> Iterator[pa.Table]:
    """A row for each, some at a time: a few bytes can say that they are many."""
    for start in range(0, records.row_count, _MAX_ROWS):
        size = min(_MAX_ROWS, records.row_count - start)
        columns = {
            "input_id": pa.repeat(input_id, size),
            "reason": pa.repeat(records.reason, size),
            "row": pa.array(to_json(pa.table({"place": _locate_records(records, start, size)})), pa.string()),
        }
        yield convert_table(pa.table(columns), _REJECTED_SCHEMA)


def _locate_records(records: UndecodableRecords, start: int, size: int) -> pa.Array:
    """Where records stand, from the one after ``begin`` others on: the block, and the number in it where it has one."""
    if records.first_number is None:
        return pa.repeat(records.location, size)
    first_number = records.first_number + start
    numbers = pa.array(range(first_number, first_number + size), pa.int64()).cast(pa.string())
    return pc.binary_join_element_wise(f"{records.location}, record", numbers, " ")


def _encode_object(name: str, text: str) -> str:
    return to_json(pa.table({name: [text]}))[0]


def _read_parquet(url: str, schema: pa.Schema) -> Iterator[pa.Table]:
    files, path = url_to_fs(url)
    with files.open(path, "rb") as source:
        for batch in pyarrow.parquet.ParquetFile(source).iter_batches(_MAX_ROWS):
            yield pa.Table.from_batches([convert_batch(batch, schema)])
