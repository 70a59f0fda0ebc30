"""Zip archives of several tables, as Kaggle serves them, file by file.

No file is written to a path that the archive chooses, no link is followed, and no more than ``compression.MAX_BYTES``
are decompressed.
"""

import zipfile
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

from etl.errors import WrongFileError
from etl.formats.compression import MAX_BYTES, MAX_FILES, find_entry_violation, has_too_many_entries
from etl.formats.tabular.container import explain_corruption, find_files, is_workbook, is_zip

_BLOCK_BYTES = 1 << 20
_MAX_NAME_LENGTH = 200


@dataclass(frozen=True)
class ArchiveFile:
    """A file of an archive; ``name`` is safe for messages and for the lake."""

    name: str
    _archive: zipfile.ZipFile
    _entry: zipfile.ZipInfo

    def read_blocks(self) -> Iterator[bytes]:
        """Yield its bytes, block by block.

        :raises WrongFileError: if the archive is corrupt here.
        """
        try:
            with explain_corruption(), self._archive.open(self._entry) as content:
                while block := content.read(_BLOCK_BYTES):
                    yield block
        except WrongFileError as error:
            raise WrongFileError(f"{self.name}: {error}") from error


def find_archive_files(content: BinaryIO) -> list[ArchiveFile] | None:
    """Return the files of an archive, by name; None for another file, a spreadsheet or an archive of one file.

    :raises WrongFileError: if it is corrupt, too large or empty, or has an entry that must not be opened.
    """
    content.seek(0)
    head = content.read(4)
    content.seek(0)
    if not is_zip(head):
        return None
    with explain_corruption():
        if has_too_many_entries(content):
            raise WrongFileError(f"the zip file holds more than {MAX_FILES} files: unpack it and import its tables.")
        archive = zipfile.ZipFile(content)
        if is_workbook(archive):
            return None
        entries = find_files(archive)
        _check_archive(archive)
    if not entries:
        raise WrongFileError("the zip file holds no files. Get it again, whole.")
    if len(entries) == 1:
        return None
    names = Counter(map(_get_file_name, entries))
    return [
        ArchiveFile(
            _clean_name(_get_file_name(entry) if names[_get_file_name(entry)] == 1 else entry.filename), archive, entry
        )
        for entry in sorted(entries, key=lambda entry: entry.filename)
    ]


def _check_archive(archive: zipfile.ZipFile) -> None:
    if len(archive.infolist()) > MAX_FILES:
        raise WrongFileError(f"the zip file holds more than {MAX_FILES} files: unpack it and import its tables.")
    if sum(entry.file_size for entry in archive.infolist()) > MAX_BYTES:
        raise WrongFileError(
            f"the zip file would unpack to more than {MAX_BYTES >> 30} GiB: unpack it and import its tables."
        )
    for entry in archive.infolist():
        violation = find_entry_violation(entry)
        if violation:
            raise WrongFileError(
                f"{_clean_name(entry.filename)}: {violation}. Unpack it by hand and import its tables."
            )


def _get_file_name(entry: zipfile.ZipInfo) -> str:
    return entry.filename.replace("\\", "/").rstrip("/").rsplit("/", 1)[-1]


def _clean_name(name: str) -> str:
    return "".join(character if character.isprintable() else "_" for character in name)[-_MAX_NAME_LENGTH:]
