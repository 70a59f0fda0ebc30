"""Avro container files without reading their records: how many there are, and whether the files are whole.

A container file is a header, which ends with 16 bytes drawn for this file (the sync marker), and blocks: number of
records, number of bytes, the bytes, the marker again. So counting reads a few bytes a block, and a file that was cut
shows itself.
"""

from typing import Any, BinaryIO

from etl.errors import WrongFileError

_MAGIC = b"Obj\x01"
_MARKER_BYTES = 16
_LONGEST_VARINT = 10


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
    name = path.rsplit("/", 1)[-1]
    size = int(files.size(path))
    with files.open(path, "rb") as source:
        try:
            _, marker = _read_header(source)
            return _count_blocks(source, marker, size)
        except _NotAvroError as error:
            raise WrongFileError(f"{name}: {error}") from None


class _NotAvroError(Exception):
    """What is wrong with a file, in words."""


def _read_header(source: BinaryIO) -> tuple[dict[str, bytes], bytes]:
    """Read up to the end of the header.

    :returns: its entries, and the sync marker.
    """
    entries = {}
    if source.read(len(_MAGIC)) != _MAGIC:
        raise _NotAvroError("this is no Avro container file: it does not begin with Obj and 1.")
    while count := _read_long(source):
        if count < 0:  # then the size of the block of entries follows
            count = -count
            _read_long(source)
        for _ in range(count):
            key = _read_exactly(source, _read_long(source)).decode("utf-8", "replace")
            entries[key] = _read_exactly(source, _read_long(source))
    return entries, _read_exactly(source, _MARKER_BYTES)


def _count_blocks(source: BinaryIO, marker: bytes, size: int) -> int:
    total = 0
    while source.tell() < size:
        count, length = _read_long(source), _read_long(source)
        if count < 0 or length < 0 or source.tell() + length + _MARKER_BYTES > size:
            raise _NotAvroError("the file ends within a block of records: it was cut, or is still being written.")
        source.seek(length, 1)
        if source.read(_MARKER_BYTES) != marker:
            raise _NotAvroError("a block of records does not end with the file's sync marker: the file is damaged.")
        total += count
    return total


def _read_long(source: BinaryIO) -> int:
    """A zigzag number of variable length."""
    value = 0
    for place in range(_LONGEST_VARINT):
        byte = _read_exactly(source, 1)[0]
        value |= (byte & 0x7F) << (7 * place)
        if byte < 0x80:
            return (value >> 1) ^ -(value & 1)
    raise _NotAvroError("a number is longer than Avro allows: the file is damaged.")


def _read_exactly(source: BinaryIO, size: int) -> bytes:
    content = source.read(size) if size >= 0 else b""
    if len(content) != size:
        raise _NotAvroError("the file ends too early: it was cut, or is still being written.")
    return content
