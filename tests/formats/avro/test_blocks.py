"""Blocks of Avro files, compressed by other writers and by this project."""

import zlib
from io import BytesIO
from typing import Any

import fastavro
import pytest

from etl.formats.avro import blocks as avro_blocks
from etl.formats.avro.blocks import DamagedBlockError, decompress_block, encode_block
from etl.formats.avro.container_files import Header, read_blocks, read_header
from etl.formats.avro.salvage import ReadableRecord, salvage_records

CODECS = ["null", "deflate", "snappy", "zstandard", "bzip2", "xz"]
SCHEMA = {"type": "record", "name": "R", "fields": [{"name": "userId", "type": "string"}]}
SOME = [{"userId": f"u{number}"} for number in range(50)]


def write_block(codec: str, records: list[dict[str, Any]] = SOME) -> tuple[Header, int, bytes]:
    """Write a file with fastavro, and return its header, number of records and compressed records."""
    source = BytesIO()
    fastavro.writer(source, SCHEMA, records, codec=codec)
    size = source.tell()
    source.seek(0)
    begin = read_header(source)
    ((block, content),) = read_blocks(source, size, begin.marker)
    return begin, block.row_count, block.slice_records(content)


@pytest.mark.parametrize("codec", CODECS)
def test_fastavro_and_this_read_each_other(codec: str) -> None:
    begin, row_count, packed = write_block(codec)
    unpacked = decompress_block(packed, codec)
    readable = [record for record in salvage_records(unpacked, row_count, SCHEMA) if isinstance(record, ReadableRecord)]
    assert [record.values for record in readable] == SOME and b"".join(
        record.content for record in readable
    ) == unpacked
    retained = b"".join(record.content for record in readable if record.values["userId"] != "u7")
    file = begin.content + encode_block(retained, len(readable) - 1, codec, begin.marker)
    assert list(fastavro.reader(BytesIO(file))) == [values for values in SOME if values["userId"] != "u7"]


@pytest.mark.parametrize("codec", CODECS[1:])
def test_a_cut_or_changed_block_is_damaged(codec: str) -> None:
    _, _, packed = write_block(codec)
    for wrong in (packed[:-5], b"", b"\xff" * 20):
        with pytest.raises(DamagedBlockError):
            decompress_block(wrong, codec)


def test_the_checksum_of_snappy_is_looked_at() -> None:
    _, _, packed = write_block("snappy")
    with pytest.raises(DamagedBlockError, match="checksum"):
        decompress_block(packed[:-4] + zlib.crc32(b"another").to_bytes(4, "big"), "snappy")


@pytest.mark.parametrize("codec", CODECS)
def test_a_block_that_is_too_large_unpacked_is_not_unpacked_whole(codec: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(avro_blocks, "MAX_BLOCK_BYTES", 1 << 20)
    _, _, packed = write_block(codec, [{"userId": "u" * (1 << 21)}])
    with pytest.raises(DamagedBlockError, match="it has more than 1 MiB"):
        decompress_block(packed, codec)
