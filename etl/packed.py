"""Packed files: what the standard library raises of broken ones, and which entries of a zip file are none to open."""

import errno
import lzma
import re
import stat
import zipfile
import zlib
from typing import IO

MOST_FILES = 2_000
MOST_BYTES = 2 << 30
MOST_RATIO = 200
"""Packed tables and histories shrink to a tenth or a thirtieth. What shrinks more was made to fill a memory."""

_RATIO_MATTERS_FROM = 4 << 20
_MOST_BYTES_A_NAME = 1024
_END_OF_ZIP, _END_OF_LARGE_ZIP = b"PK\x05\x06", b"PK\x06\x07"
_END_BYTES, _LARGE_END_BYTES, _MOST_COMMENT_BYTES = 22, 20, 65_535
_ENCRYPTED = 0x1

BREAKAGES = (EOFError, zlib.error, lzma.LZMAError, zipfile.BadZipFile, NotImplementedError, RuntimeError)
"""Raised of bytes that are not what a gzip or zip file should hold, are cut or locked, or packed in an unknown way."""


def is_of_content(error: OSError) -> bool:
    """Whether an error says that packed bytes are broken, not that the disk or the network fails.

    What gzip and bzip2 raise has no number; a member that should begin before its file does is an invalid argument.
    """
    return error.errno in (None, errno.EINVAL)


def has_too_many_entries(content: IO[bytes]) -> bool:
    """Whether the list of a zip file's entries is too long to be read into memory."""
    size = content.seek(0, 2)
    content.seek(max(0, size - _END_BYTES - _LARGE_END_BYTES - _MOST_COMMENT_BYTES))
    tail = content.read()
    end = tail.rfind(_END_OF_ZIP)
    if end < 0:
        return False
    is_large = tail[max(0, end - _LARGE_END_BYTES) : end].startswith(_END_OF_LARGE_ZIP)
    return is_large or int.from_bytes(tail[end + 12 : end + 16], "little") > MOST_FILES * _MOST_BYTES_A_NAME


def entry_fault(entry: zipfile.ZipInfo) -> str | None:
    """Why an entry of a zip file must not be opened, or None."""
    parts = entry.filename.replace("\\", "/").split("/")
    if parts[0] == "" or ".." in parts or re.match("^[A-Za-z]:", parts[0]):
        return "this path leads out of the zip file"
    if stat.S_ISLNK(entry.external_attr >> 16):
        return "this is a link, inside a zip file"
    if entry.flag_bits & _ENCRYPTED:
        return "this is locked with a password"
    if entry.file_size > max(_RATIO_MATTERS_FROM, MOST_RATIO * entry.compress_size):
        return f"this unpacks to more than {MOST_RATIO} times its size"
    return None
