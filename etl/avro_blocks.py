"""Blocks of Avro files, unpacked and packed; in fastavro's hands, which takes time for each record that it reads."""

from collections.abc import Iterator
from io import BytesIO
from typing import Any, BinaryIO

import fastavro

from etl.avro_files import Header, blocks, with_count


class UnpackedBlock:
    """A block: ``row_count`` records, as it says itself, and the bytes as which they are written."""

    def __init__(self, block: Any) -> None:
        self.row_count: int = block.num_records
        self.content: bytes = block.bytes_.getvalue()
        self._block = block

    def records(self) -> Iterator[tuple[dict[str, Any], bytes]]:
        """Each record, and the bytes of it; once. Bytes of texts that are no UTF-8 become lone surrogates.

        :raises Exception: of whatever class, where they cannot be read; ValueError where bytes are left.
        """
        begin = 0
        for record in self._block:
            end = self._block.bytes_.tell()
            yield record, self.content[begin:end]
            begin = end
        if left := len(self.content) - begin:
            raise ValueError(f"behind its {self.row_count} records there are {left} bytes")


def unpacked(source: BinaryIO, schema: dict[str, Any] | None = None) -> Iterator[UnpackedBlock]:
    """The blocks of a file.

    :param schema: with the fields that are wanted; else they are those of the file.
    :raises Exception: of whatever class, where a block cannot be unpacked.
    """
    for block in fastavro.block_reader(source, schema, handle_unicode_errors="surrogateescape"):
        yield UnpackedBlock(block)


def packed(records: bytes, row_count: int, like: Header) -> bytes:
    """A block of ``row_count`` records, as a file with such a header has it.

    :param records: what the records are written as, one behind the other.
    """
    target = BytesIO()
    whole = {"type": "fixed", "name": "whole", "size": len(records)}  # all of them are one record to fastavro
    fastavro.writer(target, whole, [records], codec=like.codec, sync_marker=like.marker)
    size, begin = target.tell(), target.getvalue().index(like.marker) + len(like.marker)
    target.seek(begin)
    ((_, content),) = blocks(target, size, like.marker)
    return with_count(content, row_count)
