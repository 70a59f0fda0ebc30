"""Packed files: what the standard library raises of broken ones."""

import errno
import lzma
import zipfile
import zlib

BREAKAGES = (EOFError, zlib.error, lzma.LZMAError, zipfile.BadZipFile, NotImplementedError, RuntimeError)
"""Raised of bytes that are not what a gzip or zip file should hold, are cut or locked, or packed in an unknown way."""


def is_of_content(error: OSError) -> bool:
    """Whether an error says that packed bytes are broken, not that the disk or the network fails.

    What gzip and bzip2 raise has no number; a member that should begin before its file does is an invalid argument.
    """
    return error.errno in (None, errno.EINVAL)
