"""What can be read of a block in which a record is damaged: the records before it, and no record is lost uncounted.

Records of a block have no marks between them. A record whose bytes do not follow the file's schema hides where the next
one begins, so it and all records behind it are unreadable. A record whose bytes do follow the schema, but whose values
are not what the contract wants, is unreadable alone.

The records are read one by one, which takes time: only for blocks that cannot be read at once.
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
    """A record of a block, and the bytes that it is written as."""

    values: dict[str, Any]
    content: bytes


@dataclass(frozen=True)
class UnreadableRecords:
    """Records of a block that stand side by side: the number of the first one, from 1, how many they are, and why."""

    first_number: int
    row_count: int
    reason: str


SalvageResult = ReadableRecord | UnreadableRecords


def salvage_records(content: bytes, row_count: int, schema: Any, reader: Any = None) -> Iterator[SalvageResult]:
    """Read each record of a decompressed block that can be read, and count the others: together they are ``row_count``.

    Bytes of texts that are no UTF-8 become lone surrogates.

    :param schema: the file's; ``reader`` is one with the fields that are wanted, else all are.
    :raises DamagedBlockError: where the first record is damaged, so that none can be read; where bytes are left behind
        the last one, so that none can be trusted; where the schema itself cannot be read.
    """
    block = _BlockReader(content, schema, reader)
    for number in range(1, row_count + 1):
        try:
            yield block.read_record()
        except MemoryError:
            raise
        except Exception as error:  # fastavro's errors have no class of their own
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
        except Exception as error:  # fastavro's errors have no class of their own
            raise DamagedBlockError(describe_error(error)) from error
        self._content = content
        self._source = BytesIO(content)
        self._start = 0

    def read_record(self) -> ReadableRecord:
        """Read the next record; where that fails the block stays before it."""
        values = self._read_value(self._schema, self._reader_schema)
        start, self._start = self._start, self._source.tell()
        return ReadableRecord(values, self._content[start : self._start])

    def skip_record(self) -> bool:
        """Go on behind a record that ``read_record`` could not read; False where its end is not known."""
        self._source.seek(self._start)
        try:
            self._read_value(self._schema_without_logical_types)
        except MemoryError:
            raise
        except Exception:  # fastavro's errors have no class of their own
            return False
        self._start = self._source.tell()
        return True

    def count_remaining_bytes(self) -> int:
        """Return how many bytes are left."""
        return len(self._content) - self._start

    def _read_value(self, schema: Any, reader: Any = None) -> Any:
        return fastavro.schemaless_reader(self._source, schema, reader, handle_unicode_errors="surrogateescape")
