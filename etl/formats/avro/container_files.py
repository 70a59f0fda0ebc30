"""Headers and blocks of Avro container files, without decoding records.

A container file is a header, which ends with 16 random bytes (the sync marker), and blocks: number of records, number
of bytes, the bytes, the marker again. Counting records therefore reads a few bytes a block, and detects a cut file.
"""

import json
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, BinaryIO

from etl.errors import WrongFileError
from etl.formats.avro.encoding import encode_long

_MAGIC = b"Obj\x01"
_MARKER_BYTES = 16
_MAX_VARINT_BYTES = 10
_MAX_ENTRY_BYTES = 1 << 24
_CODECS = ("null", "deflate", "snappy", "bzip2", "xz", "zstandard")
_CUT_MESSAGE = "it was cut, or is still being written."
_DAMAGED_MESSAGE = "the file is damaged. Get it again, whole."


@dataclass(frozen=True)
class Extent:
    """The records and bytes of a file's header and complete blocks.

    ``max_records_per_byte`` is the largest number of records a byte that a block claims.
    """

    schema: str
    codec: str
    row_count: int
    max_records_per_byte: float
    readable_bytes: int
    size_bytes: int

    @property
    def is_cut(self) -> bool:
        return self.readable_bytes < self.size_bytes


@dataclass(frozen=True)
class Block:
    """A block of a container file: its number of records, and the byte positions of the block and its records."""

    row_count: int
    start: int
    records_start: int
    records_end: int
    end: int

    def slice_records(self, content: bytes) -> bytes:
        """Return the compressed records within the bytes of the block."""
        return content[self.records_start - self.start : self.records_end - self.start]


@dataclass(frozen=True)
class Header:
    """The header of a container file: its bytes, the schema as JSON, the codec of the blocks and the sync marker."""

    content: bytes
    schema: str
    codec: str
    marker: bytes


def measure_extent(source: BinaryIO, size: int) -> Extent:
    """Return the extent of a file of ``size`` bytes, which may be cut within its last block.

    :raises WrongFileError: if it is not an Avro container, ends within its header or is damaged, or if its schema
        cannot be parsed or its codec is unknown.
    """
    with _explain_errors():
        entries, marker = _read_header_entries(source)
        schema, codec = _get_schema(entries), _get_codec(entries)
        row_count, density = 0, 0.0
        for block in _iterate_blocks(source, marker, size):
            row_count += block.row_count
            density = max(density, block.row_count / (block.end - block.start))
    return Extent(schema, codec, row_count, density, source.tell(), size)


def read_header(source: BinaryIO) -> Header:
    """Return the header of a file, and leave ``source`` positioned after it.

    :raises WrongFileError: as ``measure_extent`` does.
    """
    with _explain_errors():
        entries, marker = _read_header_entries(source)
        return Header(_read_range(source, 0, source.tell()), _get_schema(entries), _get_codec(entries), marker)


def read_blocks(source: BinaryIO, size: int, marker: bytes) -> Iterator[tuple[Block, bytes]]:
    """Yield the complete blocks of a file of ``size`` bytes, with their bytes.

    :param source: positioned after the header.
    :raises WrongFileError: as ``measure_extent`` does.
    """
    with _explain_errors():
        for block in _iterate_blocks(source, marker, size):
            yield block, _read_range(source, block.start, block.end)


def encode_file(records: Collection[bytes | memoryview], row_count: int, schema: str) -> Iterator[bytes | memoryview]:
    """Yield the bytes of a file with one block.

    :param records: the encoded records, in pieces.
    """
    marker = bytes(_MARKER_BYTES)
    yield encode_header(schema, "null", marker)
    yield encode_long(row_count) + encode_long(sum(map(len, records)))
    yield from records
    yield marker


def encode_header(schema: str, codec: str, marker: bytes, metadata: Mapping[str, str] | None = None) -> bytes:
    """Return the header of a file.

    :param marker: 16 bytes.
    :param metadata: further entries; their names must not begin with "avro.".
    """
    entries = {"avro.schema": schema, "avro.codec": codec, **(metadata or {})}
    encoded_texts = (text.encode() for entry in entries.items() for text in entry)
    encoded_entries = b"".join(encode_long(len(text)) + text for text in encoded_texts)
    return _MAGIC + encode_long(len(entries)) + encoded_entries + encode_long(0) + marker


def count_records(files: Any, url: str) -> int:
    """Return the number of records in a file, or in all files ``*.avro`` of a folder.

    :param files: an fsspec filesystem.
    :param url: a path of it, with or without protocol.
    :raises WrongFileError: if a file is not an Avro container or is cut; the message names it.
    """
    path = files._strip_protocol(url)
    paths = sorted(files.glob(f"{path}/*.avro")) if files.isdir(path) else [path]
    return sum(_count_file_records(files, file_path) for file_path in paths)


def _count_file_records(files: Any, path: str) -> int:
    name, size = path.rsplit("/", 1)[-1], int(files.size(path))
    with files.open(path, "rb") as source:
        try:
            extent = measure_extent(source, size)
        except WrongFileError as error:
            raise WrongFileError(f"{name}: {error}") from None
    if extent.is_cut:
        raise WrongFileError(f"{name}: the file ends within a block of records: {_CUT_MESSAGE}")
    return extent.row_count


@contextmanager
def _explain_errors() -> Iterator[None]:
    try:
        yield
    except _NotAvroError as error:
        raise WrongFileError(str(error)) from None


class _NotAvroError(Exception):
    """An invalid file; the message says why."""


class _EndsTooEarlyError(_NotAvroError):
    """A file that ends too early."""


def _read_header_entries(source: BinaryIO) -> tuple[dict[str, bytes], bytes]:
    """Read the header.

    :returns: its metadata, and the sync marker.
    """
    entries = {}
    if source.read(len(_MAGIC)) != _MAGIC:
        raise _NotAvroError("this is no Avro container file: it does not begin with Obj and 1. Name an Avro file.")
    while count := _read_long(source):
        # A map is a list of blocks that a count of 0 ends. A negative count is followed by the size of its block.
        if count < 0:
            count = -count
            _read_long(source)
        for _ in range(count):
            key = _read_exactly(source, _read_long(source)).decode("utf-8", "replace")
            entries[key] = _read_exactly(source, _read_long(source))
    return entries, _read_exactly(source, _MARKER_BYTES)


def _get_schema(entries: dict[str, bytes]) -> str:
    """Return the schema as JSON; raise _NotAvroError if a record has no list of fields with names and types."""
    try:
        text = entries["avro.schema"].decode()
        schema = json.loads(text)
    except KeyError:
        raise _NotAvroError("the file's header has no schema: write the file anew.") from None
    except (ValueError, RecursionError):
        raise _NotAvroError(f"the schema in the file's header cannot be read: {_DAMAGED_MESSAGE}") from None
    fields = schema.get("fields") if isinstance(schema, dict) else []
    if not isinstance(fields, list) or not all(map(_is_field, fields)):
        raise _NotAvroError("the schema in the file's header tells of no fields: write the file anew.")
    return text


def _is_field(field: object) -> bool:
    return isinstance(field, dict) and isinstance(field.get("name"), str) and "type" in field


def _get_codec(entries: dict[str, bytes]) -> str:
    codec = entries.get("avro.codec", b"null").decode("utf-8", "replace")
    if codec not in _CODECS:
        raise _NotAvroError(
            f"its records are packed as {codec[:40]!r}, which cannot be read: write the file with deflate or snappy."
        )
    return codec


def _read_range(source: BinaryIO, start: int, end: int) -> bytes:
    source.seek(start)
    return source.read(end - start)


def _iterate_blocks(source: BinaryIO, marker: bytes, size: int) -> Iterator[Block]:
    """Yield the complete blocks, and leave ``source`` positioned after the last one."""
    while (start := source.tell()) < size:
        # A cut last block is no error: all blocks before it are valid. A cut header
        # is an error, because no record can be decoded without it.
        try:
            count, length = _read_long(source), _read_long(source)
        except _EndsTooEarlyError:
            source.seek(start)
            return
        if length < 0 or count < 0:
            raise _NotAvroError(f"a block of records has a negative size: {_DAMAGED_MESSAGE}")
        records_start = source.tell()
        records_end = records_start + length
        if records_end + _MARKER_BYTES > size:
            source.seek(start)
            return
        source.seek(records_end)
        if source.read(_MARKER_BYTES) != marker:
            raise _NotAvroError(f"a block of records does not end with the file's sync marker: {_DAMAGED_MESSAGE}")
        yield Block(count, start, records_start, records_end, source.tell())


def _read_long(source: BinaryIO) -> int:
    """Read a zigzag number of variable length."""
    value = 0
    for index in range(_MAX_VARINT_BYTES):
        byte = _read_exactly(source, 1)[0]
        value |= (byte & 0x7F) << (7 * index)
        if byte < 0x80:
            return (value >> 1) ^ -(value & 1)
    raise _NotAvroError(f"a number is longer than Avro allows: {_DAMAGED_MESSAGE}")


def _read_exactly(source: BinaryIO, size: int) -> bytes:
    if not 0 <= size <= _MAX_ENTRY_BYTES:  # Python would reserve this much memory before it reads.
        raise _NotAvroError(f"a part of the file's header says that it has {size} bytes: {_DAMAGED_MESSAGE}")
    content = source.read(size)
    if len(content) != size:
        raise _EndsTooEarlyError(f"the file ends too early: {_CUT_MESSAGE}")
    return content
