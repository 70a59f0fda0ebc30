"""Single values of an Avro schema, such as messages of a topic, decoded many at a time into Arrow tables.

DataFusion decodes them by columns, which takes a tenth of the time of a decoder of single values. For it, the values
are joined to one block of a file. They have no separators there, so a value with too few or too many bytes would shift
all values after it, perhaps without an error. Each value is therefore followed by a fence: a field with a random number
that no sender can know. The values are decoded as sent only if each fence has its number.

If a block cannot be decoded, fastavro decodes its values one by one to find those that are to blame.
"""

import json
import secrets
from collections.abc import Collection
from dataclasses import dataclass
from functools import cached_property
from io import BytesIO
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import fastavro
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from etl.engines.datafusion import TableSession, convert_batch
from etl.formats.avro.blocks import describe_error
from etl.formats.avro.container_files import encode_file
from etl.formats.avro.encoding import encode_default_record, encode_long
from etl.formats.avro.records import UndecodableError, build_arrow_schema
from etl.formats.avro.schemas import compute_min_bytes, remove_logical_types

_FENCE_FIELD = "_fence"
_CHUNK_VALUES = 1_000
"""The values that are decoded again as a group if not all can be decoded."""


@dataclass(frozen=True)
class DecodedValues:
    """The decoded values as rows of a contract's fields, and for each value the reason why it is not among them.

    ``reasons`` is as long as the values and NULL for each row, in the same order.
    """

    rows: pa.Table
    reasons: pa.Array


class ValueDecoder:
    """A decoder of values of one schema."""

    def __init__(self, schema: dict[str, Any], contract: dict[str, Any], fields: Collection[str] | None = None) -> None:
        """
        :param schema: the schema that the values were written with.
        :param contract: the schema whose fields the rows have; fields that the values lack are NULL.
        :param fields: the names of the contract's fields to read; fewer fields are faster; None for all.
        :raises ValueError: if the schema cannot be read, or has no text field userId.
        """
        self._schema = remove_logical_types(schema, types=("string",))
        columns = build_arrow_schema(contract)
        self._columns = pa.schema([field for field in columns if fields is None or field.name in fields])
        self._min_bytes = compute_min_bytes(self._schema)
        fence_field = {"name": _FENCE_FIELD, "type": "long"}
        self._fenced_schema = json.dumps({**self._schema, "fields": [*self._schema["fields"], fence_field]})
        self._end_record = encode_default_record(self._schema, "userId", "")

    def decode(self, values: pa.Array) -> DecodedValues:
        """Decode values, bytes without NULLs; a value that cannot be decoded affects no other value."""
        values = values.cast(pa.large_binary())
        if (decoded := self._try_decode(values)) is not None:
            return decoded
        chunks = [
            self._decode_chunk(values.slice(start, _CHUNK_VALUES)) for start in range(0, len(values), _CHUNK_VALUES)
        ]
        return DecodedValues(
            pa.concat_tables(chunk.rows for chunk in chunks), pa.concat_arrays([chunk.reasons for chunk in chunks])
        )

    def _try_decode(self, values: pa.LargeBinaryArray) -> DecodedValues | None:
        """Decode values as one block; return None if any of them cannot be decoded."""
        try:
            return DecodedValues(self._decode_together(values), pa.nulls(len(values), pa.string()))
        except UndecodableError:
            return None

    def _decode_chunk(self, values: pa.LargeBinaryArray) -> DecodedValues:
        if (decoded := self._try_decode(values)) is not None:
            return decoded
        for find_error in (self._find_error, self._find_any_error):
            reasons = pa.array([find_error(value) for value in values.to_pylist()], pa.string())
            try:
                return DecodedValues(self._decode_together(values.filter(reasons.is_null())), reasons)
            except UndecodableError:
                continue
        raise AssertionError("values that can each be decoded alone can be decoded together")

    def _decode_together(self, values: pa.LargeBinaryArray) -> pa.Table:
        """Decode values as one block.

        :raises UndecodableError: if any of them cannot be decoded.
        """
        if not len(values):
            return self._columns.empty_table()
        if pc.min(pc.binary_length(values)).as_py() < self._min_bytes:
            raise UndecodableError("a value is shorter than any record")
        number = secrets.randbits(62)
        fence = encode_long(number)
        fenced_values = pc.binary_join_element_wise(
            values, *(pa.scalar(part, pa.large_binary()) for part in (fence, b""))
        )
        # DataFusion does not terminate if bytes follow the last record, so one more record ends the block.
        content: list[bytes | memoryview] = [_join_values(fenced_values), self._end_record, fence]
        with TemporaryDirectory() as folder:
            file = Path(folder) / "values.avro"
            with file.open("wb") as target:
                target.writelines(encode_file(content, len(values) + 1, self._fenced_schema))
            return self._read_fenced_rows(file, len(values), number)

    def _read_fenced_rows(self, file: Path, value_count: int, number: int) -> pa.Table:
        try:
            session = TableSession(value_count + 1)
            available_names = session.add_avro("records", str(file)).names
            selected = ", ".join(f'"{name}"' for name in available_names if name in self._columns.names)
            batch = next(session.iterate_batches(f'select {selected}, "{_FENCE_FIELD}" from records'))  # noqa: S608 (fields of a contract)
            if len(batch) == value_count + 1 and pc.all(pc.equal(batch[_FENCE_FIELD], number)).as_py():
                return pa.Table.from_batches([convert_batch(batch.slice(0, value_count), self._columns)])
        except (MemoryError, OSError):
            raise
        except Exception as error:  # The errors of DataFusion have no common class.
            raise UndecodableError(str(error)) from error
        raise UndecodableError("a value has another length than its record")

    def _find_error(self, value: bytes) -> str | None:
        """Return why a value cannot be decoded; None if it can."""
        source = BytesIO(value)
        try:
            fastavro.schemaless_reader(source, self._parsed_schema)
        except MemoryError:
            raise
        except Exception as error:  # The errors of fastavro have no common class.
            return f"the value cannot be decoded ({describe_error(error)})"
        if remaining_bytes := len(value) - source.tell():
            return f"the value has {remaining_bytes} bytes behind its record"
        return None

    def _find_any_error(self, value: bytes) -> str | None:
        """Return why neither fastavro nor DataFusion can decode a value, which is slow; None if both can."""
        if error := self._find_error(value):
            return error
        try:
            self._decode_together(pa.array([value], pa.large_binary()))
        except UndecodableError as undecodable:
            return f"the value cannot be decoded ({undecodable})"
        return None

    @cached_property
    def _parsed_schema(self) -> Any:
        return fastavro.parse_schema(remove_logical_types(self._schema))


def _join_values(values: pa.LargeBinaryArray) -> memoryview:
    """Return the bytes of all values without a copy: Arrow has them one after another."""
    _, offsets, content = values.buffers()
    ends = np.frombuffer(offsets, np.int64)
    return memoryview(content)[ends[values.offset] : ends[values.offset + len(values)]]
