"""The file around a table: a plain file, a compressed file or a workbook."""

import csv
import gzip
import re
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from typing import BinaryIO, cast

from etl.errors import WrongFileError
from etl.formats.compression import CORRUPTION_ERRORS, is_corruption

_MAX_FIELD_LENGTH = 1 << 24
_MAX_WORKBOOK_BYTES = 1 << 30
_COMPRESSED_FILE_TYPES = {
    b"PK\x03\x04": "a zip file",
    b"\x1f\x8b": "a gzip file",
    b"BZh": "a bzip2 file",
    b"\xfd7zXZ\x00": "an xz file",
    b"7z\xbc\xaf\x27\x1c": "a 7-Zip archive",
    b"Rar!": "a RAR archive",
    b"\x28\xb5\x2f\xfd": "a Zstandard file",
}
_OTHER_FILE_TYPES = {
    b"PAR1": "Parquet",
    b"SQLite format 3": "an SQLite database",
    b"%PDF": "a PDF document",
    b"Obj\x01": "Avro",
    b"ARROW1": "an Arrow file",
    b"\x89HDF": "HDF5",
    b"RDX": "R's data",
}
_OLE_WORKBOOK = b"\xd0\xcf\x11\xe0"


@contextmanager
def explain_corruption() -> Iterator[None]:
    """Replace the errors of the readers of compressed files and of text by a clear message.

    :raises WrongFileError: if the file is corrupt.
    """
    csv.field_size_limit(_MAX_FIELD_LENGTH)
    try:
        yield
    except (*CORRUPTION_ERRORS, OSError) as error:
        if isinstance(error, OSError) and not is_corruption(error):
            raise
        raise WrongFileError(f"the packed file is broken or locked ({error}). Get it again, whole.") from error
    except UnicodeError as error:
        raise WrongFileError(f"the text cannot be read ({error}). Save it as UTF-8.") from error
    except csv.Error as error:
        raise WrongFileError(f"the text cannot be split into fields ({error}); a quotation mark may lack.") from error


def replace_nul(text: str) -> str:
    """Return a text with U+FFFD for U+0000, which PostgreSQL cannot store."""
    return text.replace("\0", "\ufffd")


def reject_other_files(head: bytes, is_compressed: bool) -> None:
    """Reject a file that is not a table, by its first bytes.

    :param is_compressed: whether they were compressed.
    :raises WrongFileError: if it is a web page, JSON, compressed (again), or of another known type; the message names
        the type.
    """
    start = head.lstrip(b"\xef\xbb\xbf \t\r\n")[:1000].lower()
    if start.startswith((b"<!doctype html", b"<html", b"<head", b"<body")) or b"<html" in start:
        raise WrongFileError(
            "the file is a web page (HTML) saved under another name, often a sign-in page. Download the data itself."
        )
    suffix = ", packed," if is_compressed else ""
    if re.match(rb"\{\s*\"|\[\s*[\[{\"]|\{\s*\}|\[\s*\]", start):
        raise WrongFileError(
            f"the file is JSON{suffix} and no table: Kaggle's tables are CSV or spreadsheets. What Spotify sends of an "
            "account is imported by account_import."
        )
    for signature, kind in _COMPRESSED_FILE_TYPES.items():
        if head.startswith(signature):
            predicate = f"holds {kind}" if is_compressed else f"is {kind}"
            raise WrongFileError(
                f"the{' packed' if is_compressed else ''} file {predicate}: unpack it and import what it holds."
            )
    if head[257:262] == b"ustar":
        raise WrongFileError(
            f"the file is a tar archive{suffix}: unpack it and import what it holds.".replace(",:", ":")
        )
    for signature, kind in _OTHER_FILE_TYPES.items():
        if head.startswith(signature):
            raise WrongFileError(f"the file is {kind}{suffix} and no table that can be read: save it as CSV.")


def open_decompressed(content: BinaryIO) -> BinaryIO | None:
    """Open the text in a file at its beginning; return None if the file is a spreadsheet.

    :raises WrongFileError: if a zip file does not contain exactly one file, or a spreadsheet is too large.
    """
    content.seek(0)
    magic = content.read(4)
    content.seek(0)
    if magic[:2] == b"\x1f\x8b":
        return cast(BinaryIO, gzip.GzipFile(fileobj=content))
    if magic == _OLE_WORKBOOK:
        return None
    if not is_zip(magic):
        return content
    archive = zipfile.ZipFile(content)
    names = [entry.filename for entry in find_files(archive)]
    if is_workbook(archive):
        if sum(entry.file_size for entry in archive.infolist()) > _MAX_WORKBOOK_BYTES:
            raise WrongFileError("the spreadsheet would unpack to more than 1 GiB: save it as CSV.")
        return None
    if len(names) != 1:
        raise WrongFileError(f"the zip file holds {len(names)} files, not one: unpack it and import its files.")
    return cast(BinaryIO, archive.open(names[0]))


def is_zip(head: bytes) -> bool:
    """Return whether bytes are the beginning of a zip file, which may be empty."""
    return head[:4] in (b"PK\x03\x04", b"PK\x05\x06", b"PK\x07\x08")


def is_workbook(archive: zipfile.ZipFile) -> bool:
    """Return whether a zip file is a spreadsheet."""
    return not {"[Content_Types].xml", "mimetype"}.isdisjoint(archive.namelist())


def find_files(archive: zipfile.ZipFile) -> list[zipfile.ZipInfo]:
    """Return the files in a zip file, without folders, hidden files and the files that macOS adds."""
    return [entry for entry in archive.infolist() if not _is_hidden(entry.filename.replace("\\", "/"))]


def _is_hidden(path: str) -> bool:
    *folders, name = path.split("/")
    return not name or name.startswith(".") or "__MACOSX" in folders
