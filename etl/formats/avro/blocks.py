"""Blocks of Avro files, decompressed and compressed."""

import bz2
import json
import lzma
import zlib
from collections.abc import Callable
from typing import Any

import fastavro
from backports import zstd
from cramjam import snappy

from etl.formats.avro.encoding import encode_long
from etl.formats.avro.schemas import UnfitSchemaError

MAX_BLOCK_BYTES = 1 << 28
"""The largest decompressed block: a few compressed bytes can decompress to any number."""
_CHECKSUM_BYTES = 4


class DamagedBlockError(ValueError):
    """An unreadable block; the message says why."""


def describe_error(error: Exception) -> str:
    """Return the kind of an error and its message."""
    return f"{type(error).__name__}: {error}"


def check_schema(schema: str) -> None:
    """Raise UnfitSchemaError if records cannot be read by a schema in JSON."""
    try:
        fastavro.parse_schema(json.loads(schema))
    except Exception as error:  # The errors of fastavro have no common class.
        raise UnfitSchemaError(describe_error(error)) from error


def decompress_block(content: bytes, codec: str) -> bytes:
    """Return the encoded records of a block.

    :raises DamagedBlockError: if the codec cannot read it, it is cut, or it has more than ``MAX_BLOCK_BYTES``.
    """
    try:
        records = _decompress(content, codec)
    except MemoryError:
        raise
    except Exception as error:  # The codecs have no common class of errors.
        raise DamagedBlockError(describe_error(error)) from error
    if len(records) > MAX_BLOCK_BYTES:
        raise DamagedBlockError(f"it has more than {MAX_BLOCK_BYTES >> 20} MiB")
    return records


def encode_block(records: bytes, row_count: int, codec: str, marker: bytes) -> bytes:
    """Return a block of ``row_count`` encoded records."""
    content = _compress(records, codec)
    return encode_long(row_count) + encode_long(len(content)) + content + marker


def _decompress(content: bytes, codec: str) -> bytes:
    match codec:
        case "null":
            return content
        case "snappy":
            if _read_snappy_length(content) > MAX_BLOCK_BYTES:
                raise ValueError(f"it has more than {MAX_BLOCK_BYTES >> 20} MiB")
            # Avro appends the CRC-32 of the uncompressed bytes, big-endian, to a raw snappy block.
            decompressed = bytes(snappy.decompress_raw(content[:-_CHECKSUM_BYTES]))
            if zlib.crc32(decompressed).to_bytes(_CHECKSUM_BYTES, "big") != content[-_CHECKSUM_BYTES:]:
                raise ValueError("its checksum is another one")
            return decompressed
        case "deflate":
            deflate = zlib.decompressobj(-zlib.MAX_WBITS)
            return _require_complete(deflate, deflate.decompress(content, MAX_BLOCK_BYTES + 1))
        case _:
            decompressor: Any = {
                "bzip2": bz2.BZ2Decompressor,
                "xz": lzma.LZMADecompressor,
                "zstandard": zstd.ZstdDecompressor,
            }[codec]()
            return _require_complete(decompressor, decompressor.decompress(content, MAX_BLOCK_BYTES + 1))


def _require_complete(decompressor: Any, content: bytes) -> bytes:
    if not decompressor.eof and len(content) <= MAX_BLOCK_BYTES:
        raise ValueError("it is cut")
    return content


def _read_snappy_length(content: bytes) -> int:
    """Return the uncompressed length, which a block begins with, seven bits a byte."""
    length = 0
    for index, byte in enumerate(content[:5]):
        length |= (byte & 0x7F) << (7 * index)
        if byte < 0x80:
            break
    return length


def _compress(content: bytes, codec: str) -> bytes:
    match codec:
        case "null":
            return content
        case "snappy":
            return bytes(snappy.compress_raw(content)) + zlib.crc32(content).to_bytes(_CHECKSUM_BYTES, "big")
        case "deflate":
            return zlib.compress(content, wbits=-zlib.MAX_WBITS)
        case _:
            compress: dict[str, Callable[[bytes], bytes]] = {
                "bzip2": bz2.compress,
                "xz": lzma.compress,
                "zstandard": zstd.compress,
            }
            return compress[codec](content)
