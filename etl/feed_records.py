"""The records of a feed's file as Arrow tables, by a contract's fields, whatever schema the file was written with.

DataFusion reads a file as a whole, columns at a time. What it cannot read (bytes that are no UTF-8, a field of another
kind than the contract's) fastavro reads block by block, so that what is wrong with one block costs no other.
"""

import json
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from io import BytesIO
from math import isfinite
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import fastavro
import pyarrow as pa
from fsspec.core import url_to_fs

from etl.avro_files import blocks_alone
from etl.columnar import Tables, as_schema

_ROWS = 250_000
"""At a time: about 75 MB of UserActivity."""
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
_COUNTED = {_KINDS["timestamp-millis"]: pa.int64(), _KINDS["date"]: pa.int32()}
"""What counts from the start of 1970, and may count to where Python knows no day."""


class UndecodableError(Exception):
    """A file that DataFusion cannot read by the contract."""


@dataclass(frozen=True)
class Undecodable:
    """Records that cannot be read: how many, and why."""

    row_count: int
    reason: str
    place: str


def arrow_schema(contract: dict[str, Any]) -> pa.Schema:
    """A contract's fields as Arrow has them; all may be NULL."""
    return pa.schema([pa.field(field["name"], _kind(field["type"])) for field in contract["fields"]])


def read(url: str, contract: dict[str, Any], fields: Collection[str] | None = None) -> Iterator[pa.Table]:
    """The records of a file, some at a time, with the contract's fields; those that the file lacks are NULL.

    :param fields: the ones that are wanted, which makes it faster; None: all.
    :raises UndecodableError: where ``read_blocks`` must do it; what was given before is to be forgotten.
    """
    files, path = url_to_fs(url)
    with TemporaryDirectory() as folder:
        local = path
        if "file" not in files.protocol and "local" not in files.protocol:
            local = str(Path(folder) / "feed.avro")
            files.get_file(path, local)
        try:
            schema = arrow_schema(contract)
            yield from _tables(local, pa.schema([one for one in schema if fields is None or one.name in fields]))
        except Exception as error:  # DataFusion's have no class of their own
            raise UndecodableError(str(error)) from error


def read_blocks(url: str, contract: dict[str, Any]) -> Iterator[pa.Table | Undecodable]:
    """The same, block by block, and what cannot be read of it. Bytes that are no UTF-8 become U+FFFD; a user's id that
    has some is NULL."""
    files, path = url_to_fs(url)
    schema, parsed = arrow_schema(contract), fastavro.parse_schema(contract)
    with files.open(path, "rb") as source:
        for number, (block, content) in enumerate(blocks_alone(source, int(files.size(path))), 1):
            try:
                records = fastavro.reader(BytesIO(content), parsed, handle_unicode_errors="surrogateescape")
                table = pa.Table.from_pylist([_cleaned(record) for record in records], schema)
            except Exception as error:  # of fastavro, of a codec, of Arrow: whatever the bytes provoke
                reason = f"the block of records cannot be read: {error}"
                yield Undecodable(block.row_count, reason, f"{path.rsplit('/', 1)[-1]}, block {number}")
            else:
                yield table


def _tables(path: str, schema: pa.Schema) -> Iterator[pa.Table]:
    tables = Tables()
    given = tables.add_avro("records", path).names
    chosen = ", ".join(f'"{name}"' for name in schema.names if name in given)
    gathered: list[pa.RecordBatch] = []
    for batch in tables.batches(f"select {chosen} from records"):  # noqa: S608 (fields of a contract)
        gathered.append(as_schema(batch, schema))
        if sum(one.num_rows for one in gathered) >= _ROWS:
            yield pa.Table.from_batches(gathered)
            gathered = []
    if gathered:
        yield pa.Table.from_batches(gathered)


def _kind(told: Any) -> pa.DataType:
    if isinstance(told, list):
        return _kind(next(one for one in told if one != "null"))
    if isinstance(told, str):
        return _KINDS[told]
    if told["type"] == "record":
        return pa.struct([pa.field(field["name"], _kind(field["type"])) for field in told["fields"]])
    return _KINDS[told.get("logicalType", told["type"])]


def _cleaned(record: Any) -> Any:
    cleaned = {name: _text(value) for name, value in record.items()}
    if cleaned.get("userId") != record.get("userId"):
        cleaned["userId"] = None
    return cleaned


def _text(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _text(one) for name, one in value.items()}
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
