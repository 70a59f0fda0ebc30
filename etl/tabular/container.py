"""What holds the bytes of a table: a plain file, a packed one, a workbook."""

import csv
import gzip
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from typing import BinaryIO, cast

from etl.errors import WrongFileError
from etl.packed import BREAKAGES, is_of_content

_LONGEST_FIELD = 1 << 24
_LARGEST_WORKBOOK_BYTES = 1 << 30
_OLE_WORKBOOK = b"\xd0\xcf\x11\xe0"


@contextmanager
def breakage_explained() -> Iterator[None]:
    """Turns what the readers of packed files and of text raise into a sentence.

    :raises WrongFileError: where the file is broken.
    """
    csv.field_size_limit(_LONGEST_FIELD)
    try:
        yield
    except (*BREAKAGES, OSError) as error:
        if isinstance(error, OSError) and not is_of_content(error):
            raise
        raise WrongFileError(f"the packed file is broken or locked ({error}). Get it again, whole.") from error
    except UnicodeError as error:
        raise WrongFileError(f"the text cannot be read ({error}). Save it as UTF-8.") from error
    except csv.Error as error:
        raise WrongFileError(f"the text cannot be split into fields ({error}); a quotation mark may lack.") from error


def unpacked(content: BinaryIO) -> BinaryIO | None:
    """The bytes of the text in a file, from their beginning; None where the file is a spreadsheet."""
    content.seek(0)
    magic = content.read(4)
    content.seek(0)
    if magic[:2] == b"\x1f\x8b":
        return cast(BinaryIO, gzip.GzipFile(fileobj=content))
    if magic == _OLE_WORKBOOK:
        return None
    if magic[:2] != b"PK":
        return content
    archive = zipfile.ZipFile(content)
    names = [n for n in archive.namelist() if not n.endswith("/") and not n.startswith("__MACOSX/")]
    if "[Content_Types].xml" in names or "mimetype" in names:
        if sum(entry.file_size for entry in archive.infolist()) > _LARGEST_WORKBOOK_BYTES:
            raise WrongFileError("the spreadsheet would unpack to more than 1 GiB: save it as CSV.")
        return None
    if len(names) != 1:
        raise WrongFileError(f"the zip file holds {len(names)} files, not one: unpack it and import its files.")
    return cast(BinaryIO, archive.open(names[0]))
