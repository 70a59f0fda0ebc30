"""Packed files: what the standard library raises of broken ones, and which entries of a zip file are none to open."""

import errno
import lzma
import re
import stat
import zipfile
import zlib
from typing import IO

MAX_FILES = 2_000
MAX_BYTES = 2 << 30
MAX_COMPRESSION_RATIO = 200
"""Packed tables and histories shrink to a tenth or a thirtieth. What shrinks more was made to fill a memory."""

_RATIO_CHECK_MIN_BYTES = 4 << 20
_MAX_BYTES_PER_NAME = 1024
_END_OF_DIRECTORY, _ZIP64_LOCATOR = b"PK\x05\x06", b"PK\x06\x07"
_END_RECORD_BYTES, _ZIP64_LOCATOR_BYTES, _MAX_COMMENT_BYTES = 22, 20, 65_535
_ENCRYPTED = 0x1

CORRUPTION_ERRORS = (EOFError, zlib.error, lzma.LZMAError, zipfile.BadZipFile, NotImplementedError, RuntimeError)
"""Raised of bytes that are not what a gzip or zip file should hold, are cut or locked, or packed in an unknown way."""


def is_corruption(error: OSError) -> bool:
    """Whether an error says that packed bytes are broken, not that the disk or the network fails.

    What gzip and bzip2 raise has no number; a member that should begin before its file does is an invalid argument.
    """
    return error.errno in (None, errno.EINVAL)


def has_too_many_entries(content: IO[bytes]) -> bool:
    """Whether the list of a zip file's entries is too long to be read into memory."""
    size = content.seek(0, 2)
    content.seek(max(0, size - _END_RECORD_BYTES - _ZIP64_LOCATOR_BYTES - _MAX_COMMENT_BYTES))
    tail = content.read()
    end = tail.rfind(_END_OF_DIRECTORY)
    if end < 0:
        return False
    is_zip64 = tail[max(0, end - _ZIP64_LOCATOR_BYTES) : end].startswith(_ZIP64_LOCATOR)
    return is_zip64 or int.from_bytes(tail[end + 12 : end + 16], "little") > MAX_FILES * _MAX_BYTES_PER_NAME


def find_entry_violation(entry: zipfile.ZipInfo) -> str | None:
    """Why an entry of a zip file must not be opened, or None."""
    path_segments = entry.filename.replace("\\", "/").split("/")
    if path_segments[0] == "" or ".." in path_segments or re.match("^[A-Za-z]:", path_segments[0]):
        return "this path leads out of the zip file"
    if stat.S_ISLNK(entry.external_attr >> 16):
        return "this is a link, inside a zip file"
    if entry.flag_bits & _ENCRYPTED:
        return "this is locked with a password"
    if entry.file_size > max(_RATIO_CHECK_MIN_BYTES, MAX_COMPRESSION_RATIO * entry.compress_size):
        return f"this unpacks to more than {MAX_COMPRESSION_RATIO} times its size"
    return None
