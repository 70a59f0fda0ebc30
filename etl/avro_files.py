"""Avro container files without reading their records: how many there are, and whether the files are whole.

A container file is a header, which ends with 16 bytes drawn for this file (the sync marker), and blocks: number of
records, number of bytes, the bytes, the marker again. So counting reads a few bytes a block, and a file that was cut
shows itself.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, BinaryIO

from etl.errors import WrongFileError

_MAGIC = b"Obj\x01"
_MARKER_BYTES = 16
_LONGEST_VARINT = 10
_LARGEST_ENTRY_BYTES = 1 << 24
_CODECS = ("null", "deflate", "snappy", "bzip2", "xz", "zstandard")
_CUT = "it was cut, or is still being written."
_DAMAGED = "the file is damaged. Get it again, whole."


@dataclass(frozen=True)
class Extent:
    """How far a container file can be read: records and bytes of its whole blocks, header included."""

    schema: str
    row_count: int
    whole_bytes: int
    size_bytes: int

    @property
    def is_cut(self) -> bool:
        return self.whole_bytes < self.size_bytes


@dataclass(frozen=True)
class Block:
    """A block of a container file: how many records it holds, and where it begins and ends."""

    row_count: int
    begin: int
    end: int


def extent(source: BinaryIO, size: int) -> Extent:
    """How far a file of ``size`` bytes can be read, which is to its end but where it was cut within a block.

    :raises WrongFileError: where it is no Avro container, ends within its header, or is damaged; where its schema
        cannot be read, or the way in which its records are packed is none that is known.
    """
    try:
        entries, marker = _read_header(source)
        schema = _schema(entries)
        _check_codec(entries)
        row_count = sum(block.row_count for block in _blocks(source, marker, size))
    except _NotAvroError as error:
        raise WrongFileError(str(error)) from None
    return Extent(schema, row_count, source.tell(), size)


def blocks_alone(source: BinaryIO, size: int) -> Iterator[tuple[Block, bytes]]:
    """The whole blocks of a file of ``size`` bytes, each with the bytes of a container file of it alone.

    :raises WrongFileError: as ``extent`` does.
    """
    try:
        _, marker = _read_header(source)
        header = _between(source, 0, source.tell())
        for block in _blocks(source, marker, size):
            yield block, header + _between(source, block.begin, block.end)
    except _NotAvroError as error:
        raise WrongFileError(str(error)) from None


def count_records(files: Any, url: str) -> int:
    """The number of records in a file, or in all files ``*.avro`` of a folder.

    :param files: an fsspec filesystem; ``url`` is a path of it, or has its protocol.
    :raises WrongFileError: where a file is no Avro container or ends too early; the text names it.
    """
    path = files._strip_protocol(url)
    paths = sorted(files.glob(f"{path}/*.avro")) if files.isdir(path) else [path]
    return sum(_count(files, one) for one in paths)


def schema_and_codec(files: Any, path: str) -> tuple[str, str]:
    """The schema that a file was written with, as JSON, and how its blocks are packed.

    :raises WrongFileError: where it is no Avro container.
    """
    with files.open(path, "rb") as source:
        try:
            entries, _ = _read_header(source)
        except _NotAvroError as error:
            raise WrongFileError(f"{path.rsplit('/', 1)[-1]}: {error}") from None
    return entries["avro.schema"].decode(), entries.get("avro.codec", b"null").decode()


def _count(files: Any, path: str) -> int:
    name, size = path.rsplit("/", 1)[-1], int(files.size(path))
    with files.open(path, "rb") as source:
        try:
            found = extent(source, size)
        except WrongFileError as error:
            raise WrongFileError(f"{name}: {error}") from None
    if found.is_cut:
        raise WrongFileError(f"{name}: the file ends within a block of records: {_CUT}")
    return found.row_count


class _NotAvroError(Exception):
    """What is wrong with a file, in words."""


class _EndsTooEarlyError(_NotAvroError):
    """It ends where something must follow."""


def _read_header(source: BinaryIO) -> tuple[dict[str, bytes], bytes]:
    """Read up to the end of the header.

    :returns: its entries, and the sync marker.
    """
    entries = {}
    if source.read(len(_MAGIC)) != _MAGIC:
        raise _NotAvroError("this is no Avro container file: it does not begin with Obj and 1. Name an Avro file.")
    while count := _read_long(source):
        if count < 0:  # then the size of the block of entries follows
            count = -count
            _read_long(source)
        for _ in range(count):
            key = _read_exactly(source, _read_long(source)).decode("utf-8", "replace")
            entries[key] = _read_exactly(source, _read_long(source))
    return entries, _read_exactly(source, _MARKER_BYTES)


def _schema(entries: dict[str, bytes]) -> str:
    """The schema's text; a record in it has a list of fields, each with a name and a type."""
    try:
        text = entries["avro.schema"].decode()
        schema = json.loads(text)
    except KeyError:
        raise _NotAvroError("the file's header has no schema: write the file anew.") from None
    except (ValueError, RecursionError):
        raise _NotAvroError(f"the schema in the file's header cannot be read: {_DAMAGED}") from None
    fields = schema.get("fields") if isinstance(schema, dict) else []
    if not isinstance(fields, list) or not all(map(_is_field, fields)):
        raise _NotAvroError("the schema in the file's header tells of no fields: write the file anew.")
    return text


def _is_field(field: object) -> bool:
    return isinstance(field, dict) and isinstance(field.get("name"), str) and "type" in field


def _check_codec(entries: dict[str, bytes]) -> None:
    codec = entries.get("avro.codec", b"null").decode("utf-8", "replace")
    if codec not in _CODECS:
        raise _NotAvroError(
            f"its records are packed as {codec[:40]!r}, which cannot be read: write the file with deflate or snappy."
        )


def _between(source: BinaryIO, begin: int, end: int) -> bytes:
    source.seek(begin)
    return source.read(end - begin)


def _blocks(source: BinaryIO, marker: bytes, size: int) -> Iterator[Block]:
    """The whole blocks; ``source`` stands behind the last one at the end."""
    while (begin := source.tell()) < size:
        try:
            count, length = _read_long(source), _read_long(source)
        except _EndsTooEarlyError:
            source.seek(begin)
            return
        if length < 0 or count < 0:
            raise _NotAvroError(f"a block of records has a negative size: {_DAMAGED}")
        if source.tell() + length + _MARKER_BYTES > size:
            source.seek(begin)
            return
        source.seek(length, 1)
        if source.read(_MARKER_BYTES) != marker:
            raise _NotAvroError(f"a block of records does not end with the file's sync marker: {_DAMAGED}")
        yield Block(count, begin, source.tell())


def _read_long(source: BinaryIO) -> int:
    """A zigzag number of variable length."""
    value = 0
    for place in range(_LONGEST_VARINT):
        byte = _read_exactly(source, 1)[0]
        value |= (byte & 0x7F) << (7 * place)
        if byte < 0x80:
            return (value >> 1) ^ -(value & 1)
    raise _NotAvroError(f"a number is longer than Avro allows: {_DAMAGED}")


def _read_exactly(source: BinaryIO, size: int) -> bytes:
    if not 0 <= size <= _LARGEST_ENTRY_BYTES:  # memory for so much would be asked for before a byte is read
        raise _NotAvroError(f"a part of the file's header says that it has {size} bytes: {_DAMAGED}")
    content = source.read(size)
    if len(content) != size:
        raise _EndsTooEarlyError(f"the file ends too early: {_CUT}")
    return content
