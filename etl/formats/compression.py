"""Limits and errors of compressed files, and the entries of a zip file that must not be opened."""

import errno
import gzip
import lzma
import re
import stat
import zipfile
import zlib
from typing import IO

MAX_FILES = 2_000
MAX_BYTES = 2 << 30
MAX_COMPRESSION_RATIO = 200
"""Tables and histories compress to a tenth or a thirtieth. A file with a higher ratio is an attack on the memory."""

_RATIO_CHECK_MIN_BYTES = 4 << 20
_MAX_BYTES_PER_NAME = 1024
_END_OF_DIRECTORY, _ZIP64_LOCATOR = b"PK\x05\x06", b"PK\x06\x07"
_END_RECORD_BYTES, _ZIP64_LOCATOR_BYTES, _MAX_COMMENT_BYTES = 22, 20, 65_535
_ENCRYPTED = 0x1

CORRUPTION_ERRORS = (EOFError, zlib.error, lzma.LZMAError, zipfile.BadZipFile, NotImplementedError, RuntimeError)
"""Raised for bytes of a gzip or zip file that are corrupt, cut, encrypted, or compressed by an unknown method."""


def open_deterministic_gzip(content: IO[bytes], level: int = 9) -> gzip.GzipFile:
    """Open a gzip file to write into ``content``, whose header has neither name nor time: equal bytes stay equal."""
    return gzip.GzipFile(filename="", mode="wb", compresslevel=level, fileobj=content, mtime=0)


def is_corruption(error: OSError) -> bool:
    """Return whether an error is due to corrupt bytes, not to the disk or the network.

    Errors of gzip and bzip2 have no number; an entry with an offset before its file begins is an invalid argument.
    """
    return error.errno in (None, errno.EINVAL)


def is_bomb(size: int, compressed_size: int) -> bool:
    """Return whether content is so much larger than its compressed form that it is made to fill the memory."""
    return size > max(_RATIO_CHECK_MIN_BYTES, MAX_COMPRESSION_RATIO * compressed_size)


def has_too_many_entries(content: IO[bytes]) -> bool:
    """Return whether the directory of a zip file is too long to be read into memory."""
    size = content.seek(0, 2)
    content.seek(max(0, size - _END_RECORD_BYTES - _ZIP64_LOCATOR_BYTES - _MAX_COMMENT_BYTES))
    tail = content.read()
    end = tail.rfind(_END_OF_DIRECTORY)
    if end < 0:
        return False
    # Bytes 12 to 16 of the end record are the size of the central directory. Zip64 is for more entries than fit into
    # two bytes or for files of more than 4 GiB, both beyond the limits.
    is_zip64 = tail[max(0, end - _ZIP64_LOCATOR_BYTES) : end].startswith(_ZIP64_LOCATOR)
    return is_zip64 or int.from_bytes(tail[end + 12 : end + 16], "little") > MAX_FILES * _MAX_BYTES_PER_NAME


def find_entry_violation(entry: zipfile.ZipInfo) -> str | None:
    """Return why an entry of a zip file must not be opened, or None."""
    path_segments = entry.filename.replace("\\", "/").split("/")
    if path_segments[0] == "" or ".." in path_segments or re.match("^[A-Za-z]:", path_segments[0]):
        return "this path leads out of the zip file"
    if stat.S_ISLNK(entry.external_attr >> 16):
        return "this is a link, inside a zip file"
    if entry.flag_bits & _ENCRYPTED:
        return "this is locked with a password"
    if is_bomb(entry.file_size, entry.compress_size):
        return f"this unpacks to more than {MAX_COMPRESSION_RATIO} times its size"
    return None
