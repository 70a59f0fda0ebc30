"""Zip archives of several tables, as Kaggle serves them: each file of one by itself.

Nothing is unpacked to a path of the archive's choice, nothing beyond it is followed, and no more is unpacked than it
says, nor than ``packed.MOST_BYTES``.
"""

import zipfile
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

from etl.errors import WrongFileError
from etl.packed import MOST_BYTES, MOST_FILES, entry_fault, has_too_many_entries
from etl.tabular.container import breakage_explained, files_of, is_workbook, is_zip

_BLOCK_BYTES = 1 << 20
_LONGEST_NAME = 200


@dataclass(frozen=True)
class Member:
    """A file of an archive; ``name`` is fit for messages and for the lake."""

    name: str
    _archive: zipfile.ZipFile
    _entry: zipfile.ZipInfo

    def blocks(self) -> Iterator[bytes]:
        """All its bytes, some at a time.

        :raises WrongFileError: where the archive is broken here.
        """
        try:
            with breakage_explained(), self._archive.open(self._entry) as content:
                while block := content.read(_BLOCK_BYTES):
                    yield block
        except WrongFileError as error:
            raise WrongFileError(f"{self.name}: {error}") from error


def members(content: BinaryIO) -> list[Member] | None:
    """The files of an archive, by name; None where the file is no zip file, a spreadsheet, or holds one file alone.

    :raises WrongFileError: where it is broken, too large, empty, or holds what must not be opened.
    """
    content.seek(0)
    head = content.read(4)
    content.seek(0)
    if not is_zip(head):
        return None
    with breakage_explained():
        if has_too_many_entries(content):
            raise WrongFileError(f"the zip file holds more than {MOST_FILES} files: unpack it and import its tables.")
        archive = zipfile.ZipFile(content)
        if is_workbook(archive):
            return None
        entries = files_of(archive)
        _look_at(archive)
    if not entries:
        raise WrongFileError("the zip file holds no files. Get it again, whole.")
    if len(entries) == 1:
        return None
    names = Counter(map(_plain_name, entries))
    return [
        Member(_shown(_plain_name(entry) if names[_plain_name(entry)] == 1 else entry.filename), archive, entry)
        for entry in sorted(entries, key=lambda entry: entry.filename)
    ]


def _look_at(archive: zipfile.ZipFile) -> None:
    if len(archive.infolist()) > MOST_FILES:
        raise WrongFileError(f"the zip file holds more than {MOST_FILES} files: unpack it and import its tables.")
    if sum(entry.file_size for entry in archive.infolist()) > MOST_BYTES:
        raise WrongFileError(
            f"the zip file would unpack to more than {MOST_BYTES >> 30} GiB: unpack it and import its tables."
        )
    for entry in archive.infolist():
        fault = entry_fault(entry)
        if fault:
            raise WrongFileError(f"{_shown(entry.filename)}: {fault}. Unpack it by hand and import its tables.")


def _plain_name(entry: zipfile.ZipInfo) -> str:
    return entry.filename.replace("\\", "/").rstrip("/").rsplit("/", 1)[-1]


def _shown(name: str) -> str:
    return "".join(letter if letter.isprintable() else "_" for letter in name)[-_LONGEST_NAME:]
