"""The records of a feed's file as Arrow tables, by a contract's fields, whatever schema the file was written with.

DataFusion reads many blocks of a file at a time, column by column. A file that it cannot read so is read block by
block, and a block that it cannot read either (bytes that are no UTF-8, a field of another kind than the contract's, a
damaged record) by fastavro, record by record, so that what is wrong with one block costs no other, and what is wrong
with one record costs none before it.

Where a block has bytes behind its last record, DataFusion comes to no end. So it is given all blocks as one, and is
asked for as many records as they say that they have, and for one more: a mark, which is found there only if each of the
bytes before it is of a record.
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

from etl.avro.blocks import DamagedBlockError, describe_error, unpack
from etl.avro.files import Header, blocks, file_of_one_block, header
from etl.avro.salvage import UnreadableRecords, salvage_records
from etl.avro.schemas import least_bytes, without_logical_types
from etl.avro.values import plainest_record
from etl.columnar import Tables, as_schema

_ROWS = 250_000
"""At a time: about 75 MB of UserActivity."""
_BYTES = 1 << 27
_MARK = f"mark {uuid4()}"
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_KINDS = {
    "string": pa.string(),
    "int": pa.int32(),
    "long": pa.int64(),
    "float": pa.float32(),
    "boolean": pa.bool_(),
    "enum": pa.string(),
    "timestamp-millis": pa.timestamp("ms", "UTC"),
    "date": pa.date32(),
}
_NOT_OF_ITS_TYPE = (pa.ArrowException, OverflowError, TypeError, ValueError)
"""Raised of values that a column cannot hold, such as a number of more than 32 bits that the schema calls an int."""
_COUNTED = {_KINDS["timestamp-millis"]: pa.int64(), _KINDS["date"]: pa.int32()}
"""What counts from the start of 1970, and may count to where Python knows no day."""


class UndecodableError(Exception):
    """Records that DataFusion cannot read by the contract, or that are others than their blocks say."""


@dataclass(frozen=True)
class Undecodable:
    """Records that cannot be read: how many, why, and where they stand: the file and the block, and the number of the
    first one in the block, None where all of the block cannot be read."""

    row_count: int
    reason: str
    place: str
    first: int | None = None


def arrow_schema(contract: dict[str, Any]) -> pa.Schema:
    """A contract's fields as Arrow has them; all may be NULL."""
    return pa.schema([pa.field(field["name"], _kind(field["type"])) for field in contract["fields"]])


def read(url: str, contract: dict[str, Any], fields: Collection[str] | None = None) -> Iterator[pa.Table]:
    """The records of a file, some at a time, with the contract's fields; those that the file lacks are NULL.

    :param fields: the ones that are wanted, which makes it faster; None: all.
    :raises UndecodableError: where ``read_blocks`` must do it; what was given before is to be forgotten.
    """
    schema = arrow_schema(contract)
    wanted = pa.schema([one for one in schema if fields is None or one.name in fields])
    files, path = url_to_fs(url)
    with TemporaryDirectory() as folder, files.open(path, "rb") as source:
        begin = header(source)
        of_file = _Records(begin, Path(folder) / "feed.avro")
        for contents, row_count in _gathered(source, int(files.size(path)), begin):
            yield of_file.table(contents, row_count, wanted)


def read_blocks(url: str, contract: dict[str, Any]) -> Iterator[pa.Table | Undecodable]:
    """The same, block by block, and what cannot be read of it. Bytes that are no UTF-8 become U+FFFD; a user's id that
    has some is NULL."""
    files, path = url_to_fs(url)
    with TemporaryDirectory() as folder, files.open(path, "rb") as source:
        begin = header(source)
        of_file = _Records(begin, Path(folder) / "feed.avro")
        for number, (block, content) in enumerate(blocks(source, int(files.size(path)), begin.marker), 1):
            place = f"{path.rsplit('/', 1)[-1]}, block {number}"
            try:
                unpacked = unpack(block.packed(content), begin.codec)
                yield from of_file.any_tables(unpacked, block.row_count, contract, place)
            except (MemoryError, OSError):
                raise
            except Exception as error:  # of fastavro, of a codec, of Arrow: whatever the bytes provoke
                yield Undecodable(block.row_count, f"the block of records cannot be read ({error})", place)


def _gathered(source: BinaryIO, size: int, begin: Header) -> Iterator[tuple[list[bytes], int]]:
    """The bytes of the records of some blocks at a time, and how many records they say that they have."""
    gathered: list[bytes] = []
    row_count = byte_count = 0
    for block, content in blocks(source, size, begin.marker):
        try:
            gathered.append(unpack(block.packed(content), begin.codec))
        except DamagedBlockError as error:
            raise UndecodableError(str(error)) from error
        row_count += block.row_count
        byte_count += len(gathered[-1])
        if row_count >= _ROWS or byte_count >= _BYTES:
            yield gathered, row_count
            gathered, row_count, byte_count = [], 0, 0
    if row_count:
        yield gathered, row_count


class _Records:
    """How records of one file are read, with DataFusion by way of another file."""

    def __init__(self, begin: Header, file: Path) -> None:
        # Texts with a logical type, such as uuid, are texts to the contracts.
        self._schema = without_logical_types(json.loads(begin.schema), of=("string",))
        self._file = file

    def table(self, contents: Collection[bytes], row_count: int, wanted: pa.Schema) -> pa.Table:
        """Records by DataFusion.

        :param contents: what they are written as, in pieces.
        :raises UndecodableError: where they are not ``row_count``, or it cannot read them.
        """
        try:
            mark = plainest_record(self._schema, "userId", _MARK)
            least = least_bytes(self._schema)
        except ValueError as error:
            raise UndecodableError(str(error)) from error
        if row_count * least > sum(map(len, contents)):
            raise UndecodableError(f"{row_count} records do not fit")
        with self._file.open("wb") as target:
            target.writelines(file_of_one_block([*contents, mark], row_count + 1, json.dumps(self._schema)))
        return self._table(row_count, wanted)

    def any_tables(
        self, content: bytes, row_count: int, contract: dict[str, Any], place: str
    ) -> list[pa.Table | Undecodable]:
        """Records of a block by DataFusion, else by fastavro, and those that neither reads.

        :raises Exception: where no record of the block can be read or trusted.
        """
        wanted = arrow_schema(contract)
        try:
            return [self.table([content], row_count, wanted)]
        except UndecodableError:
            return self._salvaged(content, row_count, contract, place)

    def _salvaged(
        self, content: bytes, row_count: int, contract: dict[str, Any], place: str
    ) -> list[pa.Table | Undecodable]:
        readable: dict[int, Any] = {}
        unreadable = []
        for number, told in enumerate(salvage_records(content, row_count, self._schema, contract), 1):
            if isinstance(told, UnreadableRecords):
                unreadable.append(Undecodable(told.row_count, told.reason, place, told.first))
            else:
                readable[number] = _cleaned(told.values)
        wanted = arrow_schema(contract)
        try:
            table = pa.Table.from_pylist(list(readable.values()), wanted)
        except _NOT_OF_ITS_TYPE:
            reasons = {number: reason for number, record in readable.items() if (reason := _misfit(record, wanted))}
            unreadable += [Undecodable(1, reason, place, number) for number, reason in reasons.items()]
            left = [record for number, record in readable.items() if number not in reasons]
            table = pa.Table.from_pylist(left, wanted)
        return [table, *unreadable] if len(table) else [*unreadable]

    def _table(self, row_count: int, wanted: pa.Schema) -> pa.Table:
        """The records before the mark."""
        try:
            tables = Tables(row_count + 1)
            given = tables.add_avro("records", str(self._file)).names
            chosen = ", ".join(f'"{name}"' for name in given if name in wanted.names or name == "userId")
            batch = next(tables.batches(f"select {chosen} from records"))  # noqa: S608 (fields of a contract)
            if len(batch) == row_count + 1 and batch["userId"][row_count].as_py() == _MARK:
                return pa.Table.from_batches([as_schema(batch.slice(0, row_count), wanted)])
        except (MemoryError, OSError):
            raise
        except Exception as error:  # DataFusion's have no class of their own
            raise UndecodableError(str(error)) from error
        raise UndecodableError("its blocks hold other records than they say")


def _kind(told: Any) -> pa.DataType:
    if isinstance(told, list):
        return _kind(next(one for one in told if one != "null"))
    if isinstance(told, str):
        return _KINDS[told]
    if told["type"] == "record":
        return pa.struct([pa.field(field["name"], _kind(field["type"])) for field in told["fields"]])
    return _KINDS[told.get("logicalType", told["type"])]


def _misfit(record: Any, wanted: pa.Schema) -> str | None:
    """Return why a record does not fit into a table, or None where it does."""
    try:
        pa.Table.from_pylist([record], wanted)
    except _NOT_OF_ITS_TYPE as error:
        return f"the record cannot be read ({describe_error(error)})"
    return None


def _cleaned(record: Any) -> Any:
    cleaned = {name: _text(value) for name, value in record.items()}
    if cleaned.get("userId") != record.get("userId"):
        cleaned["userId"] = None
    return cleaned


def _text(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _text(one) for name, one in value.items()}
    if isinstance(value, list):
        return [_text(one) for one in value]
    if isinstance(value, str) and not value.isascii():
        return value.encode("utf-8", "surrogateescape").decode("utf-8", "replace")
    return value


def as_json(records: pa.Table) -> list[str]:
    """Records as JSON, without what is NULL; times and days as ISO 8601, or as numbers where no calendar has them."""
    kinds = dict(zip(records.schema.names, records.schema.types, strict=True))
    plain = pa.schema([pa.field(name, _COUNTED.get(kind, kind)) for name, kind in kinds.items()])
    return [
        json.dumps(
            {name: _said(value, kinds[name]) for name, value in record.items() if value is not None},
            ensure_ascii=False,
            default=str,
        )
        for record in records.cast(plain).to_pylist()
    ]


def _said(value: Any, kind: pa.DataType) -> Any:
    if kind not in _COUNTED:
        return _without_nulls(value)
    try:
        if pa.types.is_date(kind):
            return (_EPOCH.date() + timedelta(days=value)).isoformat()
        return (_EPOCH + timedelta(milliseconds=value)).isoformat(timespec="milliseconds")
    except OverflowError:
        return value


def _without_nulls(value: Any) -> Any:
    """What JSON can say: it has no number that is none."""
    if isinstance(value, dict):
        return {name: _without_nulls(one) for name, one in value.items() if one is not None}
    return None if isinstance(value, float) and not isfinite(value) else value
