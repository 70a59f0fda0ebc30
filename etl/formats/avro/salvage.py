"""The readable records of a block with damaged records; the unreadable records are counted.

The records of a block have no separators. A record whose bytes do not follow the file's schema has no known end, so it
and all records after it are unreadable. If the bytes of a record follow the schema, but its values do not match the
contract, only this record is unreadable.

The records are decoded one by one, which is slow. Use this only for blocks that cannot be decoded as a whole.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from io import BytesIO
from typing import Any

import fastavro

from etl.formats.avro.blocks import DamagedBlockError, describe_error
from etl.formats.avro.schemas import remove_logical_types

UNREACHABLE_REASON = "the record stands behind one of its block that cannot be read"


@dataclass(frozen=True)
class ReadableRecord:
    """A record of a block, and its encoded bytes."""

    values: dict[str, Any]
    content: bytes


@dataclass(frozen=True)
class UnreadableRecords:
    """Consecutive unreadable records of a block.

    ``first_number`` is the number of the first one, counted from 1; ``reason`` says why they cannot be read.
    """

    first_number: int
    row_count: int
    reason: str


SalvageResult = ReadableRecord | UnreadableRecords


def salvage_records(content: bytes, row_count: int, schema: Any, reader: Any = None) -> Iterator[SalvageResult]:
    """Yield the readable records of a decompressed block, and counts of the others; together they are ``row_count``.

    Bytes of texts that are not UTF-8 become lone surrogates.

    :param schema: the schema of the file.
    :param reader: a schema with the fields to read; None for all fields.
    :raises DamagedBlockError: if the first record is damaged, so that no record can be read; if bytes remain after the
        last record, so that no record can be trusted; if the schema itself cannot be parsed.
    """
    block = _BlockReader(content, schema, reader)
    for number in range(1, row_count + 1):
        try:
            yield block.read_record()
        except MemoryError:
            raise
        except Exception as error:  # The errors of fastavro have no common class.
            is_alone = block.skip_record()
            if number == 1 and not is_alone:
                raise DamagedBlockError(describe_error(error)) from error
            yield UnreadableRecords(number, 1, f"the record cannot be read ({describe_error(error)})")
            if is_alone:
                continue
            if number < row_count:
                yield UnreadableRecords(number + 1, row_count - number, UNREACHABLE_REASON)
            return
    if remaining_bytes := block.count_remaining_bytes():
        raise DamagedBlockError(f"behind its {row_count} records there are {remaining_bytes} bytes")


class _BlockReader:
    """A decompressed block, read from one record to the next."""

    def __init__(self, content: bytes, schema: Any, reader: Any) -> None:
        try:
            self._schema = fastavro.parse_schema(schema)
            self._reader_schema = fastavro.parse_schema(reader) if reader else None
            self._schema_without_logical_types = fastavro.parse_schema(remove_logical_types(schema))
        except Exception as error:  # The errors of fastavro have no common class.
            raise DamagedBlockError(describe_error(error)) from error
        self._content = content
        self._source = BytesIO(content)
        self._start = 0

    def read_record(self) -> ReadableRecord:
        """Read the next record; if that fails, the position does not change."""
        values = self._read_value(self._schema, self._reader_schema)
        start, self._start = self._start, self._source.tell()
        return ReadableRecord(values, self._content[start : self._start])

    def skip_record(self) -> bool:
        """Skip a record that ``read_record`` could not read; return False if its end is unknown."""
        self._source.seek(self._start)
        try:
            self._read_value(self._schema_without_logical_types)
        except MemoryError:
            raise
        except Exception:  # The errors of fastavro have no common class.
            return False
        self._start = self._source.tell()
        return True

    def count_remaining_bytes(self) -> int:
        """Return the number of bytes after the last record read."""
        return len(self._content) - self._start

    def _read_value(self, schema: Any, reader: Any = None) -> Any:
        return fastavro.schemaless_reader(self._source, schema, reader, handle_unicode_errors="surrogateescape")
