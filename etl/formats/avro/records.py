"""The records of a feed's file as Arrow tables with a contract's fields, whatever schema the file was written with.

DataFusion decodes many blocks of a file at a time, column by column. If it cannot decode the file like this, the file
is read block by block. If it cannot decode a block (bytes that are not UTF-8, a field of another type than the
contract's, a damaged record), fastavro decodes it record by record. An error in one block therefore affects no other
block, and an error in one record affects no record before it.

DataFusion does not terminate on a block with bytes after its last record. It therefore receives all blocks as one
block, whose record count is the sum of theirs plus one: the end marker, which is decoded at that position only if all
bytes before it belong to records.
"""

import json
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from math import isfinite
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, BinaryIO
from uuid import uuid4

import pyarrow as pa
from fsspec.core import url_to_fs

from etl.engines.datafusion import TableSession, convert_batch
from etl.formats.avro.blocks import DamagedBlockError, decompress_block, describe_error
from etl.formats.avro.container_files import Header, encode_file, read_blocks, read_header
from etl.formats.avro.encoding import encode_default_record
from etl.formats.avro.salvage import UnreadableRecords, salvage_records
from etl.formats.avro.schemas import compute_min_bytes, remove_logical_types

_MAX_BATCH_ROWS = 250_000
"""The rows decoded at a time: about 75 MB of UserActivity."""
_MAX_BATCH_BYTES = 1 << 27
_END_MARKER = f"mark {uuid4()}"
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_ARROW_TYPE_BY_AVRO_TYPE = {
    "string": pa.string(),
    "int": pa.int32(),
    "long": pa.int64(),
    "float": pa.float32(),
    "double": pa.float64(),
    "boolean": pa.bool_(),
    "enum": pa.string(),
    "timestamp-millis": pa.timestamp("ms", "UTC"),
    "date": pa.date32(),
}
_CONVERSION_ERRORS = (pa.ArrowException, OverflowError, TypeError, ValueError)
"""Raised for values that a column cannot contain, such as a number of more than 32 bits in an int field."""
_INTEGER_TYPE_BY_TIME_TYPE = {
    _ARROW_TYPE_BY_AVRO_TYPE["timestamp-millis"]: pa.int64(),
    _ARROW_TYPE_BY_AVRO_TYPE["date"]: pa.int32(),
}
"""The types that count from the start of 1970, which can have values beyond Python's calendar."""


class UndecodableError(Exception):
    """Records that DataFusion cannot decode by the contract, or whose number differs from their blocks' counts."""


@dataclass(frozen=True)
class UndecodableRecords:
    """Records that cannot be decoded.

    ``location`` names the file and the block. ``first_number`` is the number of the first of these records in the
    block, or None if the whole block cannot be decoded.
    """

    row_count: int
    reason: str
    location: str
    first_number: int | None = None


def build_arrow_schema(contract: dict[str, Any]) -> pa.Schema:
    """Return the Arrow schema of a contract's fields, all nullable."""
    return pa.schema([pa.field(field["name"], _to_arrow_type(field["type"])) for field in contract["fields"]])


def read_tables(url: str, contract: dict[str, Any], fields: Collection[str] | None = None) -> Iterator[pa.Table]:
    """Yield tables of the records of a file with the contract's fields; fields that the file lacks are NULL.

    :param fields: the names of the fields to read; fewer fields are faster; None for all.
    :raises UndecodableError: if only ``read_blocks_separately`` can read the file; the tables yielded before must then
        be discarded.
    """
    schema = build_arrow_schema(contract)
    selected = pa.schema([field for field in schema if fields is None or field.name in fields])
    files, path = url_to_fs(url)
    with TemporaryDirectory() as folder, files.open(path, "rb") as source:
        header = read_header(source)
        reader = _RecordReader(header, Path(folder) / "feed.avro")
        for contents, row_count in _gather_blocks(source, int(files.size(path)), header):
            yield reader.read_table(contents, row_count, selected)


def read_blocks_separately(url: str, contract: dict[str, Any]) -> Iterator[pa.Table | UndecodableRecords]:
    """Yield tables of the records of a file, block by block, and the records that cannot be decoded.

    Bytes that are not UTF-8 become U+FFFD; a user id with such bytes is NULL.
    """
    files, path = url_to_fs(url)
    with TemporaryDirectory() as folder, files.open(path, "rb") as source:
        header = read_header(source)
        reader = _RecordReader(header, Path(folder) / "feed.avro")
        for number, (block, content) in enumerate(read_blocks(source, int(files.size(path)), header.marker), 1):
            location = f"{path.rsplit('/', 1)[-1]}, block {number}"
            try:
                records = decompress_block(block.slice_records(content), header.codec)
                yield from reader.read_or_salvage(records, block.row_count, contract, location)
            except (MemoryError, OSError):
                raise
            except Exception as error:  # The errors of fastavro, the codecs and Arrow have no common class.
                yield UndecodableRecords(block.row_count, f"the block of records cannot be read ({error})", location)


def _gather_blocks(source: BinaryIO, size: int, header: Header) -> Iterator[tuple[list[bytes], int]]:
    """Yield the encoded records of several blocks at a time, and the sum of the blocks' record counts."""
    contents: list[bytes] = []
    row_count = byte_count = 0
    for block, content in read_blocks(source, size, header.marker):
        try:
            contents.append(decompress_block(block.slice_records(content), header.codec))
        except DamagedBlockError as error:
            raise UndecodableError(str(error)) from error
        row_count += block.row_count
        byte_count += len(contents[-1])
        if row_count >= _MAX_BATCH_ROWS or byte_count >= _MAX_BATCH_BYTES:
            yield contents, row_count
            contents, row_count, byte_count = [], 0, 0
    if row_count:
        yield contents, row_count


class _RecordReader:
    """A reader of one file's records, which DataFusion decodes from a temporary file."""

    def __init__(self, header: Header, file: Path) -> None:
        # Contracts have plain text in fields for which a file may have a logical type, such as uuid.
        self._schema = remove_logical_types(json.loads(header.schema), types=("string",))
        self._file = file

    def read_table(self, contents: Collection[bytes], row_count: int, selected: pa.Schema) -> pa.Table:
        """Return records decoded by DataFusion.

        :param contents: the encoded records, in pieces.
        :raises UndecodableError: if they are not ``row_count`` records, or DataFusion cannot decode them.
        """
        # A damaged record can shift all values after it without an error. A last record with a known userId shows that
        # the decoder ended at the right position.
        try:
            end_marker = encode_default_record(self._schema, "userId", _END_MARKER)
            min_record_bytes = compute_min_bytes(self._schema)
        except ValueError as error:
            raise UndecodableError(str(error)) from error
        if row_count * min_record_bytes > sum(map(len, contents)):
            raise UndecodableError(f"{row_count} records do not fit")
        with self._file.open("wb") as target:
            target.writelines(encode_file([*contents, end_marker], row_count + 1, json.dumps(self._schema)))
        return self._read_before_marker(row_count, selected)

    def read_or_salvage(
        self, content: bytes, row_count: int, contract: dict[str, Any], location: str
    ) -> list[pa.Table | UndecodableRecords]:
        """Return the records of a block, decoded by DataFusion or else by fastavro, and those that neither can decode.

        :raises Exception: if no record of the block can be decoded or trusted.
        """
        schema = build_arrow_schema(contract)
        try:
            return [self.read_table([content], row_count, schema)]
        except UndecodableError:
            return self._salvage(content, row_count, contract, location)

    def _salvage(
        self, content: bytes, row_count: int, contract: dict[str, Any], location: str
    ) -> list[pa.Table | UndecodableRecords]:
        readable: dict[int, Any] = {}
        unreadable = []
        for number, salvaged in enumerate(salvage_records(content, row_count, self._schema, contract), 1):
            if isinstance(salvaged, UnreadableRecords):
                unreadable.append(
                    UndecodableRecords(salvaged.row_count, salvaged.reason, location, salvaged.first_number)
                )
            else:
                readable[number] = _clean_record(salvaged.values)
        schema = build_arrow_schema(contract)
        try:
            table = pa.Table.from_pylist(list(readable.values()), schema)
        except _CONVERSION_ERRORS:
            reasons = {
                number: reason for number, record in readable.items() if (reason := _find_misfit(record, schema))
            }
            unreadable += [UndecodableRecords(1, reason, location, number) for number, reason in reasons.items()]
            remaining = [record for number, record in readable.items() if number not in reasons]
            table = pa.Table.from_pylist(remaining, schema)
        return [table, *unreadable] if len(table) else [*unreadable]

    def _read_before_marker(self, row_count: int, selected: pa.Schema) -> pa.Table:
        """Return the records before the end marker."""
        try:
            # All records in one batch, so that the marker is its last row.
            session = TableSession(row_count + 1)
            available_names = session.add_avro("records", str(self._file)).names
            selected_columns = ", ".join(
                f'"{name}"' for name in available_names if name in selected.names or name == "userId"
            )
            batch = next(session.iterate_batches(f"select {selected_columns} from records"))  # noqa: S608 (fields of a contract)
            if len(batch) == row_count + 1 and batch["userId"][row_count].as_py() == _END_MARKER:
                return pa.Table.from_batches([convert_batch(batch.slice(0, row_count), selected)])
        except (MemoryError, OSError):
            raise
        except Exception as error:  # The errors of DataFusion have no common class.
            raise UndecodableError(str(error)) from error
        raise UndecodableError("its blocks hold other records than they say")


def _to_arrow_type(avro_type: Any) -> pa.DataType:
    if isinstance(avro_type, list):
        return _to_arrow_type(next(branch for branch in avro_type if branch != "null"))
    if isinstance(avro_type, str):
        return _ARROW_TYPE_BY_AVRO_TYPE[avro_type]
    if avro_type["type"] == "record":
        return pa.struct([pa.field(field["name"], _to_arrow_type(field["type"])) for field in avro_type["fields"]])
    return _ARROW_TYPE_BY_AVRO_TYPE[avro_type.get("logicalType", avro_type["type"])]


def _find_misfit(record: Any, schema: pa.Schema) -> str | None:
    """Return why a record does not fit into a table, or None if it does."""
    try:
        pa.Table.from_pylist([record], schema)
    except _CONVERSION_ERRORS as error:
        return f"the record cannot be read ({describe_error(error)})"
    return None


def _clean_record(record: Any) -> Any:
    cleaned = {name: _replace_invalid_text(value) for name, value in record.items()}
    if cleaned.get("userId") != record.get("userId"):
        cleaned["userId"] = None
    return cleaned


def _replace_invalid_text(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _replace_invalid_text(inner_value) for name, inner_value in value.items()}
    if isinstance(value, list):
        return [_replace_invalid_text(element) for element in value]
    if isinstance(value, str) and not value.isascii():
        return value.encode("utf-8", "surrogateescape").decode("utf-8", "replace")
    return value


def to_json(records: pa.Table) -> list[str]:
    """Return records as JSON, without NULL fields.

    Timestamps and dates are ISO 8601, or numbers if they are beyond Python's calendar.
    """
    types = dict(zip(records.schema.names, records.schema.types, strict=True))
    integer_schema = pa.schema(
        [pa.field(name, _INTEGER_TYPE_BY_TIME_TYPE.get(type_, type_)) for name, type_ in types.items()]
    )
    return [
        json.dumps(
            {name: _to_json_value(value, types[name]) for name, value in record.items() if value is not None},
            ensure_ascii=False,
            default=str,
        )
        for record in records.cast(integer_schema).to_pylist()
    ]


def _to_json_value(value: Any, arrow_type: pa.DataType) -> Any:
    if arrow_type not in _INTEGER_TYPE_BY_TIME_TYPE:
        return _remove_nulls(value)
    try:
        if pa.types.is_date(arrow_type):
            return (_EPOCH.date() + timedelta(days=value)).isoformat()
        return (_EPOCH + timedelta(milliseconds=value)).isoformat(timespec="milliseconds")
    except OverflowError:
        return value


def _remove_nulls(value: Any) -> Any:
    """Return a value without NULL fields, with None for NaN and infinities, which JSON does not have."""
    if isinstance(value, dict):
        return {name: _remove_nulls(inner_value) for name, inner_value in value.items() if inner_value is not None}
    return None if isinstance(value, float) and not isfinite(value) else value
